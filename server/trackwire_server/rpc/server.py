"""The gRPC server: the nouns' doors, and beside them health, reflection, limits and keepalive."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import OVERALL_HEALTH
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION_V1ALPHA
from grpc_reflection.v1alpha.reflection import aio as reflection_aio
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.figures import CallFigures
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.tokens import Gate
from trackwire_server.core.traces import CallTraces
from trackwire_server.rpc.interceptor import CallInterceptor

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# What clients put before the address of a server that speaks TLS.
TLS_SCHEME = "grpcs://"
REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
# Streams without an end of their own: they would hold up a stop for as long as it is ready to wait.
ENDLESS_METHODS = (
    "/trackwire.v1.MetricService/TailMetrics",
    f"/{HEALTH}/Watch",
    f"/{REFLECTION_V1ALPHA}/ServerReflectionInfo",
    f"/{REFLECTION_V1}/ServerReflectionInfo",
)

# For the last answers to go out, when a stop has waited long enough.
FAREWELL_SECONDS = 0.5
# For clients to hear that their connections go; and so long no call comes before they are told.
QUIET_SECONDS = 0.1
PING_INTERVAL_SECONDS = 60
PING_TIMEOUT_SECONDS = 20
# Framing and the fields beside the columns: what is within the limits of a request always fits a message.
MESSAGE_SLACK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """A service: its full name, and what adds its servicer to a server."""

    service: str
    add_to: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to listen, and how much to take.

    Clients ping every 30 s, also while no call is under way: the server allows pings `pings_apart_seconds_min` apart.
    `connection_age_seconds` makes clients spread anew over replicas; `shares_port` is for workers of one host.
    """

    host: str = "127.0.0.1"
    port: int = 5051
    message_bytes_max: int = LIMITS.message_bytes
    concurrent_calls_max: int = 4_096
    pings_apart_seconds_min: float = 10
    connection_age_seconds: float | None = None
    shares_port: bool = False

    @property
    def whole_message_bytes_max(self) -> int:
        """What crosses the wire, either way: an answer repeats what its request has said, and more."""
        return self.message_bytes_max + MESSAGE_SLACK_BYTES

    def channel_arguments(self) -> list[tuple[str, int]]:
        """As grpc's core names them."""
        message_bytes = self.whole_message_bytes_max
        arguments = [
            # A port that is taken is to be an error, not a queue shared with a stranger.
            ("grpc.so_reuseport", int(self.shares_port)),
            ("grpc.max_receive_message_length", message_bytes),
            ("grpc.max_send_message_length", message_bytes),
            ("grpc.http2.min_ping_interval_without_data_ms", round(self.pings_apart_seconds_min * 1000)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.keepalive_time_ms", PING_INTERVAL_SECONDS * 1000),
            ("grpc.keepalive_timeout_ms", PING_TIMEOUT_SECONDS * 1000),
        ]
        if self.connection_age_seconds is not None:
            arguments.append(("grpc.max_connection_age_ms", round(self.connection_age_seconds * 1000)))
        return arguments


class RpcServer:
    """One listening server over a set of doors. Bind it, start it and stop it once each.

    With a gate calls need a token, with credentials connections are those of TLS.
    """

    def __init__(
        self,
        doors: Sequence[Door],
        options: ServerOptions,
        log: FilteringBoundLogger,
        *,
        gate: Gate | None = None,
        credentials: grpc.ServerCredentials | None = None,
        traces: CallTraces | None = None,
    ):
        self._options = options
        self._credentials = credentials
        self.calls = CallFigures()
        self._interceptor = CallInterceptor(
            log,
            self.calls,
            answer_bytes_max=options.whole_message_bytes_max,
            endless=ENDLESS_METHODS,
            gate=gate,
            traces=traces,
        )
        self._doors = doors
        self._services = tuple(door.service for door in doors)
        self._health = health_aio.HealthServicer()
        self._server = grpc.aio.server(
            interceptors=[self._interceptor],
            options=options.channel_arguments(),
            maximum_concurrent_rpcs=options.concurrent_calls_max,
        )
        for door in doors:
            door.add_to(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._add_reflection()

    def bind(self) -> str:
        """Takes the port; the address as clients name it, with the port chosen where 0 was asked for.

        Raises InvalidArgument.
        """
        host = f"[{self._options.host}]" if ":" in self._options.host else self._options.host
        wanted = f"{host}:{self._options.port}"
        try:
            port = self._add_port(wanted)
        except RuntimeError as error:
            raise InvalidArgument(
                "host and port", wanted, "can't be listened on: is another server there, or the host not ours?"
            ) from error
        return f"{'' if self._credentials is None else TLS_SCHEME}{host}:{port}"

    def over_connect(self) -> "ASGIApp":
        """The same services over HTTP. What speaks Connect is loaded for it."""
        from trackwire_server.rpc.connect.app import HandlerTable, connect_app

        table = HandlerTable()
        for door in self._doors:
            door.add_to(cast("grpc.aio.Server", table))
        return connect_app(
            self._services,
            table,
            self._interceptor,
            message_bytes_max=self._options.whole_message_bytes_max,
            concurrent_calls_max=self._options.concurrent_calls_max,
        )

    def _add_port(self, wanted: str) -> int:
        if self._credentials is None:
            return self._server.add_insecure_port(wanted)
        return self._server.add_secure_port(wanted, self._credentials)

    async def start(self) -> None:
        """Serves, once bound."""
        await self._server.start()
        await self.tell_health(serving=True)

    async def tell_health(self, *, serving: bool) -> None:
        """Has health say whether calls should be sent here; they are answered in any case."""
        known = health_pb2.HealthCheckResponse
        for service in (OVERALL_HEALTH, *self._services):
            await self._health.set(service, known.SERVING if serving else known.NOT_SERVING)

    async def begin_stop(self) -> None:
        """Has health say NOT_SERVING from now on, and still takes calls."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, drain_seconds: float) -> None:
        """Turns new calls away, ends endless streams, and waits so long for what is under way before ending it."""
        await self.begin_stop()
        self._interceptor.begin_stop()
        # Calls that reach grpc while it stops are only told CANCELLED. So those that come before are held until clients
        # have heard that connections go, and then turned away: who waits for an answer sends no other call meanwhile.
        quiet_seconds = min(drain_seconds, QUIET_SECONDS)
        holds = await self._interceptor.quiet(quiet_seconds)
        # A little more than we wait: grpc itself would only say CANCELLED, as if the client had wanted it.
        stopping = asyncio.create_task(self._server.stop(drain_seconds + FAREWELL_SECONDS))
        if holds:
            await asyncio.sleep(quiet_seconds)
        self._interceptor.turn_away()
        # grpc waits for its own calls alone.
        await asyncio.wait([stopping, *self._interceptor.under_way()], timeout=drain_seconds)
        ended = self._interceptor.end_calls()
        await asyncio.wait([stopping, *ended], timeout=FAREWELL_SECONDS)
        await stopping

    def _add_reflection(self) -> None:
        names = (*self._services, HEALTH, REFLECTION_V1ALPHA)
        servicer = reflection_aio.ReflectionServicer(names)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, self._server)
        # Version 1 has the same bytes under another name; newer tools ask for it first.
        handler = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        generic = grpc.method_handlers_generic_handler(REFLECTION_V1, {"ServerReflectionInfo": handler})
        self._server.add_generic_rpc_handlers((generic,))
