"""An upload's bytes while they arrive, in a file of their own that nobody else sees."""

import asyncio
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from functools import partial

from trackwire_server.core.entities import Artifact
from trackwire_server.core.uploads import UploadInUse
from trackwire_server.stores.files.lane import Lane

HASH_PART_BYTES = 1024 * 1024
# A large file goes to the disk while it arrives, and leaves the page cache: its pages are used again for what comes
# next. Measured on 1 GiB: 0.2 s of CPU and no wait at the end, instead of 1.0 s and 0.4 s.
FLUSH_EVERY_BYTES = 16 * 1024 * 1024


def open_locked(folder: int, name: str) -> int:
    """A partial file that no other writer, in this process or another one, holds. Raises Aborted."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        file = os.open(name, flags, 0o644, dir_fd=folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The writer before may have published or discarded it between our open and our lock.
            if _is_at(file, folder, name):
                return file
        except OSError as error:
            os.close(file)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UploadInUse from error
            raise
        os.close(file)


def _is_at(file: int, folder: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False


class FilePartial:
    """A PartialFile; `publish` is the store's."""

    def __init__(self, file: int, publish: Callable[[int], Artifact]):
        self._file = file
        self._publish = publish
        self._lane = Lane()
        self._size_bytes = self._written_bytes = os.fstat(file).st_size
        self._flushed_bytes = self._written_bytes
        self._hash = hashlib.sha256()
        self._hashed_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def size_bytes(self) -> int:
        """Bytes that were there or have been appended."""
        return self._size_bytes

    async def append(self, data: bytes) -> None:
        """Begins to write bytes once the ones before are written: receiving and writing overlap, by one part."""
        await self._written()
        self._size_bytes += len(data)
        self._writing = self._lane.start(partial(self._write, data))
        self._writing.add_done_callback(_note_failure)

    async def sha256(self) -> bytes:
        """The SHA-256 of all the bytes."""
        await self._written()
        return await self._lane.run(self._digest)

    async def publish(self) -> Artifact:
        """Makes the bytes durable and visible."""
        await self._written()
        return await self._lane.run(partial(self._publish, self._file))

    async def close(self) -> None:
        """Keeps what has been written, and lets go."""
        if self._closed:
            return
        self._closed = True
        # Nothing is awaited before the closing has begun: a call may be cancelled a second time while it cleans up.
        await self._lane.run(self.close_now)

    def close_now(self) -> None:
        """Lets go of a file that nothing has been appended to."""
        os.close(self._file)

    async def _written(self) -> None:
        if self._writing is not None:
            await asyncio.shield(self._writing)

    def _write(self, data: bytes) -> None:
        self._hash_what_was_there()
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, self._written_bytes)
            raise
        self._written_bytes += len(data)
        self._hash.update(data)
        self._hashed_bytes += len(data)
        if self._written_bytes - self._flushed_bytes >= FLUSH_EVERY_BYTES:
            self._flush()

    def _flush(self) -> None:
        os.fdatasync(self._file)
        if hasattr(os, "posix_fadvise"):  # macOS has none.
            os.posix_fadvise(self._file, 0, self._written_bytes, os.POSIX_FADV_DONTNEED)
        self._flushed_bytes = self._written_bytes

    def _hash_what_was_there(self) -> None:
        while self._hashed_bytes < self._written_bytes:
            length = min(HASH_PART_BYTES, self._written_bytes - self._hashed_bytes)
            data = os.pread(self._file, length, self._hashed_bytes)
            self._hash.update(data)
            self._hashed_bytes += len(data)

    def _digest(self) -> bytes:
        self._hash_what_was_there()
        return self._hash.digest()


def _note_failure(writing: "asyncio.Task[None]") -> None:
    # Where the stream breaks off before its next part, nobody else asks; asyncio would log that.
    if not writing.cancelled():
        writing.exception()
