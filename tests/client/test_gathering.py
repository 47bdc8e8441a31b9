"""Points that gather come out as columns: all of them, each key's in the order in which they were logged."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.columns import MetricColumns
from trackwire.errors import InvalidArgumentError
from trackwire.gathering import KEYS_MAX, STEP_MAX, STEP_MIN, GatheredPoints

Call = tuple[dict[str, float], int | None, int]
KEYS = st.sampled_from(["loss", "acc", "lr", "train/loss"])
STEPS = st.none() | st.integers(-3, 20) | st.sampled_from([STEP_MIN, STEP_MAX])
CALLS = st.lists(st.tuples(st.dictionaries(KEYS, st.floats(), max_size=4), STEPS, st.integers(0, 10)), max_size=30)


def series_of(columns: Sequence[MetricColumns]) -> dict[str, list[tuple[int, int, float]]]:
    """The points of each key, of several requests one after the other."""
    found: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for part in columns:
        ends = np.cumsum(part.counts).tolist()
        rows = list(zip(*(np.asarray(c).tolist() for c in (part.steps, part.times_ms, part.values)), strict=True))
        assert len(set(part.keys)) == len(part.keys)
        assert ends[-1] == len(rows)
        for key, start, end in zip(part.keys, [0, *ends], ends, strict=False):
            found[key] += rows[start:end]
    return found


def expected_of(calls: Sequence[Call]) -> dict[str, list[tuple[int, int, float]]]:
    """The same by the plainest means."""
    found: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    following: dict[str, int] = defaultdict(int)
    for metrics, step, time_ms in calls:
        for key, value in metrics.items():
            taken = following[key] if step is None else step
            following[key] = min(taken + 1, STEP_MAX)
            found[key].append((taken, time_ms, value))
    return found


def taken(points: GatheredPoints, points_max: int) -> list[MetricColumns]:
    return list(iter(lambda: points.take(points_max), None))


def same(found: Mapping[str, list[tuple[int, int, float]]], expected: Mapping[str, object]) -> bool:
    return repr(dict(sorted(found.items()))) == repr(dict(sorted(expected.items())))


@given(CALLS, st.integers(1, 40), st.booleans())
def test_all_points_come_out_in_the_order_of_their_keys(calls: list[Call], points_max: int, one_by_one: bool) -> None:
    points = GatheredPoints()
    for metrics, step, time_ms in calls:
        if one_by_one:
            for key, value in metrics.items():
                points.append_point(key, value, step, time_ms)
        else:
            points.append(metrics, step, time_ms)
    assert len(points) == sum(len(metrics) for metrics, _, _ in calls)
    requests = taken(points, points_max)
    assert same(series_of(requests), expected_of(calls))
    assert len(points) == 0
    largest = max((len(metrics) for metrics, _, _ in calls), default=0)
    assert all(len(np.asarray(request.steps)) <= max(points_max, largest) for request in requests)


@given(CALLS, CALLS)
def test_steps_go_on_behind_what_was_taken(first: list[Call], second: list[Call]) -> None:
    points = GatheredPoints()
    requests: list[MetricColumns] = []
    for calls in (first, second):
        for metrics, step, time_ms in calls:
            points.append(metrics, step, time_ms)
        requests += taken(points, 1_000)
    assert same(series_of(requests), expected_of([*first, *second]))


def test_values_keep_their_bits() -> None:
    points = GatheredPoints()
    values = [math.inf, -math.inf, -0.0, 5e-324, math.nan]
    for value in values:
        points.append_point("loss", value, 0, 0)
    [columns] = taken(points, 10)
    assert np.asarray(columns.values).tobytes() == np.array(values).tobytes()


def test_scalars_of_numpy_and_whole_numbers_are_values() -> None:
    points = GatheredPoints()
    points.append({"a": np.float32(0.5), "b": 2, "c": True, "d": np.array(3.0)}, np.int32(4), 0)  # type: ignore[arg-type]
    assert series_of(taken(points, 10)) == {
        "a": [(4, 0, 0.5)],
        "b": [(4, 0, 2.0)],
        "c": [(4, 0, 1.0)],
        "d": [(4, 0, 3.0)],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(1, 3), 1 / 3),
        (Decimal("0.1"), 0.1),
        (Decimal("-Infinity"), -math.inf),
        (Decimal("1e-400"), 0.0),
        (2**53 + 1, 2.0**53),
        (np.bool_(True), 1.0),
        (np.longdouble(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.uint64(7), 7.0),
        (np.array(Decimal("2.5")), 2.5),
        (np.array([[0.25]]), 0.25),
    ],
)
def test_numbers_of_every_kind_become_the_nearest_float(value: float, expected: float) -> None:
    points = GatheredPoints()
    points.append_point("loss", value, 0, 0)
    points.append({"acc": value}, 0, 0)
    assert series_of(taken(points, 10)) == {"loss": [(0, 0, expected)], "acc": [(0, 0, expected)]}


@pytest.mark.parametrize(
    ("metrics", "step", "words"),
    [
        ({"loss": "0.5"}, 0, r"metrics\['loss'\]: must be a number, not str"),
        ({"good": 1.0, "loss": None}, 0, r"metrics\['loss'\]: must be a number, not NoneType"),
        ({"loss": [0.5]}, 0, r"metrics\['loss'\]: must be a number, not list"),
        ({1: 0.5}, 0, r"key: 1: must be a str, not int"),
        ({"loss": 0.5}, 0.5, r"step: 0.5: must be an int, not float"),
        ({"loss": 10**400}, 0, r"metrics\['loss'\]: is past the largest float64"),
        ({"loss": Fraction(10**400)}, 0, r"metrics\['loss'\]: is past the largest float64"),
        ({"loss": Decimal("1e400")}, 0, r"metrics\['loss'\]: is past the largest float64"),
        ({"loss": Decimal("sNaN")}, 0, r"metrics\['loss'\]: Decimal\('sNaN'\): no float64 is a signaling NaN"),
        ({"loss": 1j}, 0, r"metrics\['loss'\]: must be a number, not complex"),
        ({"loss": np.complex128(1)}, 0, r"metrics\['loss'\]: must be a number, not complex"),
        ({"loss": np.datetime64("2026-01-01")}, 0, r"metrics\['loss'\]: must be a number, not date"),
        ({"loss": np.zeros(2)}, 0, r"metrics\['loss'\]: must be a number, not ndarray"),
        ({"loss": np.str_("0.5")}, 0, r"metrics\['loss'\]: must be a number, not str"),
        ({"loss": 0.5}, 2**63, r"step: 9223372036854775808: must be"),
        ({"": 0.5}, 0, r"key: '': is required"),
        ({"a@b": 0.5}, 0, r"key: 'a@b': may only have letters, digits, .* and space, not '@'"),
        ({"k" * 251: 0.5}, 0, r"has 251 characters, at most 250"),
        ({str(n): 0.5 for n in range(KEYS_MAX + 1)}, 0, r"metrics: 65,537 keys: at most 65,536"),
    ],
)
def test_bad_input_is_told_at_the_call_and_nothing_of_it_is_kept(
    metrics: Mapping[str, float], step: int, words: str
) -> None:
    points = GatheredPoints()
    with pytest.raises((TypeError, InvalidArgumentError), match=words):
        points.append(metrics, step, None)
    if len(metrics) == 1:
        [(key, value)] = metrics.items()
        with pytest.raises((TypeError, InvalidArgumentError), match=words):
            points.append_point(key, value, step, None)
    assert points.take(10) is None


def test_points_without_a_time_get_that_of_their_call_beside_those_that_say_one() -> None:
    points = GatheredPoints()
    begun_ms = time.time_ns() // 1_000_000
    points.append({"loss": 0.5}, 0, None)
    points.append({"loss": 0.4}, 1, 7)
    points.append_point("loss", 0.3, 2, None)
    ended_ms = time.time_ns() // 1_000_000
    [(_, first_ms, _), (_, said_ms, _), (_, last_ms, _)] = series_of(taken(points, 10))["loss"]
    assert said_ms == 7
    # The clock that the points go by was read once at the start: it may be a millisecond off.
    assert begun_ms - 1 <= first_ms <= last_ms <= ended_ms + 1


def test_points_say_when_somebody_should_take_them_out() -> None:
    points = GatheredPoints()
    assert points.append_point("loss", 0.5, 0, None)
    points.notice_at = 4
    assert not points.append({"loss": 0.5, "acc": 0.5}, 1, None)
    assert points.append_point("loss", 0.5, 2, None)
    points.take(10)
    assert not points.append_point("loss", 0.5, 3, None)


def test_what_is_no_mapping_is_named() -> None:
    with pytest.raises(TypeError, match="metrics: must map keys to values, not be a str; see log_metric for one"):
        GatheredPoints().append("loss", 0, None)  # type: ignore[arg-type]


def test_key_that_is_a_list_is_named() -> None:
    with pytest.raises(TypeError, match="must be a str, not list"):
        GatheredPoints().append_point(["loss"], 0.5, 0, None)  # type: ignore[arg-type]


def test_many_threads_lose_nothing_while_another_takes() -> None:
    points = GatheredPoints()
    requests: list[MetricColumns] = []

    def log(thread: int) -> None:
        for step in range(2_000):
            points.append_point(f"one/{thread}", float(step), step, 0)
            points.append({f"two/{thread}": float(step), "shared": float(thread)}, step, 0)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        requests += taken(points, 500)
    requests += taken(points, 500)
    found = series_of(requests)
    assert len(found) == 17
    for number in range(8):
        for key in (f"one/{number}", f"two/{number}"):
            assert found[key] == [(step, 0, float(step)) for step in range(2_000)]
    assert sorted(found["shared"]) == sorted((step, 0, float(n)) for n in range(8) for step in range(2_000))


def test_layouts_that_change_all_the_time_are_not_kept_for_ever() -> None:
    points = GatheredPoints()
    for number in range(30_000):
        points.append({f"a{number}": 0.5, "b": 1.0}, 0, 0)
        points.append_point(f"a{number}", 0.5, 0, 0)
        points.take(10)
    assert len(points._layouts) + len(points._layout_of_key) <= 20_000
