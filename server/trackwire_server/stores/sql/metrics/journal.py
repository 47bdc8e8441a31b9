"""The payload of a journal row: one request's columns as they came. Drawn in docs/formats.md."""

import struct
from dataclasses import dataclass

import numpy as np

from trackwire_server.core.columns import Integers, Points
from trackwire_server.core.errors import StoreCorrupt

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
    """Header, series, counts, steps, times, values; all little-endian."""
    return b"".join(
        (
            _HEADER.pack(VERSION, len(entry.series), len(entry.points)),
            entry.series.astype("<i8", copy=False).tobytes(),
            entry.counts.astype("<u4").tobytes(),
            entry.points.steps.astype("<i8", copy=False).tobytes(),
            entry.points.times_ms.astype("<i8", copy=False).tobytes(),
            entry.points.values.astype("<f8", copy=False).tobytes(),
        )
    )


def decode_journal(payload: bytes) -> JournalEntry:
    """The inverse; the arrays are views into the payload. Raises StoreCorrupt."""
    if len(payload) < _HEADER.size:
        raise StoreCorrupt(f"a journal row has {len(payload)} bytes, less than its header")
    version, series, points = _HEADER.unpack_from(payload)
    if version != VERSION:
        raise StoreCorrupt(f"a journal row has version {version}, this server knows {VERSION}")
    if len(payload) != _HEADER.size + 12 * series + 24 * points:
        raise StoreCorrupt(f"a journal row of {series} series and {points} points has {len(payload)} bytes")
    at = _HEADER.size
    numbers = np.frombuffer(payload, "<i8", series, at)
    at += 8 * series
    counts = np.frombuffer(payload, "<u4", series, at).astype(np.int64)
    at += 4 * series
    columns = Points(
        np.frombuffer(payload, "<i8", points, at),
        np.frombuffer(payload, "<i8", points, at + 8 * points),
        np.frombuffer(payload, "<f8", points, at + 16 * points),
    )
    return JournalEntry(numbers, counts, columns)
