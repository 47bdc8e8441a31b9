"""One series of a snapshot: its chunks and its pending points, in order, a window at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import bindparam, select

from trackwire_server.core.columns import Points, SeriesName
from trackwire_server.core.errors import Aborted
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.tables import metric_chunks

WINDOW_POINTS = 1_048_576
_PAYLOADS_AT_ONCE = 1_000
# Below this many points, a thread costs more than the work.
_POINTS_WORTH_A_THREAD = 20_000


_PAYLOADS = Prepared(
    select(metric_chunks.c.ordinal, metric_chunks.c.payload).where(
        metric_chunks.c.series_no == bindparam("series_no"),
        metric_chunks.c.ordinal.in_(bindparam("ordinals", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a chunk lies and what it spans; the payload only where it may still change."""

    ordinal: int
    points: int
    first: tuple[int, int]
    last: tuple[int, int]
    payload: bytes | None


@dataclass(slots=True)
class StoredSeries:
    """A series as a snapshot saw it."""

    series_no: int
    chunks: list[ChunkPlace] = field(default_factory=list)
    pending: list[Points] = field(default_factory=list)


class SqlSeriesReader:
    """One series of a snapshot."""

    def __init__(self, database: Database, run_id: str, name: SeriesName, series: StoredSeries, query: ReadQuery):
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
        first, *others = _windows(self._series.chunks, await self._ordered_pending()) or [([], Points.empty())]
        if not others:
            yield await self._load(*first)
            return
        following = asyncio.create_task(self._load(*first))
        try:
            for groups, among in others:
                current, following = following, asyncio.create_task(self._load(groups, among))
                yield await current
            yield await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

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
        if sum(chunk.points for chunk in places) + len(pending) < _POINTS_WORTH_A_THREAD:
            return _assembled(payloads, pending, self._query, in_order=in_order)
        return await asyncio.to_thread(_assembled, payloads, pending, self._query, in_order=in_order)

    async def _fetch(self, ordinals: Sequence[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        async with self._database.read() as connection:
            for at in range(0, len(ordinals), _PAYLOADS_AT_ONCE):
                part = {"series_no": self._series.series_no, "ordinals": ordinals[at : at + _PAYLOADS_AT_ONCE]}
                found |= dict(await fetch_all(connection, _PAYLOADS, part))
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


def _windows(chunks: Sequence[ChunkPlace], pending: Points) -> list[tuple[list[list[ChunkPlace]], Points]]:
    """Groups of chunks that make a window, and the pending points that come among them."""
    windows: list[tuple[list[list[ChunkPlace]], Points]] = []
    groups: list[list[ChunkPlace]] = []
    points = 0
    for group in overlapping(chunks):
        groups.append(group)
        points += sum(chunk.points for chunk in group)
        if points >= WINDOW_POINTS:
            due = _before(pending, max(chunk.last for chunk in group))
            windows.append((groups, pending.take(slice(0, due))))
            groups, points, pending = [], 0, pending.take(slice(due, None))
    if groups or len(pending):
        windows.append((groups, pending))
    return windows


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
