"""Turns requests away that bring no token, or one that is not enough."""

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trackwire_server.core.errors import TrackwireError, Unauthenticated
from trackwire_server.core.scopes import scope_of_request
from trackwire_server.core.tokens import Gate

# What curl or a browser may answer with.
_CHALLENGES = ((b"www-authenticate", b"Bearer"), (b"www-authenticate", b'Basic realm="Trackwire", charset="UTF-8"'))


class AccessGuard:
    """An ASGI application around another one. `refusal` says in the words of the doors why a request was refused."""

    def __init__(self, app: ASGIApp, gate: Gate, refusal: Callable[[TrackwireError], Response], *, prefix: str = ""):
        self._app = app
        self._gate = gate
        self._refusal = refusal
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or has it answered."""
        try:
            self._admit(scope)
        except TrackwireError as error:
            answer: ASGIApp = self._refused(error)
        else:
            answer = self._app
        await answer(scope, receive, send)

    def _refused(self, error: TrackwireError) -> Response:
        response = self._refusal(error)
        if isinstance(error, Unauthenticated):
            response.raw_headers.extend(_CHALLENGES)
        return response

    def _admit(self, scope: Scope) -> None:
        path: str = scope["path"]
        if f"{path}/".startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix) or "/"
        needed = scope_of_request(scope["method"], path)
        if needed is not None:
            sent = next((value for key, value in scope["headers"] if key == b"authorization"), None)
            self._gate.admit(None if sent is None else sent.decode("latin-1"), needed)
