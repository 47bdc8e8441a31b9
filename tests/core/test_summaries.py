import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.metric_data import bits, points_of, rows_of

from trackwire_server.core.summaries import summarise

VALUES = st.sampled_from([0.0, -1.5, 2.5, math.nan, math.inf, -math.inf])
ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), VALUES), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.integers(1, 4), ROWS), min_size=1, max_size=8))
def test_columns_sum_up_as_points_would_one_by_one(parts: list[tuple[int, list[tuple[int, int, float]]]]) -> None:
    found = summarise(
        np.array([series for series, _ in parts]),
        np.array([len(rows) for _, rows in parts]),
        points_of([row for _, rows in parts for row in rows]),
    )
    assert found.series.tolist() == sorted({series for series, _ in parts})
    for at, series in enumerate(found.series.tolist()):
        rows = [row for owner, some in parts if owner == series for row in some]
        indexed = [(step, time_ms, place) for place, (step, time_ms, _) in enumerate(rows)]
        last, first = rows[max(indexed)[2]], rows[min(indexed)[2]]
        numbers = [value for _, _, value in rows if not math.isnan(value)]
        assert found.count[at] == len(rows)
        assert found.nan_count[at] == len(rows) - len(numbers)
        assert (found.last_step[at], found.last_time_ms[at]) == last[:2]
        assert (found.first_step[at], found.first_time_ms[at]) == first[:2]
        assert bits([(0, 0, found.last_value[at]), (0, 0, found.first_value[at])]) == bits(
            [(0, 0, last[2]), (0, 0, first[2])]
        )
        if numbers:
            assert (found.min_value[at], found.max_value[at]) == (min(numbers), max(numbers))
        else:
            assert math.isnan(found.min_value[at])
            assert math.isnan(found.max_value[at])


@given(ROWS)
def test_ordering_is_stable(rows: list[tuple[int, int, float]]) -> None:
    assert rows_of(points_of(rows).ordered()) == bits(sorted(rows, key=lambda row: row[:2]))
