"""What the server counts of its own work: additions in plain Python, which a door makes text of when somebody asks.

All of it belongs to the event loop's thread.
"""

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
POINTS = (1, 10, 100, 1_000, 10_000, 32_768, 65_536, 131_072, 262_144)
REQUESTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
RECENT_COMMITS = 256


class Distribution:
    """How many values fell into each bucket; a bucket's bound belongs to it, and the last bucket has none."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS):
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)


class QueueDepth(NamedTuple):
    """What waits in the ingest queue, the transaction under way included; the bytes also of what is still decoded."""

    requests: int
    points: int
    bytes: int


@dataclass(slots=True)
class CommitFigures:
    """Group commits since the start; `refused_requests` found the queue full."""

    seconds: Distribution = field(default_factory=Distribution)
    requests: Distribution = field(default_factory=lambda: Distribution(REQUESTS))
    points: Distribution = field(default_factory=lambda: Distribution(POINTS))
    stored_points: int = 0
    refused_requests: int = 0
    recent_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_COMMITS))

    def add(self, seconds: float, requests: int, points: int) -> None:
        """Counts one commit."""
        self.seconds.observe(seconds)
        self.requests.observe(requests)
        self.points.observe(points)
        self.recent_seconds.append(seconds)

    def recent_p99_seconds(self) -> float:
        """Of a hundred of the last commits, all but one took no longer; 0 before the first."""
        ordered = sorted(self.recent_seconds)
        return ordered[(len(ordered) * 99 - 1) // 100] if ordered else 0.0


@dataclass(slots=True)
class CompactionFigures:
    """Compactions since the start; `failures_in_a_row` are those since the last that went well."""

    seconds: Distribution = field(default_factory=Distribution)
    failures: int = 0
    failures_in_a_row: int = 0

    def add_failure(self) -> None:
        """Counts a compaction that failed."""
        self.failures += 1
        self.failures_in_a_row += 1


class CallFigures:
    """Calls by what was called and how that ended: rpcs by method and code, HTTP requests by method and status."""

    def __init__(self) -> None:
        self.under_way = 0
        self.seconds: dict[tuple[str, str], Distribution] = {}

    def add(self, called: str, outcome: str, seconds: float) -> None:
        """Counts one that has ended. Both names must come from small sets: they are kept for ever."""
        found = self.seconds.get((called, outcome))
        if found is None:
            found = self.seconds[called, outcome] = Distribution()
        found.observe(seconds)


class PoolFigures:
    """Connections of one kind to a store: those in use, who waits for one, and how long that took."""

    def __init__(self, name: str, size: int):
        self.name = name
        self.size = size
        self.in_use = 0
        self.waiting = 0
        self.wait_seconds = Distribution()

    def place(self) -> "PoolPlace":
        """Around a transaction."""
        return PoolPlace(self)


class PoolPlace:
    """One transaction's place in a pool: it waits until `take` says that it has a connection."""

    __slots__ = ("_asked", "_pool", "_waits")

    def __init__(self, pool: PoolFigures):
        self._pool = pool
        self._asked = 0.0
        self._waits = True

    def __enter__(self) -> Self:
        self._pool.waiting += 1
        self._asked = time.perf_counter()
        return self

    def take(self) -> None:
        """A connection was got."""
        self._stop_waiting()
        self._pool.in_use += 1

    def __exit__(self, *_: object) -> None:
        if self._waits:
            self._stop_waiting()  # in vain
        else:
            self._pool.in_use -= 1

    def _stop_waiting(self) -> None:
        self._waits = False
        self._pool.waiting -= 1
        self._pool.wait_seconds.observe(time.perf_counter() - self._asked)
