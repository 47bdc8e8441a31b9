"""The MetricStore in SQL: hands each call to the part that knows it."""

from collections.abc import Sequence

from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.failpoints import Failpoint, no_failpoint
from trackwire_server.core.metric_queries import Arrived, Backlog, ReadQuery, Snapshot
from trackwire_server.core.paging import Page, Position
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.append import MetricAppender
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings, MetricCompactor
from trackwire_server.stores.sql.metrics.read import MetricReads
from trackwire_server.stores.sql.metrics.series import SeriesNumbers
from trackwire_server.stores.sql.metrics.summaries import read_summaries
from trackwire_server.stores.sql.metrics.tail import MetricTail


class SqlMetricStore:
    """Metrics on one database."""

    def __init__(
        self,
        database: Database,
        *,
        compaction: CompactionSettings | None = None,
        failpoint: Failpoint = no_failpoint,
    ):
        self._database = database
        self._appender = MetricAppender(database, SeriesNumbers(database.dialect), failpoint)
        self._reads = MetricReads(database)
        self._tail = MetricTail(database)
        self._compactor = MetricCompactor(database, compaction or CompactionSettings(), failpoint)

    async def append(self, batches: Sequence[Batch], *, now_ms: int) -> Sequence[Appended | TrackwireError]:
        """As MetricStore says."""
        return await self._appender.append(batches, now_ms=now_ms)

    async def open_snapshot(self, query: ReadQuery) -> Snapshot:
        """As MetricStore says."""
        return await self._reads.open(query)

    async def read_arrivals(
        self, run_ids: Sequence[str], keys: frozenset[str], positions: Sequence[int] | None
    ) -> Arrived:
        """As MetricStore says."""
        return await self._tail.read_arrivals(run_ids, keys, positions)

    async def compact(self, *, now_ms: int) -> bool:
        """As MetricStore says."""
        return await self._compactor.compact(now_ms=now_ms)

    async def prune(self, *, now_ms: int) -> bool:
        """As MetricStore says."""
        return await self._compactor.prune(now_ms=now_ms)

    async def backlog(self) -> Backlog:
        """As MetricStore says."""
        return await self._compactor.backlog()

    async def summaries(
        self, run_ids: Sequence[str], keys: frozenset[str], *, page_size: int, after: Position | None
    ) -> Page[MetricSummary]:
        """As MetricStore says."""
        async with self._database.read() as connection:
            return await read_summaries(connection, run_ids, keys, page_size=page_size, after=after)
