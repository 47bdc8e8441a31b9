"""Compaction: journal rows become chunks.

one run, its oldest journal rows ──► points by series ──► merged with each series' last, unfilled chunk
  one transaction: chunks written, `compacted_arrival` moved on (only if nobody else moved it)
later: journal rows that are compacted and old enough for tails are deleted, `pruned_arrival` moves on
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from sqlalchemy import and_, bindparam, case, delete, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Points
from trackwire_server.core.entities import RunStatus
from trackwire_server.core.errors import StorageFull, StoreUnavailable
from trackwire_server.core.failpoints import Failpoint
from trackwire_server.core.metric_queries import Backlog
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunk_rows import ChunkRows, chunk_rows, points_by_series
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS
from trackwire_server.stores.sql.metrics.journal import check_no_hole
from trackwire_server.stores.sql.tables import (
    metric_chunks,
    metric_journal,
    metric_series,
    metric_thinned,
    run_heads,
    runs,
)

_SERIES_AT_ONCE = 1_000
# That are looked at for one that no other server is at.
_RUNS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class CompactionSettings:
    """When a run's journal is worth compacting, and how long compacted rows are kept for tails."""

    rows_due: int = 1_024
    points_due: int = 1_048_576
    # A run at which nothing arrives any more: finished ones sooner.
    idle_ms: int = 20_000
    ended_idle_ms: int = 1_000
    # Rows of a slow run wait no longer than this.
    age_ms: int = 600_000
    # One transaction takes in so many points at the most, and at least one row.
    points_at_once: int = 1_048_576
    tail_retention_ms: int = 120_000
    tail_points_kept: int = 2_097_152
    prune_rows_at_once: int = 64
    # A run that can't be compacted is left alone for so long, and others get their turn.
    retry_ms: int = 600_000


@dataclass(frozen=True, slots=True)
class _Work:
    """Journal rows of one run."""

    run_no: int
    compacted_arrival: int
    last_arrival: int
    points: int
    points_by_series: Mapping[int, Points]
    # Per series, its last chunk if that is unfilled, and the next free ordinal otherwise.
    unfilled: Mapping[int, tuple[int, bytes | None]]


