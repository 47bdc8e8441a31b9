"""Summaries of columns, many series at a time: every step is one numpy call over all points."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from trackwire_server.core.columns import Integers, Points, Reals, is_ordered


@dataclass(frozen=True, slots=True)
class SummaryColumns:
    """One row a series, by `series`. A value is NaN where the point was; min and max are NaN where all points are."""

    series: Integers
    count: Integers
    nan_count: Integers
    last_value: Reals
    last_step: Integers
    last_time_ms: Integers
    first_value: Reals
    first_step: Integers
    first_time_ms: Integers
    min_value: Reals
    max_value: Reals

    def take(self, rows: Integers) -> Self:
        """These rows."""
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))


def summarise(series: Integers, counts: Integers, points: Points) -> SummaryColumns:
    """Sums up points: `counts[i]` of them belong to `series[i]`; a series may come several times, later is newer.

    Last is the greatest (step, time, position), first the smallest; min and max leave NaN out.
    """
    starts = np.cumsum(counts) - counts
    first, last = _extremes(counts, starts, points)
    parts = SummaryColumns(
        series=series,
        count=counts,
        nan_count=np.add.reduceat(np.isnan(points.values), starts, dtype=np.int64),
        last_value=points.values[last],
        last_step=points.steps[last],
        last_time_ms=points.times_ms[last],
        first_value=points.values[first],
        first_step=points.steps[first],
        first_time_ms=points.times_ms[first],
        min_value=np.fmin.reduceat(points.values, starts),
        max_value=np.fmax.reduceat(points.values, starts),
    )
    return _merged(parts)


def _extremes(counts: Integers, starts: Integers, points: Points) -> tuple[Integers, Integers]:
    """Positions of the first and the last point of each part, by (step, time, position)."""
    ends = starts + counts - 1
    ordered = is_ordered(points.steps, points.times_ms)
    ordered[starts[1:] - 1] = True
    if ordered.all():
        return starts, ends
    part = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((points.times_ms, points.steps, part))
    return order[starts], order[ends]


def _merged(parts: SummaryColumns) -> SummaryColumns:
    """Brings parts of one series together."""
    if len(parts.series) == 1:
        return parts
    order = np.argsort(parts.series, kind="stable")
    series = parts.series[order]
    is_new = np.concatenate(([True], series[1:] != series[:-1]))
    if is_new.all():
        return parts.take(order)
    starts = np.flatnonzero(is_new)
    ends = np.append(starts[1:], len(series)) - 1
    last = np.lexsort((parts.last_time_ms, parts.last_step, parts.series))[ends]
    first = np.lexsort((parts.first_time_ms, parts.first_step, parts.series))[starts]
    return SummaryColumns(
        series=series[starts],
        count=np.add.reduceat(parts.count[order], starts),
        nan_count=np.add.reduceat(parts.nan_count[order], starts),
        last_value=parts.last_value[last],
        last_step=parts.last_step[last],
        last_time_ms=parts.last_time_ms[last],
        first_value=parts.first_value[first],
        first_step=parts.first_step[first],
        first_time_ms=parts.first_time_ms[first],
        min_value=np.fmin.reduceat(parts.min_value[order], starts),
        max_value=np.fmax.reduceat(parts.max_value[order], starts),
    )
