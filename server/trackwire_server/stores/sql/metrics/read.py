"""Reading series: chunks and journal of one snapshot.

A snapshot takes the list of chunks, the payloads that may still change (a series' last, unfilled chunk; the journal)
and the runs' arrivals. Full chunks never change, so their payloads are fetched later, a window at a time: a slow reader
holds no transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Select, case, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Points, SeriesName
from trackwire_server.core.errors import Aborted, InvalidArgument, NotFound, StoreCorrupt
from trackwire_server.core.metric_queries import ReadQuery, SeriesReader, Snapshot
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS, ChunkCodec
from trackwire_server.stores.sql.metrics.journal import JournalEntry, check_no_hole, decode_journal
from trackwire_server.stores.sql.metrics.names import context_in
from trackwire_server.stores.sql.tables import (
    metric_chunks,
    metric_journal,
    metric_keys,
    metric_series,
    run_heads,
    runs,
)

WINDOW_POINTS = 262_144
_JOURNAL_ROWS_AT_ONCE = 64
# What one snapshot may hold in memory: journal and unfilled chunks.
_SNAPSHOT_POINTS_MAX = 16 * 1_048_576


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a chunk lies and what it spans; the payload only where it may still change."""

    ordinal: int
    points: int
    first: tuple[int, int]
    last: tuple[int, int]
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class RunPlace:
    """A run as a snapshot saw it."""

    run_no: int
    run_id: str
    arrival: int
    compacted_arrival: int
    pruned_arrival: int


@dataclass(slots=True)
class _Series:
    """A series as a snapshot saw it."""

    series_no: int
    chunks: list[ChunkPlace] = field(default_factory=list)
    pending: list[Points] = field(default_factory=list)


class MetricReads:
    """Opens snapshots."""

    def __init__(self, database: Database):
        self._database = database

    async def open(self, query: ReadQuery) -> Snapshot:
        """The series of a query, each ready to be read. Raises NotFound for an unknown run."""
        async with self._database.read() as connection:
            places = await find_runs(connection, query.run_ids)
            names = await find_series(connection, [place.run_no for place in places], query.keys)
            found = {number: _Series(number) for number in names}
            await self._find_chunks(connection, found, places, query)
            await self._find_pending(connection, found, places)
        ids = {place.run_no: place.run_id for place in places}
        readers: list[SeriesReader] = [
            SqlSeriesReader(self._database, ids[run_no], name, found[number], query)
            for number, (run_no, name) in names.items()
        ]
        return Snapshot(readers, tuple(place.arrival for place in places))

    async def _find_chunks(
        self, connection: AsyncConnection, found: Mapping[int, _Series], places: Sequence[RunPlace], query: ReadQuery
    ) -> None:
        held = 0
        for row in await connection.execute(_chunk_places(places, query)):
            held += row.points if row.payload is not None else 0
            _check_held(held)
            chunk = ChunkPlace(
                row.ordinal,
                row.points,
                (row.first_step, row.first_time_ms),
                (row.last_step, row.last_time_ms),
                row.payload,
            )
            found[row.series_no].chunks.append(chunk)

    async def _find_pending(
        self, connection: AsyncConnection, found: Mapping[int, _Series], places: Sequence[RunPlace]
    ) -> None:
        held = 0
        for place in places:
            if place.compacted_arrival == place.arrival:
                continue
            rows = 0
            async for entry in journal_entries(connection, place.run_no, after=place.compacted_arrival, wanted=found):
                rows += 1
                held += len(entry.points)
                _check_held(held)
                for number, points in by_series(entry):
                    found[number].pending.append(points)
            if rows != place.arrival - place.compacted_arrival:
                raise StoreCorrupt(f"the journal of run {place.run_id!r} ends before row {place.arrival}")


def _check_held(points: int) -> None:
    if points > _SNAPSHOT_POINTS_MAX:
        raise InvalidArgument(
            "keys",
            points,
            f"so many points of these series are not in full chunks, at most {_SNAPSHOT_POINTS_MAX:,} can be read in"
            " one call: ask for fewer runs or keys",
            limit=_SNAPSHOT_POINTS_MAX,
        )


