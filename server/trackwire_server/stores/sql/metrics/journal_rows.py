"""Rows of a run's journal, in the order of their arrival, a bounded part at a time."""

from collections.abc import AsyncIterator, Callable, Iterable

import numpy as np
from sqlalchemy import and_, bindparam, select

from trackwire_server.core.columns import Integers, Points
from trackwire_server.stores.sql.dialect import Transaction
from trackwire_server.stores.sql.metrics.journal import JournalEntry, check_no_hole, decode_journal
from trackwire_server.stores.sql.prepared import Prepared, Rows, fetch_all
from trackwire_server.stores.sql.tables import metric_journal

# What one statement brings into memory, and the event loop makes objects of in one go.
_POINTS_AT_ONCE = 262_144
_ROWS_AT_ONCE = 1_000
_ROW = metric_journal.c
_BEHIND = and_(_ROW.run_no == bindparam("run_no_is"), _ROW.arrival > bindparam("after"))
_SIZES = Prepared(select(_ROW.points).where(_BEHIND).order_by(_ROW.arrival).limit(bindparam("rows")))
_ROWS = Prepared(
    select(_ROW.arrival, _ROW.points, _ROW.payload).where(_BEHIND).order_by(_ROW.arrival).limit(bindparam("rows"))
)


async def journal_entries(
    transaction: Transaction,
    run_no: int,
    *,
    after: int,
    wanted: Integers | None = None,
    may_hold: Callable[[bytes], bool] | None = None,
) -> AsyncIterator[JournalEntry]:
    """The journal of a run behind an arrival, in order; only the wanted series' points where given.

    Rows of whose payload `may_hold` says no are not decoded.
    """
    while rows := await journal_rows(transaction, run_no, after=after, budget=_POINTS_AT_ONCE):
        check_no_hole(run_no, [arrival for arrival, _, _ in rows], after=after)
        for _, _, payload in rows:
            if may_hold is None or may_hold(payload):
                yield only(decode_journal(payload), wanted)
        after = rows[-1][0]


async def journal_rows(transaction: Transaction, run_no: int, *, after: int, budget: int) -> Rows:
    """Arrival, points and payload of the next rows of a run's journal: as many as the budget holds, at least one."""
    place = {"run_no_is": run_no, "after": after}
    sizes = [points for (points,) in await fetch_all(transaction, _SIZES, {**place, "rows": _ROWS_AT_ONCE})]
    if not sizes:
        return ()
    within = max(1, int(np.searchsorted(np.cumsum(sizes), budget, side="right")))
    return await fetch_all(transaction, _ROWS, {**place, "rows": within})


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
