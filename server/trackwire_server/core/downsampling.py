"""Fewer points that look the same: per bucket of steps the smallest and the largest value.

Buckets are as wide as a power of two, and begin at its multiples: 0 … 511, 512 … 1023. So they stay where they are as a
series grows, until they are joined in pairs; and the extremes of narrower buckets are all that wider ones need, however
a series was cut, and whenever that was done.
"""

import numpy as np

from trackwire_server.core.columns import Flags, Integers, Points

# A first point, a last point, and the two extremes of one bucket.
POINTS_MIN = 4
# At this level all of int64 is one bucket.
_WHOLE = 64


class Downsampler:
    """Takes a series in ordered parts and keeps at most `max_points` of it. Deterministic, and blind to how it is cut.

    The steps from the first point to the last are cut into the narrowest buckets that are few enough; each gives its
    smallest and its largest value (the first of equals). The series' first and last point are always kept; NaN points
    otherwise never are.
    """

    def __init__(self, max_points: int):
        self._max_points = max_points
        self._kept = Points.empty()
        self._kept_at: Integers = np.empty(0, np.int64)
        self._first = Points.empty()
        self._last = Points.empty()
        self._taken = 0
        self._stand_for = 0

    def add(self, points: Points, *, stand_for: int | None = None) -> None:
        """Takes the next part. One that was thinned to narrower buckets already stands for more points than it has."""
        if not len(points):
            return
        # Copies: a slice would keep the whole part.
        if not self._taken:
            self._first = points.take(np.array([0]))
        self._last = points.take(np.array([len(points) - 1]))
        before, self._taken = self._taken, self._taken + len(points)
        self._stand_for += len(points) if stand_for is None else stand_for
        is_whole = self._stand_for <= self._max_points
        chosen = np.arange(len(points)) if is_whole else extremes(points, self._level)
        self._kept = Points.joined([self._kept, points.take(chosen)])
        self._kept_at = np.concatenate((self._kept_at, before + chosen))
        if before and not is_whole:
            chosen = extremes(self._kept, self._level)
            self._kept, self._kept_at = self._kept.take(chosen), self._kept_at[chosen]

    def result(self) -> Points:
        """The points kept, in order."""
        if self._stand_for <= self._max_points:
            return self._kept
        at = np.concatenate(([0], self._kept_at, [self._taken - 1]))
        _, chosen = np.unique(at, return_index=True)
        return Points.joined([self._first, self._kept, self._last]).take(chosen)

    @property
    def _level(self) -> int:
        return level_of(int(self._first.steps[0]), int(self._last.steps[0]), buckets_of(self._max_points))


def buckets_of(max_points: int) -> int:
    """How many buckets fill so many points."""
    return (max_points - 2) // 2


def level_of(first_step: int, last_step: int, buckets_max: int) -> int:
    """The least level at which the steps from the first to the last lie in so few buckets of 2 ** level steps."""
    # Counted from the least int64, so that at last negative steps and others are in one bucket.
    first, last = first_step + 2**63, last_step + 2**63
    level = ((last - first) // buckets_max).bit_length()
    while (last >> level) - (first >> level) >= buckets_max:
        level += 1
    return level


def extremes(points: Points, level: int) -> Integers:
    """Positions of the smallest and the largest value of each bucket of 2 ** level steps, in ordered points."""
    if not len(points):
        return np.empty(0, np.int64)
    starts = _bucket_starts(points.steps, level)
    lows = np.minimum.reduceat(points.values, starts)
    if np.isnan(lows).any():
        numbers = (~np.isnan(points.values)).nonzero()[0]
        return numbers[extremes(points.take(numbers), level)]
    highs = np.maximum.reduceat(points.values, starts)
    counts = np.concatenate((starts[1:], [len(points)])) - starts
    return distinct(
        _first_of_each(points.values == lows.repeat(counts), starts),
        _first_of_each(points.values == highs.repeat(counts), starts),
    )


def distinct(*positions: Integers) -> Integers:
    """All positions in order, each once."""
    every = np.concatenate(positions)
    every.sort()
    is_new = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=is_new[1:])
    return every[is_new]


def _bucket_starts(steps: Integers, level: int) -> Integers:
    """Where the buckets that have points begin."""
    if level >= _WHOLE:
        return np.zeros(1, np.int64)
    first, last = int(steps[0]) >> level, int(steps[-1]) >> level
    edges = (np.arange(last - first + 1) + first) << level
    # The first bucket begins at or before the first step.
    return distinct(steps.searchsorted(edges, side="left"))


def _first_of_each(found: Flags, starts: Integers) -> Integers:
    """The first position found from each start on, where between two of them there is at least one."""
    at = found.nonzero()[0]
    return at[at.searchsorted(starts, side="left")]
