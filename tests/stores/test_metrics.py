import math
import random
import struct

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import (
    Row,
    batch,
    bits,
    compact_all,
    points_of,
    ranked,
    read_all,
    read_thinned,
    rows_of,
    thinned_rows,
)
from tests.stores.conftest import TAIL_RETENTION_MS, Stores

from trackwire_server.core.columns import Appended, SeriesName
from trackwire_server.core.entities import (
    ExperimentReference,
    LifecycleStage,
    MetricSummary,
    NewRun,
    RunChange,
    RunSelection,
    RunStatus,
)
from trackwire_server.core.errors import InvalidArgument, NotFound, RunDeleted, SequenceGap, TailTokenExpired
from trackwire_server.core.metric_queries import Arrived, Backlog, ReadQuery

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
SUBNORMAL = 5e-324
NAN_WITH_PAYLOAD = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_1234))[0]


@pytest.fixture
async def run_ids(stores: Stores) -> list[str]:
    """Three runs, in the order of their creation."""
    for run_id in ("a", "b", "c"):
        await stores.runs.create_run(
            NewRun(
                run_id=run_id,
                run_name=run_id,
                experiment=ExperimentReference(experiment_id="0"),
                user_id="",
                status=RunStatus.RUNNING,
                start_time_ms=NOW_MS,
                creation_time_ms=NOW_MS,
            )
        )
    return ["a", "b", "c"]


async def summary(stores: Stores, run_id: str, name: SeriesName) -> MetricSummary:
    page = await stores.metrics.summaries([run_id], frozenset(), page_size=1_000, after=None)
    return next(found for found in page.items if (found.key, found.context) == (name.key, name.context))


def arrived_rows(arrived: Arrived) -> list[tuple[int, str, str, list[tuple[int, int, str]]]]:
    return [
        (arrival.number, part.run_id, part.name.key, rows_of(part.points))
        for arrival in arrived.arrivals
        for part in arrival.parts
    ]


async def test_points_come_back_bit_for_bit_in_order(stores: Stores, run_ids: list[str]) -> None:
    rows: list[Row] = [
        (INT64_MIN, 0, math.inf),
        (-1, 5, -math.inf),
        (0, 7, -0.0),
        (0, 8, math.nan),
        (1, 3, NAN_WITH_PAYLOAD),
        (2, 3, SUBNORMAL),
        (INT64_MAX, 9, 1.7976931348623157e308),
    ]
    shuffled = random.Random(1).sample(rows, len(rows))
    [outcome] = await stores.metrics.append([batch("a", {"loss": shuffled}, ("w", 1, 0))], now_ms=NOW_MS)
    assert outcome == Appended(1, len(rows))
    for _ in range(2):
        assert await read_all(stores.metrics, ReadQuery(("a",))) == {("a", SeriesName("loss")): bits(rows)}
        await compact_all(stores.metrics, now_ms=NOW_MS)


async def test_equal_step_and_time_keep_the_order_in_which_they_were_logged(stores: Stores, run_ids: list[str]) -> None:
    for sequence in range(1, 6):
        rows: list[Row] = [(1, 1, sequence * 10.0 + i) for i in range(3)]
        await stores.metrics.append([batch("a", {"m": rows}, ("w", sequence, sequence - 1))], now_ms=NOW_MS)
        if sequence % 2:
            await compact_all(stores.metrics, now_ms=NOW_MS)
    expected: list[Row] = [(1, 1, sequence * 10.0 + i) for sequence in range(1, 6) for i in range(3)]
    assert (await read_all(stores.metrics, ReadQuery(("a",))))["a", SeriesName("m")] == bits(expected)
    assert (await summary(stores, "a", SeriesName("m"))).last_value == 52.0
    assert (await summary(stores, "a", SeriesName("m"))).first_value == 10.0


async def test_a_stored_sequence_is_acknowledged_and_not_stored_again(stores: Stores, run_ids: list[str]) -> None:
    first = batch("a", {"m": [(1, 1, 1.0)]}, ("w", 1, 0))
    assert await stores.metrics.append([first], now_ms=NOW_MS) == [Appended(1, 1)]
    again, second = await stores.metrics.append([first, batch("a", {"m": [(2, 2, 2.0)]}, ("w", 2, 1))], now_ms=NOW_MS)
    assert again == Appended(1, 0)
    assert second == Appended(2, 1)
    assert await stores.metrics.append([first], now_ms=NOW_MS) == [Appended(2, 0)]
    assert (await summary(stores, "a", SeriesName("m"))).count == 2


