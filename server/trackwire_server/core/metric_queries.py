"""What is asked of a metric store, and what it answers with."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trackwire_server.core.columns import Points, SeriesName


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """Which points of which series; no keys means all."""

    run_ids: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    min_step: int | None = None
    max_step: int | None = None
    min_time_ms: int | None = None
    max_time_ms: int | None = None

    def holds_all(self, first_step: int, last_step: int) -> bool:
        """Whether all points from the first step to the last are asked for."""
        return (
            self.min_time_ms is None
            and self.max_time_ms is None
            and (self.min_step is None or first_step >= self.min_step)
            and (self.max_step is None or last_step <= self.max_step)
        )

    def cut(self, points: Points) -> Points:
        """What is asked for of points in order."""
        first = 0 if self.min_step is None else int(np.searchsorted(points.steps, self.min_step, side="left"))
        end = len(points) if self.max_step is None else int(np.searchsorted(points.steps, self.max_step, side="right"))
        if end - first < len(points):
            points = points.take(slice(first, max(first, end)))
        if self.min_time_ms is not None:
            points = points.take(points.times_ms >= self.min_time_ms)
        if self.max_time_ms is not None:
            points = points.take(points.times_ms <= self.max_time_ms)
        return points


class SeriesReader(Protocol):
    """One series of a snapshot."""

    run_id: str
    name: SeriesName

    def windows(self) -> AsyncGenerator[Points, None]:
        """All points asked for, by (step, time, logged order), in parts of bounded size."""


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series, with its name."""

    run_id: str
    name: SeriesName
    points: Points


class Snapshot(Protocol):
    """Series of runs at one moment; `arrivals` are the runs' last arrivals then, in the order of the query."""

    @property
    def series(self) -> Sequence[SeriesReader]:
        """Each of them, to be read whole."""

    @property
    def arrivals(self) -> tuple[int, ...]:
        """A number a run."""

    def thinned(self, max_points: int) -> AsyncGenerator[SeriesPoints, None]:
        """Each series down to so many points, as a Downsampler that takes all its points keeps them; in their order."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One commit in one run, the `at`-th of those asked about: its number there and its points, in logged order."""

    at: int
    number: int
    parts: Sequence[SeriesPoints]


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived behind some positions, per run in order, and the positions behind it; `more` if there is more."""

    arrivals: Sequence[Arrival]
    positions: tuple[int, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be compacted, and since when the oldest of it does; None where nothing waits."""

    rows: int
    points: int
    since_ms: int | None = None
