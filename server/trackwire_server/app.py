"""The server put together: the one module that knows every folder, and the server's life from start to stop."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from structlog.typing import FilteringBoundLogger

from trackwire_server import logs
from trackwire_server.allocator import give_back_what_is_not
from trackwire_server.config import MEMORY, Config
from trackwire_server.core.admin import Admin, AdminStores, ServerFacts
from trackwire_server.core.artifact_owners import LoggedModelOwners, RunOwners
from trackwire_server.core.artifact_places import FILE_SCHEME, OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.clock import random_id, system_clock
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.failpoints import kill_at
from trackwire_server.core.imports import Imports
from trackwire_server.core.logged_models import LoggedModels
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.runs import Runs
from trackwire_server.core.services import Services
from trackwire_server.core.stores import (
    ByteStore,
    ExperimentStore,
    GarbageStore,
    ImportStore,
    LoggedModelGarbageStore,
    LoggedModelStore,
    MetricStore,
    ModelVersionStore,
    RegisteredModelStore,
    RunDataStore,
    RunInputStore,
    RunStore,
    UploadStore,
)
from trackwire_server.data_dir import announced_address, claimed
from trackwire_server.rpc.doors import doors_of
from trackwire_server.rpc.server import RpcServer, ServerOptions, require_free_port
from trackwire_server.spool_intake import SPOOL_FOLDER, SpoolIntake

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
        require_free_port(_options(config))
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(claimed(config.data_dir))
        require_free_port(_options(config))
        served = await start(config, stack, log)
        directory.announce(served.address, served.url)
        _announce(config, served, is_new=directory.is_new)
        await stop.wait()
        log.info("trackwire server draining", drain_seconds=config.drain_seconds)
    log.info("trackwire server stopped")


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
    stores = await _open_stores(config, stack)
    services = _services(config, stores)
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
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


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


@dataclass(frozen=True, slots=True)
class Stores:
    """All that is kept, wherever it is kept."""

    kind: str
    schema_version: int
    experiments: ExperimentStore
    runs: RunStore
    run_data: RunDataStore
    run_inputs: RunInputStore
    metrics: MetricStore
    uploads: UploadStore
    artifacts: ByteStore
    registered_models: RegisteredModelStore
    model_versions: ModelVersionStore
    logged_models: LoggedModelStore
    model_uploads: UploadStore
    model_garbage: LoggedModelGarbageStore
    garbage: GarbageStore
    imports: ImportStore


def _services(config: Config, stores: Stores) -> Services:
    clock = system_clock
    metrics = Metrics(stores.metrics, clock)
    facts = ServerFacts(
        version=installed_version(),
        store=stores.kind,
        schema_version=stores.schema_version,
        artifacts_uri=config.artifacts_uri,
        start_time_ms=clock(),
    )
    artifacts = _byte_stores(config, stores.artifacts)
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
        imports=Imports(stores.imports, clock, working_folder=Path.cwd()),
        admin=Admin(facts, collected, data_plane=metrics, clock=clock),
    )


def _byte_stores(config: Config, own: ByteStore) -> ByteStores:
    """Where this server reaches artifacts, by scheme: what else it is to serve is added here."""
    from trackwire_server.stores.files import local_folders

    guarded = [folder for folder in (config.artifacts_folder, config.data_dir / SPOOL_FOLDER) if folder is not None]
    return ByteStores({OWN_SCHEME: own_store(own), FILE_SCHEME: local_folders(guarded)})


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


async def _open_stores(config: Config, stack: AsyncExitStack) -> Stores:
    artifacts = await _open_artifacts(config, stack)
    if config.store_uri == MEMORY:
        return _memory_stores(config, artifacts)
    return await _sql_stores(config, artifacts, stack)


async def _open_artifacts(config: Config, stack: AsyncExitStack) -> ByteStore:
    if config.artifacts_folder is None:
        from trackwire_server.stores.memory.artifacts import MemoryBytes

        return MemoryBytes(system_clock)
    from trackwire_server.stores.files import FileBytes

    files = await FileBytes.open(config.artifacts_folder)
    stack.push_async_callback(files.close)
    return files


def _memory_stores(config: Config, artifacts: ByteStore) -> Stores:
    from trackwire_server.stores.memory.artifacts import MemoryUploads
    from trackwire_server.stores.memory.experiments import MemoryExperiments
    from trackwire_server.stores.memory.garbage import MemoryGarbage
    from trackwire_server.stores.memory.imports import MemoryImports
    from trackwire_server.stores.memory.logged_model_garbage import MemoryLoggedModelGarbage
    from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
    from trackwire_server.stores.memory.metrics import MemoryMetricStore
    from trackwire_server.stores.memory.model_registry import (
        MemoryModelVersions,
        MemoryRegisteredModels,
        ModelRegistryState,
    )
    from trackwire_server.stores.memory.run_inputs import MemoryRunInputs
    from trackwire_server.stores.memory.runs import MemoryRunData, MemoryRuns
    from trackwire_server.stores.memory.state import MemoryState

    state = MemoryState.fresh(now_ms=system_clock(), artifact_root=config.default_artifact_root)
    models, model_uploads = ModelRegistryState(), MemoryUploads(state, state.active_logged_model)
    uploads, metrics = MemoryUploads(state), MemoryMetricStore(state, tail_retention_ms=_tail_retention_ms(config))
    return Stores(
        kind="memory",
        schema_version=0,
        experiments=MemoryExperiments(state),
        runs=MemoryRuns(state),
        run_data=MemoryRunData(state),
        run_inputs=MemoryRunInputs(state),
        metrics=metrics,
        uploads=uploads,
        artifacts=artifacts,
        registered_models=MemoryRegisteredModels(models),
        model_versions=MemoryModelVersions(models),
        logged_models=MemoryLoggedModels(state),
        model_uploads=model_uploads,
        model_garbage=MemoryLoggedModelGarbage(state, model_uploads),
        garbage=MemoryGarbage(state, uploads, forget=[metrics.forget], forget_model=[model_uploads.forget]),
        imports=MemoryImports(state, models),
    )


async def _sql_stores(config: Config, artifacts: ByteStore, stack: AsyncExitStack) -> Stores:
    from trackwire_server.stores.sql.artifacts import UPLOADS_OF_MODELS, SqlUploads
    from trackwire_server.stores.sql.database import Database
    from trackwire_server.stores.sql.experiments import SqlExperiments
    from trackwire_server.stores.sql.garbage import SqlGarbage
    from trackwire_server.stores.sql.imports import SqlImports
    from trackwire_server.stores.sql.logged_model_garbage import SqlLoggedModelGarbage
    from trackwire_server.stores.sql.logged_models import SqlLoggedModels
    from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
    from trackwire_server.stores.sql.metrics.store import SqlMetricStore
    from trackwire_server.stores.sql.model_versions import SqlModelVersions
    from trackwire_server.stores.sql.registered_models import SqlRegisteredModels
    from trackwire_server.stores.sql.run_data import SqlRunData
    from trackwire_server.stores.sql.run_inputs import SqlRunInputs
    from trackwire_server.stores.sql.runs import SqlRuns

    database = await Database.open(config.store_uri, artifact_root=config.default_artifact_root)
    stack.push_async_callback(database.close)
    compaction = CompactionSettings(rows_due=config.compaction_rows, tail_retention_ms=_tail_retention_ms(config))
    return Stores(
        kind=database.dialect.name,
        schema_version=await database.schema_version(),
        experiments=SqlExperiments(database),
        runs=SqlRuns(database),
        run_data=SqlRunData(database),
        run_inputs=SqlRunInputs(database),
        metrics=SqlMetricStore(database, compaction=compaction, failpoint=kill_at(config.failpoint)),
        uploads=SqlUploads(database),
        artifacts=artifacts,
        registered_models=SqlRegisteredModels(database),
        model_versions=SqlModelVersions(database),
        logged_models=SqlLoggedModels(database),
        model_uploads=SqlUploads(database, UPLOADS_OF_MODELS),
        model_garbage=SqlLoggedModelGarbage(database),
        garbage=SqlGarbage(database),
        imports=SqlImports(database),
    )


def _tail_retention_ms(config: Config) -> int:
    return round(config.tail_retention_seconds * 1000)


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