async def test_a_gap_stores_nothing_and_harms_no_neighbour(stores: Stores, run_ids: list[str]) -> None:
    gap = batch("a", {"m": [(9, 9, 9.0)]}, ("w", 3, 2))
    good = batch("a", {"n": [(1, 1, 1.0)]}, ("v", 1, 0))
    unknown = batch("nobody", {"m": [(1, 1, 1.0)]})
    refused, stored, missing = await stores.metrics.append([gap, good, unknown], now_ms=NOW_MS)
    assert isinstance(refused, SequenceGap)
    assert refused.metadata["mark"] == "0"
    assert stored == Appended(1, 1)
    assert isinstance(missing, NotFound)
    assert list(await read_all(stores.metrics, ReadQuery(("a",)))) == [("a", SeriesName("n"))]


async def test_one_group_heals_a_reordered_writer(stores: Stores, run_ids: list[str]) -> None:
    batches = [batch("a", {"m": [(i, i, float(i))]}, ("w", i, i - 1)) for i in (3, 1, 2, 2, 5, 4)]
    outcomes = await stores.metrics.append(batches, now_ms=NOW_MS)
    assert [outcome.stored_points for outcome in outcomes if isinstance(outcome, Appended)] == [1, 1, 1, 0, 1, 1]
    rows: list[Row] = [(i, i, float(i)) for i in range(1, 6)]
    assert (await read_all(stores.metrics, ReadQuery(("a",))))["a", SeriesName("m")] == bits(rows)


async def test_a_skipped_sequence_is_no_gap_where_the_request_says_so(stores: Stores, run_ids: list[str]) -> None:
    await stores.metrics.append([batch("a", {"m": [(1, 1, 1.0)]}, ("w", 1, 0))], now_ms=NOW_MS)
    assert await stores.metrics.append([batch("a", {"m": [(4, 4, 4.0)]}, ("w", 4, 1))], now_ms=NOW_MS) == [
        Appended(4, 1)
    ]


async def test_deleted_run_refuses_points_and_finished_run_takes_them(stores: Stores, run_ids: list[str]) -> None:
    await stores.runs.update_run("b", RunChange(status=RunStatus.FINISHED, end_time_ms=NOW_MS), None)
    await stores.runs.set_run_stage("a", LifecycleStage.DELETED, now_ms=NOW_MS)
    deleted, finished = await stores.metrics.append(
        [batch("a", {"m": [(1, 1, 1.0)]}, ("w", 1, 0)), batch("b", {"m": [(1, 1, 1.0)]}, ("w", 1, 0))], now_ms=NOW_MS
    )
    assert isinstance(deleted, RunDeleted)
    assert finished == Appended(1, 1)
    await stores.runs.set_run_stage("a", LifecycleStage.ACTIVE, now_ms=NOW_MS)
    again = await stores.metrics.append([batch("a", {"m": [(1, 1, 1.0)]}, ("w", 1, 0))], now_ms=NOW_MS)
    assert again == [Appended(1, 1)]


async def test_summaries_are_those_of_all_points_in_any_order(stores: Stores, run_ids: list[str]) -> None:
    rng = random.Random(7)
    rows: list[Row] = [(rng.randrange(50), rng.randrange(5), rng.choice([rng.random(), math.nan])) for _ in range(400)]
    for at in range(0, len(rows), 37):
        part = {"m": rows[at : at + 37], "all_nan": [(at, at, math.nan)]}
        await stores.metrics.append([batch("a", part, ("w", at + 1, max(0, at - 36)))], now_ms=NOW_MS)
    found = await summary(stores, "a", SeriesName("m"))
    indexed = [(step, time_ms, at) for at, (step, time_ms, _) in enumerate(rows)]
    last, first = max(indexed), min(indexed)
    numbers = [value for _, _, value in rows if not math.isnan(value)]
    assert (found.count, found.nan_count) == (400, 400 - len(numbers))
    assert (found.last_step, found.last_time_ms, found.first_step, found.first_time_ms) == (*last[:2], *first[:2])
    assert bits([(0, 0, found.last_value)]) == bits([(0, 0, rows[last[2]][2])])
    assert bits([(0, 0, found.first_value)]) == bits([(0, 0, rows[first[2]][2])])
    assert (found.min_value, found.max_value) == (min(numbers), max(numbers))
    nothing = await summary(stores, "a", SeriesName("all_nan"))
    assert (nothing.min_value, nothing.max_value, nothing.nan_count) == (None, None, nothing.count)
    assert math.isnan(nothing.last_value)


