"""What differs between databases: how to connect, how to upsert, and what their errors mean.

Each has a module of its own that says so; everything else in this folder is SQLAlchemy Core and knows none by name.
"""

import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVarTuple, cast

from sqlalchemy import ClauseElement, ColumnElement, Executable, Exists, Insert, Row, Select, Table, Text, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.core.figures import PoolFigures
from trackwire_server.stores.sql.sqlite_driver import Result

if TYPE_CHECKING:
    from sqlalchemy.engine.default import DefaultDialect
    from sqlalchemy.sql.compiler import SQLCompiler

Columns = TypeVarTuple("Columns")
# The execution option under which a connection bears its Dialect.
DIALECT_OPTION = "trackwire_dialect"
# What the connections of a pool are for.
WRITING = "writing"
READING = "reading"


class GatheredAsJson(FunctionElement[str]):
    """An aggregate: the JSON object of a group's keys and values, as text."""

    inherit_cache = True


class InLowerCase(FunctionElement[str]):
    """Text in lower case, in every alphabet."""

    type = Text()
    inherit_cache = True


class LookedUp(Exists):
    """EXISTS that is looked up for each row by itself, in the order in which rows come."""

    inherit_cache = True


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How a database that is a server of its own is connected to."""

    # Connections that write, and as many that read.
    pool_size: int = 8
    # What takes longer is ended; 0 for never.
    statement_timeout_seconds: float = 300

    def took_too_long(self, where: str, cause: BaseException) -> StoreUnavailable:
        """What it means that a statement was ended for its time."""
        limit = f"--store-statement-timeout-seconds is {self.statement_timeout_seconds:g}"
        return StoreUnavailable(f"database {where}: {cause}: {limit}")


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
    """A compiled statement and the rows that it is given, as columns of one length. Each concerns a row of its own."""

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


class Given(Protocol):
    """The rows that a Write's statement is given."""

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        """One of their columns, as an expression."""

    def into(self, statement: Insert) -> Insert:
        """An INSERT of all their columns under their names."""


class Reader(Protocol):
    """Hands out transactions that read a snapshot."""

    figures: PoolFigures

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction, committed at the end, or rolled back if that is an error."""

    async def close(self) -> None:
        """Closes every connection; nothing may be under way."""


class Writer(Reader, Protocol):
    """Hands out transactions that write."""

    async def in_one(self, work: Work[Result]) -> Result:
        """A whole transaction in one trip to a driver's thread.

        Where the driver has none, `work` is awaited on a connection such as `transaction` hands out, and again if
        another transaction was in its way.
        """


class Dialect(Protocol):
    """One database's ways."""

    name: str
    # Whether a statement that had to wait for a lock sees rows that it joins, and does not lock, as they were before.
    joins_before_it_locks: bool
    # Whether an INSERT can answer with the row that it made.
    returns_what_it_inserts: bool
    # Whether an index may have an expression, and not only the beginning of a column.
    indexes_expressions: bool
    # Whether DISTINCT goes through an index from one value to the next, and doesn't read the rows between them.
    skips_in_indexes: bool

    def writer(self) -> Writer:
        """Connects to write."""

    def reader(self) -> Reader:
        """Connects to read snapshots."""

    def warm_up(self) -> None:
        """Does beforehand what would hold the first writes up. Blocks; the database is open."""

    def insert_missing(self, table: Table) -> Insert:
        """An INSERT that leaves out rows which are there already, by any of the table's keys."""

    def upsert(self, table: Table, *columns: str) -> Insert:
        """An INSERT that gives a row which is there already, by the table's primary key, its new values in columns."""

    def given(self, columns: Mapping[str, TypeEngine[Any]]) -> Given:
        """What to make the statement of a Write with: its columns, and their types."""

    def compiled(self, statement: Executable, like: Mapping[str, object] | None = None) -> "Compiled":
        """A statement as text, for the paths where building it each time would cost more than running it.

        `like` has the parameters of a statement with lists: they are written out, as long as they are there.
        """

    async def fetch_each(
        self, transaction: Transaction, queries: Sequence[tuple["Compiled", Sequence[object]]]
    ) -> Sequence[Sequence[tuple[Any, ...]]]:
        """Runs compiled SELECTs, with a value for each of their places, in one trip to the driver."""

    async def execute_all(self, transaction: Transaction, writes: Sequence["Write"]) -> None:
        """Runs compiled statements, each on its rows, in one trip to the driver."""

    async def create(self, connection: AsyncConnection, schema: Sequence["Compiled"]) -> None:
        """Makes the tables and indexes of an empty database, in one trip to the driver.

        Where they are not part of the transaction, one that was broken off has left some of them: these stay.
        """

    async def begin_upgrade(self, connection: AsyncConnection) -> bool:
        """Lets no other server upgrade the schema before this transaction ends, and makes what isn't a table.

        False where another one is at it, for whose end this transaction should not be held open. Raises
        FailedPrecondition if the database can't keep what it will be given.
        """

    async def change_schema(self, connection: AsyncConnection, statement: str) -> None:
        """Runs DDL in an upgrade's step."""

    async def create_index(self, connection: AsyncConnection, name: str, table: str, columns: str) -> None:
        """Makes an index in an upgrade's step, if it isn't there, while others write to the table."""

    async def is_alone(self, connection: AsyncConnection, run_no: int) -> bool:
        """Whether no other server works in the background on a run; none will before this transaction ends."""

    async def number_from(self, connection: AsyncConnection, table: Table, number: int) -> None:
        """Sees to it that the numbers which the database gives rows of a table are this one or higher from now on.

        For where a row was inserted under a number of its own.
        """

    def violated_constraint(self, error: IntegrityError) -> str:
        """The name of the constraint that an INSERT or UPDATE violated; empty if it has none."""

    def translate(self, error: DBAPIError) -> TrackwireError | None:
        """What a driver's error means, or None if it is a fault of ours."""


def dialect_of(transaction: Transaction) -> Dialect:
    """That of the database where a transaction runs."""
    if isinstance(transaction, OneTrip):
        return transaction.dialect
    return cast("Dialect", transaction.engine.get_execution_options()[DIALECT_OPTION])


async def lock_rows(connection: AsyncConnection, statement: Select[*Columns]) -> Sequence[Row[*Columns]]:
    """What a SELECT … FOR UPDATE finds once it has its locks."""
    if dialect_of(connection).joins_before_it_locks:
        await connection.execute(statement)
    return (await connection.execute(statement)).all()


async def insert_row(connection: AsyncConnection, statement: Insert) -> Row[Any]:
    """Inserts one row; the whole of it, with what the database filled in."""
    table = cast("Table", statement.table)
    if dialect_of(connection).returns_what_it_inserts:
        return (await connection.execute(statement.returning(*table.c))).one()
    made = cast("Sequence[object]", (await connection.execute(statement)).inserted_primary_key)
    mine = (column == value for column, value in zip(table.primary_key, made, strict=True))
    return (await connection.execute(select(table).where(*mine))).one()


def compiled_by(
    compiler: "DefaultDialect", statement: Executable, like: Mapping[str, object] | None = None
) -> Compiled:
    """What Dialect.compiled says, in the words of one of SQLAlchemy's dialects."""
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=compiler))
    if like is None:
        return Compiled(str(compiled), tuple(compiled.positiontup or ()))
    expanded = compiled.construct_expanded_state(like)
    names = tuple(expanded.positiontup or ())
    given = {*like, *chain.from_iterable(expanded.parameter_expansion.get(name, ()) for name in like)}
    own = {name: expanded.parameters[name] for name in names if name not in given}
    return Compiled(expanded.statement, names, own)
