"""What is uploaded: bytes that can be read again from wherever a connection broke off."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PART_BYTES = 1024 * 1024


class Source(Protocol):
    """Bytes that can be read again from any offset."""

    def size_bytes(self) -> int:
        """How many bytes there are."""

    def parts(self, offset: int) -> Iterator[bytes]:
        """The bytes from an offset on."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file."""

    path: Path

    def size_bytes(self) -> int:
        """As it is now."""
        return self.path.stat().st_size

    def parts(self, offset: int) -> Iterator[bytes]:
        """The bytes from an offset on."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while part := file.read(PART_BYTES):
                yield part


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes in memory."""

    data: memoryview

    def size_bytes(self) -> int:
        """Of all the bytes."""
        return len(self.data)

    def parts(self, offset: int) -> Iterator[bytes]:
        """The bytes from an offset on."""
        for start in range(offset, len(self.data), PART_BYTES):
            yield bytes(self.data[start : start + PART_BYTES])
