"""Segment files: records in frames, each with a checksum, behind a header. docs/formats.md has the drawing.

A reader needs nothing but the file: it may still be growing, cut anywhere, or damaged. What is whole is read; what is
not is named and skipped, up to the next whole frame.
"""

import errno
import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.spool.kinds import RecordKind

VERSION = 1
MAGIC = b"TWSPOOL\0"
# No text in UTF-8 holds these bytes, so params and tags never look like a frame.
MARK = b"\xf7TW\xff"
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024

# Magic, version, reserved, writer id, and the checksum of these.
_HEADER = struct.Struct("<8sHH16sI")
_HEADER_CHECKED_BYTES = _HEADER.size - 4
# Payload length, sequence, kind; around them the mark and the checksum.
_HEAD = struct.Struct("<IQB")
_FRAME = struct.Struct("<4s13sI")
_WRITER_ID = re.compile("[0-9a-f]{32}")
_SEARCH_BYTES = 1024 * 1024


_KINDS = {int(kind): kind for kind in RecordKind}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream, whole; `sequence` counts the stream's records from 1."""

    kind: RecordKind
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no whole record; what stands behind them is read."""

    path: Path
    offset: int
    length_bytes: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.length_bytes:,} bytes from {self.offset:,} on are lost: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Why no whole frame stands at an offset."""

    reason: str


class SegmentWriter:
    """Appends records to a segment file of its own. Not safe to use from two threads at a time."""

    def __init__(self, path: Path, writer_id: str, *, last_sequence: int = 0) -> None:
        """Makes the file, header and all, in one step: who sees it sees a header."""
        self.path = path
        self.size_bytes = _HEADER.size
        self.last_sequence = last_sequence
        self._under_way: tuple[int, int] | None = None
        unfinished = path.with_suffix(".new")
        self._fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            _write_all(self._fd, _header_of(writer_id), b"", 0)
            unfinished.rename(path)
        except BaseException:
            os.close(self._fd)
            unfinished.unlink(missing_ok=True)
            raise

    def append(self, kind: RecordKind, sequence: int, payload: bytes) -> int:
        """Adds a record; how many bytes that took.

        Raises OSError where it doesn't fit or the file was deleted: nothing of it stays, and the next may be tried.
        """
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise InvalidArgumentError(f"payload: {len(payload)} bytes: must be at most {PAYLOAD_BYTES_MAX}")
        self.settle()
        head = _frame_of(kind, sequence, payload)
        self._under_way = (sequence, len(head) + len(payload))
        try:
            return _write_all(self._fd, head, payload, self.size_bytes)
        finally:
            self.settle()

    def settle(self) -> None:
        """Makes the file end behind its last whole record, also where Ctrl-C interrupted an append."""
        if self._under_way is None:
            return
        sequence, frame_bytes = self._under_way
        found = os.fstat(self._fd)
        if found.st_nlink and found.st_size >= self.size_bytes + frame_bytes:
            self.last_sequence = sequence
            self.size_bytes += frame_bytes
        else:
            os.ftruncate(self._fd, self.size_bytes)
        self._under_way = None
        if not found.st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the segment was deleted while it was written", str(self.path))

    def sync(self) -> None:
        """Waits until the disk has it, which a crash of the machine doesn't undo."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Closes the file; a second time does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class SegmentReader:
    """The records of one segment in order, and the damages between them.

    `offset` lies behind the last whole record that was given out (and behind the header): from there a file that has
    grown is read on. `writer_id` is known once the first item was asked for, unless the header is damaged.
    """

    def __init__(self, path: Path, offset: int = 0, *, is_complete: bool = False) -> None:
        self.path = path
        self.offset = offset
        self.writer_id: str | None = None
        self._is_complete = is_complete
        self._last_sequence = 0
        self._items = self._read()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record | Damage:
        return next(self._items)

    def _read(self) -> Iterator[Record | Damage]:
        with self.path.open("rb", buffering=0) as file:
            fd = file.fileno()
            flaw = self._read_header(fd)
            if flaw is not None:
                yield from self._skip(fd, flaw)
            while (item := self._frame_at(fd, self.offset)) is not None:
                if isinstance(item, Record):
                    yield self._take(item)
                    continue
                before = self.offset
                yield from self._skip(fd, item)
                if self.offset == before:
                    return

    def _read_header(self, fd: int) -> _Flaw | None:
        """What is wrong with the header, where that matters: a reader that goes on behind it doesn't need it."""
        data = _read_at(fd, 0, _HEADER.size)
        flaw = _flaw_of_header(data)
        if flaw is None:
            _magic, version, _reserved, writer_id, _checksum = _HEADER.unpack(data)
            if version != VERSION:
                raise FailedPreconditionError(
                    f"{self.path}: is a segment of version {version}, this program reads version {VERSION}",
                    reason="SPOOL_VERSION_UNKNOWN",
                )
            self.writer_id = writer_id.hex()
            self.offset = max(self.offset, _HEADER.size)
        return flaw if self.offset == 0 else None

    def _skip(self, fd: int, flaw: _Flaw) -> Iterator[Record | Damage]:
        """Names what lies before the next whole frame, and goes there; stays where there is none yet."""
        begin = self.offset
        end = self._next_frame(fd, begin + 1)
        if end is None:
            if not self._is_complete:
                return
            end = os.fstat(fd).st_size
        # A frame that was being written when it was first looked at is whole by the time that one behind it is.
        again = self._frame_at(fd, begin) if begin else None
        if isinstance(again, Record):
            yield self._take(again)
        elif end > begin:
            self.offset = end
            yield Damage(self.path, begin, end - begin, flaw.reason)

    def _take(self, record: Record) -> Record:
        self.offset += _FRAME.size + len(record.payload)
        self._last_sequence = record.sequence
        return record

    def _next_frame(self, fd: int, offset: int) -> int | None:
        """Where the next whole frame begins, from an offset on."""
        while len(data := _read_at(fd, offset, _SEARCH_BYTES)) >= len(MARK):
            at = data.find(MARK)
            while at >= 0:
                if isinstance(self._frame_at(fd, offset + at), Record):
                    return offset + at
                at = data.find(MARK, at + 1)
            # The next piece begins with what may be the beginning of a mark.
            offset += len(data) - len(MARK) + 1
        return None

    def _frame_at(self, fd: int, offset: int) -> Record | _Flaw | None:
        """The whole record at an offset, or why there is none; None at the end of the file."""
        head = _read_at(fd, offset, _FRAME.size)
        if not head:
            return None
        if len(head) < _FRAME.size:
            return _Flaw(f"the file ends {len(head)} bytes into a frame")
        mark, numbers, checksum = _FRAME.unpack(head)
        length, sequence, kind = _HEAD.unpack(numbers)
        if mark != MARK:
            return _Flaw("no frame begins here")
        if length > PAYLOAD_BYTES_MAX:
            return _Flaw(f"a frame names a length of {length} bytes, at most {PAYLOAD_BYTES_MAX} are possible")
        if os.fstat(fd).st_size < offset + _FRAME.size + length:
            return _Flaw(f"the file ends within the record of sequence {sequence}")
        payload = _read_at(fd, offset + _FRAME.size, length)
        if zlib.crc32(payload, zlib.crc32(numbers)) != checksum:
            return _Flaw(f"the checksum of the record of sequence {sequence} differs")
        if kind not in _KINDS:
            return _Flaw(f"the record of sequence {sequence} is of kind {kind}, this program knows 1 to {len(_KINDS)}")
        if sequence <= self._last_sequence:
            return _Flaw(f"a record of sequence {sequence} stands behind one of {self._last_sequence}")
        return Record(_KINDS[kind], sequence, payload)


