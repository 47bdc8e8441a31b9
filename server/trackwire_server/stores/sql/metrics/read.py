"""Reading series: chunks and journal of one snapshot.

A snapshot takes the list of chunks, the payloads that may still change (a series' last, unfilled chunk; the journal)
and the runs' arrivals. Full chunks never change, so their payloads are fetched later, a window at a time: a slow reader
holds no transaction.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Select, and_, case, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Integers, Points, SeriesName
from trackwire_server.core.errors import Aborted, InvalidArgument, NotFound, StoreCorrupt
from trackwire_server.core.metric_queries import ReadQuery, SeriesReader, Snapshot
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS, ChunkCodec
from trackwire_server.stores.sql.metrics.journal import JournalEntry, check_no_hole, decode_journal
from trackwire_server.stores.sql.metrics.names import context_in
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    metric_chunks,
    metric_journal,
    metric_keys,
    metric_series,
    run_heads,
    runs,
)

WINDOW_POINTS = 262_144
# What one statement brings into memory, and the event loop makes objects of in one go.
_JOURNAL_POINTS_AT_ONCE = 262_144
_JOURNAL_ROWS_AT_ONCE = 1_000
_SERIES_AT_ONCE = 256
_PAYLOADS_AT_ONCE = 1_000
# Below this many points, a thread costs more than the work.
_POINTS_WORTH_A_THREAD = 20_000
# What one snapshot may hold in memory: names, journal and unfilled chunks.
_SNAPSHOT_SERIES_MAX = 262_144
_SNAPSHOT_POINTS_MAX = 16 * 1_048_576


_NONE: Integers = np.empty(0, np.int64)


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
            await self._find_chunks(connection, found, query)
            await self._find_pending(connection, found, places, wanted_of(names) if query.keys else None)
        ids = {place.run_no: place.run_id for place in places}
        readers: list[SeriesReader] = [
            SqlSeriesReader(self._database, ids[run_no], name, found[number], query)
            for number, (run_no, name) in names.items()
        ]
        return Snapshot(readers, tuple(place.arrival for place in places))

    async def _find_chunks(self, connection: AsyncConnection, found: Mapping[int, _Series], query: ReadQuery) -> None:
        held = 0
        numbers = list(found)
        for at in range(0, len(numbers), _SERIES_AT_ONCE):
            places = _chunk_places(numbers[at : at + _SERIES_AT_ONCE], query)
            rows = await connection.execute(places)
            for number, ordinal, points, first_step, first_ms, last_step, last_ms, payload in rows:
                held += 0 if payload is None else points
                chunk = ChunkPlace(ordinal, points, (first_step, first_ms), (last_step, last_ms), payload)
                found[number].chunks.append(chunk)
            _check_held(held)

    async def _find_pending(
        self,
        connection: AsyncConnection,
        found: Mapping[int, _Series],
        places: Sequence[RunPlace],
        wanted: Mapping[int, Integers] | None,
    ) -> None:
        held = 0
        for place in places:
            if place.compacted_arrival == place.arrival:
                continue
            rows = 0
            of_run = None if wanted is None else wanted.get(place.run_no, _NONE)
            async for entry in journal_entries(connection, place.run_no, after=place.compacted_arrival, wanted=of_run):
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
        .limit(_SNAPSHOT_SERIES_MAX + 1)
    )
    if keys:
        statement = statement.where(metric_keys.c.key.in_(keys))
    rows = (await connection.execute(statement)).all()
    if len(rows) > _SNAPSHOT_SERIES_MAX:
        raise InvalidArgument(
            "run_ids",
            len(run_nos),
            f"these runs have more than {_SNAPSHOT_SERIES_MAX:,} series of these keys: ask for fewer runs or keys",
            limit=_SNAPSHOT_SERIES_MAX,
        )
    return {row.series_no: (row.run_no, SeriesName(row.key, context_in(row))) for row in rows}


def wanted_of(names: Mapping[int, tuple[int, SeriesName]]) -> dict[int, Integers]:
    """Run number → numbers of its series."""
    numbers = np.fromiter(names, np.int64, len(names))
    owners = np.fromiter((run_no for run_no, _ in names.values()), np.int64, len(names))
    return {int(run_no): numbers[owners == run_no] for run_no in np.unique(owners)}


async def journal_entries(
    connection: AsyncConnection, run_no: int, *, after: int, wanted: Integers | None = None
) -> AsyncIterator[JournalEntry]:
    """The journal of a run behind an arrival, in order; only the wanted series' points where given."""
    while rows := await journal_rows(connection, run_no, after=after, budget=_JOURNAL_POINTS_AT_ONCE):
        check_no_hole(run_no, [row.arrival for row in rows], after=after)
        for row in rows:
            yield only(decode_journal(row.payload), wanted)
        after = rows[-1].arrival


