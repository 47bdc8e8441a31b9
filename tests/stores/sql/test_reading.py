"""How much a read holds at once, and that its parts, however they are cut, make the whole in order."""

import random
from collections.abc import Sequence

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import Row, batch, bits, compact_all, rows_of
from tests.stores.conftest import EAGER

from trackwire_server.core.entities import ExperimentReference, NewRun, RunStatus
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics import journal_rows, places, windows
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns


@pytest.fixture
async def store(database: Database) -> SqlMetricStore:
    reference = ExperimentReference(experiment_id="0")
    await SqlRuns(database).create_run(NewRun("r", "r", reference, "", RunStatus.RUNNING, NOW_MS, NOW_MS))
    return SqlMetricStore(database, compaction=EAGER)


async def log(store: SqlMetricStore, sequence: int, rows: Sequence[Row]) -> None:
    await store.append([batch("r", {"loss": rows}, ("w", sequence, sequence - 1))], now_ms=NOW_MS)


async def windows_in(store: SqlMetricStore, query: ReadQuery) -> list[list[tuple[int, int, str]]]:
    (series,) = (await store.open_snapshot(query)).series
    return [rows_of(points) async for points in series.windows()]


@pytest.mark.parametrize("steps", [1, 7, 30_000])
async def test_windows_join_to_the_whole_in_order(
    store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(windows, "WINDOW_POINTS", 1)
    source = random.Random(steps)
    logged: list[Row] = []
    for sequence in range(1, 9):
        # Few distinct steps and times: many ties, also across the borders of chunks.
        rows = [(source.randrange(steps), source.randrange(3), float(len(logged) + at)) for at in range(3_000)]
        await log(store, sequence, rows)
        logged += rows
        if sequence < 7:
            await compact_all(store, now_ms=NOW_MS)
    found = await windows_in(store, ReadQuery(("r",)))
    ordered = sorted(logged, key=lambda row: row[:2])
    assert [row for window in found for row in window] == bits(ordered)


async def test_late_point_does_not_make_one_window_of_all_that_follows(
    store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW_POINTS", CHUNK_POINTS)
    rows = [(step, step, 0.5) for step in range(5 * CHUNK_POINTS)]
    await log(store, 1, rows)
    await compact_all(store, now_ms=NOW_MS)
    late = [(3, 3, 1.0), (CHUNK_POINTS + 5, 0, 2.0)]
    await log(store, 2, late)
    found = await windows_in(store, ReadQuery(("r",)))
    assert [len(window) for window in found] == [CHUNK_POINTS + 1, CHUNK_POINTS + 1, *[CHUNK_POINTS] * 3]
    assert [row for window in found for row in window] == bits(sorted(rows + late, key=lambda row: row[:2]))


async def test_points_of_one_step_and_time_are_read_chunk_by_chunk(
    store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW_POINTS", CHUNK_POINTS)
    rows = [(0, 0, float(at)) for at in range(4 * CHUNK_POINTS)]
    await log(store, 1, rows)
    await compact_all(store, now_ms=NOW_MS)
    await log(store, 2, [(0, 0, -1.0)])
    found = await windows_in(store, ReadQuery(("r",)))
    assert max(len(window) for window in found) == CHUNK_POINTS
    assert [row for window in found for row in window] == bits([*rows, (0, 0, -1.0)])


async def test_more_series_than_a_read_may_hold_are_refused_by_name(
    store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_SERIES_MAX", 2)
    await store.append([batch("r", {key: [(0, 0, 0.0)] for key in ("a", "b", "c")})], now_ms=NOW_MS)
    with pytest.raises(InvalidArgument, match="more than 2 series") as raised:
        await store.open_snapshot(ReadQuery(("r",)))
    assert raised.value.field == "run_ids"
    assert len((await store.open_snapshot(ReadQuery(("r",), frozenset({"a", "b"})))).series) == 2


async def test_journal_is_read_in_bounded_bites(store: SqlMetricStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_rows, "_POINTS_AT_ONCE", 10)
    for sequence in range(1, 12):
        await log(store, sequence, [(sequence * 10 + at, 0, 0.5) for at in range(sequence)])
    (window,) = await windows_in(store, ReadQuery(("r",)))
    assert len(window) == sum(range(1, 12))


async def test_tail_of_some_keys_brings_every_arrival_and_only_their_points(store: SqlMetricStore) -> None:
    for at in range(3):
        await store.append([batch("r", {"a": [(at, 0, 0.0)], "b": [(at, 0, 1.0)]})], now_ms=NOW_MS)
    arrived = await store.read_arrivals(["r"], frozenset({"b"}), (0,))
    assert [arrival.number for arrival in arrived.arrivals] == [1, 2, 3]
    assert [part.name.key for arrival in arrived.arrivals for part in arrival.parts] == ["b"] * 3
    assert arrived.positions == (3,)
