"""Where a run's points gather between two flushes: appended one by one, taken out as columns."""

import posixpath
import re
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeAlias, TypeGuard, TypeVar

from trackwire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from trackwire.columns import Int64Array, MetricColumns

KEY_CHARACTERS_MAX = 250
KEYS_MAX = 65_536
TIME_MS_MAX = 253_402_300_799_999
STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1

# int, float, Fraction, Decimal, numpy's scalars, and arrays and tensors of one element.
MetricValue: TypeAlias = SupportsFloat

NanosecondsT = TypeVar("NanosecondsT", int, "Int64Array")

_LAYOUTS_MAX = 10_000
_INFINITIES = (float("inf"), float("-inf"))
_NOT_OF_KEYS = re.compile(r"[^\w.\-/: ]")


class Clock:
    """Wall time at the start and monotonic time from there on: a clock that is set back moves no point."""

    def __init__(self) -> None:
        self._start_ms = time.time_ns() // 1_000_000
        self._start_ns = monotonic_ns()

    def __call__(self) -> int:
        return self.ms_of(monotonic_ns())

    def ms_of(self, at_ns: "NanosecondsT") -> "NanosecondsT":
        """Unix milliseconds of what `time.monotonic_ns()` said, or of an array of these."""
        return self._start_ms + (at_ns - self._start_ns) // 1_000_000


class MetricContext(NamedTuple):
    """What metrics were measured of and on; empty where that isn't said."""

    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Layout:
    """The keys of one call, in its order; calls with the same keys share one, so that each key is checked once."""

    __slots__ = ("keys",)

    def __init__(self, keys: tuple[str, ...]):
        self.keys = keys


# What one call logged: its keys, their values, the step (None: one behind each key's last), the time that it said, and
# when it came by the monotonic clock, which is its time where it said none.
Call: TypeAlias = tuple[Layout, Sequence[float], int | None, int | None, int]


class GatheredPoints:
    """Points in the order in which they were logged. Safe to use from many threads; nothing here waits or locks.

    A call appends one tuple, which is atomic: a fork or a signal in the middle of it leaves nothing locked. All else is
    done by whoever takes the points out, which must be one at a time.
    Between two steps of a training the processor forgets what a call needs, and most of its time goes into fetching
    that again. So a call is little code and few objects, and what can wait is left to whoever takes the points out.
    """

    def __init__(self) -> None:
        # From so many points on, `append` says that somebody should take them out.
        self.notice_at = 1
        self._clock = Clock()
        self._calls: deque[Call] = deque()
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._layout_of_key: dict[str, Layout] = {}
        self._next_steps: dict[str, int] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """How many points wait; a few may be missing while others log."""
        return self._waiting

    def append_point(self, key: str, value: MetricValue, step: int | None, time_ms: int | None) -> bool:
        """Takes one point; whether so many wait by now that somebody should take them out.

        A bad key, step or value is told here, where it came from.
        """
        try:
            layout = self._layout_of_key[key]
        except (KeyError, TypeError):
            layout = self._new_layout_of_key(key)
        if type(value) is not float:
            value = as_number(key, value)
        if step is not None and (type(step) is not int or not STEP_MIN <= step <= STEP_MAX):
            step = check_step(step)
        if time_ms is not None:
            check_time(time_ms)
        self._calls.append((layout, (value,), step, time_ms, monotonic_ns()))
        self._waiting = waiting = self._waiting + 1
        return waiting >= self.notice_at

    def append(self, metrics: Mapping[str, MetricValue], step: int | None, time_ms: int | None) -> bool:
        """Takes a point of each key, all of them or none; as `append_point`.

        Without a step each key goes on one behind its last. A bad key, step or value is told here, where it came from:
        on the server it would take its neighbours with it.
        """
        if type(metrics) is not dict and not isinstance(metrics, Mapping):
            raise TypeError(
                f"metrics: must map keys to values, not be a {type(metrics).__name__}; see log_metric for one"
            )
        keys = tuple(metrics)
        if not keys:
            return False
        layout = self._layouts.get(keys) or self._new_layout(keys)
        values: Sequence[Any] = tuple(metrics.values())
        for value in values:
            if type(value) is not float:
                values = [as_number(key, value) for key, value in metrics.items()]
                break
        if step is not None and (type(step) is not int or not STEP_MIN <= step <= STEP_MAX):
            step = check_step(step)
        if time_ms is not None:
            check_time(time_ms)
        self._calls.append((layout, values, step, time_ms, monotonic_ns()))
        self._waiting = waiting = self._waiting + len(values)
        return waiting >= self.notice_at

    def take(self, points_max: int) -> "MetricColumns | None":
        """The oldest calls' points, as columns grouped by key; at most so many, but one call at the least.

        None where there is nothing.
        """
        calls = self._pop(points_max)
        if not calls:
            return None
        # Loads numpy, which whoever logs need not wait for.
        from trackwire.grouping import grouped

        return grouped(calls, self._next_steps, self._clock)

    def discard(self, points_max: int) -> int:
        """Forgets the oldest calls' points, as many as `take` would give; how many they were."""
        return sum(len(call[1]) for call in self._pop(points_max))

    def _pop(self, points_max: int) -> list[Call]:
        calls: list[Call] = []
        points = 0
        while self._calls and (not calls or points + len(self._calls[0][1]) <= points_max):
            calls.append(self._calls.popleft())
            points += len(calls[-1][1])
        # Counted anew: what threads add to one number at the same time may miss some.
        self._waiting = sum(len(call[1]) for call in list(self._calls))
        return calls

    def _new_layout_of_key(self, key: str) -> Layout:
        self._bound()
        return self._layout_of_key.setdefault(check_key(key), Layout((key,)))

    def _new_layout(self, keys: tuple[str, ...]) -> Layout:
        self._bound()
        if len(keys) > KEYS_MAX:
            raise InvalidArgumentError(f"metrics: {len(keys):,} keys: at most {KEYS_MAX:,} are allowed in one call")
        for key in keys:
            check_key(key)
        if len(keys) == 1:
            return self._layouts.setdefault(keys, self._layout_of_key.setdefault(keys[0], Layout(keys)))
        return self._layouts.setdefault(keys, Layout(keys))

    def _bound(self) -> None:
        # Whoever logs other keys at each call gains nothing by their being remembered.
        for known in (self._layouts, self._layout_of_key):
            if len(known) >= _LAYOUTS_MAX:
                known.clear()