async def test_the_lowest_rank_in_the_default_context_is_primary(stores: Stores, run_ids: list[str]) -> None:
    async def primary() -> list[SeriesName]:
        page = await stores.metrics.summaries(["a"], frozenset(), page_size=100, after=None)
        return [SeriesName(found.key, found.context) for found in page.items if found.primary]

    steps = [
        (ranked("m", None, "model"), ranked("m", None, "model")),
        (ranked("m", 3), ranked("m", 3)),
        (ranked("m", 5), ranked("m", 3)),
        (ranked("m", 1), ranked("m", 1)),
        (ranked("m", None), ranked("m", None)),
        (ranked("m", 0), ranked("m", None)),
    ]
    for at, (name, expected) in enumerate(steps):
        await stores.metrics.append([batch("a", {name: [(at, at, float(at))]}, ("w", at + 1, at))], now_ms=NOW_MS)
        assert await primary() == [expected]
    run = await stores.runs.get_run("a", RunSelection())
    assert [(metric.key, metric.last_value) for metric in run.metrics] == [("m", 4.0)]


async def test_unstamped_exact_duplicates_are_stored_once(stores: Stores, run_ids: list[str]) -> None:
    rows: list[Row] = [(1, 1, 1.0), (1, 1, 1.0), (1, 1, math.nan), (1, 1, math.nan), (1, 1, 0.0), (1, 1, -0.0)]
    distinct: list[Row] = [(1, 1, 1.0), (1, 1, math.nan), (1, 1, 0.0), (1, 1, -0.0)]
    assert await stores.metrics.append([batch("a", {"m": rows})], now_ms=NOW_MS) == [Appended(0, 4)]
    await compact_all(stores.metrics, now_ms=NOW_MS)
    more: list[Row] = [(0, 1, 1.0), (1, 1, 1.0), (2, 1, 1.0)]
    group = [batch("a", {"m": rows}), batch("a", {"m": more, "n": rows}), batch("a", {"m": more})]
    outcomes = await stores.metrics.append(group, now_ms=NOW_MS)
    assert [outcome.stored_points for outcome in outcomes if isinstance(outcome, Appended)] == [0, 6, 0]
    found = await read_all(stores.metrics, ReadQuery(("a",)))
    assert found["a", SeriesName("m")] == bits([(0, 1, 1.0), *distinct, (2, 1, 1.0)])
    assert found["a", SeriesName("n")] == bits(distinct)
    assert (await summary(stores, "a", SeriesName("m"))).count == 6


@pytest.mark.parametrize("points", [1, 200])
async def test_points_that_are_logged_again_are_told_from_others_of_their_steps_and_times(
    stores: Stores, run_ids: list[str], points: int
) -> None:
    stored: list[Row] = [(step, 1_000 + step, float(step)) for step in range(400)]
    for at in range(0, len(stored), 20):
        await stores.metrics.append([batch("a", {"m": stored[at : at + 20]})], now_ms=NOW_MS)
    again = stored[50 : 50 + points]
    at_other_times: list[Row] = [(step, time_ms + 1, value) for step, time_ms, value in again]
    at_other_steps: list[Row] = [(step - 1, time_ms, value) for step, time_ms, value in again]
    with_other_values: list[Row] = [(step, time_ms, value + 0.5) for step, time_ms, value in again]
    for rows, of_them in ((again, 0), (at_other_times, points), (at_other_steps, points), (with_other_values, points)):
        assert await stores.metrics.append([batch("a", {"m": rows})], now_ms=NOW_MS) == [Appended(0, of_them)]
    every = sorted([*stored, *at_other_times, *at_other_steps, *with_other_values], key=lambda row: row[:2])
    found = (await read_all(stores.metrics, ReadQuery(("a",))))["a", SeriesName("m")]
    assert sorted(found) == sorted(bits(every))


