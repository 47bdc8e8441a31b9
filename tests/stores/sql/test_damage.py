"""Stored metrics that are not what was written: named, kept apart, and never read as fewer or other points."""

from collections.abc import Sequence

import pytest
from sqlalchemy import delete, text
from tests.conftest import NOW_MS
from tests.metric_data import batch, compact_all, read_all

from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.entities import ExperimentReference, NewRun, RunStatus
from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns
from trackwire_server.stores.sql.tables import metric_journal

EAGER = CompactionSettings(rows_due=1, retry_ms=60_000)


@pytest.fixture
async def metrics(database: Database) -> SqlMetricStore:
    """Runs `a` and `b`, each with five arrivals; `a` is due first."""
    runs, store = SqlRuns(database), SqlMetricStore(database, compaction=EAGER)
    for run_id in ("a", "b"):
        reference = ExperimentReference(experiment_id="0")
        await runs.create_run(NewRun(run_id, run_id, reference, "", RunStatus.RUNNING, NOW_MS, NOW_MS))
    await store.append([*arrivals("a", 5), *arrivals("b", 5)], now_ms=NOW_MS)
    return store


def arrivals(run_id: str, count: int, first: int = 1) -> Sequence[Batch]:
    return [batch(run_id, {"m": [(at, at, float(at))]}, ("w", at, at - 1)) for at in range(first, first + count)]


async def tail_to_the_end(metrics: SqlMetricStore, run_id: str) -> None:
    positions: Sequence[int] = [0]
    while (found := await metrics.read_arrivals([run_id], frozenset(), positions)).arrivals:
        positions = found.positions


async def lose_row(database: Database, run_no: int, arrival: int) -> None:
    async with database.write() as connection:
        row = metric_journal.c
        await connection.execute(delete(metric_journal).where(row.run_no == run_no, row.arrival == arrival))


@pytest.mark.parametrize("arrival", [1, 3, 5])
async def test_missing_journal_row_is_no_silent_hole(database: Database, metrics: SqlMetricStore, arrival: int) -> None:
    await lose_row(database, 1, arrival)
    with pytest.raises(StoreCorrupt, match=f"row {arrival}"):
        await read_all(metrics, ReadQuery(("a",)))
    with pytest.raises(StoreCorrupt, match=f"row {arrival}"):
        await tail_to_the_end(metrics, "a")
    assert len(await read_all(metrics, ReadQuery(("b",)))) == 1


async def test_run_that_cannot_be_compacted_is_left_alone_for_a_while(
    database: Database, metrics: SqlMetricStore
) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE metric_journal SET payload = x'00' WHERE run_no = 1 AND arrival = 3"))
    with pytest.raises(StoreCorrupt):
        await metrics.compact(now_ms=NOW_MS)
    await compact_all(metrics, now_ms=NOW_MS)
    assert (await metrics.backlog()).rows == 5
    with pytest.raises(StoreCorrupt):
        await metrics.compact(now_ms=NOW_MS + EAGER.retry_ms)


async def test_damaged_run_takes_stamped_points_as_before(metrics: SqlMetricStore, database: Database) -> None:
    await lose_row(database, 1, 3)
    outcomes = await metrics.append([*arrivals("a", 1, first=6), *arrivals("b", 1, first=6)], now_ms=NOW_MS)
    assert outcomes == [Appended(6, 1), Appended(6, 1)]
