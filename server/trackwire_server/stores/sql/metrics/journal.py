"""The payload of a journal row: one request's columns as they came. Drawn in docs/formats.md."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trackwire_server.core.columns import Integers, Points
from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.stores.sql.metrics.checksum import sealed, unsealed

VERSION = 1
# version, three bytes for later, series, points
_HEADER = struct.Struct("<B3xII")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Points of a run: `counts[i]` of them belong to the series number `series[i]`."""

    series: Integers
    counts: Integers
    points: Points


def encode_journal(entry: JournalEntry) -> bytes:
    """Header, series, counts, steps, times, values, checksum; all little-endian."""
    return sealed(
        (
            _HEADER.pack(VERSION, len(entry.series), len(entry.points)),
            entry.series.astype("<i8", copy=False).tobytes(),
            entry.counts.astype("<u4").tobytes(),
            entry.points.steps.astype("<i8", copy=False).tobytes(),
            entry.points.times_ms.astype("<i8", copy=False).tobytes(),
            entry.points.values.astype("<f8", copy=False).tobytes(),
        )
    )


def check_no_hole(run_no: int, arrivals: Sequence[int], *, after: int) -> None:
    """Rows of a run's journal come one after the other, the first right behind `after`. Raises StoreCorrupt."""
    for expected, arrival in enumerate(arrivals, after + 1):
        if arrival != expected:
            raise StoreCorrupt(f"the journal of run number {run_no} has no row {expected}, but one {arrival}")
    if not arrivals:
        raise StoreCorrupt(f"the journal of run number {run_no} has no row {after + 1}")


def decode_journal(payload: bytes) -> JournalEntry:
    """The inverse; the arrays are views into the payload. Raises StoreCorrupt."""
    body = unsealed("journal row", payload, version=VERSION, header_size=_HEADER.size)
    _, series, points = _HEADER.unpack_from(body)
    if len(body) != _HEADER.size + 12 * series + 24 * points:
        raise StoreCorrupt(f"a journal row of {series} series and {points} points has {len(payload)} bytes")
    at = _HEADER.size
    numbers = np.frombuffer(body, "<i8", series, at)
    at += 8 * series
    counts = np.frombuffer(body, "<u4", series, at).astype(np.int64)
    at += 4 * series
    columns = Points(
        np.frombuffer(body, "<i8", points, at),
        np.frombuffer(body, "<i8", points, at + 8 * points),
        np.frombuffer(body, "<f8", points, at + 16 * points),
    )
    return JournalEntry(numbers, counts, columns)
