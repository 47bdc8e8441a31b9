"""The rows that points of a journal become: chunks of each series, and what the full ones are thinned to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from trackwire_server.core.columns import Points
from trackwire_server.stores.sql.metrics.chunks import CHUNK_POINTS, ChunkCodec
from trackwire_server.stores.sql.metrics.journal import decode_journal
from trackwire_server.stores.sql.metrics.thinned import encode_thinned


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """Rows of metric_chunks, and of metric_thinned."""

    chunks: list[dict[str, object]] = field(default_factory=list)
    thinned: list[dict[str, object]] = field(default_factory=list)


def chunk_rows(points_by_series: Mapping[int, Points], unfilled: Mapping[int, tuple[int, bytes | None]]) -> ChunkRows:
    """What new points become, with each series' unfilled chunk where it has one, at the ordinals that are given."""
    codec = ChunkCodec()
    rows = ChunkRows()
    for number, new in points_by_series.items():
        ordinal, payload = unfilled.get(number, (0, None))
        points = (new if payload is None else Points.joined([codec.decode([payload]), new])).ordered()
        for at in range(0, len(points), CHUNK_POINTS):
            chunk, place = points.take(slice(at, at + CHUNK_POINTS)), ordinal + at // CHUNK_POINTS
            rows.chunks.append(_row(codec, number, place, chunk))
            # What isn't full is replaced, by servers of the release before, too: they know of no thinned form.
            if len(chunk) == CHUNK_POINTS:
                rows.thinned.append({"series_no": number, "ordinal": place, "payload": encode_thinned(chunk)})
    return rows


def points_by_series(payloads: Iterable[bytes]) -> dict[int, Points]:
    """All points of each series in journal rows, in the order of arrival."""
    entries = [decode_journal(payload) for payload in payloads]
    owners = np.concatenate([entry.series for entry in entries])
    counts = np.concatenate([entry.counts for entry in entries])
    joined = Points.joined([entry.points for entry in entries])
    order = np.argsort(np.repeat(owners, counts), kind="stable")
    joined = joined.take(order)
    numbers = np.unique(owners)
    totals = np.bincount(np.searchsorted(numbers, owners), weights=counts).astype(np.int64)
    ends = np.cumsum(totals)
    return {
        number: joined.take(slice(start, end))
        for number, start, end in zip(numbers.tolist(), (ends - totals).tolist(), ends.tolist(), strict=True)
    }


def _row(codec: ChunkCodec, number: int, ordinal: int, points: Points) -> dict[str, object]:
    low, high = float(np.fmin.reduce(points.values)), float(np.fmax.reduce(points.values))
    return {
        "series_no": number,
        "ordinal": ordinal,
        "points": len(points),
        "first_step": int(points.steps[0]),
        "first_time_ms": int(points.times_ms[0]),
        "last_step": int(points.steps[-1]),
        "last_time_ms": int(points.times_ms[-1]),
        "min_value": None if np.isnan(low) else low,
        "max_value": None if np.isnan(high) else high,
        "payload": codec.encode(points),
    }
