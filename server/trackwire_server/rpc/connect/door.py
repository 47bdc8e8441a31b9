"""Turns away what is no call of the contract, in a sentence, before it meets the library.

What it lets by, a page of another origin can't send without asking first, and is never told that it may.
"""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus

from connectrpc.errors import ConnectError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.rpc.connect.calls import refused, unimplemented
from trackwire_server.rpc.connect.messages import content_type_of
from trackwire_server.rpc.status import unimplemented_status

ONE_ANSWER = ("application/proto", "application/json")
MANY_ANSWERS = ("application/connect+proto", "application/connect+json")


class Door:
    """An ASGI application before another one. `content_types` has those that each path takes."""

    def __init__(self, app: ASGIApp, content_types: Mapping[str, tuple[str, str]]):
        self._app = app
        self._content_types = content_types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or has it answered."""
        # The library reads headers as UTF-8, and others may say what they like.
        headers = [(name, value.decode("latin-1").encode()) for name, value in scope["headers"]]
        answer = self._refusal({**scope, "headers": headers}) or self._app
        await answer({**scope, "headers": headers}, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        known = self._content_types.get(path)
        if known is None:
            status = unimplemented_status("RPC_UNKNOWN", f"{path}: there is no such rpc here")
            # Whoever reads no answer of this status takes it for unimplemented, too.
            return _answer(unimplemented(status), HTTPStatus.NOT_FOUND)
        if scope["method"] != "POST":
            error = InvalidArgument("method", scope["method"], "must be POST", reason="METHOD_NOT_ALLOWED")
            return _answer(refused(error), HTTPStatus.METHOD_NOT_ALLOWED, allow="POST")
        said = next((value.decode() for name, value in scope["headers"] if name == b"content-type"), "")
        if content_type_of(said) in known:
            return None
        error = InvalidArgument("content-type", said, f"must be {' or '.join(known)}", reason="CONTENT_TYPE_UNKNOWN")
        return _answer(refused(error), HTTPStatus.UNSUPPORTED_MEDIA_TYPE, accept_post=", ".join(known))


def _answer(error: ConnectError, status: HTTPStatus, **headers: str) -> Response:
    details = [
        {"type": detail.type_name, "value": base64.b64encode(detail.message_bytes).decode().rstrip("=")}
        for detail in error.details
    ]
    body = json.dumps({"code": error.code.value, "message": error.message, "details": details})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, named, media_type="application/json")
