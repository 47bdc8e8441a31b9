"""Series of a snapshot thinned, many at once: by the thinned forms of chunks where these do, else by all points.

series ──► thinned forms of their chunks ──► windows ──► batches of windows ──► payloads ──► thread: decode, thin
           a portion of series a trip                    of bounded size      a trip each
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import groupby

from trackwire_server.core.columns import Points
from trackwire_server.core.downsampling import Downsampler, buckets_of, level_of
from trackwire_server.core.metric_queries import ReadQuery, SeriesPoints
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.metrics.payloads import CHUNK_PAYLOADS, THINNED_PAYLOADS, Payloads
from trackwire_server.stores.sql.metrics.series_reader import removed
from trackwire_server.stores.sql.metrics.thinned import decode_thinned, serves
from trackwire_server.stores.sql.metrics.windows import ChunkPlace, StoredSeries, Window, windows_of

# Of one portion, and of one batch; a series or a window may be more by itself.
_CHUNKS_AT_ONCE = 4_096
_POINTS_AT_ONCE = 262_144


@dataclass(frozen=True, slots=True)
class _Job:
    """A window of a series, and what its chunks are thinned to as far as that does."""

    series: StoredSeries
    window: Window
    thinned: Payloads
    downsampler: Downsampler
    is_last: bool

    @property
    def whole(self) -> list[int]:
        """Ordinals of the chunks of which all points are needed, and not at hand."""
        held = self.series.payloads
        return [
            chunk.ordinal for chunk in self.window.chunks if chunk.ordinal not in held and not self.is_thinned(chunk)
        ]

    @property
    def points(self) -> int:
        """That have to be decoded, about."""
        chunks = self.window.chunks
        return len(self.window.pending) + sum(0 if self.is_thinned(chunk) else chunk.points for chunk in chunks)

    def is_thinned(self, chunk: ChunkPlace) -> bool:
        """Whether a chunk's thinned form stands for it."""
        return (self.series.series_no, chunk.ordinal) in self.thinned


class ThinnedReads:
    """Thins the series of one snapshot."""

    def __init__(self, database: Database, query: ReadQuery, max_points: int):
        self._database = database
        self._query = query
        self._max_points = max_points

    async def read(self, every: Sequence[StoredSeries]) -> AsyncGenerator[SeriesPoints, None]:
        """Each series, in order; a batch is fetched while the one before it is at work."""
        async with aclosing(self._batches(every)) as batches:
            following = asyncio.ensure_future(anext(batches, None))
            try:
                while (batch := await following) is not None:
                    following = asyncio.ensure_future(anext(batches, None))
                    for part in await asyncio.to_thread(self._thin, *batch):
                        yield part
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _batches(self, every: Sequence[StoredSeries]) -> AsyncGenerator[tuple[list[_Job], Payloads], None]:
        for portion in _portions(every):
            thinned = await self._fetch_thinned(portion)
            jobs = await asyncio.to_thread(self._jobs, portion, thinned)
            for batch in _bounded(jobs):
                yield batch, await self._fetch_whole(batch)

    async def _fetch_thinned(self, portion: Sequence[StoredSeries]) -> Payloads:
        wanted = {series.series_no: self._served(series) for series in portion}
        wanted = {series_no: ordinals for series_no, ordinals in wanted.items() if ordinals}
        if not wanted:
            return {}
        async with self._database.read() as connection:
            return await THINNED_PAYLOADS.fetch(connection, wanted)

    def _served(self, series: StoredSeries) -> list[int]:
        """Ordinals of the chunks whose thinned forms do, if they are there."""
        full = [
            (chunk.ordinal, chunk.points, chunk.first[0], chunk.last[0])
            for chunk in series.chunks
            if chunk.ordinal not in series.payloads and self._query.holds_all(chunk.first[0], chunk.last[0])
        ]
        if sum(points for _, points, _, _ in full) <= self._max_points:
            return []
        # All points span at least these steps, and so their buckets are at least as wide.
        first, last = min(first for _, _, first, _ in full), max(last for _, _, _, last in full)
        level = level_of(first, last, buckets_of(self._max_points))
        return [ordinal for ordinal, _, first, last in full if serves(first, last, level)]

    def _jobs(self, portion: Sequence[StoredSeries], thinned: Payloads) -> list[_Job]:
        jobs: list[_Job] = []
        for series in portion:
            downsampler = Downsampler(self._max_points)
            windows = windows_of(series.chunks, series.ordered_pending(self._query))
            jobs += [_Job(series, each, thinned, downsampler, is_last=each is windows[-1]) for each in windows]
        return jobs

    async def _fetch_whole(self, jobs: Sequence[_Job]) -> Payloads:
        wanted: dict[int, list[int]] = {}
        for job in jobs:
            if whole := job.whole:
                wanted.setdefault(job.series.series_no, []).extend(whole)
        if not wanted:
            return {}
        async with self._database.read() as connection:
            ordered = {series_no: sorted(ordinals) for series_no, ordinals in wanted.items()}
            found = await CHUNK_PAYLOADS.fetch(connection, ordered)
        for job in jobs:
            if any((job.series.series_no, ordinal) not in found for ordinal in job.whole):
                raise removed(job.series.run_id)
        return found

    def _thin(self, jobs: Sequence[_Job], payloads: Payloads) -> list[SeriesPoints]:
        """What the series are thinned to whose last windows are among these."""
        codec = ChunkCodec()
        done: list[SeriesPoints] = []
        for job in jobs:
            stored, left_out = _stored(job, payloads, codec)
            points = job.window.assembled(stored, self._query)
            job.downsampler.add(points, stand_for=len(points) + left_out)
            if job.is_last:
                done.append(SeriesPoints(job.series.run_id, job.series.name, job.downsampler.result()))
        return done


def _stored(job: _Job, payloads: Payloads, codec: ChunkCodec) -> tuple[Points, int]:
    """The points of a window's chunks, and how many of them are left out where thinned forms stand for them."""
    parts: list[Points] = []
    left_out = 0
    number, held = job.series.series_no, job.series.payloads
    for is_thinned, run in groupby(job.window.chunks, job.is_thinned):
        chunks = list(run)
        if is_thinned:
            part = decode_thinned([job.thinned[number, chunk.ordinal] for chunk in chunks])
            left_out += sum(chunk.points for chunk in chunks) - len(part)
        else:
            part = codec.decode([held.get(chunk.ordinal) or payloads[number, chunk.ordinal] for chunk in chunks])
        parts.append(part)
    return Points.joined(parts), left_out


def _portions(every: Iterable[StoredSeries]) -> Iterator[list[StoredSeries]]:
    """Series in order, so many together that they have about as many chunks as may be looked at in one go."""
    portion: list[StoredSeries] = []
    chunks = 0
    for series in every:
        if portion and chunks + len(series.chunks) > _CHUNKS_AT_ONCE:
            yield portion
            portion, chunks = [], 0
        portion.append(series)
        chunks += len(series.chunks)
    if portion:
        yield portion


def _bounded(jobs: Iterable[_Job]) -> Iterator[list[_Job]]:
    """Jobs in order, so many together that they have about as many points as may be decoded in one go."""
    batch: list[_Job] = []
    points = 0
    for job in jobs:
        batch.append(job)
        points += job.points
        if points >= _POINTS_AT_ONCE:
            yield batch
            batch, points = [], 0
    if batch:
        yield batch
