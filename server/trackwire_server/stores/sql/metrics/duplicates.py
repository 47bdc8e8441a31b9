"""Points without a stamp: an exact duplicate (series, step, time, value bit for bit) is stored once.

Stamped writers never come here. A point behind its series' last one can't be a duplicate, so a client that only moves
forward never costs a read. Whoever logs again what is behind, as after a resumption, costs a look at the journal; its
rows that have none of the times are not decoded: 1,000 rows of a point take 3 instead of 24 ms.
"""

from collections.abc import Callable

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
# The times of so few points are looked for in a row's bytes; those of more, once it is decoded.
_TIMES_IN_BYTES = 32


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
    """Stored points of these series that may be a suspect's like, each with its owner."""
    numbers = np.unique(owners)
    low, high = int(suspects.steps.min()), int(suspects.steps.max())
    [(compacted,)] = await fetch_all(transaction, _COMPACTED, {"run_no_is": run_no})
    stored = [
        _at_times(suspects.times_ms, np.repeat(entry.series, entry.counts), entry.points)
        async for entry in journal_entries(
            transaction, run_no, after=compacted, wanted=numbers, may_hold=_may_hold(suspects.times_ms)
        )
    ]
    codec = ChunkCodec()
    for some in parts(numbers.tolist()):
        chunks = await fetch_all(transaction, _CHUNKS, {"numbers": some, "low": low, "high": high})
        for series_no, payload in chunks:
            points = codec.decode([payload])
            points = points.take((points.steps >= low) & (points.steps <= high))
            stored.append((np.full(len(points), series_no), points))
    return stored


def _may_hold(times_ms: Integers) -> Callable[[bytes], bool] | None:
    """Whether a journal row's payload has one of these times in it, or bytes that look like one."""
    wanted = [time_ms.tobytes() for time_ms in np.unique(times_ms).astype("<i8")]
    if len(wanted) > _TIMES_IN_BYTES:
        return None
    return lambda payload: any(time_bytes in payload for time_bytes in wanted)


def _at_times(times_ms: Integers, owners: Integers, points: Points) -> tuple[Integers, Points]:
    """The points that have one of these times."""
    found = np.isin(points.times_ms, times_ms)
    return owners[found], points.take(found)


def _known(stored: list[tuple[Integers, Points]], owners: Integers, suspects: Points) -> Flags:
    """Which suspects are among the stored points."""
    all_owners = np.concatenate([*(part for part, _ in stored), owners])
    joined = Points.joined([*(points for _, points in stored), suspects])
    return _repeated(all_owners, joined)[len(all_owners) - len(owners) :]
