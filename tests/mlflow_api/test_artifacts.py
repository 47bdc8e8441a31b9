"""Artifacts by MLflow's REST API: the proxy, the paths of its pages, and what of all that is refused."""

import http.client
import json
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest, answer_of

from trackwire import Client

PROXY = "/api/2.0/mlflow-artifacts"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"
SERVER_FOLDER = "artifacts"


def place(run_id: str, path: str = "") -> str:
    """A path of the proxy, of a run in the Default experiment."""
    return f"{PROXY}/artifacts/0/{run_id}/artifacts/{path}".rstrip("/")


def put(rest: Rest, run_id: str, path: str, data: bytes = ALPHABET) -> None:
    assert answer_of(rest.send("PUT", place(run_id, path), data=data)) == {}


def names(rest: Rest, run_id: str, path: str = "") -> list[str]:
    files = rest.get("artifacts/list", run_id=run_id, path=path)["files"]
    return [file["path"] for file in files]


def as_it_is(rest: Rest, method: str, target: str, body: bytes | None = None) -> tuple[int, dict[str, str]]:
    """Sends a target that other clients would clean before."""
    connection = http.client.HTTPConnection(urlsplit(rest.url).netloc, timeout=30)
    try:
        connection.request(method, target, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_file_goes_in_and_out_as_it_is(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "plots/loss.bin", bytes(range(256)) * 1_000)
    response = rest.send("GET", place(run_id, "plots/loss.bin"))
    assert response.content == bytes(range(256)) * 1_000
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == "attachment; filename=loss.bin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Length"] == "256000"
    assert rest.send("GET", place(run_id, "plots/loss.bin").replace("/api/", "/ajax-api/")).content == response.content


def test_empty_file_is_a_file(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "empty", b"")
    response = rest.send("GET", place(run_id, "empty"))
    assert (response.status_code, response.content) == (200, b"")
    assert rest.get("artifacts/list", run_id=run_id)["files"] == [{"path": "empty", "is_dir": False, "file_size": 0}]


def test_body_without_a_length_is_stored_at_its_end(rest: Rest) -> None:
    run_id = rest.run()
    answer_of(rest.send("PUT", place(run_id, "f"), data=iter([b"ab", b"cd"])))
    assert rest.send("GET", place(run_id, "f")).content == b"abcd"


