import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.metric_data import points_of, rows_of

from trackwire_server.core.columns import Points
from trackwire_server.core.downsampling import Downsampler

STEPS = st.lists(st.integers(-50, 200), min_size=1, max_size=120).map(sorted)
VALUES = st.sampled_from([0.0, -1.0, 3.0, 7.5, math.nan, math.inf])


@st.composite
def series(draw: st.DrawFn) -> Points:
    steps = draw(STEPS)
    return points_of([(step, at, draw(VALUES)) for at, step in enumerate(steps)])


def sampled(points: Points, max_points: int, cuts: list[int]) -> Points:
    downsampler = Downsampler(int(points.steps[0]), int(points.steps[-1]), max_points)
    bounds = [0, *sorted(cut % (len(points) + 1) for cut in cuts), len(points)]
    for start, end in pairwise(bounds):
        downsampler.add(points.take(slice(start, end)))
    return downsampler.result()


@given(series(), st.integers(4, 40), st.lists(st.integers(0, 200), max_size=5))
def test_extremes_and_ends_are_kept_and_cuts_dont_matter(points: Points, max_points: int, cuts: list[int]) -> None:
    found = sampled(points, max_points, cuts)
    assert rows_of(found) == rows_of(sampled(points, max_points, []))
    assert len(found) <= max_points
    rows, every = rows_of(found), rows_of(points)
    assert rows[0] == every[0]
    assert rows[-1] == every[-1]
    assert rows == [row for row in every if row in set(rows)]
    numbers = points.values[~np.isnan(points.values)]
    if len(numbers):
        assert np.nanmin(found.values) == numbers.min()
        assert np.nanmax(found.values) == numbers.max()


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
