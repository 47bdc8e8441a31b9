"""A run's points that wait to be written: those that say nothing of a model or dataset, and the others, by that."""

import threading
from typing import TYPE_CHECKING

from trackwire.gathering import GatheredPoints, MetricContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trackwire.columns import MetricColumns


class WaitingPoints:
    """Each context's points gather by themselves, and go on by themselves where they have no step."""

    def __init__(self) -> None:
        # Nearly all: who logs them need not look for the place.
        self.plain = GatheredPoints()
        self._of: dict[MetricContext, GatheredPoints] = {}
        # How many of the others wait; a few may be missing while others log.
        self.points_in_contexts = 0
        # Held for moments only: who logs may wait for it, and never waits for the disk.
        self._taking = threading.Lock()

    def in_context(self, context: MetricContext, points: int) -> GatheredPoints:
        """Where points of this context gather; so many are about to be added."""
        self.points_in_contexts += points
        found = self._of.get(context)
        return self._of.setdefault(context, GatheredPoints()) if found is None else found

    def take(self, points_max: int) -> "Iterator[tuple[MetricContext, MetricColumns]]":
        """All that waits, in parts of at most so many points, each of one context."""
        for context, points in self._places():
            while (columns := self._take_one(points, points_max)) is not None:
                yield context, columns
        self._count()

    def discard(self, points_max: int) -> int:
        """Forgets about so many of the oldest points; how many they were."""
        discarded = 0
        with self._taking:
            for _, points in self._places():
                if discarded < points_max and len(points):
                    discarded += points.discard(points_max - discarded)
        self._count()
        return discarded

    def _places(self) -> list[tuple[MetricContext, GatheredPoints]]:
        return [(MetricContext(), self.plain), *list(self._of.items())]

    def _take_one(self, points: GatheredPoints, points_max: int) -> "MetricColumns | None":
        with self._taking:
            return points.take(points_max)

    def _count(self) -> None:
        # Anew: what threads add to one number at the same time may miss some.
        self.points_in_contexts = sum(map(len, list(self._of.values())))