def check_key(key: str) -> str:
    """The server's rule for keys."""
    if not isinstance(key, str):
        raise TypeError(f"key: {key!r}: must be a str, not {type(key).__name__}")
    if len(key) > KEY_CHARACTERS_MAX:
        raise _bad_key(key, f"has {len(key)} characters, at most {KEY_CHARACTERS_MAX} are allowed")
    if not key:
        raise _bad_key(key, "is required")
    if other := _NOT_OF_KEYS.search(key):
        raise _bad_key(key, f'may only have letters, digits, "_", "-", ".", ":", "/" and space, not {other[0]!r}')
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


def check_time(time_ms: int) -> None:
    """Unix milliseconds."""
    if not isinstance(time_ms, int):
        raise TypeError(f"time_ms: {time_ms!r}: must be an int, not {type(time_ms).__name__}")
    if not 0 <= time_ms <= TIME_MS_MAX:
        raise InvalidArgumentError(f"time_ms: {time_ms}: must be 0 to {TIME_MS_MAX}, the end of the year 9999")


def as_number(key: str, value: object) -> float:
    """A metric's value as a float; TypeError names the key and the type."""
    if type(value) is float:
        return value
    if hasattr(value, "item"):
        # A scalar of numpy, or an array or tensor of one element, wherever it lies; with more of them it has no item.
        with suppress(ValueError, RuntimeError, TypeError):
            value = value.item()
    if not isinstance(value, int | float) and not _is_real(value):
        raise TypeError(f"metrics[{key!r}]: must be a number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        raise _too_large(key) from None
    except ValueError:
        raise InvalidArgumentError(f"metrics[{key!r}]: {value!r}: no float64 is a signaling NaN") from None
    if number in _INFINITIES and value != number:
        raise _too_large(key)
    return number


def _is_real(value: object) -> TypeGuard[SupportsFloat]:
    """Whether it is a number of another kind, of which `float()` gives the nearest: a Fraction, a Decimal."""
    from decimal import Decimal
    from numbers import Real

    return isinstance(value, Real | Decimal)


def _too_large(key: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"metrics[{key!r}]: is past the largest float64, {sys.float_info.max}")


def _bad_key(key: str, expected: str) -> InvalidArgumentError:
    shown = key if len(key) <= 60 else f"{key[:60]}…"
    return InvalidArgumentError(f"key: {shown!r}: {expected}", metadata={"field": "key", "value": shown})
