"""A copy of a SQLite database, beside whoever writes to it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trackwire_server.core.errors import (
    FailedPrecondition,
    InvalidArgument,
    StorageFull,
    StoreCorrupt,
    StoreUnavailable,
)

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def copied(source: Path, target: Path) -> Iterator[Path]:
    """A copy of what is committed at this moment, packed, to be looked at: behind that it is `target`, for good.

    Writers go on meanwhile, nothing is written over, and what fails leaves nothing. Raises FailedPrecondition,
    InvalidArgument, StoreUnavailable, StorageFull, StoreCorrupt.
    """
    if not source.exists():
        raise FailedPrecondition(f"store_uri: there is no database {source} yet", metadata={"field": "store_uri"})
    if target.exists():
        raise InvalidArgument("file", str(target), "is there already, and no backup is written over another")
    partial = target.with_name(f"{target.name}.partial")
    try:
        # Of one that was broken off.
        partial.unlink(missing_ok=True)
        _copy(source, partial)
        yield partial
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise InvalidArgument("file", str(target), f"can't be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with _translated(source), closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as connection:
        connection.isolation_level = None
        # A schema that can't be read would be told as a copy that can't be opened.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # One statement, so one snapshot; a copy page by page would begin anew whenever somebody has written.
        connection.execute("VACUUM INTO ?", (str(target),))
    with _translated(target), closing(sqlite3.connect(target)) as connection:
        [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise StoreCorrupt(f"database {target}: {found}")


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull("backup") from error
        if code in _DAMAGED:
            raise StoreCorrupt(f"database {file}: {error}") from error
        raise StoreUnavailable(f"database {file}: {error}") from error
