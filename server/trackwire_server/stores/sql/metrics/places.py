"""Runs and series as a snapshot finds them: their numbers, and how far they have come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Integers, SeriesName
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.stores.sql.metrics.names import NAMED_SERIES, series_name
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.tables import metric_keys, metric_series, run_heads, runs

_SERIES_MAX = 262_144


_RUNS = Prepared(
    select(
        runs.c.run_no,
        runs.c.run_id,
        run_heads.c.arrival,
        run_heads.c.compacted_arrival,
        run_heads.c.pruned_arrival,
    )
    .join(run_heads, run_heads.c.run_no == runs.c.run_no)
    .where(runs.c.run_id.in_(bindparam("run_ids", expanding=True)))
)
_SELECT_SERIES = (
    NAMED_SERIES.where(metric_series.c.run_no.in_(bindparam("run_nos", expanding=True)))
    .order_by(metric_series.c.run_no, metric_series.c.series_no)
    .limit(bindparam("limit"))
)
_SERIES = Prepared(_SELECT_SERIES)
_SERIES_OF_KEYS = Prepared(_SELECT_SERIES.where(metric_keys.c.key.in_(bindparam("keys", expanding=True))))


@dataclass(frozen=True, slots=True)
class RunPlace:
    """A run as a snapshot saw it."""

    run_no: int
    run_id: str
    arrival: int
    compacted_arrival: int
    pruned_arrival: int


async def find_runs(connection: AsyncConnection, run_ids: Sequence[str]) -> list[RunPlace]:
    """The runs, in the order asked for. Raises NotFound."""
    places = [RunPlace(*row) for row in await fetch_all(connection, _RUNS, {"run_ids": list(run_ids)})]
    found = {place.run_id: place for place in places}
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound("run", run_id, field="run_ids")
    return [found[run_id] for run_id in run_ids]


async def find_series(
    connection: AsyncConnection, run_nos: Sequence[int], keys: Collection[str]
) -> dict[int, tuple[int, SeriesName]]:
    """Series number → run number and name, by run and then in the order in which they were made; no keys means all."""
    parameters = {"run_nos": list(run_nos), "limit": _SERIES_MAX + 1} | ({"keys": list(keys)} if keys else {})
    rows = await fetch_all(connection, _SERIES_OF_KEYS if keys else _SERIES, parameters)
    if len(rows) > _SERIES_MAX:
        raise InvalidArgument(
            "run_ids",
            len(run_nos),
            f"these runs have more than {_SERIES_MAX:,} series of these keys: ask for fewer runs or keys",
            limit=_SERIES_MAX,
        )
    return {series_no: (run_no, series_name(*name)) for series_no, run_no, *name in rows}


def wanted_of(names: Mapping[int, tuple[int, SeriesName]]) -> dict[int, Integers]:
    """Run number → numbers of its series."""
    numbers = np.fromiter(names, np.int64, len(names))
    owners = np.fromiter((run_no for run_no, _ in names.values()), np.int64, len(names))
    return {int(run_no): numbers[owners == run_no] for run_no in np.unique(owners)}
