"""The background work of the metric store: compaction first, then pruning, then rest."""

import asyncio
import logging
import time

from trackwire_server.core.clock import Clock
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.figures import CompactionFigures
from trackwire_server.core.stores import MetricStore
from trackwire_server.core.traces import NO_TRACES, WorkTraces

_REST_SECONDS = 1.0
_REST_AFTER_ERROR_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Maintenance:
    """Works as long as there is work, and lets others in between."""

    def __init__(self, store: MetricStore, clock: Clock, traces: WorkTraces = NO_TRACES):
        self._store = store
        self._clock = clock
        self._traces = traces
        self.figures = CompactionFigures()

    async def run(self) -> None:
        """Works until cancelled. Whatever fails is tried again later: ingest goes on without it."""
        while True:
            try:
                worked = await self._compact()
                worked |= await self._store.prune(now_ms=self._clock())
            except TrackwireError as error:
                self.figures.add_failure()
                logger.warning("compaction failed and will be tried again: %s", error)
                await asyncio.sleep(_REST_AFTER_ERROR_SECONDS)
            except Exception:  # a fault of ours in the background may not end the server
                self.figures.add_failure()
                logger.exception("compaction failed and will be tried again")
                await asyncio.sleep(_REST_AFTER_ERROR_SECONDS)
            else:
                self.figures.failures_in_a_row = 0
                if not worked:
                    await asyncio.sleep(_REST_SECONDS)

    async def _compact(self) -> bool:
        begun = time.perf_counter()
        worked = await self._store.compact(now_ms=self._clock())
        if worked:
            seconds = time.perf_counter() - begun
            self.figures.seconds.observe(seconds)
            self._traces.record("compaction", seconds, {}, ())
        return worked
