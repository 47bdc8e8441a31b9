"""One series of a snapshot, read whole: its chunks and its pending points, in order, a window at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from trackwire_server.core.columns import Points
from trackwire_server.core.errors import Aborted
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.metrics.payloads import CHUNK_PAYLOADS
from trackwire_server.stores.sql.metrics.windows import StoredSeries, Window, windows_of

# Below this many points, a thread costs more than the work.
_POINTS_WORTH_A_THREAD = 20_000


class SqlSeriesReader:
    """One series of a snapshot."""

    def __init__(self, database: Database, series: StoredSeries, query: ReadQuery):
        self.run_id = series.run_id
        self.name = series.name
        self._database = database
        self._series = series
        self._query = query

    async def windows(self) -> AsyncGenerator[Points, None]:
        """All points in order, in parts; each is fetched while the one before it is at work."""
        first, *others = windows_of(self._series.chunks, await self._ordered_pending())
        if not others:
            yield await self._load(first)
            return
        following = asyncio.create_task(self._load(first))
        try:
            for window in others:
                current, following = following, asyncio.create_task(self._load(window))
                yield await current
            yield await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _ordered_pending(self) -> Points:
        if sum(map(len, self._series.pending)) < _POINTS_WORTH_A_THREAD:
            return self._series.ordered_pending(self._query)
        return await asyncio.to_thread(self._series.ordered_pending, self._query)

    async def _load(self, window: Window) -> Points:
        held = self._series.payloads
        missing = sorted(chunk.ordinal for chunk in window.chunks if chunk.ordinal not in held)
        fetched = held | (await self._fetch(missing) if missing else {})
        payloads = [fetched[chunk.ordinal] for chunk in window.chunks]
        if sum(chunk.points for chunk in window.chunks) + len(window.pending) < _POINTS_WORTH_A_THREAD:
            return _assembled(window, payloads, self._query)
        return await asyncio.to_thread(_assembled, window, payloads, self._query)

    async def _fetch(self, ordinals: Sequence[int]) -> dict[int, bytes]:
        async with self._database.read() as connection:
            found = await CHUNK_PAYLOADS.fetch(connection, {self._series.series_no: ordinals})
        if len(found) != len(ordinals):
            raise removed(self.run_id)
        return {ordinal: payload for (_, ordinal), payload in found.items()}


def removed(run_id: str) -> Aborted:
    """What ends a read of a run that is not there any more."""
    return Aborted(f"run_ids: run {run_id!r} was removed while it was read", reason="RUN_REMOVED")


def _assembled(window: Window, payloads: Sequence[bytes], query: ReadQuery) -> Points:
    return window.assembled(ChunkCodec().decode(payloads), query)
