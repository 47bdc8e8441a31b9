"""Tailing: the journal behind a position, also the part of it that is compacted but kept for a while."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.errors import InvalidArgument, TailTokenExpired
from trackwire_server.core.metric_queries import Arrival, Arrived, SeriesPoints
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.journal import check_no_hole, decode_journal
from trackwire_server.stores.sql.metrics.read import RunPlace, by_series, find_runs, find_series, only
from trackwire_server.stores.sql.tables import metric_journal

# One answer holds so many points at the most, and at least one arrival.
_POINTS_AT_ONCE = 262_144


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
            behind = [at for at, place in enumerate(places) if positions[at] < place.arrival]
            names = await find_series(connection, [places[at].run_no for at in behind], keys) if behind else {}
            arrivals: list[Arrival] = []
            budget = _POINTS_AT_ONCE
            for at in behind:
                if budget > 0:
                    found = await self._read(connection, (at, places[at]), positions[at], names, budget)
                    arrivals += found
                    budget -= sum(len(part.points) for arrival in found for part in arrival.parts)
        reached = list(positions)
        for arrival in arrivals:
            reached[arrival.at] = arrival.number
        return Arrived(arrivals, tuple(reached), any(reached[at] < places[at].arrival for at in behind))

    async def _read(
        self,
        connection: AsyncConnection,
        place: tuple[int, RunPlace],
        position: int,
        names: dict[int, tuple[int, SeriesName]],
        budget: int,
    ) -> list[Arrival]:
        """The next arrivals of a run: as many as the budget holds, and at least one."""
        at, run = place
        statement = (
            select(metric_journal.c.arrival, metric_journal.c.payload)
            .where(metric_journal.c.run_no == run.run_no, metric_journal.c.arrival > position)
            .order_by(metric_journal.c.arrival)
            .limit(await self._rows_within(connection, run, position, budget))
        )
        rows = (await connection.execute(statement)).all()
        check_no_hole(run.run_no, [row.arrival for row in rows], after=position)
        wanted = np.fromiter(names, np.int64, len(names))
        return [
            Arrival(
                at,
                row.arrival,
                [
                    SeriesPoints(run.run_id, names[number][1], points)
                    for number, points in by_series(only(decode_journal(row.payload), wanted))
                ],
            )
            for row in rows
        ]

    async def _rows_within(self, connection: AsyncConnection, place: RunPlace, position: int, budget: int) -> int:
        statement = (
            select(metric_journal.c.points)
            .where(metric_journal.c.run_no == place.run_no, metric_journal.c.arrival > position)
            .order_by(metric_journal.c.arrival)
            .limit(1_000)
        )
        sizes = (await connection.scalars(statement)).all()
        return max(1, int(np.searchsorted(np.cumsum(sizes), budget, side="right")))


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
