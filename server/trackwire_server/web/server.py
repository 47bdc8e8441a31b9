"""The HTTP port: one uvicorn in the server's own event loop, started and drained with the rest."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Generator
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.ports import HTTP, share

_BACKLOG = 2_048
# A client that is gone without a word is found after so long, also by a tail that has nothing to send.
_QUIET_SECONDS = 60
_PROBES = 3
_PROBES_APART_SECONDS = 20
# Over TLS a connection that is closed waits for the other side to say goodbye, which an idle client never does.
_GOODBYE_SECONDS = 0.5


class HttpServer:
    """One listening port. Start it and stop it once each."""

    def __init__(self, app: ASGIApp, listening: socket.socket, url: str, tls: ssl.SSLContext | None):
        """Use `bind`."""
        self.url = url
        self._socket = listening
        self._server = _Server(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                # What it says of its own start and end the server says itself.
                log_level="warning",
                access_log=False,
                server_header=False,
                # Nobody asks where a client sits.
                proxy_headers=False,
            ),
            tls,
        )
        self._serving: asyncio.Task[None] | None = None

    @classmethod
    def bind(
        cls, app: ASGIApp, host: str, port: int, *, tls: ssl.SSLContext | None = None, shares_port: bool = False
    ) -> Self:
        """Takes the port, or a free one where 0 is asked for; workers of one host share it. With a context it speaks
        TLS.

        Raises FailedPrecondition if it is taken, and InvalidArgument if it can't be had for another reason.
        """
        listening = _bound(host, port, shares_port=shares_port)
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if tls is None else "https"
        return cls(app, listening, f"{scheme}://{shown}:{listening.getsockname()[1]}", tls)

    async def start(self) -> None:
        """Serves."""
        self._serving = asyncio.create_task(self._server.serve([self._socket]), name="http")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait((ready, self._serving), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()

    async def stop(self, drain_seconds: float) -> None:
        """Takes no new requests, and waits so long for those under way."""
        if self._serving is not None:
            self._server.config.timeout_graceful_shutdown = max(1, round(drain_seconds))
            self._server.should_exit = True
            await self._serving
        self._socket.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None) -> None:
        super().__init__(config)
        # It would make a context of its own, whose certificate could not be renewed.
        config.load()
        config.ssl = tls
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        hanging_up = asyncio.create_task(self._hang_up(), name="http goodbye")
        try:
            await super().shutdown(sockets)
        finally:
            hanging_up.cancel()
            await self._let_go()

    async def _let_go(self) -> None:
        """Ends what is left when a stop has waited long enough: a client that reads nothing would keep its request."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(tuple(self.server_state.tasks), timeout=_GOODBYE_SECONDS)

    async def _hang_up(self) -> None:
        """Ends connections that were closed a while ago."""
        while True:
            transports = [connection.transport for connection in self.server_state.connections]
            closing = [transport for transport in transports if transport.is_closing()]
            await asyncio.sleep(_GOODBYE_SECONDS)
            for transport in closing:
                transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The whole server hears signals, not this part of it."""
        yield


def _bound(host: str, port: int, *, shares_port: bool) -> socket.socket:
    wanted = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidArgument("host and http_port", wanted, f"can't be listened on: {error.strerror}") from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares_port:
            share(found)
        _keep_alive(found)
        found.bind(address)
        found.listen(_BACKLOG)
        found.setblocking(False)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise FailedPrecondition(
                f"port {port} of {host} is taken; {HTTP.advice}",
                reason="PORT_IN_USE",
                metadata={"field": "http_port", "value": port},
            ) from error
        words = os.strerror(error.errno or 0)
        raise InvalidArgument("host and http_port", wanted, f"can't be listened on: {words}") from error
    return found


def _keep_alive(listening: socket.socket) -> None:
    """For the connections that come by it. A system that lacks one of these has its own."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {"TCP_KEEPIDLE": _QUIET_SECONDS, "TCP_KEEPINTVL": _PROBES_APART_SECONDS, "TCP_KEEPCNT": _PROBES}
    for name, value in options.items():
        if hasattr(socket, name):
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
