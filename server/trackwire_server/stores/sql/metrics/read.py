"""Opening a snapshot: the list of chunks, what may still change, and how far each run has come.

What may still change is a series' last, unfilled chunk, and the journal: these payloads are taken at once. Full chunks
never change, so their payloads are fetched later, a window at a time: a slow reader holds no transaction.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence

import numpy as np
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Integers
from trackwire_server.core.errors import InvalidArgument, StoreCorrupt
from trackwire_server.core.metric_queries import ReadQuery, SeriesPoints, SeriesReader, Snapshot
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS
from trackwire_server.stores.sql.metrics.journal_rows import by_series, journal_entries
from trackwire_server.stores.sql.metrics.payloads import CHUNK_PAYLOADS
from trackwire_server.stores.sql.metrics.places import RunPlace, find_runs, find_series, wanted_of
from trackwire_server.stores.sql.metrics.series_reader import SqlSeriesReader
from trackwire_server.stores.sql.metrics.thinned_reads import ThinnedReads
from trackwire_server.stores.sql.metrics.windows import ChunkPlace, StoredSeries
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.tables import metric_chunks

_SERIES_AT_ONCE = 256
# What one snapshot may hold in memory: journal and unfilled chunks.
_POINTS_MAX = 16 * 1_048_576
_NONE: Integers = np.empty(0, np.int64)
_INT64 = np.iinfo(np.int64)
_CHUNK = metric_chunks.c
# Where the bounds are not given, every chunk is within them. SQLite answers from ix_metric_chunks_places.
_CHUNK_PLACES = Prepared(
    select(
        _CHUNK.series_no,
        _CHUNK.ordinal,
        _CHUNK.points,
        _CHUNK.first_step,
        _CHUNK.first_time_ms,
        _CHUNK.last_step,
        _CHUNK.last_time_ms,
    )
    .where(
        _CHUNK.series_no.in_(bindparam("numbers", expanding=True)),
        _CHUNK.last_step >= bindparam("min_step"),
        _CHUNK.first_step <= bindparam("max_step"),
    )
    .order_by(_CHUNK.series_no, _CHUNK.ordinal)
)


class SqlSnapshot:
    """A Snapshot."""

    def __init__(self, database: Database, query: ReadQuery, stored: Sequence[StoredSeries], arrivals: tuple[int, ...]):
        self.series: Sequence[SeriesReader] = [SqlSeriesReader(database, series, query) for series in stored]
        self.arrivals = arrivals
        self._database = database
        self._query = query
        self._stored = stored

    def thinned(self, max_points: int) -> AsyncGenerator[SeriesPoints, None]:
        """As Snapshot says."""
        return ThinnedReads(self._database, self._query, max_points).read(self._stored)


class MetricReads:
    """Opens snapshots."""

    def __init__(self, database: Database):
        self._database = database

    async def open(self, query: ReadQuery) -> Snapshot:
        """The series of a query, each ready to be read. Raises NotFound for an unknown run."""
        async with self._database.read() as connection:
            places = await find_runs(connection, query.run_ids)
            names = await find_series(connection, [place.run_no for place in places], query.keys)
            ids = {place.run_no: place.run_id for place in places}
            found = {number: StoredSeries(number, ids[run_no], name) for number, (run_no, name) in names.items()}
            await self._find_chunks(connection, found, query)
            await self._find_pending(connection, found, places, wanted_of(names) if query.keys else None)
        return SqlSnapshot(self._database, query, list(found.values()), tuple(place.arrival for place in places))

    async def _find_chunks(
        self, connection: AsyncConnection, found: Mapping[int, StoredSeries], query: ReadQuery
    ) -> None:
        numbers = list(found)
        unfilled: dict[int, list[int]] = {}
        held = 0
        for at in range(0, len(numbers), _SERIES_AT_ONCE):
            parameters = {
                "numbers": numbers[at : at + _SERIES_AT_ONCE],
                "min_step": int(_INT64.min) if query.min_step is None else query.min_step,
                "max_step": int(_INT64.max) if query.max_step is None else query.max_step,
            }
            rows = await fetch_all(connection, _CHUNK_PLACES, parameters)
            for number, ordinal, points, first_step, first_ms, last_step, last_ms in rows:
                found[number].chunks.append(ChunkPlace(ordinal, points, (first_step, first_ms), (last_step, last_ms)))
                if points < CHUNK_POINTS:
                    unfilled.setdefault(number, []).append(ordinal)
                    held += points
            _check_held(held)
        for (number, ordinal), payload in (await CHUNK_PAYLOADS.fetch(connection, unfilled)).items():
            found[number].payloads[ordinal] = payload

    async def _find_pending(
        self,
        connection: AsyncConnection,
        found: Mapping[int, StoredSeries],
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
    if points > _POINTS_MAX:
        raise InvalidArgument(
            "keys",
            points,
            f"so many points of these series are not in full chunks, at most {_POINTS_MAX:,} can be read in"
            " one call: ask for fewer runs or keys",
            limit=_POINTS_MAX,
        )
