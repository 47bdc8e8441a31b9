"""Tailing: the journal behind a position, also the part of it that is compacted but kept for a while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.errors import InvalidArgument, TailTokenExpired
from trackwire_server.core.metric_queries import Arrival, Arrived, SeriesPoints
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.journal import JournalEntry, check_no_hole, decode_journal
from trackwire_server.stores.sql.metrics.journal_rows import by_series, journal_rows, only
from trackwire_server.stores.sql.metrics.names import NAMED_SERIES, series_name
from trackwire_server.stores.sql.metrics.places import RunPlace, find_runs
from trackwire_server.stores.sql.prepared import parts
from trackwire_server.stores.sql.tables import metric_keys, metric_series

# One answer holds so many points at the most, and at least one arrival.
_POINTS_AT_ONCE = 262_144


@dataclass(frozen=True, slots=True)
class _Taken:
    """One row of the journal of the `at`-th run."""

    at: int
    number: int
    entry: JournalEntry


class MetricTail:
    """Reads arrivals."""

    def __init__(self, database: Database):
        self._database = database

    async def read_arrivals(
        self, run_ids: Sequence[str], keys: frozenset[str], positions: Sequence[int] | None
    ) -> Arrived:
        """What arrived behind the positions; None means the present ones. Raises NotFound, TailTokenExpired."""
        async with self._database.read() as connection:
            places = await find_runs(connection, run_ids)
            if positions is None:
                return Arrived((), tuple(place.arrival for place in places), more=False)
            _check_positions(places, positions)
            taken: list[_Taken] = []
            budget = _POINTS_AT_ONCE
            for at, place in enumerate(places):
                if budget > 0 and positions[at] < place.arrival:
                    rows = await journal_rows(connection, place.run_no, after=positions[at], budget=budget)
                    check_no_hole(place.run_no, [arrival for arrival, _, _ in rows], after=positions[at])
                    taken += [_Taken(at, arrival, decode_journal(payload)) for arrival, _, payload in rows]
                    budget -= sum(points for _, points, _ in rows)
            names = await _names(connection, [each.entry for each in taken], keys)
        reached = list(positions)
        for each in taken:
            reached[each.at] = each.number
        arrivals = [Arrival(each.at, each.number, _parts(run_ids[each.at], each.entry, names)) for each in taken]
        return Arrived(arrivals, tuple(reached), any(reached[at] < place.arrival for at, place in enumerate(places)))


async def _names(
    connection: AsyncConnection, entries: Sequence[JournalEntry], keys: frozenset[str]
) -> dict[int, SeriesName]:
    """Names of the series in these entries; only those of the wanted keys where given."""
    numbers = np.unique(np.concatenate([entry.series for entry in entries])).tolist() if entries else []
    names: dict[int, SeriesName] = {}
    for part in parts(numbers):
        statement = NAMED_SERIES.where(metric_series.c.series_no.in_(part))
        if keys:
            statement = statement.where(metric_keys.c.key.in_(keys))
        for series_no, _, *name in await connection.execute(statement):
            names[series_no] = series_name(*name)
    return names


def _parts(run_id: str, entry: JournalEntry, names: Mapping[int, SeriesName]) -> list[SeriesPoints]:
    wanted = only(entry, np.fromiter(names, np.int64, len(names)))
    return [SeriesPoints(run_id, names[number], points) for number, points in by_series(wanted)]


def _check_positions(places: Sequence[RunPlace], positions: Sequence[int]) -> None:
    for place, position in zip(places, positions, strict=True):
        if position < place.pruned_arrival:
            raise TailTokenExpired(place.run_id, arrival=position, kept_from=place.pruned_arrival)
        if position > place.arrival:
            raise InvalidArgument(
                "resume_token",
                position,
                f"run {place.run_id!r} has only come to {place.arrival}: the token is of another store",
                reason="BAD_RESUME_TOKEN",
            )
