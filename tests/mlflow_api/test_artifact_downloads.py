"""Files as answers of MLflow's REST API: ranges, what is known already, types and names."""

from urllib.parse import quote

import pytest
from tests.mlflow_api.conftest import Rest
from tests.mlflow_api.proxied import ALPHABET, names, place, put


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
        ("script.js", "text/plain"),
        ("module.mjs", "text/plain"),
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
