"""aiosqlite with fewer trips: a trip to a connection's thread and back costs more than most statements.

aiosqlite makes one trip for a cursor, one to execute, one to fetch and one to close. Here a statement is one trip, rows
and all, and so are several statements that are sent together, or a whole transaction; BEGIN goes with the first,
and nobody waits for the end of a transaction that only reads.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import aiosqlite

Result = TypeVar("Result")
_INTERRUPT_SECONDS = 0.01


class SqliteDriver(aiosqlite.Connection):
    """A connection; statements run in a thread of its own, one after the other."""

    def __init__(self, path: str, *, timeout_seconds: float, reads_only: bool):
        super().__init__(lambda: sqlite3.connect(path, timeout=timeout_seconds), iter_chunk_size=64)
        # A connection that somebody forgot must not keep the process alive.
        self._thread.daemon = True
        self._reads_only = reads_only
        self._begin = ""
        self._stopped: asyncio.Future[object] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._stopped is not None

    def begin(self, statement: str) -> None:
        """Begins a transaction with the next statement."""
        self._begin = statement

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` returns; it is called in the connection's thread. Cancelled, the statement under way ends."""
        begin, self._begin = self._begin, ""
        return await self._ended(_Call(self._conn, begin, work))

    async def transact(self, begin: str, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """The same for a whole transaction: committed, or rolled back if `work` fails or the caller is cancelled."""
        return await self._ended(_Transaction(self._conn, begin, work))

    async def _ended(self, call: "_Call[Result]") -> Result:
        try:
            result: Result = await self._execute(call)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            call.give_up()
            raise
        return result

    async def commit(self) -> None:
        """Commits what was begun. What only read has nothing to wait for, nor what has ended itself."""
        if self._begin:
            self._begin = ""
        elif not self._conn.in_transaction:
            return
        elif self._reads_only:
            self._tx.put_nowait((None, self._conn.commit))
        else:
            await super().commit()

    async def rollback(self) -> None:
        """Rolls back what was begun."""
        if self._begin:
            self._begin = ""
        else:
            await super().rollback()

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]
        """A cursor that costs nothing until it executes."""
        return OneTripCursor(self)

    async def close(self) -> None:
        """Closes the connection behind what is under way."""
        stopped = self.stop()
        if stopped is not None:
            await asyncio.shield(stopped)

    def stop(self) -> "asyncio.Future[object] | None":
        """Begins to close, once: a second request to an ended thread would never be answered."""
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped


class _Call(Generic[Result]):
    """Work for a connection's thread, which may be given up while it runs."""

    def __init__(self, database: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], Result]):
        self._database = database
        self._begin = begin
        self._work = work
        self._is_given_up = False
        # Held by an interruption, and from the end on: an interruption that came later would meet the next call.
        self._ending = threading.Lock()

    def __call__(self) -> Result | None:
        try:
            return None if self._is_given_up else self._done()
        finally:
            self._ending.acquire()

    def _done(self) -> Result:
        return self._work(self._begun())

    def give_up(self) -> None:
        """Interrupts until it has ended: between two statements, or before the first, an interruption is lost."""
        self._is_given_up = True
        if not self._ending.acquire(blocking=False):
            return
        try:
            with suppress(sqlite3.ProgrammingError):
                self._database.interrupt()
                asyncio.get_running_loop().call_later(_INTERRUPT_SECONDS, self.give_up)
        finally:
            self._ending.release()

    def _begun(self) -> sqlite3.Connection:
        if self._begin:
            # A call that was cancelled may have left a transaction behind.
            if self._database.in_transaction:
                self._database.rollback()
            self._database.execute(self._begin).close()
        return self._database


class _Transaction(_Call[Result]):
    """A call that ends what it begins."""

    def _done(self) -> Result:
        try:
            result = super()._done()
            if not self._is_given_up:
                self._database.commit()
            return result
        finally:
            # Behind a commit it does nothing.
            self._database.rollback()


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


async def connect(path: str, *, timeout_seconds: float, reads_only: bool) -> SqliteDriver:
    """An open connection."""
    driver = SqliteDriver(path, timeout_seconds=timeout_seconds, reads_only=reads_only)
    await driver
    return driver
