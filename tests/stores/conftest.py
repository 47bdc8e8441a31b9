"""One suite over every store: `stores` is memory and then each database, empty, with one attribute a Protocol."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from tests import mariadb, pgbouncer, postgres
from tests.conftest import NOW_MS

from trackwire_server.core.entities import RUN_NAME_TAG, ExperimentReference, MetricSummary, NewRun, RunStatus
from trackwire_server.core.evaluation_stores import (
    EvaluationDatasetStore,
    EvaluationImportStore,
    EvaluationRecordStore,
)
from trackwire_server.core.issue_store import IssueStore
from trackwire_server.core.stores import (
    ExperimentStore,
    GarbageStore,
    ImportStore,
    LoggedModelStore,
    MetricStore,
    ModelVersionStore,
    RegisteredModelStore,
    RunDataStore,
    RunInputStore,
    RunStore,
)
from trackwire_server.stores.files import FileBytes
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.evaluation_datasets import MemoryEvaluationDatasets
from trackwire_server.stores.memory.evaluation_imports import MemoryEvaluationImports
from trackwire_server.stores.memory.evaluation_records import MemoryEvaluationRecords
from trackwire_server.stores.memory.experiments import MemoryExperiments
from trackwire_server.stores.memory.garbage import MemoryGarbage
from trackwire_server.stores.memory.imports import MemoryImports
from trackwire_server.stores.memory.issues import MemoryIssues
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
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.evaluation_datasets import SqlEvaluationDatasets
from trackwire_server.stores.sql.evaluation_imports import SqlEvaluationImports
from trackwire_server.stores.sql.evaluation_records import SqlEvaluationRecords
from trackwire_server.stores.sql.experiments import SqlExperiments
from trackwire_server.stores.sql.garbage import SqlGarbage
from trackwire_server.stores.sql.imports import SqlImports
from trackwire_server.stores.sql.issues import SqlIssues
from trackwire_server.stores.sql.logged_models import SqlLoggedModels
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
from trackwire_server.stores.sql.metrics.names import number_contexts, number_keys
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.model_versions import SqlModelVersions
from trackwire_server.stores.sql.registered_models import SqlRegisteredModels
from trackwire_server.stores.sql.run_data import SqlRunData
from trackwire_server.stores.sql.run_inputs import SqlRunInputs
from trackwire_server.stores.sql.runs import SqlRuns
from trackwire_server.stores.sql.tables import metric_series, metric_summaries, run_heads, runs

# Where there is a MariaDB, and only where it is asked for.
MARIADB = pytest.param("mariadb", marks=pytest.mark.mariadb)
# PostgreSQL behind a pooler.
PGBOUNCER = pytest.param("pgbouncer", marks=pgbouncer.needs_pgbouncer)
DATABASES = ("sqlite", "postgresql", MARIADB)
BACKENDS = ("memory", *DATABASES)
TAIL_RETENTION_MS = 60_000
# Compaction that takes whatever is there, in small bites, so that tests see many of them.
EAGER = CompactionSettings(rows_due=1, points_at_once=5_000, tail_retention_ms=TAIL_RETENTION_MS, prune_rows_at_once=3)
PutSummaries = Callable[[Sequence[MetricSummary]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stores:
    """Every store of one backend; `put_summaries` lays down what ingesting would have."""

    experiments: ExperimentStore
    runs: RunStore
    run_data: RunDataStore
    run_inputs: RunInputStore
    garbage: GarbageStore
    metrics: MetricStore
    put_summaries: PutSummaries
    logged_models: LoggedModelStore
    issues: IssueStore
    evaluation_datasets: EvaluationDatasetStore
    evaluation_records: EvaluationRecordStore
    registered_models: RegisteredModelStore
    model_versions: ModelVersionStore
    imports: ImportStore
    evaluation_imports: EvaluationImportStore


def memory_stores() -> Stores:
    state, registry = MemoryState.fresh(now_ms=NOW_MS), ModelRegistryState()

    async def put_summaries(summaries: Sequence[MetricSummary]) -> None:
        for summary in summaries:
            state.summaries.setdefault(summary.run_id, {})[summary.key, summary.context] = summary

    return Stores(
        MemoryExperiments(state),
        MemoryRuns(state),
        MemoryRunData(state),
        MemoryRunInputs(state),
        MemoryGarbage(state, MemoryUploads(state)),
        MemoryMetricStore(state, tail_retention_ms=TAIL_RETENTION_MS),
        put_summaries,
        MemoryLoggedModels(state),
        MemoryIssues(state),
        MemoryEvaluationDatasets(state),
        MemoryEvaluationRecords(state),
        MemoryRegisteredModels(registry),
        MemoryModelVersions(registry),
        MemoryImports(state, registry),
        MemoryEvaluationImports(state),
    )


@asynccontextmanager
async def sql_stores(store_uri: str) -> AsyncIterator[Stores]:
    database = await Database.open(store_uri)

    async def put_summaries(summaries: Sequence[MetricSummary]) -> None:
        for summary in summaries:
            await _insert_summary(database, summary)

    try:
        yield Stores(
            SqlExperiments(database),
            SqlRuns(database),
            SqlRunData(database),
            SqlRunInputs(database),
            SqlGarbage(database),
            SqlMetricStore(database, compaction=EAGER),
            put_summaries,
            SqlLoggedModels(database),
            SqlIssues(database),
            SqlEvaluationDatasets(database),
            SqlEvaluationRecords(database),
            SqlRegisteredModels(database),
            SqlModelVersions(database),
            SqlImports(database),
            SqlEvaluationImports(database),
        )
    finally:
        await database.close()


def new_run(run_id: str, *, experiment_id: str = "0", **fields: object) -> NewRun:
    """A run as core would ask for it."""
    run = NewRun(
        run_id=run_id,
        run_name="calm-otter-001",
        experiment=ExperimentReference(experiment_id),
        user_id="",
        status=RunStatus.RUNNING,
        start_time_ms=NOW_MS,
        creation_time_ms=NOW_MS,
        tags={RUN_NAME_TAG: "calm-otter-001"},
    )
    return replace(run, **fields)


@asynccontextmanager
async def open_stores(backend: str, folder: Path) -> AsyncIterator[Stores]:
    """Fresh stores of a backend."""
    if backend == "memory":
        yield memory_stores()
    else:
        with fresh_uri(backend, folder) as uri:
            async with sql_stores(uri) as stores:
                yield stores


@contextmanager
def fresh_uri(backend: str, folder: Path) -> Iterator[str]:
    """The URI of an empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{folder}/trackwire.db"
    elif backend == "pgbouncer":
        with pgbouncer.pooled_database("session") as uri:
            yield uri
    else:
        with (mariadb if backend == "mariadb" else postgres).fresh_database() as uri:
            yield uri


