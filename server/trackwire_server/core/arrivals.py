"""Wakes tails when something has arrived in one of their runs."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Arrivals:
    """Runs and the events of those who wait for them."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def announce(self, run_ids: Collection[str]) -> None:
        """Sets the events of all who watch one of these runs."""
        for run_id in run_ids:
            for event in self._waiting.get(run_id, ()):
                event.set()

    @contextmanager
    def watch(self, run_ids: Collection[str]) -> Iterator[asyncio.Event]:
        """An event that is set whenever something may have arrived; who waits clears it before looking."""
        event = asyncio.Event()
        for run_id in run_ids:
            self._waiting[run_id].add(event)
        try:
            yield event
        finally:
            for run_id in run_ids:
                self._waiting[run_id].discard(event)
                if not self._waiting[run_id]:
                    del self._waiting[run_id]