class MetricCompactor:
    """Works off the journal, one run at a time."""

    def __init__(self, database: Database, settings: CompactionSettings, failpoint: Failpoint):
        self._database = database
        self._settings = settings
        self._failpoint = failpoint
        self._left_alone_until_ms: dict[int, int] = {}
        # Runs whose compacted rows have become more since they were last counted.
        self._grown: set[int] = set()

    async def compact(self, *, now_ms: int) -> bool:
        """Compacts the run that needs it most, a bounded part of it; False if none is due that is left to us."""
        async with self._database.read() as connection:
            due = await self._due(connection, now_ms)
        for run_no in due:
            # Its transaction does nothing but to keep other servers away: what they'd do would be thrown away.
            async with self._database.read() as alone:
                if await self._database.dialect.is_alone(alone, run_no):
                    await self._compact(run_no, now_ms)
                    return True
        return False

    async def _compact(self, run_no: int, now_ms: int) -> None:
        try:
            async with self._database.read() as connection:
                work = await self._take(connection, run_no)
            if work is not None:
                rows = await asyncio.to_thread(chunk_rows, work.points_by_series, work.unfilled)
                await self._store(work, rows, now_ms)
                self._grown.add(run_no)
        except (StorageFull, StoreUnavailable):
            raise
        except Exception:
            self._left_alone_until_ms[run_no] = now_ms + self._settings.retry_ms
            raise

    async def backlog(self) -> Backlog:
        """All that waits."""
        head = run_heads.c
        statement = select(
            func.coalesce(func.sum(head.arrival - head.compacted_arrival), 0),
            func.coalesce(func.sum(head.pending_points), 0),
            func.min(head.pending_since_ms),
        ).where(head.compacted_arrival < head.arrival)
        async with self._database.read() as connection:
            rows, points, since_ms = (await connection.execute(statement)).one()
        # PostgreSQL sums up to a Decimal.
        return Backlog(int(rows), int(points), since_ms)

    async def prune(self, *, now_ms: int) -> bool:
        """Deletes some journal rows that no tail may ask for any more; False if there are none."""
        async with self._database.read() as connection:
            found = await self._prunable(connection, now_ms)
        if found is None:
            return False
        run_no, until = found
        async with self._database.write() as connection:
            # First the head, as whoever writes to a run locks it first. Another replica may have pruned further: the
            # number never goes back, or a tail would skip what is gone.
            head = run_heads.c
            moved = update(run_heads).where(head.run_no == run_no, head.pruned_arrival < until)
            await connection.execute(moved.values(pruned_arrival=until))
            rows = metric_journal.c
            await connection.execute(delete(metric_journal).where(rows.run_no == run_no, rows.arrival <= until))
        return True

    async def _due(self, connection: AsyncConnection, now_ms: int) -> Sequence[int]:
        """Runs that need it, those that need it most before the others."""
        left_alone = {run_no: until for run_no, until in self._left_alone_until_ms.items() if until > now_ms}
        self._left_alone_until_ms = left_alone
        head, settings = run_heads.c, self._settings
        waiting = head.arrival - head.compacted_arrival
        ended = runs.c.status.in_([status for status in RunStatus if status.is_terminal])
        statement = (
            select(head.run_no)
            .join(runs, runs.c.run_no == head.run_no)
            .where(
                head.compacted_arrival < head.arrival,
                head.run_no.not_in(left_alone),
                or_(
                    waiting >= settings.rows_due,
                    head.pending_points >= settings.points_due,
                    head.pending_until_ms <= now_ms - settings.idle_ms,
                    and_(ended, head.pending_until_ms <= now_ms - settings.ended_idle_ms),
                    head.pending_since_ms <= now_ms - settings.age_ms,
                ),
            )
            .order_by(head.pending_points.desc(), head.run_no)
            .limit(_RUNS_AT_ONCE)
        )
        return (await connection.scalars(statement)).all()

    async def _take(self, connection: AsyncConnection, run_no: int) -> _Work | None:
        places = select(run_heads.c.compacted_arrival, run_heads.c.arrival).where(run_heads.c.run_no == run_no)
        head = (await connection.execute(places)).one_or_none()
        if head is None or head.compacted_arrival == head.arrival:
            return None  # removed, or compacted by another replica, since it was found
        compacted = head.compacted_arrival
        row = metric_journal.c
        of_run = and_(row.run_no == run_no, row.arrival > compacted)
        sizes = (await connection.scalars(select(row.points).where(of_run).order_by(row.arrival).limit(4_096))).all()
        taken = max(1, int(np.searchsorted(np.cumsum(sizes), self._settings.points_at_once, side="right")))
        statement = select(row.arrival, row.points, row.payload).where(of_run).order_by(row.arrival).limit(taken)
        rows = (await connection.execute(statement)).all()
        check_no_hole(run_no, [row.arrival for row in rows], after=compacted)
        points = await asyncio.to_thread(points_by_series, [row.payload for row in rows])
        unfilled = await self._last_chunks(connection, list(points))
        return _Work(run_no, compacted, rows[-1].arrival, sum(row.points for row in rows), points, unfilled)

    async def _last_chunks(
        self, connection: AsyncConnection, touched: Sequence[int]
    ) -> dict[int, tuple[int, bytes | None]]:
        """Series → its next ordinal, or that of its unfilled chunk with the payload."""
        chunk, any_chunk = metric_chunks.c, metric_chunks.alias().c
        last = select(func.max(any_chunk.ordinal)).where(any_chunk.series_no == metric_series.c.series_no)
        payload = case((chunk.points < CHUNK_POINTS, chunk.payload), else_=null())
        unfilled: dict[int, tuple[int, bytes | None]] = {}
        for at in range(0, len(touched), _SERIES_AT_ONCE):
            # From series to their last chunks: each is one look into the primary key, however many a series has.
            statement = (
                select(chunk.series_no, chunk.ordinal, payload.label("payload"))
                .select_from(metric_series)
                .join(
                    metric_chunks,
                    and_(chunk.series_no == metric_series.c.series_no, chunk.ordinal == last.scalar_subquery()),
                )
                .where(metric_series.c.series_no.in_(touched[at : at + _SERIES_AT_ONCE]))
            )
            for number, ordinal, held in await connection.execute(statement):
                unfilled[number] = (ordinal, held) if held is not None else (ordinal + 1, None)
        return unfilled

    async def _store(self, work: _Work, rows: ChunkRows, now_ms: int) -> None:
        replaced = [
            {"old_series_no": number, "old_ordinal": ordinal}
            for number, (ordinal, payload) in work.unfilled.items()
            if payload is not None
        ]
        head = run_heads.c
        moved = (
            update(run_heads)
            .where(head.run_no == work.run_no, head.compacted_arrival == work.compacted_arrival)
            .values(
                compacted_arrival=work.last_arrival,
                pending_points=head.pending_points - work.points,
                pending_since_ms=now_ms,
            )
        )
        async with self._database.write() as connection:
            # Another replica may have compacted the same rows: the first one counts. A run may have been removed.
            if (await connection.execute(moved)).rowcount != 1:
                return
            if replaced:
                await connection.execute(_delete_chunks, replaced)
            await connection.execute(insert(metric_chunks), rows.chunks)
            if rows.thinned:
                await connection.execute(insert(metric_thinned), rows.thinned)
            self._failpoint("compaction.before_commit")
        self._failpoint("compaction.after_commit")

    async def _prunable(self, connection: AsyncConnection, now_ms: int) -> tuple[int, int] | None:
        """A run and the arrival up to which its rows may go: too many of a run just compacted, or too old."""
        while self._grown:
            run_no = self._grown.pop()
            until = await self._surplus(connection, run_no)
            if until is not None:
                return run_no, until
        head, row = run_heads.c, metric_journal.c
        cutoff_ms = now_ms - self._settings.tail_retention_ms
        oldest = and_(row.run_no == head.run_no, row.arrival == head.pruned_arrival + 1)
        statement = (
            select(head.run_no, head.pruned_arrival, head.compacted_arrival)
            .join(metric_journal, oldest)
            .where(head.pruned_arrival < head.compacted_arrival, row.commit_time_ms <= cutoff_ms)
            .limit(1)
        )
        place = (await connection.execute(statement)).one_or_none()
        if place is None:
            return None
        old = (
            select(row.arrival, row.commit_time_ms)
            .where(row.run_no == place.run_no, row.arrival.between(place.pruned_arrival + 1, place.compacted_arrival))
            .order_by(row.arrival)
            .limit(self._settings.prune_rows_at_once)
        )
        rows = (await connection.execute(old)).all()
        return place.run_no, max(row.arrival for row in takewhile(lambda row: row.commit_time_ms <= cutoff_ms, rows))

    async def _surplus(self, connection: AsyncConnection, run_no: int) -> int | None:
        """The arrival up to which a run's compacted rows are more than tails are kept for."""
        head, row = run_heads.c, metric_journal.c
        statement = (
            select(row.arrival, row.points)
            .join(run_heads, and_(head.run_no == row.run_no, row.arrival <= head.compacted_arrival))
            .where(row.run_no == run_no)
            .order_by(row.arrival)
        )
        rows = (await connection.execute(statement)).all()
        surplus = sum(row.points for row in rows) - self._settings.tail_points_kept
        until: int | None = None
        for arrival, points in rows[: self._settings.prune_rows_at_once]:
            if surplus <= 0:
                break
            until, surplus = arrival, surplus - points
        if surplus > 0:
            self._grown.add(run_no)
        return until


_delete_chunks = delete(metric_chunks).where(
    metric_chunks.c.series_no == bindparam("old_series_no"), metric_chunks.c.ordinal == bindparam("old_ordinal")
)