async def test_stamped_duplicates_are_points_of_their_own(stores: Stores, run_ids: list[str]) -> None:
    rows: list[Row] = [(1, 1, 1.0), (1, 1, 1.0)]
    assert await stores.metrics.append([batch("a", {"m": rows}, ("w", 1, 0))], now_ms=NOW_MS) == [Appended(1, 2)]
    assert await stores.metrics.append([batch("a", {"m": rows})], now_ms=NOW_MS) == [Appended(0, 0)]
    assert (await read_all(stores.metrics, ReadQuery(("a",))))["a", SeriesName("m")] == bits(rows)


async def test_reading_is_the_same_before_during_and_after_compaction(stores: Stores, run_ids: list[str]) -> None:
    rng = random.Random(3)
    expected: dict[SeriesName, list[Row]] = {}
    names = [ranked(f"k{i}", rank) for i in range(3) for rank in (None, 0, 1)]
    for sequence in range(1, 41):
        series: dict[str | SeriesName, list[Row]] = {}
        for name in rng.sample(names, 4):
            start = sequence * 100 if rng.random() < 0.7 else rng.randrange(4_000)
            rows: list[Row] = [(start + i, start + i, rng.random()) for i in range(rng.randrange(1, 400))]
            series[name] = rows
            expected.setdefault(name, []).extend(rows)
        await stores.metrics.append([batch("a", series, ("w", sequence, sequence - 1))], now_ms=NOW_MS)
        if sequence % 7 == 0:
            await stores.metrics.compact(now_ms=NOW_MS)
    wanted = {("a", name): bits(sorted(rows, key=lambda row: row[:2])) for name, rows in expected.items()}
    assert await read_all(stores.metrics, ReadQuery(("a",))) == wanted
    await compact_all(stores.metrics, now_ms=NOW_MS)
    backlog = await stores.metrics.backlog()
    assert backlog == Backlog(0, 0)
    # Messages take no Decimal, such as a database may sum up to.
    assert [type(number) for number in (backlog.rows, backlog.points)] == [int, int]
    assert await read_all(stores.metrics, ReadQuery(("a",))) == wanted
    bounded = ReadQuery(("a",), frozenset({"k1"}), min_step=700, max_step=2_100, min_time_ms=800, max_time_ms=2_000)
    found = await read_all(stores.metrics, bounded)
    assert found == {
        place: rows
        for place, every in wanted.items()
        if place[1].key == "k1" and (rows := [row for row in every if 800 <= row[0] <= 2_000])
    }


async def test_a_tail_sees_each_arrival_once_in_order(stores: Stores, run_ids: list[str]) -> None:
    start = await stores.metrics.read_arrivals(["b", "a"], frozenset(), None)
    assert start.positions == (0, 0)
    for i in range(1, 6):
        await stores.metrics.append([batch("a", {"m": [(i, i, float(i))]}, ("w", i, i - 1))], now_ms=NOW_MS)
    await compact_all(stores.metrics, now_ms=NOW_MS)
    await stores.metrics.append([batch("b", {"m": [(9, 9, 9.0)], "n": [(1, 1, 1.0)]}, ("w", 1, 0))], now_ms=NOW_MS)
    arrived = await stores.metrics.read_arrivals(["b", "a"], frozenset({"m"}), start.positions)
    assert arrived.positions == (1, 5)
    assert not arrived.more
    assert arrived_rows(arrived) == [
        (1, "b", "m", bits([(9, 9, 9.0)])),
        *((i, "a", "m", bits([(i, i, float(i))])) for i in range(1, 6)),
    ]
    assert not (await stores.metrics.read_arrivals(["b", "a"], frozenset(), arrived.positions)).arrivals


async def test_an_old_tail_token_expires_and_never_skips(stores: Stores, run_ids: list[str]) -> None:
    for i in range(1, 9):
        await stores.metrics.append([batch("a", {"m": [(i, i, float(i))]}, ("w", i, i - 1))], now_ms=NOW_MS + i)
    await compact_all(stores.metrics, now_ms=NOW_MS)
    later = NOW_MS + TAIL_RETENTION_MS + 5
    while await stores.metrics.prune(now_ms=later):
        pass
    with pytest.raises(TailTokenExpired) as expired:
        await stores.metrics.read_arrivals(["a"], frozenset(), (4,))
    assert expired.value.metadata["limit"] == "5"
    arrived = await stores.metrics.read_arrivals(["a"], frozenset(), (5,))
    assert [number for number, *_ in arrived_rows(arrived)] == [6, 7, 8]
    assert len((await read_all(stores.metrics, ReadQuery(("a",))))["a", SeriesName("m")]) == 8


