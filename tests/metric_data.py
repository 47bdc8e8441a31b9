"""Batches and points for tests."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from trackwire_server.core.columns import Batch, Layout, Points, SeriesName
from trackwire_server.core.entities import SeriesContext, WriterStamp
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.core.stores import MetricStore

Row = tuple[int, int, float]


def points_of(rows: Sequence[Row]) -> Points:
    """Points from rows of step, time and value."""
    return Points(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64),
    )


def rows_of(points: Points) -> list[tuple[int, int, str]]:
    """Rows that compare bit for bit: values as the hexadecimal of their bytes."""
    columns = zip(points.steps.tolist(), points.times_ms.tolist(), points.values, strict=True)
    return [(step, time_ms, value.tobytes().hex()) for step, time_ms, value in columns]


def bits(rows: Sequence[Row]) -> list[tuple[int, int, str]]:
    """What rows_of would say of these rows."""
    return rows_of(points_of(rows))


def batch(
    run_id: str, series: Mapping[str | SeriesName, Sequence[Row]], stamp: tuple[str, int, int] | None = None
) -> Batch:
    """A batch; a stamp is writer, sequence and previous sequence."""
    names = tuple(name if isinstance(name, SeriesName) else SeriesName(name) for name in series)
    return Batch(
        run_id,
        None if stamp is None else WriterStamp(*stamp),
        Layout(names),
        np.array([len(rows) for rows in series.values()], dtype=np.int64),
        points_of([row for rows in series.values() for row in rows]),
    )


def ranked(key: str, rank: int | None, model_id: str = "") -> SeriesName:
    """A series of a rank."""
    return SeriesName(key, SeriesContext(rank, model_id))


def thinned_rows(points: Points, max_points: int) -> list[tuple[int, int, str]]:
    """What rows_of should say of ordered points that are thinned: the definition, point by point."""
    rows = rows_of(points)
    if len(rows) <= max_points:
        return rows
    steps, values = points.steps.tolist(), points.values.tolist()
    buckets: dict[int, list[int]] = {}
    for level in range(65):
        buckets = {}
        for at, step in enumerate(steps):
            buckets.setdefault((step + 2**63) >> level, []).append(at)
        if max(buckets) - min(buckets) < (max_points - 2) // 2:
            break
    chosen = {0, len(rows) - 1}
    for members in buckets.values():
        numbers = [at for at in members if not math.isnan(values[at])]
        if numbers:
            chosen |= {min(numbers, key=values.__getitem__), max(numbers, key=values.__getitem__)}
    return [rows[at] for at in sorted(chosen)]


async def read_thinned(
    store: MetricStore, query: ReadQuery, max_points: int
) -> dict[tuple[str, SeriesName], list[tuple[int, int, str]]]:
    """All that a query reads, thinned, as rows that compare bit for bit."""
    snapshot = await store.open_snapshot(query)
    return {(part.run_id, part.name): rows_of(part.points) async for part in snapshot.thinned(max_points)}


async def read_all(store: MetricStore, query: ReadQuery) -> dict[tuple[str, SeriesName], list[tuple[int, int, str]]]:
    """All that a query reads, as rows that compare bit for bit."""
    snapshot = await store.open_snapshot(query)
    found: dict[tuple[str, SeriesName], list[tuple[int, int, str]]] = {}
    for series in snapshot.series:
        async for points in series.windows():
            found.setdefault((series.run_id, series.name), []).extend(rows_of(points))
    return found


async def compact_all(store: MetricStore, *, now_ms: int) -> None:
    """Compacts until nothing is due."""
    while await store.compact(now_ms=now_ms):
        pass