async def find_runs(connection: AsyncConnection, run_ids: Sequence[str]) -> list[RunPlace]:
    """The runs, in the order asked for. Raises NotFound."""
    statement = (
        select(
            runs.c.run_no,
            runs.c.run_id,
            run_heads.c.arrival,
            run_heads.c.compacted_arrival,
            run_heads.c.pruned_arrival,
        )
        .join(run_heads, run_heads.c.run_no == runs.c.run_no)
        .where(runs.c.run_id.in_(run_ids))
    )
    found = {row.run_id: RunPlace(*row) for row in await connection.execute(statement)}
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound("run", run_id, field="run_ids")
    return [found[run_id] for run_id in run_ids]


async def find_series(
    connection: AsyncConnection, run_nos: Sequence[int], keys: Collection[str]
) -> dict[int, tuple[int, SeriesName]]:
    """Series number → run number and name, by run and then in the order in which they were made; no keys means all."""
    statement = (
        select(metric_series, metric_keys.c.key)
        .join(metric_keys, metric_keys.c.key_no == metric_series.c.key_no)
        .where(metric_series.c.run_no.in_(run_nos))
        .order_by(metric_series.c.run_no, metric_series.c.series_no)
    )
    if keys:
        statement = statement.where(metric_keys.c.key.in_(keys))
    rows = await connection.execute(statement)
    return {row.series_no: (row.run_no, SeriesName(row.key, context_in(row))) for row in rows}


async def journal_entries(
    connection: AsyncConnection, run_no: int, *, after: int, wanted: Collection[int] | None = None
) -> AsyncIterator[JournalEntry]:
    """The journal of a run behind an arrival, in order; only the wanted series' points where given."""
    numbers = None if wanted is None else np.fromiter(wanted, np.int64, len(wanted))
    while True:
        statement = (
            select(metric_journal.c.arrival, metric_journal.c.payload)
            .where(metric_journal.c.run_no == run_no, metric_journal.c.arrival > after)
            .order_by(metric_journal.c.arrival)
            .limit(_JOURNAL_ROWS_AT_ONCE)
        )
        rows = (await connection.execute(statement)).all()
        if rows:
            check_no_hole(run_no, [row.arrival for row in rows], after=after)
        for row in rows:
            yield only(decode_journal(row.payload), numbers)
        if len(rows) < _JOURNAL_ROWS_AT_ONCE:
            return
        after = rows[-1].arrival


def only(entry: JournalEntry, numbers: np.ndarray | None) -> JournalEntry:
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


def _chunk_places(places: Sequence[RunPlace], query: ReadQuery) -> Select[tuple[object, ...]]:
    chunk = metric_chunks.c
    statement = (
        select(
            chunk.series_no,
            chunk.ordinal,
            chunk.points,
            chunk.first_step,
            chunk.first_time_ms,
            chunk.last_step,
            chunk.last_time_ms,
            case((chunk.points < CHUNK_POINTS, chunk.payload), else_=null()).label("payload"),
        )
        .join(metric_series, metric_series.c.series_no == chunk.series_no)
        .where(metric_series.c.run_no.in_([place.run_no for place in places]))
        .order_by(chunk.series_no, chunk.ordinal)
    )
    if query.keys:
        keys = select(metric_keys.c.key_no).where(metric_keys.c.key.in_(query.keys))
        statement = statement.where(metric_series.c.key_no.in_(keys))
    if query.min_step is not None:
        statement = statement.where(chunk.last_step >= query.min_step)
    if query.max_step is not None:
        statement = statement.where(chunk.first_step <= query.max_step)
    return statement


