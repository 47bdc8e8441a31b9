"""The server put together: stores, services and doors, and the server's life from start to stop."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from structlog.typing import FilteringBoundLogger

from trackwire_server import logs
from trackwire_server.allocator import give_back_what_is_not
from trackwire_server.announcement import announce_ready, installed_version
from trackwire_server.assembly import services_of
from trackwire_server.config import Config
from trackwire_server.core.admin import GrpcEndpoint
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.clock import system_clock
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.readiness import STOPPING, Readiness
from trackwire_server.core.services import Services
from trackwire_server.core.traces import NO_TRACES
from trackwire_server.data_dir import announced_address, claimed
from trackwire_server.exposure import require_guard
from trackwire_server.guarding import guard_of, own_gate
from trackwire_server.http_port import Internals, open_http
from trackwire_server.ports import require_free_ports
from trackwire_server.rpc.doors import doors_of
from trackwire_server.rpc.server import Door, RpcServer, ServerOptions
from trackwire_server.spool_intake import SPOOL_FOLDER, OwnDoor, SpoolIntake
from trackwire_server.stop_signals import stop_signal
from trackwire_server.storage import Stores, open_byte_stores, open_stores
from trackwire_server.workers.place import Place

if TYPE_CHECKING:
    from trackwire_server.tracing import Tracing

UPLOAD_EXPIRY_INTERVAL_SECONDS = 3_600


async def serve(config: Config) -> None:
    """The server's life: start, serve until a signal comes, drain, stop. Raises TrackwireError if it can't start."""
    log = logs.configure(level=config.log_level, log_format=config.log_format)
    require_guard(config, log)
    stop = stop_signal(log)
    calm_garbage_collector()
    # Before anything is made; only where a server is announced, the lock's words are the better ones.
    if announced_address(config.data_dir) is None:
        require_free_ports(config.host, config.port, config.http_port)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(claimed(config.data_dir))
        require_free_ports(config.host, config.port, config.http_port)
        served = await start(config, stack, log)
        directory.announce(served.address, served.url, inner_address=served.inner_address)
        store = served.services.admin.facts.store
        announce_ready(config, address=served.address, url=served.url, store=store, is_new=directory.is_new)
        await stop.wait()
        await leave(served, config, log)
    log.info("trackwire server stopped")


class Served(NamedTuple):
    """A server at work: where gRPC is heard, and HTTP unless it is off, and what answers there.

    `inner_address` is where it hears what it starts itself, where a guard stands before the others.
    """

    address: str
    url: str
    services: Services
    inner_address: str
    begin_stop: Callable[[], Awaitable[None]]


async def leave(served: Served, config: Config, log: FilteringBoundLogger) -> None:
    """Tells whoever sends calls here to send them elsewhere, before they are turned away."""
    await served.begin_stop()
    if config.readiness_grace_seconds:
        log.info("trackwire server not ready any more", grace_seconds=config.readiness_grace_seconds)
        await asyncio.sleep(config.readiness_grace_seconds)
    log.info("trackwire server draining", drain_seconds=config.drain_seconds)


async def start(config: Config, stack: AsyncExitStack, log: FilteringBoundLogger, place: Place | None = None) -> Served:
    """Opens the stores and serves them, until the stack is unwound. A worker has a place.

    Unwinding goes the same way back: the spool's shipper is told to end, health says NOT_SERVING, no new calls,
    endless streams end, calls under way are waited for; then background tasks end, what is queued is written, and the
    stores are closed.
    """
    traces = _open_traces(config, stack, log)
    guard = guard_of(config, system_clock)
    stores = await open_stores(config, stack)
    byte_stores = await open_byte_stores(config, stores.artifacts, stack)
    services = services_of(config, stores, byte_stores, traces or NO_TRACES)
    doors = doors_of(services, system_clock)
    server = RpcServer(doors, _options(config), log, gate=guard.gate, credentials=guard.grpc_credentials, traces=traces)
    address = server.bind()
    port = int(address.rpartition(":")[2])
    services.admin.listens_at(GrpcEndpoint(port, guard.grpc_credentials is not None, config.grpc_uri))
    readiness = _readiness(stores, server, log)
    internals = Internals(stores, server, readiness, place, traces, guard)
    http = await open_http(config, services, internals, stack, log)
    await _start_background_work(services, readiness, stack, log)
    await guard.keep_current(stack, log)
    await server.start()
    if http is not None:
        await http.start()
        stack.push_async_callback(http.stop, config.drain_seconds)
    own_door = await _open_own_door(config, doors, stack, log) if guard.is_there else None
    intake = await _take_spool_in(config, address, own_door, stack, log)
    stack.push_async_callback(server.stop, config.drain_seconds)
    if intake is not None:
        stack.callback(intake.let_go)

    async def begin_stop() -> None:
        await readiness.begin_stop()
        await server.begin_stop()

    url, inner_address = "" if http is None else http.url, "" if own_door is None else own_door.address
    return Served(address, url, services, inner_address, begin_stop)


async def _open_own_door(
    config: Config, doors: Sequence[Door], stack: AsyncExitStack, log: FilteringBoundLogger
) -> OwnDoor:
    """A port of this machine alone, for the health check and the spool's shipper: no certificate is made out to it."""
    gate, secret = own_gate(system_clock)
    server = RpcServer(doors, ServerOptions(port=0), log, gate=gate)
    address = server.bind()
    await server.start()
    stack.push_async_callback(server.stop, config.drain_seconds)
    return OwnDoor(address, secret)


