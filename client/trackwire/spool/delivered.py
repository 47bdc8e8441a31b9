"""How far a stream is delivered: one block in a file that the shipper overwrites and the stream's writer looks at.

Drawn in docs/formats.md.
"""

import os
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from trackwire.errors import DataLossError, FailedPreconditionError

_MAGIC = b"TWDELIV"
_VERSION = 1
# Magic and version, sequence, points, records; behind them their checksum, and zeros up to the block's end.
_NUMBERS = struct.Struct("<7sBQQQ")
_BLOCK = struct.Struct("<32sI4x")
_ATTEMPTS = 50
_WAIT_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Delivered:
    """All records up to `sequence` are settled: stored with `points_stored` points, but for the rejected ones."""

    sequence: int = 0
    points_stored: int = 0
    rejected_records: int = 0


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """The file `delivered` of a stream."""

    path: Path

    def write(self, delivered: Delivered) -> None:
        """Overwrites the block; only the shipper does. Raises OSError."""
        numbers = _NUMBERS.pack(
            _MAGIC, _VERSION, delivered.sequence, delivered.points_stored, delivered.rejected_records
        )
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(fd, _BLOCK.pack(numbers, zlib.crc32(numbers)), 0)
        finally:
            os.close(fd)

    def read(self) -> Delivered:
        """What was written last; all zero where nothing was yet. Raises DataLossError where the file is damaged."""
        for _attempt in range(_ATTEMPTS):
            try:
                data = self.path.read_bytes()
            except FileNotFoundError:
                return Delivered()
            if not data:
                # Made a moment ago, and not written yet.
                return Delivered()
            if len(data) == _BLOCK.size:
                numbers, checksum = _BLOCK.unpack(data)
                if zlib.crc32(numbers) == checksum:
                    return self._unpacked(numbers)
            # It may be being overwritten just now.
            time.sleep(_WAIT_SECONDS)
        raise DataLossError(f"{self.path}: is not what was written: its checksum differs", reason="SPOOL_DAMAGED")

    def _unpacked(self, numbers: bytes) -> Delivered:
        magic, version, sequence, points_stored, rejected_records = _NUMBERS.unpack(numbers)
        if (magic, version) != (_MAGIC, _VERSION):
            raise FailedPreconditionError(
                f"{self.path}: begins with {magic + bytes([version])!r}, this program reads version {_VERSION}",
                reason="SPOOL_VERSION_UNKNOWN",
            )
        return Delivered(sequence, points_stored, rejected_records)
