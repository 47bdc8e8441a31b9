"""An upload's bytes while they arrive: in a file of this machine, which is sent whole once it is whole.

So an upload goes on where it was cut, on this machine, whatever the protocol can; another server begins it anew.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from trackwire_server.core.entities import Artifact
from trackwire_server.stores.files.partial import GrowingFile, open_locked
from trackwire_server.stores.remote.connection import Connection

# Nobody goes on with an upload for so long: who discards those that are older may be another server.
KEPT_SECONDS_MAX = 7 * 86_400
READ_BYTES = 256 * 1024


class Spool:
    """The folder where uploads gather, one file each; locked while a stream writes to it, or while it is sent."""

    def __init__(self, path: Path, folder: int):
        self._path = path
        self._folder = folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Makes it if it is missing."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def hold(self, partial_id: str) -> int:
        """The file of an upload, locked until all its descriptors are closed. Raises Aborted."""
        return open_locked(self._folder, partial_id)

    def size_bytes(self, partial_id: str) -> int:
        """What has arrived."""
        try:
            return os.stat(partial_id, dir_fd=self._folder, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def path_of(self, partial_id: str) -> str:
        """The file of an upload."""
        return str(self._path / partial_id)

    def remove(self, partial_id: str) -> None:
        """Forgets an upload that is held."""
        with suppress(FileNotFoundError):
            os.unlink(partial_id, dir_fd=self._folder)

    def remove_old(self, *, before_seconds: float) -> None:
        """Forgets uploads to which nothing came since a time, as whoever discards them may be another server."""
        for name in os.listdir(self._folder):  # noqa: PTH208  # by descriptor, not by path
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mtime < before_seconds:
                    os.unlink(name, dir_fd=self._folder)

    def close(self) -> None:
        """Lets go."""
        os.close(self._folder)


class SpooledSource:
    """A Source: a file of the spool by a descriptor of its own, read from its start."""

    def __init__(self, path: str, file: int, connection: Connection):
        self.path = path
        self.size_bytes = os.fstat(file).st_size
        self.went_on = connection.went_on
        self._file = file
        self._position = 0

    def read(self, length: int = READ_BYTES, /) -> bytes:
        """The next bytes."""
        data = os.pread(self._file, length, self._position)
        self._position += len(data)
        self.went_on()
        return data


class RemotePartial(GrowingFile):
    """A PartialFile in the spool. `send` has a descriptor of its own: it goes on when nobody awaits it any more."""

    def __init__(self, file: int, send: Callable[[int], Awaitable[Artifact]]):
        super().__init__(file)
        self._send = send

    async def publish(self) -> Artifact:
        """Sends the bytes, and makes them visible once all of them are there."""
        await self.written()
        return await self._send(os.dup(self._bytes.file))
