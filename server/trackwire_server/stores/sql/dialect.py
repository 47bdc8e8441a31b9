"""What differs between databases: how to connect, how to upsert, and what their errors mean.

Each has a module of its own that says so; everything else in this folder is SQLAlchemy Core and knows none by name.
"""

import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.functions import FunctionElement

from trackwire_server.core.errors import TrackwireError
from trackwire_server.stores.sql.sqlite_driver import Result

# The execution option under which a connection bears its Dialect.
DIALECT_OPTION = "trackwire_dialect"


class GatheredAsJson(FunctionElement[str]):
    """An aggregate: the JSON object of a group's keys and values, as text."""

    inherit_cache = True


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as the driver takes it."""

    text: str
    # Of the parameter at each of its places; the members of a list are numbered.
    names: tuple[str, ...]
    # Values that the statement itself has.
    own: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A compiled statement and its parameters: columns of one length, a row a run of the statement."""

    statement: Compiled
    columns: Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class OneTrip:
    """A transaction in the thread of its connection: rows are there at once, and nothing that awaits them waits."""

    dialect: "Dialect"
    database: sqlite3.Connection

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` returns."""
        return work(self.database)


# What statements run in.
Transaction: TypeAlias = AsyncConnection | OneTrip
# What is done in a transaction; it awaits nothing but its statements.
Work: TypeAlias = Callable[[Transaction], Coroutine[Any, Any, Result]]


class Writer(Protocol):
    """Hands out transactions that write."""

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction, committed at the end, or rolled back if that is an error."""

    async def in_one(self, work: Work[Result]) -> Result:
        """A whole transaction in one trip to a driver's thread.

        Where the driver has none, `work` is awaited on a connection such as `transaction` hands out.
        """

    async def close(self) -> None:
        """Closes every connection; nothing may be under way."""


class Dialect(Protocol):
    """One database's ways."""

    name: str

    def writer(self) -> Writer:
        """Connects to write."""

    def reader(self) -> AsyncEngine:
        """Connects to read snapshots."""

    def warm_up(self) -> None:
        """Does beforehand what would hold the first writes up. Blocks; the database is open."""

    def insert(self, table: Table) -> sqlite.Insert:
        """An INSERT that knows ON CONFLICT."""

    def compiled(self, statement: Executable, like: Mapping[str, object] | None = None) -> "Compiled":
        """A statement as text, for the paths where building it each time would cost more than running it.

        `like` has the parameters of a statement with lists: they are written out, as long as they are there.
        """

    async def fetch_each(
        self, transaction: Transaction, queries: Sequence[tuple["Compiled", Sequence[object]]]
    ) -> Sequence[Sequence[tuple[Any, ...]]]:
        """Runs compiled SELECTs, with a value for each of their places, in one trip to the driver."""

    async def execute_all(self, transaction: Transaction, writes: Sequence["Write"]) -> None:
        """Runs compiled statements, each once a row, in one trip to the driver."""

    async def number_from(self, connection: AsyncConnection, table: Table, number: int) -> None:
        """Sees to it that the numbers which the database gives rows of a table are this one or higher from now on.

        For where a row was inserted under a number of its own.
        """

    def violated_constraint(self, error: IntegrityError) -> str:
        """The name of the constraint that an INSERT or UPDATE violated; empty if it has none."""

    def translate(self, error: DBAPIError) -> TrackwireError | None:
        """What a driver's error means, or None if it is a fault of ours."""
