"""The MetricStore in SQL: hands each call to the part that knows it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, or_, select

from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.failpoints import Failpoint, no_failpoint
from trackwire_server.core.metric_queries import Arrived, Backlog, ReadQuery, Snapshot
from trackwire_server.core.paging import Page, Position
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.append import MetricAppender
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings, MetricCompactor
from trackwire_server.stores.sql.metrics.read import MetricReads, find_runs
from trackwire_server.stores.sql.metrics.series import SeriesNumbers, context_of
from trackwire_server.stores.sql.metrics.tail import MetricTail
from trackwire_server.stores.sql.tables import metric_keys, metric_series, metric_summaries

_NAN = float("nan")


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
            places = await find_runs(connection, run_ids)
            ids = {place.run_no: place.run_id for place in places}
            summary = metric_summaries.c
            statement = (
                select(metric_summaries, metric_keys.c.key, metric_series)
                .join(metric_series, metric_series.c.series_no == summary.series_no)
                .join(metric_keys, metric_keys.c.key_no == summary.key_no)
                .where(summary.run_no.in_(ids))
                .order_by(summary.run_no, summary.series_no)
                .limit(page_size + 1)
            )
            if keys:
                statement = statement.where(metric_keys.c.key.in_(keys))
            if after is not None:
                run_no, series_no = after
                later = and_(summary.run_no == run_no, summary.series_no > series_no)
                statement = statement.where(or_(summary.run_no > run_no, later))
            rows = (await connection.execute(statement)).all()
        shown = rows[:page_size]
        position = (shown[-1].run_no, shown[-1].series_no) if len(rows) > page_size else None
        return Page([summary_of(row, ids[row.run_no]) for row in shown], position)


def summary_of(row: Row[Any], run_id: str) -> MetricSummary:
    """A summary from a row of metric_summaries, metric_series and metric_keys; NULL was NaN."""
    return MetricSummary(
        run_id=run_id,
        key=row.key,
        context=context_of(row),
        primary=row.is_primary,
        count=row._mapping["count"],
        nan_count=row.nan_count,
        last_value=_NAN if row.last_value is None else row.last_value,
        last_step=row.last_step,
        last_time_ms=row.last_time_ms,
        first_value=_NAN if row.first_value is None else row.first_value,
        first_step=row.first_step,
        first_time_ms=row.first_time_ms,
        min_value=row.min_value,
        max_value=row.max_value,
    )
