"""The thinned form of a full chunk: what a read needs of it that thins to wider buckets. Drawn in docs/formats.md.

Its first and its last point, and the smallest and the largest value of each of at most 17 buckets of steps, as
core/downsampling.py cuts them: whole points, as they are, so that many of these forms are read as one array.
"""

import struct
from collections.abc import Sequence

import numpy as np

from trackwire_server.core.columns import Points
from trackwire_server.core.downsampling import distinct, extremes, level_of
from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.stores.sql.metrics.checksum import sealed, unsealed

VERSION = 1
# 4096 steps in a row lie in 17 buckets of 256, or in 16. More would take a second page of a row in SQLite.
BUCKETS_MAX = 17

# version, one byte for later, points
_HEADER = struct.Struct("<BxH")
_POINT = np.dtype([("step", "<i8"), ("time_ms", "<i8"), ("value", "<f8")])


def encode_thinned(points: Points) -> bytes:
    """Of a full chunk's points."""
    level = level_of(int(points.steps[0]), int(points.steps[-1]), BUCKETS_MAX)
    kept = points.take(distinct(np.array([0, len(points) - 1]), extremes(points, level)))
    rows = np.empty(len(kept), _POINT)
    rows["step"], rows["time_ms"], rows["value"] = kept.steps, kept.times_ms, kept.values
    return sealed((_HEADER.pack(VERSION, len(kept)), rows.tobytes()))


def decode_thinned(payloads: Sequence[bytes]) -> Points:
    """The points of thinned forms, one after the other. Raises StoreCorrupt."""
    views = [_rows_in(payload) for payload in payloads]
    rows = np.frombuffer(b"".join(views), _POINT)
    return Points(*(np.ascontiguousarray(rows[name]) for name in ("step", "time_ms", "value")))


def serves(first_step: int, last_step: int, level: int) -> bool:
    """Whether the thinned form of a chunk that spans these steps has all that buckets of this level need of it."""
    return (last_step >> level) - (first_step >> level) < BUCKETS_MAX


def _rows_in(payload: bytes) -> memoryview:
    view = unsealed("thinned chunk", payload, version=VERSION, header_size=_HEADER.size)
    _, points = _HEADER.unpack_from(view)
    rows = view[_HEADER.size :]
    if len(rows) != points * _POINT.itemsize:
        raise StoreCorrupt(f"a thinned chunk of {points} points has {len(rows)} bytes of them")
    return rows
