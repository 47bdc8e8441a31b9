"""What compaction reads and prunes."""

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import batch, compact_all, read_all

from trackwire_server.core.entities import ExperimentReference, NewRun, RunStatus
from trackwire_server.core.errors import TailTokenExpired
from trackwire_server.core.metric_queries import Backlog, ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns

NONE: frozenset[str] = frozenset()


@pytest.fixture
async def runs(database: Database) -> tuple[str, ...]:
    reference = ExperimentReference(experiment_id="0")
    for run_id in ("a", "b"):
        await SqlRuns(database).create_run(NewRun(run_id, run_id, reference, "", RunStatus.RUNNING, NOW_MS, NOW_MS))
    return "a", "b"


async def log(store: SqlMetricStore, run_id: str, arrivals: int, *, points: int, now_ms: int = NOW_MS) -> None:
    for at in range(arrivals):
        rows = [(at * points + step, 0, 0.5) for step in range(points)]
        await store.append([batch(run_id, {"loss": rows})], now_ms=now_ms)


async def prune_all(store: SqlMetricStore, *, now_ms: int) -> None:
    while await store.prune(now_ms=now_ms):
        pass


async def kept_from(store: SqlMetricStore, run_id: str) -> int:
    """The first position from which a tail can be resumed."""
    position = 0
    while True:
        try:
            await store.read_arrivals([run_id], NONE, (position,))
        except TailTokenExpired:
            position += 1
        else:
            return position


async def test_compacted_rows_past_the_limit_of_points_go_oldest_first(
    database: Database, runs: tuple[str, ...]
) -> None:
    settings = CompactionSettings(rows_due=1, tail_points_kept=35, prune_rows_at_once=2)
    store = SqlMetricStore(database, compaction=settings)
    await log(store, "a", 10, points=10)
    await log(store, "b", 3, points=10)
    await compact_all(store, now_ms=NOW_MS)
    await prune_all(store, now_ms=NOW_MS)
    assert [await kept_from(store, run_id) for run_id in runs] == [7, 0]
    points = await read_all(store, ReadQuery(runs))
    assert sorted(len(rows) for rows in points.values()) == [30, 100]


async def test_compacted_rows_go_once_they_are_old_in_every_run(database: Database, runs: tuple[str, ...]) -> None:
    settings = CompactionSettings(rows_due=1, tail_retention_ms=1_000, prune_rows_at_once=2)
    store = SqlMetricStore(database, compaction=settings)
    for run_id in runs:
        await log(store, run_id, 5, points=1)
        await log(store, run_id, 2, points=1, now_ms=NOW_MS + 500)
    await compact_all(store, now_ms=NOW_MS)
    await prune_all(store, now_ms=NOW_MS + 999)
    assert [await kept_from(store, run_id) for run_id in runs] == [0, 0]
    await prune_all(store, now_ms=NOW_MS + 1_000)
    assert [await kept_from(store, run_id) for run_id in runs] == [5, 5]


async def test_compaction_goes_on_in_the_last_chunk_only_of_what_arrived(
    database: Database, runs: tuple[str, ...]
) -> None:
    store = SqlMetricStore(database, compaction=CompactionSettings(rows_due=1))
    for start in (0, 3_000, 6_000, 9_000):
        rows = [(step, 0, 0.5) for step in range(start, start + 3_000)]
        series = {"always": rows, "seldom": rows} if start in (0, 6_000) else {"always": rows}
        await store.append([batch("a", series)], now_ms=NOW_MS)
        await compact_all(store, now_ms=NOW_MS)
    points = await read_all(store, ReadQuery(("a",)))
    steps = {name.key: [row[0] for row in rows] for (_, name), rows in points.items()}
    assert steps["always"] == list(range(12_000))
    assert steps["seldom"] == [*range(3_000), *range(6_000, 9_000)]


async def test_backlog_tells_since_when_the_oldest_row_of_any_run_waits(
    database: Database, runs: tuple[str, ...]
) -> None:
    store = SqlMetricStore(database, compaction=CompactionSettings(rows_due=1))
    assert await store.backlog() == Backlog(0, 0, None)
    await log(store, "a", 2, points=3, now_ms=NOW_MS + 1_000)
    await log(store, "b", 1, points=1, now_ms=NOW_MS)
    await log(store, "b", 1, points=2, now_ms=NOW_MS + 2_000)  # the first of them is there already
    assert await store.backlog() == Backlog(4, 8, NOW_MS)
    await compact_all(store, now_ms=NOW_MS + 3_000)
    assert await store.backlog() == Backlog(0, 0, None)