async def journal_rows(connection: AsyncConnection, run_no: int, *, after: int, budget: int) -> Sequence[AnyRow]:
    """The next rows of a run's journal: as many as the budget of points holds, and at least one if there is one."""
    behind = and_(metric_journal.c.run_no == run_no, metric_journal.c.arrival > after)
    order = metric_journal.c.arrival
    sizes = select(metric_journal.c.points).where(behind).order_by(order).limit(_JOURNAL_ROWS_AT_ONCE)
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


def _chunk_places(numbers: Sequence[int], query: ReadQuery) -> Select[tuple[Any, ...]]:
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
            case((chunk.points < CHUNK_POINTS, chunk.payload), else_=null()),
        )
        .where(chunk.series_no.in_(numbers))
        .order_by(chunk.series_no, chunk.ordinal)
    )
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
        self._pending: Points | None = None

    async def step_range(self) -> tuple[int, int] | None:
        """The first and the last step that can come; None where nothing can."""
        firsts = [chunk.first[0] for chunk in self._series.chunks]
        lasts = [chunk.last[0] for chunk in self._series.chunks]
        pending = await self._ordered_pending()
        if len(pending):
            firsts.append(int(pending.steps[0]))
            lasts.append(int(pending.steps[-1]))
        if not firsts:
            return None
        return self._query.clip(min(firsts), max(lasts))

    async def windows(self) -> AsyncGenerator[Points, None]:
        """All points in order, in parts; each is fetched while the one before it is at work."""
        following: asyncio.Task[Points] | None = None
        try:
            for groups, pending in self._windows(await self._ordered_pending()):
                current = following
                following = asyncio.create_task(self._load(groups, pending))
                if current is not None:
                    yield await current
            if following is not None:
                yield await following
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait([following])

    def _windows(self, pending: Points) -> Iterator[tuple[list[list[ChunkPlace]], Points]]:
        """Groups of chunks that make a part, and the pending points that belong among them."""
        groups: list[list[ChunkPlace]] = []
        points = 0
        for group in overlapping(self._series.chunks):
            groups.append(group)
            points += sum(chunk.points for chunk in group)
            if points >= WINDOW_POINTS:
                due = _before(pending, max(chunk.last for chunk in group))
                yield groups, pending.take(slice(0, due))
                groups, points, pending = [], 0, pending.take(slice(due, None))
        if groups or len(pending):
            yield groups, pending

    async def _ordered_pending(self) -> Points:
        """What is in the journal only, ordered when it is first needed."""
        if self._pending is None:
            parts = self._series.pending
            few = sum(len(part) for part in parts) < _POINTS_WORTH_A_THREAD
            self._pending = _chosen(parts, self._query) if few else await asyncio.to_thread(_chosen, parts, self._query)
            parts.clear()
        return self._pending

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
        chunk = metric_chunks.c
        found: dict[int, bytes] = {}
        async with self._database.read() as connection:
            for at in range(0, len(ordinals), _PAYLOADS_AT_ONCE):
                statement = select(chunk.ordinal, chunk.payload).where(
                    chunk.series_no == self._series.series_no,
                    chunk.ordinal.in_(ordinals[at : at + _PAYLOADS_AT_ONCE]),
                )
                found |= {row.ordinal: row.payload for row in await connection.execute(statement)}
        if len(found) != len(ordinals):
            raise Aborted(f"run_ids: run {self.run_id!r} was removed while it was read", reason="RUN_REMOVED")
        return found


def overlapping(chunks: Sequence[ChunkPlace]) -> Iterable[list[ChunkPlace]]:
    """Chunks in order, those together whose ranges overlap: only they have to be ordered anew."""
    group: list[ChunkPlace] = []
    end, ordinal = (0, 0), 0
    for chunk in sorted(chunks, key=lambda chunk: (chunk.first, chunk.ordinal)):
        # Equal points that lie in a chunk further back were logged later: they follow anyway.
        if group and (chunk.first > end or (chunk.first == end and chunk.ordinal > ordinal)):
            yield group
            group = []
        end = max(end, chunk.last) if group else chunk.last
        ordinal = max(ordinal, chunk.ordinal) if group else chunk.ordinal
        group.append(chunk)
    if group:
        yield group


def _before(points: Points, place: tuple[int, int]) -> int:
    """How many ordered points come before a (step, time)."""
    step, time_ms = place
    first, end = (int(np.searchsorted(points.steps, step, side=side)) for side in ("left", "right"))
    return first + int(np.searchsorted(points.times_ms[first:end], time_ms, side="left"))


def _chosen(parts: Sequence[Points], query: ReadQuery) -> Points:
    points = Points.joined(parts)
    return (points.take(query.mask(points)) if query.is_bounded else points).ordered()


def _assembled(payloads: Sequence[bytes], pending: Points, query: ReadQuery, *, in_order: bool) -> Points:
    stored = ChunkCodec().decode(payloads)
    points = stored if in_order else Points.joined([stored, pending]).ordered()
    return points.take(query.mask(points)) if query.is_bounded else points
