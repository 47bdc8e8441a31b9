"""Thinned reads by the thinned forms of chunks are those of all points, and decode no chunk that they don't need."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text
from tests.conftest import NOW_MS
from tests.metric_data import (
    Row,
    batch,
    compact_all,
    points_of,
    read_thinned,
    thinned_rows,
)
from tests.stores.conftest import EAGER

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import ExperimentReference, NewRun, RunStatus
from trackwire_server.core.errors import Aborted, StoreCorrupt
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics import chunk_rows, compaction, read, thinned_reads, windows
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns

LOSS = ("r", SeriesName("loss"))
VALUES = (0.0, -0.0, 1.0, -3.0, 7.5, float("nan"), float("inf"))
DAMAGE = "UPDATE metric_chunks SET payload = zeroblob(99)"
FULL = f"WHERE points = {CHUNK_POINTS}"


@pytest.fixture
async def store(database: Database) -> SqlMetricStore:
    reference = ExperimentReference(experiment_id="0")
    await SqlRuns(database).create_run(NewRun("r", "r", reference, "", RunStatus.RUNNING, NOW_MS, NOW_MS))
    return SqlMetricStore(database, compaction=EAGER)


async def log(store: SqlMetricStore, sequence: int, rows: Sequence[Row], *, compact: bool = True) -> None:
    await store.append([batch("r", {"loss": rows}, ("w", sequence, sequence - 1))], now_ms=NOW_MS)
    if compact:
        await compact_all(store, now_ms=NOW_MS)


async def execute(database: Database, statement: str) -> int:
    async with database.write() as connection:
        return (await connection.execute(text(statement))).rowcount


def expected(rows: Sequence[Row], query: ReadQuery, max_points: int) -> list[tuple[int, int, str]]:
    return thinned_rows(query.cut(points_of(rows).ordered()), max_points)


def noise(points: int) -> list[Row]:
    values = np.random.default_rng(points).normal(size=points)
    return [(step, step * 11, float(value)) for step, value in enumerate(values)]


@pytest.mark.parametrize("seed", range(12))
async def test_thinned_reads_are_by_the_definition_whatever_lies_in_chunks(
    store: SqlMetricStore, database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # Small chunks: many of them, thinned ones and others, and more than one window and batch.
    for module in (chunk_rows, compaction, read):
        monkeypatch.setattr(module, "CHUNK_POINTS", 64)
    monkeypatch.setattr(windows, "WINDOW_POINTS", 500)
    monkeypatch.setattr(thinned_reads, "_POINTS_AT_ONCE", 300)
    source = random.Random(seed)
    steps = source.choice([5, 300, 2_000, 10**12])
    logged: list[Row] = []
    for sequence in range(1, 7):
        start = source.choice([0, sequence * steps // 7, -steps])
        rows = [(start + source.randrange(steps), source.randrange(3), source.choice(VALUES)) for _ in range(300)]
        # A series that goes on as most do, but for a few points that come late.
        rows = sorted(rows, key=lambda row: row[:2]) if source.random() < 0.7 else rows
        await log(store, sequence, rows, compact=sequence < 6)
        logged += rows
    # What a server of the release before has compacted.
    await execute(database, "DELETE FROM metric_thinned WHERE ordinal % 5 = 3")
    for _ in range(10):
        ends = sorted(source.randrange(-steps, 2 * steps) for _ in range(2))
        for query in (
            ReadQuery(("r",)),
            ReadQuery(("r",), min_step=ends[0], max_step=ends[1]),
            ReadQuery(("r",), min_step=ends[0]),
            ReadQuery(("r",), max_step=ends[1], min_time_ms=1),
        ):
            max_points = source.choice([4, 5, 10, 50, 200, 2_000])
            found = await read_thinned(store, query, max_points)
            assert found[LOSS] == expected(logged, query, max_points)


# With 1,000 points, the thinned forms have fewer than may come, and more than the definition keeps.
@pytest.mark.parametrize(("behind", "max_points"), [(1_000, 400), (0, 1_000)])
async def test_chunks_within_wide_buckets_are_not_decoded(
    store: SqlMetricStore, database: Database, behind: int, max_points: int
) -> None:
    rows = noise(20 * CHUNK_POINTS + behind)
    await log(store, 1, rows)
    assert await execute(database, f"{DAMAGE} {FULL}") == 20
    found = await read_thinned(store, ReadQuery(("r",)), max_points)
    assert found[LOSS] == expected(rows, ReadQuery(("r",)), max_points)
    # Narrower buckets than those of the thinned forms need all points.
    with pytest.raises(StoreCorrupt, match="a chunk has version 0"):
        await read_thinned(store, ReadQuery(("r",)), 4_000)


async def test_range_decodes_the_chunks_at_its_ends_alone(store: SqlMetricStore, database: Database) -> None:
    rows = noise(20 * CHUNK_POINTS)
    await log(store, 1, rows)
    query = ReadQuery(("r",), min_step=CHUNK_POINTS + 7, max_step=18 * CHUNK_POINTS + 7)
    within = f"{FULL} AND first_step >= {query.min_step} AND last_step <= {query.max_step}"
    assert await execute(database, f"{DAMAGE} {within}") == 16
    found = await read_thinned(store, query, 100)
    assert found[LOSS] == expected(rows, query, 100)


async def test_no_more_points_than_are_asked_for_come_whole(store: SqlMetricStore) -> None:
    rows = noise(2 * CHUNK_POINTS)
    await log(store, 1, rows)
    found = await read_thinned(store, ReadQuery(("r",)), 2 * CHUNK_POINTS)
    assert len(found[LOSS]) == 2 * CHUNK_POINTS


async def test_many_series_come_in_their_order(store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinned_reads, "_CHUNKS_AT_ONCE", 5)
    monkeypatch.setattr(thinned_reads, "_POINTS_AT_ONCE", 3_000)
    series: dict[str | SeriesName, list[Row]] = {f"k{at}": noise(1_000 * (at % 9 + 1)) for at in range(20)}
    await store.append([batch("r", series)], now_ms=NOW_MS)
    await compact_all(store, now_ms=NOW_MS)
    found = await read_thinned(store, ReadQuery(("r",)), 50)
    assert [name.key for _, name in found] == [str(key) for key in series]
    for key, rows in series.items():
        assert found["r", SeriesName(str(key))] == expected(rows, ReadQuery(("r",)), 50)


async def test_reader_that_goes_away_in_the_middle_leaves_nothing_behind(store: SqlMetricStore) -> None:
    for key in ("a", "b", "c"):
        await store.append([batch("r", {key: noise(2 * CHUNK_POINTS)})], now_ms=NOW_MS)
    await compact_all(store, now_ms=NOW_MS)
    parts = (await store.open_snapshot(ReadQuery(("r",)))).thinned(100)
    assert (await anext(parts)).name.key == "a"
    # The fixture's database closes only if every connection is back.
    await parts.aclose()


async def test_run_that_is_removed_meanwhile_ends_the_read(store: SqlMetricStore, database: Database) -> None:
    await log(store, 1, noise(2 * CHUNK_POINTS))
    snapshot = await store.open_snapshot(ReadQuery(("r",)))
    await execute(database, "DELETE FROM runs")
    with pytest.raises(Aborted, match="removed while it was read"):
        _ = [part async for part in snapshot.thinned(100)]


async def test_damaged_thinned_form_is_named(store: SqlMetricStore, database: Database) -> None:
    await log(store, 1, noise(20 * CHUNK_POINTS))
    await execute(database, "UPDATE metric_thinned SET payload = zeroblob(99) WHERE ordinal = 7")
    with pytest.raises(StoreCorrupt, match="a thinned chunk has version 0"):
        await read_thinned(store, ReadQuery(("r",)), 400)


async def test_only_full_chunks_have_a_thinned_form(database: Database, store: SqlMetricStore) -> None:
    bites = SqlMetricStore(database, compaction=replace(EAGER, points_at_once=1_000))
    for sequence in range(1, 11):
        await log(bites, sequence, noise(1_000))
    async with database.read() as connection:
        chunks = await connection.execute(text("SELECT ordinal, points FROM metric_chunks ORDER BY ordinal"))
        thinned = await connection.execute(text("SELECT ordinal FROM metric_thinned ORDER BY ordinal"))
        assert [tuple(row) for row in chunks] == [(0, CHUNK_POINTS), (1, CHUNK_POINTS), (2, 1_808)]
        assert [row.ordinal for row in thinned] == [0, 1]


async def test_chunks_of_a_series_are_listed_without_reading_their_rows(database: Database) -> None:
    async with database.read() as connection:
        plan = await connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT series_no, ordinal, points, first_step, first_time_ms, last_step,"
                " last_time_ms FROM metric_chunks WHERE series_no IN (1, 2) AND last_step >= 3 AND first_step <= 9"
                " ORDER BY series_no, ordinal"
            )
        )
        assert [row.detail for row in plan] == [
            "SEARCH metric_chunks USING COVERING INDEX ix_metric_chunks_places (series_no=?)"
        ]
