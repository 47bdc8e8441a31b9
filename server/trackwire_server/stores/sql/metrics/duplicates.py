"""Points without a stamp: an exact duplicate (series, step, time, value bit for bit) is stored once.

Stamped writers never come here. A point behind its series' last one can't be a duplicate, so a client that only moves
forward never costs a read.
"""

import numpy as np
from sqlalchemy import bindparam, select

from trackwire_server.core.columns import Flags, Integers, Points
from trackwire_server.stores.sql.dialect import Transaction
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.metrics.journal import JournalEntry
from trackwire_server.stores.sql.metrics.journal_rows import journal_entries
from trackwire_server.stores.sql.prepared import Prepared, fetch_all, parts
from trackwire_server.stores.sql.tables import metric_chunks, metric_summaries, run_heads

_LAST = Prepared(
    select(metric_summaries.c.series_no, metric_summaries.c.last_step, metric_summaries.c.last_time_ms).where(
        metric_summaries.c.series_no.in_(bindparam("numbers", expanding=True))
    )
)
_COMPACTED = Prepared(select(run_heads.c.compacted_arrival).where(run_heads.c.run_no == bindparam("run_no_is")))
_CHUNKS = Prepared(
    select(metric_chunks.c.series_no, metric_chunks.c.payload).where(
        metric_chunks.c.series_no.in_(bindparam("numbers", expanding=True)),
        metric_chunks.c.last_step >= bindparam("low"),
        metric_chunks.c.first_step <= bindparam("high"),
    )
)


async def without_duplicates(transaction: Transaction, run_no: int, entry: JournalEntry) -> JournalEntry:
    """The entry without points that are stored already or come twice in it."""
    owners = np.repeat(entry.series, entry.counts)
    repeated = _repeated(owners, entry.points)
    suspect = ~repeated & await _not_behind_last(transaction, owners, entry.points)
    if suspect.any():
        stored = await _stored(transaction, run_no, owners[suspect], entry.points.take(suspect))
        found = _known(stored, owners[suspect], entry.points.take(suspect))
        repeated[np.flatnonzero(suspect)[found]] = True
    if not repeated.any():
        return entry
    segments = np.repeat(np.arange(len(entry.series)), entry.counts)
    counts = np.bincount(segments[~repeated], minlength=len(entry.series))
    return JournalEntry(entry.series[counts > 0], counts[counts > 0], entry.points.take(~repeated))


def _bits(points: Points) -> Integers:
    return points.values.view(np.int64)


def _repeated(owners: Integers, points: Points) -> Flags:
    """Which points come a second time."""
    if len(points) == 1:
        return np.zeros(1, dtype=bool)
    order = np.lexsort((_bits(points), points.times_ms, points.steps, owners))
    columns = (owners[order], points.steps[order], points.times_ms[order], _bits(points)[order])
    same = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    repeated = np.zeros(len(owners), dtype=bool)
    repeated[order[1:][same]] = True
    return repeated


async def _not_behind_last(transaction: Transaction, owners: Integers, points: Points) -> Flags:
    """Which points may be stored already: those at or before their series' last (step, time)."""
    numbers = np.unique(owners)
    steps, times = np.empty_like(numbers), np.empty_like(numbers)
    for some in parts(numbers.tolist()):
        for series_no, last_step, last_time_ms in await fetch_all(transaction, _LAST, {"numbers": some}):
            at = np.searchsorted(numbers, series_no)
            steps[at], times[at] = last_step, last_time_ms
    place = np.searchsorted(numbers, owners)
    earlier: Flags = (points.steps < steps[place]) | (
        (points.steps == steps[place]) & (points.times_ms <= times[place])
    )
    return earlier


async def _stored(
    transaction: Transaction, run_no: int, owners: Integers, suspects: Points
) -> list[tuple[Integers, Points]]:
    """Stored points of these series in the suspects' range of steps, each with its owner."""
    numbers = np.unique(owners)
    low, high = int(suspects.steps.min()), int(suspects.steps.max())
    [(compacted,)] = await fetch_all(transaction, _COMPACTED, {"run_no_is": run_no})
    stored = [
        (np.repeat(entry.series, entry.counts), entry.points)
        async for entry in journal_entries(transaction, run_no, after=compacted, wanted=numbers)
    ]
    codec = ChunkCodec()
    for some in parts(numbers.tolist()):
        chunks = await fetch_all(transaction, _CHUNKS, {"numbers": some, "low": low, "high": high})
        for series_no, payload in chunks:
            points = codec.decode([payload])
            points = points.take((points.steps >= low) & (points.steps <= high))
            stored.append((np.full(len(points), series_no), points))
    return stored


def _known(stored: list[tuple[Integers, Points]], owners: Integers, suspects: Points) -> Flags:
    """Which suspects are among the stored points."""
    all_owners = np.concatenate([*(part for part, _ in stored), owners])
    joined = Points.joined([*(points for _, points in stored), suspects])
    return _repeated(all_owners, joined)[len(all_owners) - len(owners) :]
