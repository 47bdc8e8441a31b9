"""The files of the web UI over HTTP: their headers, caches and compression, and what is said where there are none."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from tests.conftest import ServerProcess

from trackwire_server.core.figures import CallFigures
from trackwire_server.web.app import About, web_app
from trackwire_server.web.pages import Pages
from trackwire_server.web.server import HttpServer

INDEX = b"<!doctype html><title>Trackwire</title>"
SCRIPT = b"export const answer = 42;\n" * 100
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"}
Get = Callable[..., Awaitable[requests.Response]]
Serve = Callable[..., Awaitable[Get]]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Pages as a build leaves them."""
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "assets" / "index-1a.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-1a.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "icon-2b.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / "index-3c.css").write_bytes(b"body { margin: 0 }")
    return folder


@pytest.fixture
async def serve_pages(no_task_is_left: None) -> AsyncIterator[Serve]:
    """`get = await serve_pages(folder, prefix=…)`, and `await get("/", method="HEAD", Accept=…)` asks it."""
    async with AsyncExitStack() as stack:

        async def serve(folder: Path, prefix: str = "") -> Get:
            about = About("1.2.3", SimpleNamespace(reason=""), CallFigures())  # type: ignore[arg-type]
            server = HttpServer.bind(web_app(about, [], pages=Pages(folder), prefix=prefix), "127.0.0.1", 0)
            await server.start()
            stack.push_async_callback(server.stop, 1)

            async def get(path: str, method: str = "GET", **headers: str) -> requests.Response:
                sent = {"Accept-Encoding": "identity", "Connection": "close", **headers}
                return await asyncio.to_thread(
                    requests.request, method, server.url + path, headers=sent, timeout=30, allow_redirects=False
                )

            return get

        yield serve


async def test_index_is_asked_for_again_and_assets_are_kept(serve_pages: Serve, built: Path) -> None:
    get = await serve_pages(built)
    index, script = await get("/", **BROWSER), await get("/assets/index-1a.js", **BROWSER)
    assert (index.content, script.content) == (INDEX, SCRIPT)
    assert index.headers["Cache-Control"] == "no-cache"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for answer in (index, script):
        known = {"If-None-Match": f'"other", W/{answer.headers["ETag"]}'}
        again = await get(answer.request.path_url, **BROWSER, **known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index-1a.js", "text/javascript; charset=utf-8"),
        ("index-3c.css", "text/css; charset=utf-8"),
        ("icon-2b.svg", "image/svg+xml"),
    ],
)
async def test_media_type_is_that_of_the_name(serve_pages: Serve, built: Path, name: str, media_type: str) -> None:
    answer = await (await serve_pages(built))(f"/assets/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)


@pytest.mark.parametrize("path", ["/", "/assets/index-1a.js", "/assets/icon-2b.svg"])
async def test_every_file_forbids_what_pages_do_not_need(serve_pages: Serve, built: Path, path: str) -> None:
    headers = (await (await serve_pages(built))(path, **BROWSER)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & {word for words in policy.values() for word in words.split()}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("identity", False)],
)
async def test_compressed_bytes_go_to_who_takes_them(
    serve_pages: Serve, built: Path, accepted: str, is_compressed: bool
) -> None:
    get = await serve_pages(built)
    answer = await get("/assets/index-1a.js", **{"Accept-Encoding": accepted})
    assert answer.content == SCRIPT
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert ("Content-Encoding" in answer.headers) == is_compressed
    assert (int(answer.headers["Content-Length"]) < len(SCRIPT)) == is_compressed
    assert answer.headers["ETag"].endswith('-gzip"') == is_compressed
    again = await get("/assets/index-1a.js", **{"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


async def test_head_has_the_headers_alone(serve_pages: Serve, built: Path) -> None:
    get = await serve_pages(built)
    answer = await get("/assets/index-1a.js", method="HEAD")
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", str(len(SCRIPT)))


@pytest.mark.parametrize("path", ["/assets/nothing.js", "/assets/index-1a.js.gz", "/assets/../index.html", "/assets/"])
async def test_nothing_else_is_served(serve_pages: Serve, built: Path, path: str) -> None:
    get = await serve_pages(built)
    assert (await get(path)).status_code == 404
    assert (await get("/", method="POST")).status_code == 405


async def test_who_asks_for_no_html_is_told_what_else_is_here(serve_pages: Serve, built: Path) -> None:
    answer = await (await serve_pages(built))("/")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Vary"] == "Accept"
    assert "mlflow runs describe" in answer.text


async def test_pages_that_are_not_built_are_told_and_need_no_restart_once_they_are(
    serve_pages: Serve, built: Path
) -> None:
    away = built.rename(built.with_name("away"))
    get = await serve_pages(built)
    for headers in (BROWSER, {}):
        told = await get("/", **headers)
        assert (told.status_code, told.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert "The web UI is not built" in told.text
        assert "scripts/build_ui" in told.text
    away.rename(built)
    assert (await get("/", **BROWSER)).content == INDEX


async def test_pages_lie_below_the_prefix_and_everything_leads_there(serve_pages: Serve, built: Path) -> None:
    get = await serve_pages(built, prefix="/team/tracking")
    assert (await get("/team/tracking/", **BROWSER)).content == INDEX
    assert (await get("/team/tracking/assets/index-1a.js")).content == SCRIPT
    for path in ("/", "/team/tracking"):
        redirect = await get(path, **BROWSER)
        # A proxy may have another name, and speak TLS.
        assert (redirect.status_code, redirect.headers["Location"]) == (307, "/team/tracking/")
    assert (await get("/assets/index-1a.js")).status_code == 404


def test_server_that_has_artifacts_only_has_no_pages(make_server_process: Callable[..., ServerProcess]) -> None:
    server = make_server_process("--http-port", "0", "--artifacts-only")
    server.start()
    answer = requests.get(f"{server.url}/", headers=BROWSER, timeout=30)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "not built" not in answer.text
    assert requests.get(f"{server.url}/assets/index.js", timeout=30).status_code >= 400
