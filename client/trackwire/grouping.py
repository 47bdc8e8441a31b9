"""Calls as columns: whole calls become rows of an array, and no point is touched by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trackwire.columns import Float64Array, Int64Array, MetricColumns
from trackwire.gathering import STEP_MAX, Call, Layout


def grouped(calls: Sequence[Call], next_steps: dict[str, int]) -> MetricColumns:
    """All points, series after series; `next_steps` says where keys without a step go on, and is brought up to date."""
    parts: dict[Layout, list[int]] = {}
    for at, call in enumerate(calls):
        parts.setdefault(call[0], []).append(at)
    steps = _steps(calls, parts, next_steps)
    return _joined([_part(layout, calls, ats, steps.get(layout)) for layout, ats in parts.items()])


def _steps(
    calls: Sequence[Call], parts: Mapping[Layout, list[int]], next_steps: dict[str, int]
) -> dict[Layout, Int64Array]:
    """Steps of the layouts that have calls without one, a row a call; and where each key goes on from here."""
    if all(step is not None for _, _, step, _ in calls):
        for layout, ats in sorted(parts.items(), key=lambda part: part[1][-1]):
            next_steps.update(dict.fromkeys(layout.keys, _behind(calls[ats[-1]][2])))
        return {}
    rows: dict[Layout, list[list[int]]] = {layout: [] for layout in parts}
    for layout, _, step, _ in calls:
        row = [next_steps.get(key, 0) if step is None else step for key in layout.keys]
        next_steps.update(zip(layout.keys, map(_behind, row), strict=True))
        rows[layout].append(row)
    return {layout: np.array(steps, np.int64) for layout, steps in rows.items()}


@dataclass(frozen=True, slots=True)
class _Part:
    """The points of one layout: a row a call, a column a key. `at` says which call of all each row was."""

    layout: Layout
    at: Int64Array
    steps: Int64Array
    times_ms: Int64Array
    values: Float64Array


def _part(layout: Layout, calls: Sequence[Call], ats: Sequence[int], steps: Int64Array | None) -> _Part:
    mine = calls if len(ats) == len(calls) else [calls[at] for at in ats]
    if steps is None:
        steps = np.array([call[2] for call in mine], np.int64)[:, None]
    return _Part(
        layout,
        np.array(ats, np.int64),
        np.broadcast_to(steps, (len(mine), len(layout.keys))),
        np.array([call[3] for call in mine], np.int64),
        np.array([call[1] for call in mine], np.float64),
    )


def _joined(parts: Sequence[_Part]) -> MetricColumns:
    """All points, series after series; those of a key in the order in which they were logged."""
    if len(parts) == 1:
        return _whole(parts[0])
    keys = [key for part in parts for key in part.layout.keys]
    counts = np.repeat([len(part.at) for part in parts], [len(part.layout.keys) for part in parts])
    steps = np.concatenate([part.steps.T.ravel() for part in parts])
    times_ms = np.concatenate([np.tile(part.times_ms, len(part.layout.keys)) for part in parts])
    values = np.concatenate([part.values.T.ravel() for part in parts])
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    if len(numbers) < len(keys):
        # Some key came in calls with other neighbours too.
        at = np.concatenate([np.tile(part.at, len(part.layout.keys)) for part in parts])
        of_key = np.repeat([numbers[key] for key in keys], counts)
        order = np.lexsort((at, of_key))
        counts = np.bincount(of_key)
        keys, steps, times_ms, values = list(numbers), steps[order], times_ms[order], values[order]
    return MetricColumns(keys, counts, steps, times_ms, values)


def _whole(part: _Part) -> MetricColumns:
    """The points of the only layout there is, as of a training that logs the same keys at each step."""
    calls, keys = part.values.shape
    counts = np.full(keys, calls, np.uint32)
    return MetricColumns(
        part.layout.keys, counts, part.steps.T.ravel(), np.tile(part.times_ms, keys), part.values.T.ravel()
    )


def _behind(step: int | None) -> int:
    """The step that follows."""
    return 0 if step is None else min(step + 1, STEP_MAX)
