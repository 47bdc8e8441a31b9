"""Paths by MLflow's REST API that are no files of a run."""

from urllib.parse import quote

import pytest
from tests.mlflow_api.conftest import Rest
from tests.mlflow_api.proxied import PROXY, UPLOAD, as_it_is, names, place, put


def test_path_is_decoded_as_often_as_that_changes_it(rest: Rest) -> None:
    run_id = rest.run()
    assert as_it_is(rest, "PUT", place(run_id, "a%2520b/./c%252Fd"), b"x") == (200, {})
    assert names(rest, run_id, "a b/c") == ["a b/c/d"]


BAD_PATHS = ["../x", "a/../../x", "..", "/etc/passwd", "a\\b", "a\0b", "a#b", "C:/x", "file:/etc/passwd", "%2e%2e/x"]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("encodings", [1, 2, 3])
def test_path_that_could_lead_out_is_invalid_everywhere(rest: Rest, path: str, encodings: int) -> None:
    run_id = rest.run()
    shown = path
    for _ in range(encodings):
        shown = quote(shown, safe="")
    invalid = (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid path"})
    # In the proxy's paths, what is absolute is so behind the run's folder already.
    below = f"0/{run_id}/artifacts/" if not path.startswith(("/", "C:", "file:")) else ""
    for method, body in (("PUT", b"x"), ("GET", None), ("DELETE", None)):
        assert as_it_is(rest, method, f"{PROXY}/artifacts/{below}{shown}", body) == invalid
    assert as_it_is(rest, "GET", f"{PROXY}/artifacts?path={below}{shown}") == invalid
    assert as_it_is(rest, "GET", f"{PROXY}/presigned/{below}{shown}") == invalid
    assert as_it_is(rest, "POST", f"{PROXY}/mpu/create/{below}{shown}", b"{}") == invalid
    run = f"run_id={run_id}&path={shown}"
    assert as_it_is(rest, "GET", f"/api/2.0/mlflow/artifacts/list?{run}") == invalid
    assert as_it_is(rest, "GET", f"/get-artifact?{run}") == invalid
    assert as_it_is(rest, "POST", f"{UPLOAD}?{run}", b"x") == invalid
    assert as_it_is(rest, "GET", f"/model-versions/get-artifact?name=m&version=1&path={shown}") == invalid
    assert names(rest, run_id) == []


def test_path_encoded_without_end_is_invalid(rest: Rest) -> None:
    target = place(rest.run(), "%" + "25" * 50 + "41")
    assert as_it_is(rest, "PUT", target, b"x")[1]["message"] == "Invalid path"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a" * 256, "has a part of 256 bytes, at most 255 are allowed"),
        ("/".join("a" * 600), "characters, at most 1,024 are allowed"),
    ],
)
def test_long_path_is_refused_by_its_limit(rest: Rest, path: str, words: str) -> None:
    status, code, message = rest.refused("PUT", place(rest.run(), path), data=b"x")
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message


def test_file_and_folder_do_not_take_each_others_place(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "folder/file")
    for path, words in (
        ("folder", "is a folder: delete it first"),
        ("folder/file/below", "is a file: nothing can lie below it"),
        ("", "must include a filename"),
    ):
        status, code, message = rest.refused("PUT", place(run_id, path), data=b"x")
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert words in message
    assert as_it_is(rest, "PUT", place(run_id) + "/new/", b"x")[1]["message"] == "Invalid path"
    status, code, message = rest.refused("GET", place(run_id, "folder"))
    assert (status, message) == (400, "Artifact path refers to a directory, not a file: 'folder'")
    assert rest.refused("GET", place(run_id))[0] == 400
    assert names(rest, run_id) == ["folder"]


def test_what_is_not_there_is_not_found(rest: Rest) -> None:
    run_id = rest.run()
    for path in (place(run_id, "f"), place("nobody", "f")):
        status, code, _ = rest.refused("GET", path)
        assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert rest.refused("PUT", place("nobody", "f"), data=b"x")[0] == 404
    status, _, words = rest.refused("GET", "/get-artifact", params={"run_id": run_id, "path": "f"})
    assert (status, words) == (404, f"artifact 'f' does not exist: run {run_id} has no such file")


@pytest.mark.parametrize(
    "path", ["f", "0/f", "0/{run}/f", "0/{run}/other/f", "0/models/m-1/artifacts/f", "7/{run}/artifacts/f"]
)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_path_that_is_no_runs_is_not_found(rest: Rest, method: str, path: str) -> None:
    whole = path.format(run=rest.run())
    status, code, words = rest.refused(method, f"{PROXY}/artifacts/{whole}", data=b"x" if method == "PUT" else None)
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert repr(whole) in words


def test_run_elsewhere_is_not_served(rest: Rest) -> None:
    experiment_id = rest.post("experiments/create", name="far", artifact_location="s3://bucket/far")["experiment_id"]
    run_id = rest.run(experiment_id=experiment_id)
    status, _, words = rest.refused("PUT", f"{PROXY}/artifacts/{experiment_id}/{run_id}/artifacts/f", data=b"x")
    assert status == 404
    assert f"s3://bucket/far/{run_id}/artifacts" in words
    status, code, words = rest.refused("GET", "artifacts/list", params={"run_id": run_id})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert f"s3://bucket/far/{run_id}/artifacts" in words
