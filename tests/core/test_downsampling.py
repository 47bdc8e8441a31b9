import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.metric_data import points_of, rows_of, thinned_rows

from trackwire_server.core.columns import Points
from trackwire_server.core.downsampling import Downsampler, buckets_of, distinct, extremes, level_of

STEPS = st.lists(st.integers(-50, 200), min_size=1, max_size=120).map(sorted)
INT64 = st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100)
VALUES = st.sampled_from([0.0, -1.0, 3.0, 7.5, math.nan, math.inf])


@st.composite
def series(draw: st.DrawFn) -> Points:
    steps = draw(STEPS)
    return points_of([(step, at, draw(VALUES)) for at, step in enumerate(steps)])


def sampled(points: Points, max_points: int, cuts: list[int]) -> Points:
    downsampler = Downsampler(max_points)
    for part in parts_of(points, cuts):
        downsampler.add(part)
    return downsampler.result()


def parts_of(points: Points, cuts: list[int]) -> list[Points]:
    bounds = [0, *sorted(cut % (len(points) + 1) for cut in cuts), len(points)]
    return [points.take(slice(start, end)) for start, end in pairwise(bounds)]


@given(series(), st.integers(4, 40), st.lists(st.integers(0, 200), max_size=5))
def test_series_is_thinned_by_the_plain_definition_however_it_is_cut(
    points: Points, max_points: int, cuts: list[int]
) -> None:
    assert rows_of(sampled(points, max_points, cuts)) == thinned_rows(points, max_points)


@given(series(), st.integers(4, 40), st.lists(st.integers(0, 200), max_size=5), st.data())
def test_parts_may_have_been_thinned_to_narrower_buckets_before(
    points: Points, max_points: int, cuts: list[int], data: st.DataObject
) -> None:
    level = level_of(int(points.steps[0]), int(points.steps[-1]), buckets_of(max_points))
    downsampler = Downsampler(max_points)
    for part in parts_of(points, cuts if len(points) > max_points else []):
        before = data.draw(st.integers(0, level))
        ends = np.array([0, len(part) - 1]) if len(part) else np.empty(0, np.int64)
        kept = distinct(ends, extremes(part, before)) if len(points) > max_points else np.arange(len(part))
        downsampler.add(part.take(kept), stand_for=len(part))
    assert rows_of(downsampler.result()) == thinned_rows(points, max_points)


@given(series(), st.integers(4, 40))
def test_extremes_and_ends_are_kept_in_order_and_no_more_than_asked_for(points: Points, max_points: int) -> None:
    found = sampled(points, max_points, [])
    assert len(found) <= max_points
    rows, every = rows_of(found), rows_of(points)
    assert rows[0] == every[0]
    assert rows[-1] == every[-1]
    assert rows == [row for row in every if row in set(rows)]
    numbers = points.values[~np.isnan(points.values)]
    if len(numbers):
        assert np.nanmin(found.values) == numbers.min()
        assert np.nanmax(found.values) == numbers.max()


@given(INT64, INT64, st.integers(1, 50))
def test_level_is_the_least_of_which_few_enough_buckets_hold_a_range(one: int, other: int, buckets: int) -> None:
    first, last = sorted((one, other))
    level = level_of(first, last, buckets)
    # Counted from the least int64: at level 64 it is one bucket.
    widths = [(last + 2**63 >> at) - (first + 2**63 >> at) + 1 for at in range(65)]
    assert widths[level] <= buckets
    assert all(width > buckets for width in widths[:level])


def test_buckets_stay_where_they_are_while_a_series_grows() -> None:
    rng = np.random.default_rng(1)
    points = Points(np.arange(1_000), np.arange(1_000), rng.normal(size=1_000))
    shorter = sampled(points.take(slice(0, 900)), 100, [])
    longer = sampled(points, 100, [])
    # 900 and 1,000 steps both lie in buckets of 32: what the whole ones of these kept, stays.
    whole = 900 // 32 * 32
    assert [row for row in rows_of(shorter) if row[0] < whole] == [row for row in rows_of(longer) if row[0] < whole]


@given(series())
def test_few_points_come_back_whole(points: Points) -> None:
    assert rows_of(sampled(points, max(4, len(points)), [])) == rows_of(points)


def test_every_spike_of_a_million_points_survives() -> None:
    values = np.zeros(1_000_000)
    values[[17, 400_000, 999_990]] = [5.0, -5.0, 9.0]
    points = Points(np.arange(1_000_000), np.arange(1_000_000), values)
    found = sampled(points, 1_000, [])
    assert len(found) <= 1_000
    assert {17, 400_000, 999_990} <= set(found.steps.tolist())


def test_the_whole_range_of_int64_has_buckets() -> None:
    points = points_of([(-(2**63), 0, 1.0), *((step, 0, float(step)) for step in range(8)), (2**63 - 1, 0, 2.0)])
    found = sampled(points, 6, [])
    assert found.steps.tolist() == [-(2**63), 0, 7, 2**63 - 1]
