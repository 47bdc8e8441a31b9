"""Reads all points of a database, and compares them with what it tells of them."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.metrics.journal_rows import journal_entries
from trackwire_server.stores.sql.metrics.places import RunPlace
from trackwire_server.stores.sql.metrics.thinned import encode_thinned
from trackwire_server.stores.sql.tables import (
    datasets,
    evaluation_dataset_records,
    evaluation_datasets,
    experiment_tags,
    experiments,
    issues,
    logged_models,
    metric_chunks,
    metric_series,
    metric_summaries,
    metric_thinned,
    model_versions,
    registered_models,
    run_heads,
    run_params,
    run_tags,
    runs,
)

# What people know of, and compaction leaves as it is: the same before a backup and after it is restored.
COUNTED: Sequence[Table] = (
    experiments,
    experiment_tags,
    runs,
    run_params,
    run_tags,
    datasets,
    metric_series,
    logged_models,
    issues,
    evaluation_datasets,
    evaluation_dataset_records,
    registered_models,
    model_versions,
)
_RUNS_AT_ONCE = 200
# Some 17 MiB at the most, and a moment's work between two statements.
_CHUNKS_AT_ONCE = 256
_SERIES, _CHUNK, _THINNED = metric_series.c, metric_chunks.c, metric_thinned.c


@dataclass(frozen=True, slots=True)
class Findings:
    """How much there is of what, all of one moment, and each thing that is wrong, in words."""

    counts: Mapping[str, int]
    damages: Sequence[str]


async def check_database(database: Database) -> Findings:
    """Decodes every point there is, in one snapshot."""
    async with database.read() as connection:
        counts = {table.name: await _count(connection, table) for table in COUNTED}
        told = await connection.scalar(select(func.sum(metric_summaries.c.count)))
        damages = [damage async for damage in _damages(connection)]
    return Findings({**counts, "points": int(told or 0)}, damages)


async def _count(connection: AsyncConnection, table: Table) -> int:
    return await connection.scalar(select(func.count()).select_from(table)) or 0


async def _damages(connection: AsyncConnection) -> AsyncIterator[str]:
    codec = ChunkCodec()
    behind = -1
    while places := await _runs_behind(connection, behind):
        told = await _told_counts(connection, behind, places[-1].run_no)
        found: Counter[int] = Counter()
        async for damage in _count_chunks(connection, codec, behind, places[-1].run_no, found):
            yield damage
        for place in places:
            async for damage in _count_pending(connection, place, found):
                yield damage
        for series_no, points in found.items():
            if told.get(series_no) != points:
                yield f"series {series_no} has {points:,} points, its summary says {told.get(series_no, 0):,}"
        for series_no in told.keys() - found.keys():
            yield f"series {series_no} has no points, its summary says {told[series_no]:,}"
        behind = places[-1].run_no


async def _runs_behind(connection: AsyncConnection, run_no: int) -> Sequence[RunPlace]:
    heads = run_heads.c
    columns = (runs.c.run_no, runs.c.run_id, heads.arrival, heads.compacted_arrival, heads.pruned_arrival)
    statement = select(*columns).join(run_heads, heads.run_no == runs.c.run_no).where(runs.c.run_no > run_no)
    rows = await connection.execute(statement.order_by(runs.c.run_no).limit(_RUNS_AT_ONCE))
    return [RunPlace(*row) for row in rows]


async def _told_counts(connection: AsyncConnection, behind: int, last: int) -> dict[int, int]:
    """How many points the summaries tell of each series of these runs."""
    summaries = metric_summaries.c
    statement = (
        select(_SERIES.series_no, summaries["count"])
        .join(metric_summaries, summaries.series_no == _SERIES.series_no)
        .where(_SERIES.run_no > behind, _SERIES.run_no <= last)
    )
    return {row.series_no: row[1] for row in await connection.execute(statement)}


async def _count_chunks(
    connection: AsyncConnection, codec: ChunkCodec, behind: int, last: int, found: Counter[int]
) -> AsyncIterator[str]:
    """Adds what the chunks of these runs have."""
    series_no, ordinal = -1, -1
    of_runs = and_(_SERIES.run_no > behind, _SERIES.run_no <= last)
    while True:
        further = or_(_CHUNK.series_no > series_no, and_(_CHUNK.series_no == series_no, _CHUNK.ordinal > ordinal))
        rows = await connection.execute(
            select(_CHUNK.series_no, _CHUNK.ordinal, _CHUNK.points, _CHUNK.payload, _THINNED.payload)
            .join(metric_series, _SERIES.series_no == _CHUNK.series_no)
            .outerjoin(
                metric_thinned,
                and_(_THINNED.series_no == _CHUNK.series_no, _THINNED.ordinal == _CHUNK.ordinal),
            )
            .where(of_runs, further)
            .order_by(_CHUNK.series_no, _CHUNK.ordinal)
            .limit(_CHUNKS_AT_ONCE)
        )
        chunks = rows.all()
        for series_no, ordinal, points, payload, thinned in chunks:
            found[series_no] += points
            if damage := _damage_of(codec, payload, points, thinned):
                yield f"chunk {ordinal} of series {series_no}: {damage}"
        if len(chunks) < _CHUNKS_AT_ONCE:
            return


def _damage_of(codec: ChunkCodec, payload: bytes, points: int, thinned: bytes | None) -> str:
    try:
        decoded = codec.decode([payload])
    except StoreCorrupt as error:
        return error.message
    if len(decoded) != points:
        return f"it has {len(decoded):,} points, its row says {points:,}"
    if thinned is not None and thinned != encode_thinned(decoded):
        return "its thinned form is not that of its points"
    return ""


async def _count_pending(connection: AsyncConnection, place: RunPlace, found: Counter[int]) -> AsyncIterator[str]:
    """Adds what a run's journal has that is in no chunk yet."""
    if place.compacted_arrival == place.arrival:
        return
    rows = 0
    try:
        async for entry in journal_entries(connection, place.run_no, after=place.compacted_arrival):
            rows += 1
            for series_no, count in zip(entry.series.tolist(), entry.counts.tolist(), strict=True):
                found[series_no] += count
    except StoreCorrupt as error:
        yield f"run {place.run_id!r}: {error.message}"
    else:
        if rows != place.arrival - place.compacted_arrival:
            yield f"run {place.run_id!r}: its journal ends before row {place.arrival}"
