"""Points on their way: ordered, each once, and what must be equal of them."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trackwire.client import Client
from trackwire.importing.points import Points, PointSender, SeriesName, name_of

Row = tuple[int, int, float]
SMALL = st.integers(-2, 2)
VALUES = st.sampled_from((0.0, -0.0, 1.5, math.nan, math.inf, -math.inf))
ROWS = st.lists(st.tuples(SMALL, SMALL, VALUES), min_size=1, max_size=30)


def points_of(rows: list[Row]) -> Points:
    steps, times_ms, values = zip(*rows, strict=True)
    return Points.ordered(np.array(steps, np.int64), np.array(times_ms, np.int64), np.array(values, np.float64))


def rows_of(points: Points) -> list[tuple[int, int, str]]:
    columns = (points.steps.tolist(), points.times_ms.tolist(), map(repr, points.values.tolist()))
    return list(zip(*columns, strict=True))


@given(ROWS)
def test_each_point_is_there_once_by_step_time_and_the_order_in_which_it_came(
    rows: list[Row],
) -> None:
    named = dict.fromkeys((step, time_ms, repr(value)) for step, time_ms, value in rows)
    assert rows_of(points_of(rows)) == sorted(named, key=lambda row: row[:2])


@given(ROWS, VALUES)
def test_latest_value_is_last_if_it_is_among_the_last(rows: list[Row], latest: float) -> None:
    points = points_of(rows)
    moved = points.ending_in(latest)
    assert sorted(rows_of(moved)) == sorted(rows_of(points))
    last = [row[2] for row in rows_of(points) if row[:2] == rows_of(points)[-1][:2]]
    if repr(latest) in last and not math.isnan(latest):
        assert moved.values[-1] == latest


@given(ROWS, ROWS)
def test_joined_points_are_those_of_both(rows: list[Row], more: list[Row]) -> None:
    assert rows_of(points_of(rows).joined(points_of(more))) == rows_of(points_of(rows + more))


def test_what_is_discarded_goes_to_no_other_run(client: Client) -> None:
    for run_id in ("one", "two", "three"):
        client.create_run(run_id=run_id)
    stored: list[tuple[int, int]] = []
    sender = PointSender(client, lambda new, there: stored.append((new, there)))
    large = points_of([(step, 1, 0.5) for step in range(100_000)])
    sender.add("one", SeriesName("loss"), large)
    sender.discard()
    sender.add("two", SeriesName("loss"), points_of([(1, 1, 0.5)]))
    sender.add("three", SeriesName("loss", "m-1"), points_of([(2, 1, 0.5)]))
    assert sender.finish() == {}
    sender.add("two", SeriesName("bad#key"), points_of([(1, 1, 0.5)]))
    sender.add("two", SeriesName("acc"), large)
    assert list(sender.finish()) == [SeriesName("bad#key")]
    sender.add("two", SeriesName("acc"), large)
    assert sender.finish() == {}
    sender.close()
    found = {run_id: list(client.get_metric_summaries(run_id)) for run_id in ("one", "two", "three")}
    assert [each.count for each in found["one"]] == [65_536]
    assert {each.key: each.count for each in found["two"]} == {"loss": 1, "acc": 100_000}
    assert [name_of(each) for each in found["three"]] == [SeriesName("loss", "m-1")]
    assert sum(new for new, _ in stored) == 65_536 + 2 + 100_000
    assert sum(there for _, there in stored) == 100_000


def test_facts_count_nan_and_see_its_neighbours() -> None:
    facts = points_of([(2, 5, math.nan), (1, 9, 3.0), (1, 2, -1.0)]).facts()
    assert (facts.count, facts.nan_count, facts.smallest, facts.largest) == (3, 1, "-1.0", "3.0")
    assert (facts.first, facts.last, facts.last_value) == ((1, 2), (2, 5), "nan")


def test_value_of_a_tie_is_not_compared() -> None:
    there, here = points_of([(1, 1, 2.0), (1, 1, 3.0)]).facts(), points_of([(1, 1, 3.0)]).facts()
    assert not there.agrees_with(here)
    assert there.agrees_with(points_of([(1, 1, 3.0), (1, 1, 2.0)]).facts())
    assert not there.agrees_with(None)