@pytest.fixture(params=BACKENDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=DATABASES)
async def database_stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Fresh stores of a database: what is to agree with memory."""
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def _insert_summary(database: Database, summary: MetricSummary) -> None:
    def stored(value: float) -> float | None:
        return None if math.isnan(value) else value

    async with database.write() as connection:
        statement = select(runs.c.run_no, runs.c.experiment_no).where(runs.c.run_id == summary.run_id)
        run = (await connection.execute(statement)).one()
        keys = await number_keys(connection, database.dialect, {summary.key})
        contexts = await number_contexts(connection, database.dialect, {summary.context})
        place = {"run_no": run.run_no, "key_no": keys[summary.key], "context_no": contexts[summary.context]}
        series = insert(metric_series).values(place)
        series_no = (await insert_row(connection, series)).series_no
        await connection.execute(
            insert(metric_summaries).values(
                series_no=series_no,
                **place,
                experiment_no=run.experiment_no,
                is_primary=summary.primary,
                count=summary.count,
                nan_count=summary.nan_count,
                last_value=stored(summary.last_value),
                last_step=summary.last_step,
                last_time_ms=summary.last_time_ms,
                first_value=stored(summary.first_value),
                first_step=summary.first_step,
                first_time_ms=summary.first_time_ms,
                min_value=summary.min_value,
                max_value=summary.max_value,
            )
        )
        heads = run_heads.c
        arrived = {name: heads[name] + 1 for name in ("arrival", "compacted_arrival", "pruned_arrival")}
        await connection.execute(update(run_heads).where(heads.run_no == run.run_no).values(arrived))


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileBytes]:
    """A byte store in a folder of its own, which it holds open."""
    store = await FileBytes.open(tmp_path / "artifacts")
    yield store
    await store.close()