class SqlSeriesReader:
    """One series of a snapshot."""

    def __init__(self, database: Database, run_id: str, name: SeriesName, series: _Series, query: ReadQuery):
        self.run_id = run_id
        self.name = name
        self._database = database
        self._series = series
        self._query = query
        pending = Points.joined(series.pending)
        self._pending = pending.take(query.mask(pending)).ordered()

    def step_range(self) -> tuple[int, int] | None:
        """The first and the last step that can come; None where nothing can."""
        firsts = [chunk.first[0] for chunk in self._series.chunks]
        lasts = [chunk.last[0] for chunk in self._series.chunks]
        if len(self._pending):
            firsts.append(int(self._pending.steps[0]))
            lasts.append(int(self._pending.steps[-1]))
        if not firsts:
            return None
        return self._query.clip(min(firsts), max(lasts))

    async def windows(self) -> AsyncIterator[Points]:
        """All points in order, in parts; each is fetched while the one before it is at work."""
        following: asyncio.Task[Points] | None = None
        try:
            for groups, pending in self._windows():
                current = following
                following = asyncio.create_task(self._load(groups, pending))
                if current is not None:
                    yield await current
            if following is not None:
                yield await following
        finally:
            if following is not None:
                following.cancel()

    def _windows(self) -> Iterator[tuple[list[list[ChunkPlace]], Points]]:
        """Groups of chunks that make a part, and the pending points that belong among them."""
        groups: list[list[ChunkPlace]] = []
        points = 0
        for group in overlapping(self._series.chunks):
            groups.append(group)
            points += sum(chunk.points for chunk in group)
            if points >= WINDOW_POINTS and not self._reaches_into(group):
                yield groups, Points.empty()
                groups, points = [], 0
        if groups or len(self._pending):
            yield groups, self._pending

    def _reaches_into(self, group: Sequence[ChunkPlace]) -> bool:
        """Whether pending points lie before the end of a group, so that what follows must be ordered with them."""
        if not len(self._pending):
            return False
        return (int(self._pending.steps[0]), int(self._pending.times_ms[0])) <= max(chunk.last for chunk in group)

    async def _load(self, groups: Sequence[Sequence[ChunkPlace]], pending: Points) -> Points:
        places = [chunk for group in groups for chunk in group]
        in_order = len(places) == len(groups) and not len(pending)
        if not in_order:
            # Equal steps and times keep the order in which they were logged: that of the ordinals.
            places.sort(key=lambda chunk: chunk.ordinal)
        missing = [chunk.ordinal for chunk in places if chunk.payload is None]
        fetched = await self._fetch(missing) if missing else {}
        payloads = [fetched[chunk.ordinal] if chunk.payload is None else chunk.payload for chunk in places]
        if len(payloads) + len(pending) < 2:
            return _assembled(payloads, pending, self._query, in_order=in_order)
        return await asyncio.to_thread(_assembled, payloads, pending, self._query, in_order=in_order)

    async def _fetch(self, ordinals: Sequence[int]) -> dict[int, bytes]:
        statement = select(metric_chunks.c.ordinal, metric_chunks.c.payload).where(
            metric_chunks.c.series_no == self._series.series_no,
            metric_chunks.c.ordinal.between(min(ordinals), max(ordinals)),
        )
        wanted = frozenset(ordinals)
        async with self._database.read() as connection:
            found = {row.ordinal: row.payload for row in await connection.execute(statement) if row.ordinal in wanted}
        if len(found) != len(wanted):
            raise Aborted(f"run_ids: run {self.run_id!r} was removed while it was read", reason="RUN_REMOVED")
        return found


def overlapping(chunks: Sequence[ChunkPlace]) -> Iterable[list[ChunkPlace]]:
    """Chunks in order, those together whose ranges overlap: only they have to be ordered anew."""
    group: list[ChunkPlace] = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.first, chunk.ordinal)):
        if group and chunk.first > max(earlier.last for earlier in group):
            yield group
            group = []
        group.append(chunk)
    if group:
        yield group


def _assembled(payloads: Sequence[bytes], pending: Points, query: ReadQuery, *, in_order: bool) -> Points:
    stored = ChunkCodec().decode(payloads)
    points = stored if in_order else Points.joined([stored, pending]).ordered()
    return points.take(query.mask(points)) if query.is_bounded else points
