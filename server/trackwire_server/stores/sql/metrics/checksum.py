"""CRC-32 behind each payload: a database keeps no checksums of its own, and a number has no wrong spelling."""

import struct
import zlib
from collections.abc import Sequence

from trackwire_server.core.errors import StoreCorrupt

_CHECKSUM = struct.Struct("<I")


def sealed(parts: Sequence[bytes]) -> bytes:
    """The parts joined, and the checksum of them behind."""
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return b"".join((*parts, _CHECKSUM.pack(checksum)))


def unsealed(what: str, payload: bytes, *, version: int, header_size: int) -> memoryview:
    """The payload without its checksum; its first byte is its version. Raises StoreCorrupt."""
    if len(payload) < header_size + _CHECKSUM.size:
        raise StoreCorrupt(f"a {what} has {len(payload)} bytes, less than its header")
    if payload[0] != version:
        raise StoreCorrupt(f"a {what} has version {payload[0]}, this server knows {version}")
    body = memoryview(payload)[: -_CHECKSUM.size]
    (checksum,) = _CHECKSUM.unpack_from(payload, len(body))
    if zlib.crc32(body) != checksum:
        raise StoreCorrupt(f"a {what} of {len(payload)} bytes is not what was written: its checksum differs")
    return body
