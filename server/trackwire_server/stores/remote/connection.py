"""A connection whose errors are the domain's, and of which is known when it last went on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.remote.drive import Drive, Entry, FaultOf, Reader, Source
from trackwire_server.stores.remote.errors import errors_translated

# Who has been idle for longer is asked whether it is still there.
PING_AFTER_SECONDS = 1
# What paramiko asks for at once, it looks through over and over.
READ_BYTES = 1024 * 1024


class Connection:
    """A Drive as the store uses it, by one thread at a time; `last_progress` and `close` are for all.

    Its methods are the Drive's. They raise the domain's errors, and Absent.
    """

    def __init__(self, where: str, connect: Callable[[], Drive], fault_of: FaultOf):
        self.where = where
        self.last_progress = self._last_answer = time.monotonic()
        self._connect = connect
        self._fault_of = fault_of
        self._drive: Drive | None = None
        self._closed = False

    def make_ready(self) -> None:
        """Connects, also where the connection has ended since it was used."""
        if self._drive is not None and time.monotonic() - self._last_answer > PING_AFTER_SECONDS:
            self._drive = self._still_there(self._drive)
        if self._drive is None:
            with self.told("connect"):
                self._drive = self._connect()
        if self._closed:
            self.close()

    def _still_there(self, drive: Drive) -> Drive | None:
        try:
            with self.told("ping"):
                drive.ping()
        except StoreUnavailable:
            self._end(drive)
            return None
        return drive

    def look(self, path: str) -> Entry | None:
        with self._told("look") as drive:
            return drive.look(path)

    def entries(self, path: str) -> list[Entry]:
        with self._told("list") as drive:
            return drive.entries(path)

    def open(self, path: str) -> "WatchedReader":
        with self._told("open") as drive:
            return WatchedReader(drive.open(path), self)

    def send(self, source: Source, path: str) -> None:
        with self._told("write") as drive:
            drive.send(source, path)

    def make_folder(self, path: str) -> None:
        with self._told("make a folder") as drive:
            drive.make_folder(path)

    def rename(self, path: str, new_path: str) -> None:
        with self._told("rename") as drive:
            drive.rename(path, new_path)

    def set_time(self, path: str, modification_time_ms: int) -> None:
        with self._told("set a time") as drive:
            drive.set_time(path, modification_time_ms)

    def remove_file(self, path: str) -> None:
        with self._told("delete") as drive:
            drive.remove_file(path)

    def remove_folder(self, path: str) -> None:
        with self._told("delete a folder") as drive:
            drive.remove_folder(path)

    def went_on(self) -> None:
        """Notes that something came or went."""
        self.last_progress = time.monotonic()

    def close(self) -> None:
        """Ends it, also under a thread that waits for an answer."""
        self._closed = True
        if self._drive is not None:
            self._end(self._drive)

    def _end(self, drive: Drive) -> None:
        # What can't be ended properly is broken already.
        with suppress(Exception):
            drive.close()

    @contextmanager
    def told(self, operation: str) -> Iterator[None]:
        """Translates what the driver raises within."""
        self.went_on()
        with errors_translated(self.where, operation, self._fault_of):
            yield
        self._last_answer = self.last_progress = time.monotonic()

    @contextmanager
    def _told(self, operation: str) -> Iterator[Drive]:
        with self.told(operation):
            assert self._drive is not None
            yield self._drive


class WatchedReader:
    """A Reader of a connection."""

    def __init__(self, reader: Reader, connection: Connection):
        self._reader = reader
        self._connection = connection
        self.entry = reader.entry

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes; fewer only where the file ends too early."""
        parts: list[bytes] = []
        while length:
            with self._connection.told("read"):
                data = self._reader.read(offset, min(length, READ_BYTES))
            if not data:
                break
            parts.append(data)
            offset, length = offset + len(data), length - len(data)
        return b"".join(parts)

    def close(self) -> bool:
        """Lets go; whether the connection is of use for something else."""
        with self._connection.told("read"):
            return self._reader.close()
