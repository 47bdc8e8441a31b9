"""Calls as columns: whole calls become rows of an array, and no point is touched by itself."""

from collections.abc import Sequence
from itertools import count
from operator import itemgetter
from typing import Any, cast

import numpy as np

from trackwire.columns import Int64Array, MetricColumns
from trackwire.gathering import STEP_MAX, Call, Clock, Layout


def grouped(calls: Sequence[Call], next_steps: dict[str, int], clock: Clock) -> MetricColumns:
    """All points, series after series; `next_steps` says where keys without a step go on, and is brought up to date."""
    layouts, values, said_steps, said_ms, at_ns = zip(*calls, strict=True)
    times_ms = _times_ms(said_ms, at_ns, clock)
    steps = _with_steps(layouts, said_steps, next_steps)
    if len(set(layouts)) == 1:
        # As of a training that logs the same keys at each step.
        return _columns(layouts[0], values, steps, times_ms)
    calls_of: dict[Layout, list[int]] = {}
    for at, layout in enumerate(layouts):
        calls_of.setdefault(layout, []).append(at)
    parts = [
        _columns(layout, [values[at] for at in mine], [steps[at] for at in mine], times_ms[mine])
        for layout, mine in calls_of.items()
    ]
    return _joined(parts, list(calls_of.values()))


def _times_ms(said_ms: Sequence[int | None], at_ns: Sequence[int], clock: Clock) -> Int64Array:
    """One a call."""
    times_ms = clock.ms_of(np.array(at_ns, np.int64))
    if said_ms.count(None) < len(said_ms):
        for at, time_ms in enumerate(said_ms):
            if time_ms is not None:
                times_ms[at] = time_ms
    return times_ms


def _with_steps(
    layouts: Sequence[Layout], steps: Sequence[int | None], next_steps: dict[str, int]
) -> Sequence[int] | Sequence[Sequence[int]]:
    """One a call; where some call has none, a row of them, one a key. And where each key goes on from here."""
    if None not in steps:
        said = cast("Sequence[int]", steps)
        last_calls = dict(zip(layouts, count(), strict=False))
        for layout, at in sorted(last_calls.items(), key=itemgetter(1)):
            next_steps.update(dict.fromkeys(layout.keys, _behind(said[at])))
        return said
    rows = []
    for layout, step in zip(layouts, steps, strict=True):
        row = [next_steps.get(key, 0) if step is None else step for key in layout.keys]
        next_steps.update(zip(layout.keys, map(_behind, row), strict=True))
        rows.append(row)
    return rows


def _columns(
    layout: Layout, values: Sequence[Sequence[float]], steps: Sequence[Any], times_ms: Int64Array
) -> MetricColumns:
    """The points of calls that are all of one layout."""
    keys = layout.keys
    shape = (len(keys), len(values))
    return MetricColumns(
        keys,
        np.array([len(values)] * len(keys), np.uint32),
        _spread(np.array(steps, np.int64).T, shape),
        _spread(times_ms, shape),
        np.array(values, np.float64).T.ravel(),
    )


def _spread(numbers: Int64Array, shape: tuple[int, int]) -> Int64Array:
    """A number for each key and call; where there is one a call, all keys have the same."""
    spread = np.empty(shape, np.int64)
    spread[:] = numbers
    return spread.ravel()


def _joined(parts: Sequence[MetricColumns], calls_of: Sequence[Sequence[int]]) -> MetricColumns:
    """All points, series after series; those of a key in the order in which they were logged.

    `calls_of` says of each part which of all calls its calls were.
    """
    keys = [key for part in parts for key in part.keys]
    counts, steps, times_ms, values = (
        np.concatenate([getattr(part, column) for part in parts])
        for column in ("counts", "steps", "times_ms", "values")
    )
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    if len(numbers) < len(keys):
        # Some key came in calls with other neighbours too.
        at = np.concatenate([np.tile(calls, len(part.keys)) for part, calls in zip(parts, calls_of, strict=True)])
        of_key = np.repeat([numbers[key] for key in keys], counts)
        order = np.lexsort((at, of_key))
        counts = np.bincount(of_key)
        keys, steps, times_ms, values = list(numbers), steps[order], times_ms[order], values[order]
    return MetricColumns(keys, counts, steps, times_ms, values)


def _behind(step: int) -> int:
    """The step that follows."""
    return min(step + 1, STEP_MAX)
