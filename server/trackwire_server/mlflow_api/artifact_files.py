"""A file as an HTTP answer: streamed, in ranges, and never such that a browser would run it."""

import mimetypes
import posixpath
import re
import unicodedata
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing
from functools import cache
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from trackwire_server.core.byte_stores import OpenFile
from trackwire_server.core.downloads import read_ahead
from trackwire_server.core.errors import NotFound
from trackwire_server.mlflow_api.artifact_places import Place
from trackwire_server.mlflow_api.byte_ranges import NotSatisfiable, byte_range
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError

# MLflow's pages show these as text, whatever a machine's own table of types says.
_TEXT_ENDINGS = re.compile(
    r"cfg?|cnf|conf|csv|err|hocon|ini|ipynb|json|js|log|md|prop|properties|py|py3|rst|toml|tsv|txt|xml|ya?ml"
)
_SCRIPT_TYPES = re.compile(r"javascript|ecmascript|jscript|livescript")
_TEXT_NAMES = ("MLmodel", "mlproject")
# What RFC 9110 lets stand in a header without quotes, and RFC 8187 without being encoded.
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_NEVER_ENCODED = "!#$&+-.^_`|~"


async def file_response(place: Place, request: Request) -> Response:
    """A file, or what the request's conditions and ranges ask of it. Raises MlflowError for a folder."""
    async with AsyncExitStack() as stack:
        file = await _open(place, stack)
        headers = _headers(place.path, file)
        if _is_known(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        try:
            wanted = _wanted_range(request, headers["ETag"], file.size_bytes)
        except NotSatisfiable:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{file.size_bytes}"})
        positions = range(file.size_bytes) if wanted is None else wanted
        headers["Content-Length"] = str(len(positions))
        if wanted is not None:
            headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{file.size_bytes}"
        status = 200 if wanted is None else 206
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        return _FileResponse(file, positions, stack.pop_all(), status, headers)


class _FileResponse(StreamingResponse):
    """Streams an open file, and lets go of it however that ends."""

    def __init__(
        self, file: OpenFile, positions: range, stack: AsyncExitStack, status: int, headers: Mapping[str, str]
    ):
        self._stack = stack
        self._parts = read_ahead(file, positions.start, positions.stop)
        super().__init__(self._parts, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Without aclosing, a client that goes away would leave the reading to the garbage collector.
        async with self._stack, aclosing(self._parts):
            await super().__call__(scope, receive, send)


async def _open(place: Place, stack: AsyncExitStack) -> OpenFile:
    try:
        if place.path:
            return await stack.enter_async_context(place.artifacts.opened(place.owner_id, place.path))
    except NotFound:
        if not (await place.artifacts.list_artifacts(place.owner_id, place.path, page_size=1)).artifacts:
            raise
    words = f"Artifact path refers to a directory, not a file: '{place.path or '.'}'"
    raise MlflowError(INVALID_PARAMETER_VALUE, words)


def _headers(path: str, file: OpenFile) -> dict[str, str]:
    return {
        "Content-Type": content_type(path),
        "Content-Disposition": content_disposition(posixpath.basename(path)),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": f'"{file.version}"',
    }


def _is_known(request: Request, etag: str) -> bool:
    """Whether the client has these bytes already."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known


def _wanted_range(request: Request, etag: str, size_bytes: int) -> range | None:
    """None for the whole file: also where the bytes that a client goes on with are no longer these."""
    if request.headers.get("if-range", etag) != etag:
        return None
    return byte_range(request.headers.get("range", ""), size_bytes)


def content_type(path: str) -> str:
    """By the file's name alone."""
    name = posixpath.basename(path)
    if name in _TEXT_NAMES or _TEXT_ENDINGS.fullmatch(posixpath.splitext(name)[1].removeprefix(".")):
        return "text/plain"
    guessed = _types().guess_type(name)[0] or "application/octet-stream"
    # A page of ours may load scripts from this server, and an artifact is none of them.
    return "text/plain" if _SCRIPT_TYPES.search(guessed) else guessed


@cache
def _types() -> mimetypes.MimeTypes:
    # Not before a file is asked for: they are read from several places of the machine.
    return mimetypes.MimeTypes()


def content_disposition(name: str) -> str:
    """To be saved under this name, whatever characters it has (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe=_NEVER_ENCODED)}"
    return f"attachment; filename={_quoted(plain or 'download')}{exact}"


def _quoted(name: str) -> str:
    if _TOKEN.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