def _open_traces(config: Config, stack: AsyncExitStack, log: FilteringBoundLogger) -> "Tracing | None":
    """Where spans go; None where nobody asked for them, or what sends them is not installed."""
    if not config.traces_exporter:
        return None
    try:
        from trackwire_server.tracing import Tracing, exporter_named

        traces = Tracing(exporter_named(config.traces_exporter), installed_version())
    except (ImportError, LookupError) as error:
        log.warning("traces are not sent: pip install 'trackwire[otel]'", why=str(error))
        return None
    stack.push_async_callback(asyncio.to_thread, traces.close)
    return traces


def _readiness(stores: Stores, server: RpcServer, log: FilteringBoundLogger) -> Readiness:
    """The store's, which health tells too."""

    async def tell(reason: str) -> None:
        await server.tell_health(serving=not reason)
        if not reason:
            log.info("trackwire server ready again")
        elif reason != STOPPING:
            log.warning("trackwire server not ready", why=reason)

    return Readiness(stores.ping, tell)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loops where it is installed; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def calm_garbage_collector() -> None:
    """Looks for cycles a thirtieth as often, and never among what was loaded: 9 % of the cost of a small request."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def _options(config: Config) -> ServerOptions:
    return ServerOptions(
        host=config.host,
        port=config.port,
        connection_age_seconds=config.connection_age_seconds or None,
        shares_port=config.workers > 1,
    )


async def _start_background_work(
    services: Services, readiness: Readiness, stack: AsyncExitStack, log: FilteringBoundLogger
) -> None:
    await stack.enter_async_context(services.metrics.running())
    tasks = await stack.enter_async_context(asyncio.TaskGroup())
    both = (services.artifacts, services.model_artifacts)
    expiry = tasks.create_task(_discard_expired_uploads(both, log), name="upload expiry")
    stack.callback(expiry.cancel)
    trimming = tasks.create_task(give_back_what_is_not(), name="memory")
    stack.callback(trimming.cancel)
    watching = tasks.create_task(readiness.watch(), name="readiness")
    stack.callback(watching.cancel)


async def _take_spool_in(
    config: Config, address: str, own_door: OwnDoor | None, stack: AsyncExitStack, log: FilteringBoundLogger
) -> SpoolIntake | None:
    spool = config.data_dir / SPOOL_FOLDER
    if not config.spool_intake:
        return None
    if config.is_volatile:
        log.info("no spool is taken in: what it holds would be gone with this server", spool=spool)
        return None
    intake = SpoolIntake(spool, address, log, own_door=own_door)
    await stack.enter_async_context(intake.running())
    return intake


async def _discard_expired_uploads(of_owners: Sequence[Artifacts], log: FilteringBoundLogger) -> None:
    while True:
        await asyncio.sleep(UPLOAD_EXPIRY_INTERVAL_SECONDS)
        try:
            discarded = sum([await artifacts.discard_expired() for artifacts in of_owners])
        except TrackwireError as error:
            log.warning("expired uploads could not be discarded", reason=error.reason, error=error.message)
        else:
            log.debug("expired uploads discarded", uploads=discarded)
