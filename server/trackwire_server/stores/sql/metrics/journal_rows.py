"""Rows of a run's journal, in the order of their arrival, a bounded part at a time."""

from collections.abc import AsyncIterator, Iterable, Sequence

import numpy as np
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Integers, Points
from trackwire_server.stores.sql.metrics.journal import JournalEntry, check_no_hole, decode_journal
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import metric_journal

# What one statement brings into memory, and the event loop makes objects of in one go.
_POINTS_AT_ONCE = 262_144
_ROWS_AT_ONCE = 1_000


async def journal_entries(
    connection: AsyncConnection, run_no: int, *, after: int, wanted: Integers | None = None
) -> AsyncIterator[JournalEntry]:
    """The journal of a run behind an arrival, in order; only the wanted series' points where given."""
    while rows := await journal_rows(connection, run_no, after=after, budget=_POINTS_AT_ONCE):
        check_no_hole(run_no, [row.arrival for row in rows], after=after)
        for row in rows:
            yield only(decode_journal(row.payload), wanted)
        after = rows[-1].arrival


async def journal_rows(connection: AsyncConnection, run_no: int, *, after: int, budget: int) -> Sequence[AnyRow]:
    """The next rows of a run's journal: as many as the budget of points holds, and at least one if there is one."""
    behind = and_(metric_journal.c.run_no == run_no, metric_journal.c.arrival > after)
    order = metric_journal.c.arrival
    sizes = select(metric_journal.c.points).where(behind).order_by(order).limit(_ROWS_AT_ONCE)
    points = (await connection.scalars(sizes)).all()
    if not points:
        return ()
    within = max(1, int(np.searchsorted(np.cumsum(points), budget, side="right")))
    statement = (
        select(order, metric_journal.c.points, metric_journal.c.payload).where(behind).order_by(order).limit(within)
    )
    return (await connection.execute(statement)).all()


def only(entry: JournalEntry, numbers: Integers | None) -> JournalEntry:
    """An entry with no series but these."""
    if numbers is None:
        return entry
    wanted = np.isin(entry.series, numbers)
    if wanted.all():
        return entry
    return JournalEntry(entry.series[wanted], entry.counts[wanted], entry.points.take(np.repeat(wanted, entry.counts)))


def by_series(entry: JournalEntry) -> Iterable[tuple[int, Points]]:
    """Each series of an entry with its points."""
    ends = np.cumsum(entry.counts)
    for number, start, end in zip(entry.series.tolist(), (ends - entry.counts).tolist(), ends.tolist(), strict=True):
        yield number, entry.points.take(slice(start, end))
