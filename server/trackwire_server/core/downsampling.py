"""Fewer points that look the same: per bucket of steps the smallest and the largest value."""

from functools import cached_property
from itertools import pairwise

import numpy as np

from trackwire_server.core.columns import Integers, Points

# A first point, a last point, and the two extremes of one bucket.
POINTS_MIN = 4


class Downsampler:
    """Takes a series in ordered parts and keeps at most `max_points` of it. Deterministic, and blind to how it is cut.

    The range of steps is cut into equal buckets; each gives its smallest and its largest value (the first of equals).
    The series' first and last point are always kept; NaN points otherwise never are.
    """

    def __init__(self, first_step: int, last_step: int, max_points: int):
        self._range = first_step, last_step
        self._max_points = max_points
        self._kept = Points.empty()
        self._kept_at: Integers = np.empty(0, np.int64)
        self._first = Points.empty()
        self._last = Points.empty()
        self._seen = 0

    def add(self, points: Points) -> None:
        """Takes the next part."""
        if not len(points):
            return
        if not self._seen:
            self._first = points.take(slice(0, 1))
        self._last = points.take(slice(len(points) - 1, None))
        before, self._seen = self._seen, self._seen + len(points)
        chosen = np.arange(len(points)) if self._seen <= self._max_points else self._extremes(points)
        points, at = points.take(chosen), before + chosen
        self._kept = Points.joined([self._kept, points])
        self._kept_at = np.concatenate((self._kept_at, at))
        if self._seen > self._max_points:
            chosen = self._extremes(self._kept)
            self._kept, self._kept_at = self._kept.take(chosen), self._kept_at[chosen]

    def result(self) -> Points:
        """The points kept, in order."""
        if self._seen <= self._max_points:
            return self._kept
        at = np.concatenate(([0], self._kept_at, [self._seen - 1]))
        _, chosen = np.unique(at, return_index=True)
        return Points.joined([self._first, self._kept, self._last]).take(chosen)

    @cached_property
    def _edges(self) -> Integers:
        """Inner edges of the buckets. They take time, and a short series needs none."""
        buckets = (self._max_points - 2) // 2
        first, last = self._range
        # In Python's integers: a range of int64 steps can be wider than int64.
        width = last - first + 1
        return np.array([first + width * i // buckets for i in range(1, buckets)], dtype=np.int64)

    def _extremes(self, points: Points) -> Integers:
        """Positions of each bucket's smallest and largest value."""
        missing = np.isnan(points.values)
        if missing.any():
            numbers = np.flatnonzero(~missing)
            return numbers[self._extremes(points.take(numbers))]
        bounds = np.unique([0, *np.searchsorted(points.steps, self._edges, side="left"), len(points)]).tolist()
        chosen = [
            start + int(find(points.values[start:end]))
            for start, end in pairwise(bounds)
            for find in (np.argmin, np.argmax)
        ]
        return np.unique(np.array(chosen, dtype=np.int64))
