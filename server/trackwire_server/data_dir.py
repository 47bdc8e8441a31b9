"""The data directory: one server at a time holds it, and tells there where it listens."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StorageFull

LOCK_FILE = "server.lock"
SERVER_FILE = "server.json"


class DataDirectory:
    """A data directory that this process holds; `is_new` if it did not exist before."""

    def __init__(self, path: Path, *, is_new: bool):
        self.path = path
        self.is_new = is_new

    def announce(self, address: str, url: str, *, inner_address: str = "") -> None:
        """Tells in server.json where the server listens; readers see it whole or not at all.

        `inner_address` is where it listens for this machine alone, if there is such a place.
        """
        written = self.path / f"{SERVER_FILE}.tmp"
        with _writing(self.path):
            places = {"address": address, "url": url, "inner_address": inner_address}
            places = {name: place for name, place in places.items() if place}
            written.write_text(json.dumps({"pid": os.getpid(), **places}) + "\n")
            written.replace(self.path / SERVER_FILE)


@contextmanager
def claimed(path: Path) -> Iterator[DataDirectory]:
    """Holds a folder, making it if need be.

    Raises InvalidArgument, StorageFull, and FailedPrecondition if another holds it.
    """
    with _writing(path):
        is_new = not path.exists()
        path.mkdir(parents=True, exist_ok=True)
        # Without a buffer: what can't be written would be tried again by close.
        lock = (path / LOCK_FILE).open("a+b", buffering=0)
    with lock:
        _lock(lock, path)
        try:
            yield DataDirectory(path, is_new=is_new)
        finally:
            (path / SERVER_FILE).unlink(missing_ok=True)
            lock.truncate(0)


def announced_address(path: Path) -> str | None:
    """Where the server of a data directory listens, without TLS where there is a choice; None if none is running."""
    try:
        places = json.loads((path / SERVER_FILE).read_text())
        return str(places.get("inner_address") or places["address"])
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"data directory '{path}'") from error
        raise InvalidArgument("data_dir", str(path), f"can't be used: {error.strerror}") from error


def _lock(lock: FileIO, path: Path) -> None:
    try:
        # The kernel lets go when the process ends, however it ends: no stale lock is ever left.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().decode(errors="replace").strip() or "another process"
        raise FailedPrecondition(
            f"data_dir: '{path}': another server uses this data directory: {holder};"
            " stop it, or choose another with --data-dir",
            reason="DATA_DIR_IN_USE",
            metadata={"field": "data_dir", "value": path, "holder": holder},
        ) from error
    # A file left by a server that was killed tells an address where nobody listens.
    with _writing(path):
        (path / SERVER_FILE).unlink(missing_ok=True)
        lock.truncate(0)
        lock.write(f"pid {os.getpid()} on {socket.gethostname()}\n".encode())
