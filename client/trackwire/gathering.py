"""Where a run's points gather between two flushes: appended one by one, taken out as columns."""

import posixpath
import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import SupportsFloat, TypeAlias

import numpy as np

from trackwire.columns import Float64Array, Int64Array, MetricColumns
from trackwire.errors import InvalidArgumentError

KEY_CHARACTERS_MAX = 250
STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1

# int, float, numpy's scalars, and 0-d arrays and tensors.
MetricValue: TypeAlias = SupportsFloat

_KEY = re.compile(r"[\w.\-/: ]+")


class Clock:
    """Wall time at the start and monotonic time from there on: a clock that is set back moves no point."""

    def __init__(self) -> None:
        self._start_ms = time.time_ns() // 1_000_000
        self._start_ns = time.monotonic_ns()

    def __call__(self) -> int:
        return self._start_ms + (time.monotonic_ns() - self._start_ns) // 1_000_000


class GatheredPoints:
    """Points in the order in which they were logged. Safe to use from many threads; nothing here waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now_ms = Clock()
        self._key_numbers: dict[str, int] = {}
        self._next_steps: list[int] = []
        self._keys: list[int] = []
        self._steps: list[int] = []
        self._times_ms: list[int] = []
        self._values: list[float] = []

    def __len__(self) -> int:
        return len(self._values)

    def append(self, metrics: Mapping[str, MetricValue], step: int | None, time_ms: int | None) -> int:
        """Takes a point of each key, all of them or none; how many points have gathered by now.

        Without a step each key goes on one behind its last. A bad key, step or value is told here, where it came from:
        on the server it would take its neighbours with it.
        """
        numbers = [(check_key(key), as_number(key, value)) for key, value in metrics.items()]
        if step is not None:
            step = check_step(step)
        with self._lock:
            now_ms = self._now_ms() if time_ms is None else check_time(time_ms)
            for key, number in numbers:
                self._append_point(key, number, step, now_ms)
            return len(self._values)

    def take(self, points_max: int) -> MetricColumns | None:
        """The oldest points, at most so many, as columns grouped by key; None where there is nothing."""
        with self._lock:
            if not self._values:
                return None
            keys = list(self._key_numbers)
            rows = [column[:points_max] for column in (self._keys, self._steps, self._times_ms)]
            values = self._values[:points_max]
            for column in (self._keys, self._steps, self._times_ms, self._values):
                del column[:points_max]
        numbers, steps, times_ms = (np.array(column, np.int64) for column in rows)
        return _grouped(keys, numbers, steps, times_ms, np.array(values, np.float64))

    def _append_point(self, key: str, number: float, step: int | None, time_ms: int) -> None:
        key_number = self._key_numbers.get(key)
        if key_number is None:
            key_number = self._key_numbers[key] = len(self._key_numbers)
            self._next_steps.append(0)
        if step is None:
            step = self._next_steps[key_number]
        self._next_steps[key_number] = min(step + 1, STEP_MAX)
        self._keys.append(key_number)
        self._steps.append(step)
        self._times_ms.append(time_ms)
        self._values.append(number)


def _grouped(
    keys: list[str], numbers: Int64Array, steps: Int64Array, times_ms: Int64Array, values: Float64Array
) -> MetricColumns:
    # Stable: points of one key stay in the order in which they were logged.
    order = np.argsort(numbers, kind="stable")
    present, counts = np.unique(numbers, return_counts=True)
    return MetricColumns(
        keys=[keys[number] for number in present.tolist()],
        counts=counts,
        steps=steps[order],
        times_ms=times_ms[order],
        values=values[order],
    )


def check_key(key: str) -> str:
    """The server's rule for keys."""
    if not isinstance(key, str):
        raise TypeError(f"key: {key!r}: must be a str, not {type(key).__name__}")
    if len(key) > KEY_CHARACTERS_MAX:
        raise _bad_key(key, f"has {len(key)} characters, at most {KEY_CHARACTERS_MAX} are allowed")
    if not _KEY.fullmatch(key):
        raise _bad_key(key, 'must have 1 or more letters, digits, "_", "-", ".", ":", "/" and spaces')
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise _bad_key(key, "must be a clean relative path")
    return key


def check_step(step: int) -> int:
    """A step as a plain int in the range of int64."""
    try:
        number = step.__index__()
    except AttributeError:
        raise TypeError(f"step: {step!r}: must be an int, not {type(step).__name__}") from None
    if not STEP_MIN <= number <= STEP_MAX:
        raise InvalidArgumentError(f"step: {number}: must be {STEP_MIN} to {STEP_MAX}")
    return number


def check_time(time_ms: int) -> int:
    """A time as Unix milliseconds."""
    if not isinstance(time_ms, int):
        raise TypeError(f"time_ms: {time_ms!r}: must be an int, not {type(time_ms).__name__}")
    if not 0 <= time_ms <= STEP_MAX:
        raise InvalidArgumentError(f"time_ms: {time_ms}: must be 0 to {STEP_MAX}")
    return time_ms


def as_number(key: str, value: object) -> float:
    """A metric's value as a float; TypeError names the key and the type."""
    if type(value) is float:
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        # A scalar of numpy, or an array or tensor of no dimensions, wherever it lies.
        value = value.item()
    if not isinstance(value, int | float):
        raise TypeError(f"metrics[{key!r}]: must be a number, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise InvalidArgumentError(f"metrics[{key!r}]: is past the largest float64, {sys.float_info.max}") from None


def _bad_key(key: str, expected: str) -> InvalidArgumentError:
    shown = key if len(key) <= 60 else f"{key[:60]}…"
    return InvalidArgumentError(f"key: {shown!r}: {expected}", metadata={"field": "key", "value": shown})