def read_segment(path: Path, offset: int = 0, *, is_complete: bool = False) -> SegmentReader:
    """Reads a segment from an offset on, at which an earlier reading ended; 0: from its beginning.

    An unfinished record at the end may still be being written: the reading just ends before it. Who knows that nobody
    writes there any more (a later segment exists, or the writer has ended) says `is_complete`, and then it is a damage
    like any other. Raises FailedPreconditionError for a segment of a newer version.
    """
    return SegmentReader(path, offset, is_complete=is_complete)


def _header_of(writer_id: str) -> bytes:
    if not _WRITER_ID.fullmatch(writer_id):
        raise InvalidArgumentError(f"writer_id: {writer_id!r}: must be 32 hexadecimal digits")
    identity = bytes.fromhex(writer_id)
    checksum = zlib.crc32(_HEADER.pack(MAGIC, VERSION, 0, identity, 0)[:_HEADER_CHECKED_BYTES])
    return _HEADER.pack(MAGIC, VERSION, 0, identity, checksum)


def _flaw_of_header(data: bytes) -> _Flaw | None:
    if len(data) < _HEADER.size:
        return _Flaw(f"the file ends {len(data)} bytes into its header")
    if not data.startswith(MAGIC):
        return _Flaw("it doesn't begin as a segment does")
    if zlib.crc32(data[:_HEADER_CHECKED_BYTES]) != int.from_bytes(data[_HEADER_CHECKED_BYTES:], "little"):
        return _Flaw("the checksum of the header differs")
    return None


def _frame_of(kind: RecordKind, sequence: int, payload: bytes) -> bytes:
    """All of a frame that stands before its payload."""
    numbers = _HEAD.pack(len(payload), sequence, kind)
    return _FRAME.pack(MARK, numbers, zlib.crc32(payload, zlib.crc32(numbers)))


def _write_all(fd: int, head: bytes, payload: bytes, offset: int) -> int:
    """Writes both parts at an offset, in one call unless the disk takes only a part of them."""
    size_bytes = len(head) + len(payload)
    written = os.pwritev(fd, (head, payload), offset)
    if written < size_bytes:
        rest = memoryview(head + payload)
        while written < size_bytes:
            written += os.pwrite(fd, rest[written:], offset + written)
    return written


def _read_at(fd: int, offset: int, size_bytes: int) -> bytes:
    """That many bytes, or fewer at the end of the file."""
    data = os.pread(fd, size_bytes, offset)
    while len(data) < size_bytes and (more := os.pread(fd, size_bytes - len(data), offset + len(data))):
        data += more
    return data
