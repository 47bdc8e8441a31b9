"""The server put together: stores, services and doors, and the server's life from start to stop."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from structlog.typing import FilteringBoundLogger

from trackwire_server import logs
from trackwire_server.allocator import give_back_what_is_not
from trackwire_server.config import Config
from trackwire_server.core.admin import Admin, AdminStores, ServerFacts
from trackwire_server.core.artifact_owners import LoggedModelOwners, RunOwners
from trackwire_server.core.artifact_places import ByteStores
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.clock import random_id, system_clock
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.evaluation_datasets import EvaluationDatasets
from trackwire_server.core.evaluation_imports import EvaluationImports
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.imports import Imports
from trackwire_server.core.issues import Issues
from trackwire_server.core.logged_models import LoggedModels
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.runs import Runs
from trackwire_server.core.services import Services
from trackwire_server.data_dir import announced_address, claimed
from trackwire_server.rpc.doors import doors_of
from trackwire_server.rpc.server import RpcServer, ServerOptions, require_free_port
from trackwire_server.spool_intake import SPOOL_FOLDER, SpoolIntake
from trackwire_server.storage import Stores, open_byte_stores, open_stores

if TYPE_CHECKING:
    from trackwire_server.web.server import HttpServer

UPLOAD_EXPIRY_INTERVAL_SECONDS = 3_600


async def serve(config: Config) -> None:
    """The server's life: start, serve until a signal comes, drain, stop. Raises TrackwireError if it can't start."""
    log = logs.configure(level=config.log_level, log_format=config.log_format)
    stop = _stop_signal(log)
    _calm_garbage_collector()
    # Before anything is made; only where a server is announced, the lock's words are the better ones.
    if announced_address(config.data_dir) is None:
        _require_free_ports(config)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(claimed(config.data_dir))
        _require_free_ports(config)
        served = await start(config, stack, log)
        directory.announce(served.address, served.url)
        _announce(config, served, is_new=directory.is_new)
        await stop.wait()
        log.info("trackwire server draining", drain_seconds=config.drain_seconds)
    log.info("trackwire server stopped")


def _require_free_ports(config: Config) -> None:
    require_free_port(_options(config))
    if config.http_port is not None:
        from trackwire_server.web import server as http

        http.require_free_port(config.host, config.http_port)


class Served(NamedTuple):
    """A server at work: where gRPC is heard, and HTTP unless it is off, and what answers there."""

    address: str
    url: str
    services: Services


async def start(config: Config, stack: AsyncExitStack, log: FilteringBoundLogger) -> Served:
    """Opens the stores and serves them, until the stack is unwound.

    Unwinding goes the same way back: the spool's shipper is told to end, health says NOT_SERVING, no new calls,
    endless streams end, calls under way are waited for; then background tasks end, what is queued is written, and the
    stores are closed.
    """
    stores = await open_stores(config, stack)
    services = _services(config, stores, await open_byte_stores(config, stores.artifacts, stack))
    server = RpcServer(doors_of(services, system_clock), _options(config), log)
    address = server.bind()
    http = _open_http(config, services, log)
    await _start_background_work(services, stack, log)
    await server.start()
    if http is not None:
        await http.start()
        stack.push_async_callback(http.stop, config.drain_seconds)
    intake = await _take_spool_in(config, address, stack, log)
    stack.push_async_callback(server.stop, config.drain_seconds)
    if intake is not None:
        stack.callback(intake.let_go)
    return Served(address, "" if http is None else http.url, services)


def _open_http(config: Config, services: Services, log: FilteringBoundLogger) -> "HttpServer | None":
    """The HTTP port with all that it serves, bound; None where it is off: then nothing of it is loaded."""
    if config.http_port is None:
        return None
    from trackwire_server.mlflow_api.app import mlflow_routes
    from trackwire_server.web.app import web_app
    from trackwire_server.web.server import HttpServer

    version = installed_version()
    telemetry = None
    if config.expose_prometheus is not None:
        from trackwire_server.web.prometheus import Telemetry

        telemetry = Telemetry(services.metrics, version)
    routes = mlflow_routes(services, log, serve_artifacts=config.serve_artifacts, artifacts_only=config.artifacts_only)
    app = web_app(version, routes, prefix=config.static_prefix, telemetry=telemetry)
    return HttpServer.bind(app, config.host, config.http_port)


@cache
def installed_version() -> str:
    """The version of the distribution; a tree that is not installed has none."""
    try:
        return version("trackwire")
    except PackageNotFoundError:
        return "0+uninstalled"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loops where it is installed; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _calm_garbage_collector() -> None:
    """Looks for cycles a thirtieth as often, and never among what was loaded: 9 % of the cost of a small request."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def _stop_signal(log: FilteringBoundLogger) -> asyncio.Event:
    """Is set by the first SIGTERM or SIGINT; the second one ends the process at once."""
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("signal received: a second one ends the server at once", signal=number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    return stop


def _options(config: Config) -> ServerOptions:
    return ServerOptions(
        host=config.host, port=config.port, connection_age_seconds=config.connection_age_seconds or None
    )


def _services(config: Config, stores: Stores, artifacts: ByteStores) -> Services:
    clock = system_clock
    metrics = Metrics(stores.metrics, clock)
    facts = ServerFacts(
        version=installed_version(),
        store=stores.kind,
        schema_version=stores.schema_version,
        artifacts_uri=config.artifacts_uri,
        start_time_ms=clock(),
    )
    collected = AdminStores(
        stores.garbage,
        stores.experiments,
        stores.runs,
        stores.uploads,
        artifacts,
        stores.logged_models,
        stores.model_garbage,
        stores.model_uploads,
    )
    return Services(
        experiments=Experiments(stores.experiments, clock, working_folder=Path.cwd()),
        runs=Runs(stores.runs, stores.run_data, stores.run_inputs, clock, random_id),
        metrics=metrics,
        artifacts=Artifacts(RunOwners(stores.runs), stores.uploads, artifacts, clock),
        model_registry=ModelRegistry(
            stores.registered_models, stores.model_versions, stores.runs, stores.logged_models, clock
        ),
        logged_models=LoggedModels(stores.logged_models, clock, random_id),
        model_artifacts=Artifacts(LoggedModelOwners(stores.logged_models), stores.model_uploads, artifacts, clock),
        issues=Issues(stores.issues, clock, random_id),
        evaluation_datasets=EvaluationDatasets(stores.evaluation_datasets, stores.evaluation_records, clock, random_id),
        imports=Imports(stores.imports, clock, working_folder=Path.cwd()),
        evaluation_imports=EvaluationImports(stores.evaluation_imports, clock),
        admin=Admin(facts, collected, data_plane=metrics, clock=clock),
    )


async def _start_background_work(services: Services, stack: AsyncExitStack, log: FilteringBoundLogger) -> None:
    await stack.enter_async_context(services.metrics.running())
    tasks = await stack.enter_async_context(asyncio.TaskGroup())
    both = (services.artifacts, services.model_artifacts)
    expiry = tasks.create_task(_discard_expired_uploads(both, log), name="upload expiry")
    stack.callback(expiry.cancel)
    trimming = tasks.create_task(give_back_what_is_not(), name="memory")
    stack.callback(trimming.cancel)


async def _take_spool_in(
    config: Config, address: str, stack: AsyncExitStack, log: FilteringBoundLogger
) -> SpoolIntake | None:
    spool = config.data_dir / SPOOL_FOLDER
    if not config.spool_intake:
        return None
    if config.is_volatile:
        log.info("no spool is taken in: what it holds would be gone with this server", spool=spool)
        return None
    intake = SpoolIntake(spool, address, log)
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


def _announce(config: Config, served: Served, *, is_new: bool) -> None:
    # Whoever started it in the wrong folder sees here why nothing is found.
    facts = served.services.admin.facts
    http = {"http": served.url} if served.url else {}
    note = {"note": f"new data directory: {config.data_dir} did not exist"} if is_new else {}
    logs.announce(
        "trackwire server ready",
        log_format=config.log_format,
        address=served.address,
        **http,
        store=facts.store,
        artifacts=facts.artifacts_uri,
        data_dir=config.data_dir,
        version=facts.version,
        pid=os.getpid(),
        **note,
    )
