"""Artifacts over HTTP by servers that are told where to keep them, and what of them to serve."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest, answer_of

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
Serve = Callable[..., Rest]


@pytest.fixture
def serve(make_server_process: Callable[..., ServerProcess]) -> Serve:
    """`serve("--flag", …)` starts a server with an HTTP port; MLflow's API of it."""

    def start(*arguments: str) -> Rest:
        server = make_server_process(*arguments)
        server.http_port = "0"
        server.start()
        return Rest(server.url)

    return start


def test_run_in_a_folder_is_served_by_its_name_alone(serve: Serve, tmp_path: Path) -> None:
    rest = serve("--default-artifact-root", str(tmp_path / "shared"))
    run_id = rest.run()
    root = rest.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"]
    assert root == f"{tmp_path}/shared/0/{run_id}/artifacts"
    answer_of(rest.send("POST", UPLOAD, params={"run_id": run_id, "path": "a/b.txt"}, data=b"by the server"))
    assert Path(root, "a", "b.txt").read_bytes() == b"by the server"
    Path(root, "c.txt").write_bytes(b"by the client")

    listed = rest.get("artifacts/list", run_id=run_id)
    assert listed["root_uri"] == root
    assert [file["path"] for file in listed["files"]] == ["a", "c.txt"]
    wanted = {"run_id": run_id, "path": "c.txt"}
    assert rest.send("GET", "/get-artifact", params=wanted).content == b"by the client"
    assert rest.send("GET", "/get-artifact", params=wanted, headers={"Range": "bytes=3-5"}).content == b"the"
    status, _, words = rest.refused("GET", f"{PROXY}/0/{run_id}/artifacts/c.txt")
    assert status == 404
    assert root in words


def test_proxy_that_is_switched_off_says_so(serve: Serve, tmp_path: Path) -> None:
    rest = serve("--no-serve-artifacts", "--default-artifact-root", str(tmp_path / "shared"))
    run_id = rest.run()
    for method in ("PUT", "GET", "DELETE"):
        found = rest.refused(method, f"{PROXY}/0/{run_id}/artifacts/f")
        assert found[:2] == (501, "NOT_IMPLEMENTED")
        assert "--no-serve-artifacts" in found[2]
    assert rest.refused("GET", PROXY, params={"path": f"0/{run_id}/artifacts"})[0] == 501
    answer_of(rest.send("POST", UPLOAD, params={"run_id": run_id, "path": "f"}, data=b"x"))
    assert rest.send("GET", "/get-artifact", params={"run_id": run_id, "path": "f"}).content == b"x"


def test_server_of_artifacts_alone_refuses_all_else(serve: Serve) -> None:
    rest = serve("--artifacts-only")
    for method, path in (("POST", "runs/create"), ("GET", "artifacts/list"), ("GET", "/get-artifact")):
        found = rest.refused(method, path)
        assert found[:2] == (501, "NOT_IMPLEMENTED")
        assert "--artifacts-only" in found[2]
    assert rest.refused("PUT", f"{PROXY}/0/nobody/artifacts/f", data=b"x")[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    for prefix in ("/api/", "/ajax-api/"):
        assert rest.get(f"{prefix}3.0/mlflow/server-info")["multipart_uploads_enabled"] is False
    assert rest.send("GET", "/health").text == "OK"


def test_artifacts_are_served_below_a_prefix(serve: Serve) -> None:
    rest = serve("--static-prefix", "/tracking")
    below = Rest(rest.url if rest.url.endswith("/tracking") else f"{rest.url}/tracking")
    run_id = below.run()
    answer_of(below.send("PUT", f"{PROXY}/0/{run_id}/artifacts/f", data=b"x"))
    assert below.send("GET", "/get-artifact", params={"run_id": run_id, "path": "f"}).content == b"x"
    response = requests.get(f"{below.url}//get-artifact?path=f", timeout=30, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (308, "/tracking/get-artifact?path=f")
