"""The payload of a chunk: up to 4096 points of one series, ordered and compressed. Drawn in docs/formats.md.

Steps and times are kept as their first value and differences in the narrowest integer that holds them, values bit for
bit. Each column's bytes are shuffled (all first bytes, then all second bytes, …), which puts signs and exponents side
by side, and compressed by zstd.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from trackwire_server.core.columns import Integers, Points
from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.stores.sql.metrics.checksum import sealed, unsealed

VERSION = 1
CHUNK_POINTS = 4096
# Noise doesn't compress further at higher levels, and they cost time.
_ZSTD_LEVEL = 1

# version, width of step differences, width of time differences, one byte for later, points, first step, first time,
# lengths of the steps' and the times' sections; the values' section is the rest, but for the checksum
_HEADER = struct.Struct("<BBBxIqqII")
_WIDTHS: dict[int, type[np.signedinteger[Any]]] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
_HIGHEST = {width: 2 ** (8 * width - 1) - 1 for width in _WIDTHS}


class ChunkCodec:
    """Encodes and decodes. Not shared between threads: zstd contexts are not."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def encode(self, points: Points) -> bytes:
        """Points of one series, ordered, at least 1."""
        steps, step_width = self._differences(points.steps)
        times, time_width = self._differences(points.times_ms)
        values = self._compressor.compress(_shuffled(points.values))
        header = _HEADER.pack(
            VERSION,
            step_width,
            time_width,
            len(points),
            int(points.steps[0]),
            int(points.times_ms[0]),
            len(steps),
            len(times),
        )
        return sealed((header, steps, times, values))

    def decode(self, payloads: Sequence[bytes]) -> Points:
        """The points of chunks, one after the other. Raises StoreCorrupt."""
        views = [unsealed("chunk", payload, version=VERSION, header_size=_HEADER.size) for payload in payloads]
        headers = [_HEADER.unpack_from(view) for view in views]
        total = sum(header[3] for header in headers)
        points = Points(np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.float64))
        at = 0
        for header, view in zip(headers, views, strict=True):
            try:
                self._decode_into(points.take(slice(at, at + header[3])), header, view)
            except (zstandard.ZstdError, ValueError, IndexError, KeyError) as error:
                raise StoreCorrupt(f"a chunk of {len(view)} bytes can't be read: {error}") from error
            at += header[3]
        return points

    def _decode_into(self, points: Points, header: tuple[int, ...], view: memoryview) -> None:
        _, step_width, time_width, _, step, time_ms, steps_size, times_size = header
        times_at = _HEADER.size + steps_size
        values_at = times_at + times_size
        self._sum_up(points.steps, view[_HEADER.size : times_at], step_width, step)
        self._sum_up(points.times_ms, view[times_at:values_at], time_width, time_ms)
        _unshuffle(points.values, self._decompressor.decompress(view[values_at:]))

    def _differences(self, column: Integers) -> tuple[bytes, int]:
        # Differences wrap around in 64 bits and so do the sums: the ends of int64 come back as they were.
        differences = column[1:] - column[:-1]
        low, high = (int(differences.min()), int(differences.max())) if len(differences) else (0, 0)
        width = next(width for width, highest in _HIGHEST.items() if -highest - 1 <= low and high <= highest)
        return self._compressor.compress(_shuffled(differences.astype(_WIDTHS[width]))), width

    def _sum_up(self, column: Integers, section: memoryview, width: int, first: int) -> None:
        differences = np.empty(len(column) - 1, _WIDTHS[width])
        _unshuffle(differences, self._decompressor.decompress(section))
        column[0] = first
        column[1:] = differences
        np.cumsum(column, out=column)


def _shuffled(column: NDArray[Any]) -> bytes:
    if column.itemsize == 1:
        return column.tobytes()
    rows = column.astype(column.dtype.newbyteorder("<"), copy=False).view(np.uint8).reshape(-1, column.itemsize)
    return rows.T.tobytes()


def _unshuffle(column: NDArray[Any], data: bytes) -> None:
    """Fills a column."""
    planes = np.frombuffer(data, np.uint8).reshape(column.itemsize, len(column))
    column.view(np.uint8).reshape(len(column), column.itemsize)[:] = planes.T