def test_file_is_replaced_whole(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f", b"long before")
    etag = rest.send("GET", place(run_id, "f")).headers["ETag"]
    put(rest, run_id, "f", b"short")
    response = rest.send("GET", place(run_id, "f"))
    assert response.content == b"short"
    assert response.headers["ETag"] != etag


def test_listings_name_what_is_right_below_a_folder(rest: Rest) -> None:
    run_id = rest.run()
    for path in ("a.txt", "d/b.txt", "d/e/c.txt"):
        put(rest, run_id, path, b"12345")
    assert rest.get("artifacts/list", run_uuid=run_id) == {
        "root_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
        "files": [{"path": "a.txt", "is_dir": False, "file_size": 5}, {"path": "d", "is_dir": True}],
    }
    assert names(rest, run_id, "d") == ["d/b.txt", "d/e"]
    assert names(rest, run_id, "d/b.txt") == names(rest, run_id, "nothing") == []

    def by_proxy(path: str) -> object:
        return rest.get(f"{PROXY}/artifacts", path=f"0/{run_id}/artifacts{path}")["files"]

    assert by_proxy("") == by_proxy("/.") == rest.get("artifacts/list", run_id=run_id)["files"]
    assert by_proxy("/d") == [{"path": "b.txt", "is_dir": False, "file_size": 5}, {"path": "e", "is_dir": True}]
    assert by_proxy("/nothing") == []


def test_page_token_of_another_listing_is_refused(rest: Rest) -> None:
    run_id = rest.run()
    status, code, words = rest.refused("GET", "artifacts/list", params={"run_id": run_id, "page_token": "xyz"})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "page_token" in words


@pytest.mark.parametrize(
    ("header", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-5", 2, 6),
        ("bytes=20-", 20, 26),
        ("bytes=-3", 23, 26),
        ("bytes=-100", 0, 26),
        ("bytes=20-1000", 20, 26),
    ],
)
def test_range_is_answered(rest: Rest, header: str, first: int, end: int) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    response = rest.send("GET", place(run_id, "f"), headers={"Range": header})
    assert (response.status_code, response.content) == (206, ALPHABET[first:end])
    assert response.headers["Content-Range"] == f"bytes {first}-{end - 1}/26"
    assert response.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=-", "bytes=x-3", "lines=0-3", "bytes=0-1,5-6", "bytes=0-1-2"])
def test_range_that_this_server_does_not_divide_is_the_whole(rest: Rest, header: str) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    response = rest.send("GET", place(run_id, "f"), headers={"Range": header})
    assert (response.status_code, response.content) == (200, ALPHABET)


@pytest.mark.parametrize("header", ["bytes=26-", "bytes=1000-2000", "bytes=-0"])
def test_range_behind_the_end_is_refused_with_the_size(rest: Rest, header: str) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    response = rest.send("GET", place(run_id, "f"), headers={"Range": header})
    assert (response.status_code, response.headers["Content-Range"]) == (416, "bytes */26")


def test_what_the_client_has_already_is_not_sent_again(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    etag = rest.send("GET", place(run_id, "f")).headers["ETag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        response = rest.send("GET", place(run_id, "f"), headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
    assert rest.send("GET", place(run_id, "f"), headers={"If-None-Match": '"other"'}).content == ALPHABET


def test_download_goes_on_only_with_the_same_file(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    etag = rest.send("GET", place(run_id, "f")).headers["ETag"]
    wanted = {"Range": "bytes=24-", "If-Range": etag}
    assert rest.send("GET", place(run_id, "f"), headers=wanted).content == b"yz"
    put(rest, run_id, "f", b"another file, and a longer one")
    assert rest.send("GET", place(run_id, "f"), headers=wanted).content == b"another file, and a longer one"


@pytest.mark.parametrize("path", ["", "/get-artifact"])
def test_head_tells_of_a_file_without_sending_it(rest: Rest, path: str) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    where, arguments = (path, {"params": {"run_id": run_id, "path": "f"}}) if path else (place(run_id, "f"), {})
    got, told = rest.send("GET", where, **arguments), rest.send("HEAD", where, **arguments)
    assert (told.status_code, told.content) == (200, b"")
    for header in ("Content-Length", "ETag", "Content-Type", "Accept-Ranges"):
        assert told.headers[header] == got.headers[header]


def test_head_is_answered_where_get_is(rest: Rest) -> None:
    response = rest.send("HEAD", "artifacts/list", params={"run_id": rest.run()})
    assert (response.status_code, response.content) == (200, b"")
    assert rest.send("HEAD", "artifacts/list", params={"run_id": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("notes.md", "text/plain"),
        ("MLmodel", "text/plain"),
        ("mlproject", "text/plain"),
        ("page.html", "text/html"),
        ("plot.png", "image/png"),
        ("weights", "application/octet-stream"),
    ],
)
def test_type_is_told_by_the_name_and_never_shown_in_place(rest: Rest, name: str, content_type: str) -> None:
    run_id = rest.run()
    put(rest, run_id, name)
    headers = rest.send("GET", "/get-artifact", params={"run_id": run_id, "path": name}).headers
    assert headers["Content-Type"] == content_type
    assert headers["Content-Disposition"] == f"attachment; filename={name}"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("Größe 1.txt", "attachment; filename=\"Groe 1.txt\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.txt"),
        ("日本語", "attachment; filename=download; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E"),
        ('say "yes".txt', 'attachment; filename="say \\"yes\\".txt"'),
        ("100%.txt", "attachment; filename=100%.txt"),
    ],
)
def test_any_name_comes_back_as_it_was(rest: Rest, name: str, disposition: str) -> None:
    run_id = rest.run()
    put(rest, run_id, quote(name))
    assert names(rest, run_id) == [name]
    response = rest.send("GET", place(run_id, quote(name)))
    assert response.content == ALPHABET
    assert response.headers["Content-Disposition"] == disposition


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


def test_deleting_takes_files_folders_and_all_of_a_run(rest: Rest) -> None:
    run_id = rest.run()
    for path in ("a", "d/b", "d/c", "e/f"):
        put(rest, run_id, path)
    assert answer_of(rest.send("DELETE", place(run_id, "a"))) == {}
    assert answer_of(rest.send("DELETE", place(run_id, "d"))) == {}
    assert names(rest, run_id) == ["e"]
    put(rest, run_id, "g")
    assert as_it_is(rest, "DELETE", place(run_id) + "/") == (200, {})
    assert names(rest, run_id) == []


def test_deleting_twice_is_fine_but_the_run_must_exist(rest: Rest) -> None:
    assert answer_of(rest.send("DELETE", place(rest.run(), "never/there"))) == {}
    assert rest.refused("DELETE", place("nobody", "f"))[0] == 404


def test_deleted_run_rejects_writes_and_answers_reads(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    rest.post("runs/delete", run_id=run_id)
    for method, path, arguments in (
        ("PUT", place(run_id, "g"), {"data": b"x"}),
        ("DELETE", place(run_id, "f"), {}),
        ("POST", UPLOAD, {"params": {"run_id": run_id, "path": "g"}, "data": b"x"}),
    ):
        status, code, words = rest.refused(method, path, **arguments)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert "Current state is deleted" in words
    assert rest.send("GET", place(run_id, "f")).content == ALPHABET
    assert names(rest, run_id) == ["f"]


def test_upload_in_parts_and_urls_are_not_implemented(rest: Rest) -> None:
    run_id = rest.run()
    below = f"0/{run_id}/artifacts/f"
    for call in ("create", "complete", "abort"):
        status, code, words = rest.refused("POST", f"{PROXY}/mpu/{call}/{below}", json={"path": "f", "num_parts": 2})
        assert (status, code) == (501, "NOT_IMPLEMENTED")
        assert words.startswith("Multipart upload is not supported for the current artifact repository")
    assert rest.refused("GET", f"{PROXY}/presigned/{below}")[:2] == (501, "NOT_IMPLEMENTED")
    for call in ("upload", "download"):
        found = rest.refused("POST", f"artifacts/presigned-{call}-url", json={"run_id": run_id, "path": "f"})
        assert found[:2] == (501, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("prefix", ["/api/", "/ajax-api/"])
def test_server_tells_what_it_can_do(rest: Rest, prefix: str) -> None:
    told = rest.get(f"{prefix}3.0/mlflow/server-info")
    assert told["multipart_uploads_enabled"] is told["multipart_downloads_enabled"] is False
    assert told["workspaces_enabled"] is told["trace_archival_enabled"] is False
    assert told["store_type"] is None


@pytest.mark.parametrize("name", ["run_id", "run_uuid"])
def test_page_uploads_a_small_file(rest: Rest, name: str) -> None:
    run_id = rest.run()
    assert answer_of(rest.send("POST", UPLOAD, params={name: run_id, "path": "notes/a.txt"}, data="hello")) == {}
    assert rest.send("GET", "/get-artifact", params={name: run_id, "path": "notes/a.txt"}).text == "hello"


@pytest.mark.parametrize(
    ("fields", "data", "words"),
    [
        ({"path": "f"}, b"x", "Request must specify run_uuid."),
        ({"run_id": "{run}"}, b"x", "Request must specify path."),
        ({"run_id": "{run}", "path": ""}, b"x", "Request must specify path."),
        ({"run_id": "{run}", "path": "."}, b"x", "Invalid path"),
        ({"run_id": "{run}", "path": "f"}, b"", "Request must specify data."),
        (
            {"run_id": "{run}", "path": "f"},
            bytes(10 * 1024 * 1024 + 1),
            "Artifact size is too large. Max size is 10MB.",
        ),
    ],
)
def test_page_is_told_what_its_upload_lacks(rest: Rest, fields: dict[str, str], data: bytes, words: str) -> None:
    run_id = rest.run()
    params = {name: value.format(run=run_id) for name, value in fields.items()}
    found = rest.refused("POST", UPLOAD, params=params, data=data)
    assert found == (400, "INVALID_PARAMETER_VALUE", words)
    assert names(rest, run_id) == []


def test_largest_upload_of_a_page_is_stored(rest: Rest) -> None:
    run_id = rest.run()
    params = {"run_id": run_id, "path": "f"}
    assert answer_of(rest.send("POST", UPLOAD, params=params, data=bytes(10 * 1024 * 1024))) == {}


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/get-artifact", {"path": "f"}, "Missing value for required parameter 'run_id'."),
        ("/get-artifact", {"run_id": "{run}"}, "Missing value for required parameter 'path'."),
        ("artifacts/list", {"path": "f"}, "Missing value for required parameter 'run_id'."),
        ("/model-versions/get-artifact", {"version": "1", "path": "f"}, "Missing value for required parameter 'name'."),
        ("/model-versions/get-artifact", {"name": "m", "path": "f"}, "Missing value for required parameter 'version'."),
        ("/model-versions/get-artifact", {"name": "m", "version": "1"}, "Missing value for required parameter 'path'."),
        (
            "/model-versions/get-artifact",
            {"name": "m", "version": "one", "path": "f"},
            "Invalid value \"one\" for parameter 'version' supplied",
        ),
    ],
)
def test_field_that_is_missing_is_named(rest: Rest, path: str, fields: dict[str, str], words: str) -> None:
    run_id = rest.run()
    params = {name: value.format(run=run_id) for name, value in fields.items()}
    status, code, message = rest.refused("GET", path, params=params)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message


@pytest.fixture(scope="module")
def model(rest: Rest, mlflow_server: ServerProcess) -> str:
    """The name of a registered model."""
    with Client(mlflow_server.address) as client:
        client.create_registered_model("m")
    return "m"


@pytest.mark.parametrize(
    "source",
    [
        "runs:/{run}/model",
        "runs:/{run}/model/",
        "mlflow-artifacts:/0/{run}/artifacts/model",
        "mlflow-artifacts:/0/{run}/artifacts/model/.",
        "trackwire-artifacts:/0/{run}/artifacts/model",
    ],
)
def test_file_of_a_models_version_is_found_by_its_source(
    rest: Rest, mlflow_server: ServerProcess, model: str, source: str
) -> None:
    run_id = rest.run()
    put(rest, run_id, "model/MLmodel", b"flavors: {}")
    with Client(mlflow_server.address) as client:
        version = client.create_model_version(model, source.format(run=run_id)).version
    wanted = {"name": model, "version": version, "path": "MLmodel"}
    response = rest.send("GET", "/model-versions/get-artifact", params=wanted)
    assert (response.status_code, response.content) == (200, b"flavors: {}")
    status, code, _ = rest.refused("GET", "/model-versions/get-artifact", params={**wanted, "path": "other"})
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert rest.refused("GET", "/model-versions/get-artifact", params={**wanted, "version": 10_000})[0] == 404


@pytest.mark.parametrize("source", ["s3://bucket/model", "mlflow-artifacts://elsewhere/0/{run}/artifacts/model"])
def test_model_elsewhere_is_told_where(rest: Rest, mlflow_server: ServerProcess, model: str, source: str) -> None:
    place_of_it = source.format(run=rest.run())
    with Client(mlflow_server.address) as client:
        version = client.create_model_version(model, place_of_it).version
    wanted = {"name": model, "version": version, "path": "MLmodel"}
    status, code, words = rest.refused("GET", "/model-versions/get-artifact", params=wanted)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert place_of_it in words


def test_slash_too_many_leads_to_the_path(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    assert rest.send("GET", "//get-artifact", params={"run_id": run_id, "path": "f"}).content == ALPHABET
    response = requests.get(f"{rest.url}//elsewhere.example/x", timeout=30, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (308, "/elsewhere.example/x")


@pytest.mark.parametrize("head", ["Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n10000\r\n"])
def test_cut_connection_leaves_nothing(rest: Rest, mlflow_server: ServerProcess, head: str) -> None:
    run_id = rest.run()
    put(rest, run_id, "kept", b"before")
    url = urlsplit(rest.url)
    partials = mlflow_server.data_dir / SERVER_FOLDER / ".partial"
    for path in ("new", "kept"):
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(f"PUT {place(run_id, path)} HTTP/1.1\r\nHost: {url.netloc}\r\n{head}".encode())
            connection.sendall(bytes(50_000))
            _wait_for(partials, 1)
        _wait_for(partials, 0)
    assert names(rest, run_id) == ["kept"]
    assert rest.send("GET", place(run_id, "kept")).content == b"before"
    put(rest, run_id, "new", b"again")
    assert rest.send("GET", place(run_id, "new")).content == b"again"


def test_reader_that_goes_away_holds_no_file(rest: Rest, mlflow_server: ServerProcess) -> None:
    run_id = rest.run()
    put(rest, run_id, "f", bytes(32 * 1024 * 1024))
    assert mlflow_server.process is not None
    descriptors = Path(f"/proc/{mlflow_server.process.pid}/fd")

    def is_open() -> bool:
        for link in descriptors.iterdir():
            with suppress(FileNotFoundError):
                if run_id in str(link.readlink()):
                    return True
        return False

    with requests.get(rest.url + place(run_id, "f"), stream=True, timeout=30) as response:
        assert response.raw.read(10) == bytes(10)
        assert is_open()
    deadline = time.monotonic() + 10
    while is_open():
        assert time.monotonic() < deadline, "the file is still open"
        time.sleep(0.01)


def test_killed_server_shows_nothing_of_an_upload(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", http_port="0")
    server.start()
    try:
        rest = Rest(server.url)
        run_id = rest.run()
        put(rest, run_id, "kept", b"before")
        url = urlsplit(rest.url)
        head = f"PUT {place(run_id, 'kept')} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000000\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(head.encode() + bytes(50_000))
            _wait_for(server.data_dir / SERVER_FOLDER / ".partial", 1)
            server.stop(signal.SIGKILL)
        server.start()
        rest = Rest(server.url)
        assert names(rest, run_id) == ["kept"]
        assert rest.send("GET", place(run_id, "kept")).content == b"before"
    finally:
        server.stop()


def test_folder_of_many_files_is_listed_whole(rest: Rest, mlflow_server: ServerProcess) -> None:
    run_id = rest.run()
    put(rest, run_id, "many/00000")
    folder = mlflow_server.data_dir / SERVER_FOLDER / "0" / run_id / "artifacts" / "many"
    for number in range(1, 10_005):
        (folder / f"{number:05}").touch()
    expected = [f"{number:05}" for number in range(10_005)]
    found = rest.get(f"{PROXY}/artifacts", path=f"0/{run_id}/artifacts/many")
    assert [file["path"] for file in found["files"]] == expected

    first = rest.get("artifacts/list", run_id=run_id, path="many")
    second = rest.get("artifacts/list", run_id=run_id, path="many", page_token=first["next_page_token"])
    assert [file["path"] for page in (first, second) for file in page["files"]] == [f"many/{name}" for name in expected]
    assert "next_page_token" not in second


def _wait_for(folder: Path, entries: int) -> None:
    deadline = time.monotonic() + 10
    while len(list(folder.iterdir())) != entries:
        assert time.monotonic() < deadline, f"{folder} does not come to have {entries} entries"
        time.sleep(0.01)
