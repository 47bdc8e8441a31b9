"""What stands around every HTTP request: it has an id, which its answer tells, and is counted and timed."""

import time
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackwire_server.core.figures import CallFigures
from trackwire_server.core.request_ids import HEADER, counted_ids, current_request_id, is_acceptable
from trackwire_server.core.scopes import RPC_PATHS
from trackwire_server.core.traces import CallSpan, CallTraces

_HEADER = HEADER.encode()


class AroundRequests:
    """An application around another."""

    def __init__(self, app: ASGIApp, figures: CallFigures, traces: CallTraces | None, *, prefix: str = ""):
        self._app = app
        self._rpc_paths = f"{prefix}{RPC_PATHS}"
        self._figures = figures
        self._traces = traces
        self._new_request_id = counted_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, in a task of its own."""
        begun = time.perf_counter()
        request_id = self._request_id(scope["headers"])
        current_request_id.set(request_id)
        # Where nothing was answered, nothing of it went out.
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id.encode())]
            await send(message)

        self._figures.under_way += 1
        span = self._span_of(scope)
        try:
            await self._app(scope, receive, noted)
        finally:
            self._figures.under_way -= 1
            self._figures.add(scope["method"], str(status), time.perf_counter() - begun)
            if span is not None:
                span.end(str(status))

    def _span_of(self, scope: Scope) -> CallSpan | None:
        # An rpc has a span of its own, by its name.
        if self._traces is None or scope["path"].startswith(self._rpc_paths):
            return None
        return self._traces.begin_request(scope["method"], scope["path"], scope["headers"])

    def _request_id(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        for name, value in headers:
            if name == _HEADER and is_acceptable(said := value.decode("latin-1")):
                return said
        return self._new_request_id()
