"""PNG without an imaging library: 8 bits a channel, grey, RGB or RGBA.

    signature │ IHDR │ IDAT │ IEND      a chunk: length u32 │ type │ data │ crc32 of type and data, big-endian

The pixels are one zlib stream: rows from the top, each behind a byte that names its filter.
"""

import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PIXELS_MAX = 2**31 - 1
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_FILTER_UP = 2
# Measured on a photograph with noise: 6 takes twice the time for 2 per cent.
_ZLIB_LEVEL = 3


def encode_png(pixels: "NDArray[Any]") -> bytes:
    """The file of an array of uint8, H×W×1, H×W×3 or H×W×4."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(_filtered(pixels).data, _ZLIB_LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _filtered(pixels: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    rows = pixels.reshape(pixels.shape[0], -1)
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    # Each row as its difference to the row above, modulo 256: what changes slowly compresses well.
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
