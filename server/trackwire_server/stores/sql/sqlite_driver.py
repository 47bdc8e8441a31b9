"""aiosqlite with fewer trips: a trip to a connection's thread and back costs more than most statements.

aiosqlite makes one trip for a cursor, one to execute, one to fetch and one to close. Here a statement is one trip, rows
and all, and so are several statements that are sent together.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import aiosqlite

Result = TypeVar("Result")


class SqliteDriver(aiosqlite.Connection):
    """A connection; statements run in a thread of its own, one after the other."""

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` returns; it is called in the connection's thread."""
        result: Result = await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]
        return result

    async def begin(self, statement: str) -> None:
        """Begins a transaction. A call that was cancelled during its own BEGIN may have left one behind: it ends."""
        await self.run(lambda database: _begin_afresh(database, statement))

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]
        """A cursor that costs nothing until it executes."""
        return OneTripCursor(self)


def _begin_afresh(database: sqlite3.Connection, statement: str) -> None:
    if database.in_transaction:
        database.rollback()
    database.execute(statement).close()


class OneTripCursor:
    """The part of aiosqlite's cursor that SQLAlchemy uses. Rows are fetched with the execution."""

    def __init__(self, driver: SqliteDriver):
        self._driver = driver
        self._rows: Sequence[tuple[Any, ...]] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> "OneTripCursor":
        return self

    async def execute(self, statement: str, parameters: Sequence[object] = ()) -> "OneTripCursor":
        """Executes and fetches."""
        await self._driver.run(lambda database: self._keep(database.execute(statement, parameters)))
        return self

    async def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> "OneTripCursor":
        """Executes once a row."""
        await self._driver.run(lambda database: self._keep(database.executemany(statement, rows)))
        return self

    async def fetchall(self) -> Sequence[tuple[Any, ...]]:
        """The rows of the last execution."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Nothing is held any more."""

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else ()
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


async def connect(path: str, *, timeout_seconds: float) -> SqliteDriver:
    """An open connection."""
    driver = SqliteDriver(lambda: sqlite3.connect(path, timeout=timeout_seconds), iter_chunk_size=64)
    # A connection that somebody forgot must not keep the process alive.
    driver._thread.daemon = True  # noqa: SLF001
    await driver
    return driver