async def test_a_position_that_no_run_has_come_to_is_refused(stores: Stores, run_ids: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="resume_token"):
        await stores.metrics.read_arrivals(["a"], frozenset(), (7,))


async def test_unknown_runs_are_not_found(stores: Stores, run_ids: list[str]) -> None:
    with pytest.raises(NotFound):
        await stores.metrics.open_snapshot(ReadQuery(("a", "nobody")))
    with pytest.raises(NotFound):
        await stores.metrics.read_arrivals(["nobody"], frozenset(), None)
    with pytest.raises(NotFound):
        await stores.metrics.summaries(["nobody"], frozenset(), page_size=1, after=None)


async def test_a_run_without_points_reads_as_nothing(stores: Stores, run_ids: list[str]) -> None:
    snapshot = await stores.metrics.open_snapshot(ReadQuery(("a", "b")))
    assert not snapshot.series
    assert snapshot.arrivals == (0, 0)


async def test_summaries_page_by_run_and_series(stores: Stores, run_ids: list[str]) -> None:
    for run_id in ("c", "a"):
        series: dict[str | SeriesName, list[Row]] = {f"k{i}": [(0, 0, float(i))] for i in range(5)}
        await stores.metrics.append([batch(run_id, series, ("w", 1, 0))], now_ms=NOW_MS)
    seen: list[tuple[str, str]] = []
    after = None
    while True:
        page = await stores.metrics.summaries(["c", "a", "b"], frozenset(), page_size=3, after=after)
        seen += [(found.run_id, found.key) for found in page.items]
        after = page.next_position
        if after is None:
            break
    assert seen == [(run_id, f"k{i}") for run_id in ("a", "c") for i in range(5)]
    only = await stores.metrics.summaries(["a"], frozenset({"k2", "k9"}), page_size=3, after=None)
    assert [found.key for found in only.items] == ["k2"]


async def test_a_snapshot_stays_as_it_was_while_others_write_and_compact(stores: Stores, run_ids: list[str]) -> None:
    rows: list[Row] = [(i, i, float(i)) for i in range(10_000)]
    await stores.metrics.append([batch("a", {"m": rows}, ("w", 1, 0))], now_ms=NOW_MS)
    await compact_all(stores.metrics, now_ms=NOW_MS)
    snapshot = await stores.metrics.open_snapshot(ReadQuery(("a",)))
    await stores.metrics.append([batch("a", {"m": [(5, 0, -1.0), (10_001, 0, -1.0)]}, ("w", 2, 1))], now_ms=NOW_MS)
    await compact_all(stores.metrics, now_ms=NOW_MS)
    found = [row async for points in snapshot.series[0].windows() for row in rows_of(points)]
    assert found == bits(rows)
    assert snapshot.arrivals == (1,)


@pytest.mark.parametrize(
    "query",
    [
        ReadQuery(("a",)),
        ReadQuery(("a",), min_step=5_000),
        ReadQuery(("a",), min_step=-400, max_step=14_000),
        ReadQuery(("a",), min_time_ms=400),
    ],
    ids=["all", "from a step", "a range", "from a time"],
)
async def test_thinned_series_are_by_the_definition_in_chunks_or_not(
    stores: Stores, run_ids: list[str], query: ReadQuery
) -> None:
    source = random.Random(1)
    values = (0.0, -0.0, 2.5, -1.5, math.nan)
    rows: list[Row] = [(at - 500, at % 1_000, source.choice((source.random(), *values))) for at in range(18_000)]
    late: list[Row] = [(source.randrange(-2_000, 20_000), 0, source.gauss(0, 2)) for _ in range(50)]
    for sequence, part in enumerate((rows[:9_000], rows[9_000:], late), 1):
        await stores.metrics.append([batch("a", {"m": part}, ("w", sequence, sequence - 1))], now_ms=NOW_MS)
        for max_points in (20, 500):
            logged = query.cut(points_of([*rows[: 9_000 * sequence], *(late if sequence == 3 else ())]).ordered())
            found = await read_thinned(stores.metrics, query, max_points)
            assert found["a", SeriesName("m")] == thinned_rows(logged, max_points)
            await compact_all(stores.metrics, now_ms=NOW_MS)
