"""What is asked of a metric store, and what it answers with."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trackwire_server.core.columns import Flags, Points, SeriesName


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """Which points of which series; no keys means all."""

    run_ids: tuple[str, ...]
    keys: frozenset[str] = frozenset()
    min_step: int | None = None
    max_step: int | None = None
    min_time_ms: int | None = None
    max_time_ms: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether some points of a series may be left out."""
        bounds = (self.min_step, self.max_step, self.min_time_ms, self.max_time_ms)
        return any(bound is not None for bound in bounds)

    def clip(self, first_step: int, last_step: int) -> tuple[int, int] | None:
        """A range of steps within the query's; None where they don't meet."""
        first = first_step if self.min_step is None else max(first_step, self.min_step)
        last = last_step if self.max_step is None else min(last_step, self.max_step)
        return (first, last) if first <= last else None

    def mask(self, points: Points) -> Flags:
        """Which points are asked for."""
        wanted = np.ones(len(points), dtype=bool)
        if self.min_step is not None:
            wanted &= points.steps >= self.min_step
        if self.max_step is not None:
            wanted &= points.steps <= self.max_step
        if self.min_time_ms is not None:
            wanted &= points.times_ms >= self.min_time_ms
        if self.max_time_ms is not None:
            wanted &= points.times_ms <= self.max_time_ms
        return wanted


class SeriesReader(Protocol):
    """One series of a snapshot."""

    run_id: str
    name: SeriesName

    async def step_range(self) -> tuple[int, int] | None:
        """The first and the last step that can come; None where nothing can."""

    def windows(self) -> AsyncGenerator[Points, None]:
        """All points asked for, by (step, time, logged order), in parts of bounded size."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Series of runs at one moment; `arrivals` are the runs' last arrivals then, in the order of the query."""

    series: Sequence[SeriesReader]
    arrivals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series, with its name."""

    run_id: str
    name: SeriesName
    points: Points


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
