"""The files of the web UI, as its build has left them: read once, at the first request, and served from memory."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

FOLDER = Path(__file__).parent / "pages"
_INDEX = "index.html"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_BUILT = "Trackwire\n\nThe web UI is here, for browsers.\n"
_NOT_BUILT = """\
Trackwire

The web UI is not built. In a checkout scripts/build_ui builds it; the server goes on meanwhile. Wheels have it in them.
"""
# MLflow's client prints links to pages when a run ends: /#/experiments/0/runs/ID.
WHAT_IS_HERE = """\
MLflow's REST API is here, for its clients and its command line. A run, in a shell:

  mlflow runs describe --run-id ID
  trackwire runs get ID
"""
# No script and no style but the files here; a blob is an artifact that is shown.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
# An artifact that is HTML is shown in a frame of no origin, where it may run what it likes and reaches nothing of ours.
_FRAME_POLICY = (
    "sandbox allow-scripts; default-src data: blob: 'unsafe-inline' 'unsafe-eval' https:; connect-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval' https: 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
# The names of assets change with what is in them, and that of the index never does.
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    content: bytes
    compressed: bytes | None
    tag: str

    @classmethod
    def read(cls, path: Path) -> "_File":
        content = path.read_bytes()
        compressed = path.with_name(f"{path.name}.gz")
        return cls(
            _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            content,
            compressed.read_bytes() if compressed.exists() else None,
            hashlib.sha256(content).hexdigest()[:32],
        )


class Pages:
    """The index at /, and what it loads at /assets/.

    Whoever doesn't ask for HTML, as curl and probes, is answered at / by a text, and so is everybody where nothing is
    built; once it is, that needs no restart.
    """

    def __init__(self, folder: Path = FOLDER):
        self._folder = folder
        self._reading = asyncio.Lock()
        self._files: Mapping[str, _File] = {}

    def routes(self) -> Iterator[BaseRoute]:
        """All of them are open: what the pages show, they have to ask for."""
        yield Route("/", self._index)
        yield Route("/assets/{name}", self._asset)
        yield Route("/frame.html", self._frame)
        yield Route("/frame.js", self._frame)

    async def _index(self, request: Request) -> Response:
        file = (await self._read()).get(_INDEX)
        if file is None:
            return PlainTextResponse(f"{_NOT_BUILT}\n{WHAT_IS_HERE}", headers={"Cache-Control": _ASK_AGAIN})
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(f"{_BUILT}\n{WHAT_IS_HERE}", headers={"Vary": "Accept"})
        return _answer(request, file, {"Cache-Control": _ASK_AGAIN, "Vary": "Accept, Accept-Encoding"})

    async def _asset(self, request: Request) -> Response:
        file = (await self._read()).get(f"assets/{request.path_params['name']}")
        if file is None:
            return _no_such_file()
        return _answer(request, file, {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"})

    async def _frame(self, request: Request) -> Response:
        """Where artifacts are shown that are HTML."""
        name = request.url.path.rpartition("/")[2]
        file = (await self._read()).get(name)
        if file is None:
            return _no_such_file()
        told = {"Cache-Control": _ASK_AGAIN, "Vary": "Accept-Encoding"}
        if name.endswith(".html"):
            told["Content-Security-Policy"] = _FRAME_POLICY
        return _answer(request, file, told)

    async def _read(self) -> Mapping[str, _File]:
        async with self._reading:
            if not self._files:
                self._files = await asyncio.to_thread(_read_all, self._folder)
        return self._files


def _no_such_file() -> Response:
    return PlainTextResponse("There is no such file.", HTTPStatus.NOT_FOUND, {"Cache-Control": _ASK_AGAIN})


def _read_all(folder: Path) -> Mapping[str, _File]:
    """By their paths; nothing where there is no index."""
    if not (folder / _INDEX).is_file():
        return {}
    served = (path for place in (folder, folder / "assets") for path in place.iterdir() if path.suffix in _MEDIA_TYPES)
    return {path.relative_to(folder).as_posix(): _File.read(path) for path in served}


def _answer(request: Request, file: _File, headers: Mapping[str, str]) -> Response:
    is_compressed = file.compressed is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{file.tag}-gzip"' if is_compressed else f'"{file.tag}"'
    told = {**_HEADERS, **headers, "ETag": tag}
    if tag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    if file.compressed is None or not is_compressed:
        return Response(file.content, headers=told, media_type=file.media_type)
    return Response(file.compressed, headers={**told, "Content-Encoding": "gzip"}, media_type=file.media_type)


def _tags(header: str) -> set[str]:
    """Of If-None-Match, which compares weakly: proxies that compress make them weak."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def _takes_gzip(header: str) -> bool:
    for coding in header.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
