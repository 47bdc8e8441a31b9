"""The stores that a configuration means, opened: the one module that knows every kind of store."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trackwire_server.config import MEMORY, Config
from trackwire_server.core.artifact_places import (
    FILE_SCHEME,
    OWN_SCHEME,
    S3_SCHEME,
    BucketFolder,
    ByteStores,
    Opener,
    bucket_folder,
    own_store,
)
from trackwire_server.core.byte_stores import ByteStore
from trackwire_server.core.clock import system_clock
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.core.evaluation_stores import (
    EvaluationDatasetStore,
    EvaluationImportStore,
    EvaluationRecordStore,
)
from trackwire_server.core.failpoints import kill_at
from trackwire_server.core.figures import PoolFigures
from trackwire_server.core.issue_store import IssueStore
from trackwire_server.core.readiness import Ping
from trackwire_server.core.remote_places import EXTRAS, RemotePlace, remote_place
from trackwire_server.core.stores import (
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
from trackwire_server.spool_intake import SPOOL_FOLDER

# Where uploads gather that go on to another machine.
UPLOADS_FOLDER = "uploads"


@dataclass(frozen=True, slots=True)
class Stores:
    """All that is kept, wherever it is kept."""

    kind: str
    schema_version: int
    # Returns once the store has answered.
    ping: Ping
    # How connections to it are used; none in memory.
    pools: Sequence[PoolFigures]
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
    issues: IssueStore
    evaluation_datasets: EvaluationDatasetStore
    evaluation_records: EvaluationRecordStore
    garbage: GarbageStore
    imports: ImportStore
    evaluation_imports: EvaluationImportStore


async def open_stores(config: Config, stack: AsyncExitStack) -> Stores:
    """Opens them; they are closed when the stack is unwound. Raises TrackwireError."""
    artifacts = await _open_artifacts(config, stack)
    if config.store_uri == MEMORY:
        return _memory_stores(config, artifacts)
    return await _sql_stores(config, artifacts, stack)


async def open_byte_stores(config: Config, store: ByteStore, stack: AsyncExitStack) -> ByteStores:
    """Where this server reaches artifacts, by scheme: what else it is to serve is added here."""
    from trackwire_server.stores.files import local_folders

    own = (config.artifacts_folder, config.data_dir / SPOOL_FOLDER, config.data_dir / UPLOADS_FOLDER)
    guarded = [folder for folder in own if folder is not None]
    openers = {OWN_SCHEME: own_store(store), FILE_SCHEME: local_folders(guarded)}
    if config.s3_locations:
        openers[S3_SCHEME] = await _open_locations(config, stack)
    return ByteStores(openers)


async def _open_artifacts(config: Config, stack: AsyncExitStack) -> ByteStore:
    if (place := bucket_folder(config.artifacts_uri)) is not None:
        return await _open_bucket(config, place, stack)
    if (remote := remote_place(config.artifacts_uri)) is not None:
        return await _open_remote(config, remote, stack)
    if config.artifacts_folder is None:
        from trackwire_server.stores.memory.artifacts import MemoryBytes

        return MemoryBytes(system_clock)
    from trackwire_server.stores.files import FileBytes

    files = await FileBytes.open(config.artifacts_folder)
    stack.push_async_callback(files.close)
    return files


async def _open_bucket(config: Config, place: BucketFolder, stack: AsyncExitStack) -> ByteStore:
    with _needing("s3", config.artifacts_uri):
        from trackwire_server.stores.s3 import S3Bytes, S3Settings

    settings = S3Settings(config.s3_endpoint_url, config.s3_encryption, config.s3_kms_key_id)
    return await stack.enter_async_context(S3Bytes.opened(*place, settings))


async def _open_locations(config: Config, stack: AsyncExitStack) -> Opener:
    with _needing("s3", "--s3-locations"):
        from trackwire_server.stores.s3 import S3Settings, opened_locations

    settings = S3Settings(config.s3_endpoint_url, config.s3_encryption, config.s3_kms_key_id)
    return await stack.enter_async_context(opened_locations(config.s3_locations, settings))


async def _open_remote(config: Config, place: RemotePlace, stack: AsyncExitStack) -> ByteStore:
    password = await asyncio.to_thread(_password_in, config.artifacts_password_file)
    with _needing(EXTRAS[place.scheme], config.artifacts_uri_shown):
        from trackwire_server.stores.remote import RemoteBytes, RemoteSettings

        spool = config.data_dir / UPLOADS_FOLDER
        settings = RemoteSettings(place, spool, password, config.sftp_known_hosts)
        return await stack.enter_async_context(RemoteBytes.opened(settings))


def _password_in(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"must be a file that can be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        raise InvalidArgument("--artifacts-password-file", str(file), expected, reason="BAD_SETTING") from error


@contextmanager
def _needing(extra: str, what: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise FailedPrecondition(
            f"{what} needs {error.name}: pip install 'trackwire[{extra}]'",
            reason="EXTRA_MISSING",
            metadata={"extra": extra, "module": error.name},
        ) from error


def _memory_stores(config: Config, artifacts: ByteStore) -> Stores:
    from trackwire_server.stores.memory.artifacts import MemoryUploads
    from trackwire_server.stores.memory.evaluation_datasets import MemoryEvaluationDatasets
    from trackwire_server.stores.memory.evaluation_imports import MemoryEvaluationImports
    from trackwire_server.stores.memory.evaluation_records import MemoryEvaluationRecords
    from trackwire_server.stores.memory.experiments import MemoryExperiments
    from trackwire_server.stores.memory.garbage import MemoryGarbage
    from trackwire_server.stores.memory.imports import MemoryImports
    from trackwire_server.stores.memory.issues import MemoryIssues
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
        ping=_answer_at_once,
        pools=(),
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
        issues=MemoryIssues(state),
        evaluation_datasets=MemoryEvaluationDatasets(state),
        evaluation_records=MemoryEvaluationRecords(state),
        garbage=MemoryGarbage(state, uploads, forget=[metrics.forget], forget_model=[model_uploads.forget]),
        imports=MemoryImports(state, models),
        evaluation_imports=MemoryEvaluationImports(state),
    )


async def _sql_stores(config: Config, artifacts: ByteStore, stack: AsyncExitStack) -> Stores:
    from trackwire_server.stores.sql.artifacts import UPLOADS_OF_MODELS, SqlUploads
    from trackwire_server.stores.sql.database import Database
    from trackwire_server.stores.sql.dialect import ConnectionSettings
    from trackwire_server.stores.sql.evaluation_datasets import SqlEvaluationDatasets
    from trackwire_server.stores.sql.evaluation_imports import SqlEvaluationImports
    from trackwire_server.stores.sql.evaluation_records import SqlEvaluationRecords
    from trackwire_server.stores.sql.experiments import SqlExperiments
    from trackwire_server.stores.sql.garbage import SqlGarbage
    from trackwire_server.stores.sql.imports import SqlImports
    from trackwire_server.stores.sql.issues import SqlIssues
    from trackwire_server.stores.sql.logged_model_garbage import SqlLoggedModelGarbage
    from trackwire_server.stores.sql.logged_models import SqlLoggedModels
    from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
    from trackwire_server.stores.sql.metrics.store import SqlMetricStore
    from trackwire_server.stores.sql.model_versions import SqlModelVersions
    from trackwire_server.stores.sql.registered_models import SqlRegisteredModels
    from trackwire_server.stores.sql.run_data import SqlRunData
    from trackwire_server.stores.sql.run_inputs import SqlRunInputs
    from trackwire_server.stores.sql.runs import SqlRuns

    connections = ConnectionSettings(config.store_pool_size, config.store_statement_timeout_seconds)
    database = await Database.open(
        config.store_uri, artifact_root=config.default_artifact_root, connections=connections
    )
    stack.push_async_callback(database.close)
    # Beside all else: behind a large process that has just ended it takes 40 ms, a fourteenth of the start.
    tasks = await stack.enter_async_context(asyncio.TaskGroup())
    tasks.create_task(database.warm_up(), name="warm-up")
    compaction = CompactionSettings(rows_due=config.compaction_rows, tail_retention_ms=_tail_retention_ms(config))
    return Stores(
        kind=database.dialect.name,
        schema_version=database.version,
        ping=database.ping,
        pools=database.pools,
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
        issues=SqlIssues(database),
        evaluation_datasets=SqlEvaluationDatasets(database),
        evaluation_records=SqlEvaluationRecords(database),
        garbage=SqlGarbage(database),
        imports=SqlImports(database),
        evaluation_imports=SqlEvaluationImports(database),
    )


async def _answer_at_once() -> None:
    pass


def _tail_retention_ms(config: Config) -> int:
    return round(config.tail_retention_seconds * 1000)
