"""Artifacts by MLflow's REST API: in, out, listed and deleted."""

import pytest
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest, answer_of
from tests.mlflow_api.proxied import ALPHABET, PROXY, SERVER_FOLDER, UPLOAD, as_it_is, names, place, put


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
