"""MariaDB and MySQL by asyncmy: any number of servers write; a transaction is begun and ended by the driver itself.

SQLAlchemy's connections are in autocommit, so that its statements and the driver's run in one transaction, whichever
comes first. What makes or changes a table commits what was before it.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import asyncmy
from asyncmy.constants import ER
from sqlalchemy import ColumnElement, Executable, Insert, Subquery, Table, bindparam, column, inspect, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.types import TypeEngine

from trackwire_server.core.errors import FailedPrecondition, StoreUnavailable, TrackwireError
from trackwire_server.core.figures import PoolFigures
from trackwire_server.stores.sql.deadlocks import tried_until_free
from trackwire_server.stores.sql.dialect import (
    DIALECT_OPTION,
    READING,
    WRITING,
    Compiled,
    ConnectionSettings,
    Transaction,
    Work,
    Write,
    compiled_by,
)
from trackwire_server.stores.sql.mysql_driver import (
    CONNECT_TIMEOUT_SECONDS,
    arguments_of,
    as_dbapi_error,
    connect,
    driver_of,
    is_mariadb,
    kept,
    roll_back,
    say,
    statement_timeout,
)
from trackwire_server.stores.sql.mysql_errors import (
    code_of,
    is_gone,
    met_a_deadlock,
    took_too_long,
    translated,
    violated_constraint,
)
from trackwire_server.stores.sql.mysql_words import DRIVER_NAME
from trackwire_server.stores.sql.sqlite_driver import Result

if TYPE_CHECKING:
    from sqlalchemy.engine.default import DefaultDialect

_BEGIN = "START TRANSACTION"
_BEGIN_READING = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
# The least that has what the statements need: JSON_TABLE, and a collation that knows every alphabet.
_MARIADB, _MYSQL = (10, 10), (8, 0, 20)
# What one row of the longest request takes as a literal, in which a byte may become two.
_PACKET_BYTES = 64 * 1024 * 1024
_SCHEMA_LOCK = "concat('trackwire.', md5(database()))"
_SCHEMA_LOCK_SECONDS = 3_600
# Set in the info of a connection that ends with its transaction, and with all that it holds.
_IS_LAST = "trackwire_is_last"
_GIVEN = "given"


class MysqlDialect:
    """MariaDB or MySQL, by InnoDB: rows are locked where they change, and a read is a snapshot."""

    joins_before_it_locks = True
    returns_what_it_inserts = False
    indexes_expressions = False
    skips_in_indexes = True

    def __init__(self, url: URL, connections: ConnectionSettings):
        self._connections = connections
        # The server says which of the two it is.
        self.name = "mysql"
        self._address = url.set(drivername="mysql")
        self._arguments = arguments_of(url)
        self._words: DefaultDialect = mysql.dialect()

    def writer(self) -> "MysqlTransactions":
        """Connections that write under READ COMMITTED."""
        engine = self._engine("READ COMMITTED")
        # Whatever this has been told by the server, statements are compiled for.
        self._words = cast("DefaultDialect", engine.sync_engine.dialect)
        return MysqlTransactions(engine, _BEGIN, PoolFigures(WRITING, self._connections.pool_size))

    def reader(self) -> "MysqlTransactions":
        """Connections that read under REPEATABLE READ."""
        figures = PoolFigures(READING, self._connections.pool_size)
        return MysqlTransactions(self._engine("REPEATABLE READ"), _BEGIN_READING, figures)

    def _engine(self, isolation: str) -> AsyncEngine:
        return create_async_engine(
            f"{DRIVER_NAME}://",
            async_creator=lambda: self._connect(isolation),
            isolation_level="AUTOCOMMIT",
            # Every transaction has ended by the time its connection goes back: one more would be a trip for nothing.
            skip_autocommit_rollback=True,
            pool_size=self._connections.pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_SECONDS,
            pool_reset_on_return=None,
            execution_options={DIALECT_OPTION: self},
        )

    async def _connect(self, isolation: str) -> asyncmy.Connection:
        with as_dbapi_error("CONNECT"):
            driver = await connect(self._arguments, isolation, self._connections.statement_timeout_seconds)
        self.name = "mariadb" if is_mariadb(driver) else "mysql"
        return driver

    def warm_up(self) -> None:
        """Nothing."""

    def insert_missing(self, table: Table) -> Insert:
        """By ON DUPLICATE KEY UPDATE that changes nothing: INSERT IGNORE would pass over other errors, too."""
        key = next(iter(table.primary_key.columns))
        return mysql.insert(table).on_duplicate_key_update({key.name: key})

    def upsert(self, table: Table, *columns: str) -> Insert:
        """By ON DUPLICATE KEY UPDATE; the table has no other key."""
        statement = mysql.insert(table)
        return statement.on_duplicate_key_update({name: statement.inserted[name] for name in columns})

    def given(self, columns: Mapping[str, TypeEngine[Any]]) -> "MysqlGiven":
        """Rows to insert as the VALUES of one statement, others as JSON."""
        return MysqlGiven(columns)

    def compiled(self, statement: Executable, like: Mapping[str, object] | None = None) -> Compiled:
        """With a format of Python's a place."""
        return compiled_by(self._words, statement, like)

    async def fetch_each(
        self, transaction: Transaction, queries: Sequence[tuple[Compiled, Sequence[object]]]
    ) -> Sequence[Sequence[tuple[Any, ...]]]:
        """By the driver itself, one after the other."""
        cursor = (await driver_of(cast("AsyncConnection", transaction))).cursor()
        fetched: list[Sequence[tuple[Any, ...]]] = []
        with as_dbapi_error(queries[0][0].text):
            for query, values in queries:
                await cursor.execute(query.text, tuple(values))
                fetched.append(await cursor.fetchall())
        return fetched

    async def execute_all(self, transaction: Transaction, writes: Sequence[Write]) -> None:
        """By the driver itself: a statement a write, or more where one would be too long."""
        cursor = (await driver_of(cast("AsyncConnection", transaction))).cursor()
        with as_dbapi_error(writes[0].statement.text):
            for write in writes:
                if write.statement.names == (_GIVEN,):
                    if rows := _as_json(write.columns):
                        await cursor.execute(write.statement.text, (rows,))
                else:
                    columns = (write.columns[name] for name in write.statement.names)
                    await cursor.executemany(write.statement.text, list(zip(*columns, strict=True)))

    async def create(self, connection: AsyncConnection, schema: Sequence[Compiled]) -> None:
        """Statement by statement, each for good; what was made before stays, and what comes next is one transaction."""
        driver = await driver_of(connection)
        cursor = driver.cursor()
        for statement in schema:
            with as_dbapi_error(statement.text):
                try:
                    await cursor.execute(statement.text)
                except asyncmy.errors.Error as error:
                    if code_of(error) not in (ER.TABLE_EXISTS_ERROR, ER.DUP_KEYNAME):
                        raise
        await say(driver, _BEGIN)

    async def begin_upgrade(self, connection: AsyncConnection) -> bool:
        """By a named lock, which goes with the connection, and not with the transaction."""
        answer = await connection.execute(text("SELECT version(), @@max_allowed_packet"))
        [(version, packet_bytes)] = answer.all()
        _check_version(version)
        if packet_bytes < _PACKET_BYTES:
            raise FailedPrecondition(
                f"store_uri: the database server's max_allowed_packet is {packet_bytes} bytes:"
                f" the longest requests need {_PACKET_BYTES}",
                reason="PACKETS_TOO_SMALL",
                metadata={"field": "store_uri", "value": packet_bytes, "limit": _PACKET_BYTES},
            )
        # Another server may be at a long step.
        await connection.execute(text(statement_timeout(0, mariadb=self.name == "mariadb")))
        taken = await connection.scalar(text(f"SELECT get_lock({_SCHEMA_LOCK}, {_SCHEMA_LOCK_SECONDS})"))
        if taken != 1:
            raise StoreUnavailable(f"another server has been at the schema of {self._shown()} for an hour")
        connection.info[_IS_LAST] = True
        return True

    async def change_schema(self, connection: AsyncConnection, statement: str) -> None:
        """For good, with what was before it; what comes next is a transaction."""
        await connection.execute(text(statement))
        await say(await driver_of(connection), _BEGIN)

    async def create_index(self, connection: AsyncConnection, name: str, table: str, columns: str) -> None:
        """By InnoDB's own way, which keeps nobody from writing; a step that was broken off may have made it."""
        present = await connection.run_sync(lambda sync: inspect(sync).get_indexes(table))
        if name not in {index["name"] for index in present}:
            await self.change_schema(connection, f"CREATE INDEX {name} ON {table} ({columns})")

    async def is_alone(self, connection: AsyncConnection, run_no: int) -> bool:
        """Always: its locks without a table outlive a transaction. Two servers may do the same, of which one counts."""
        return True

    async def number_from(self, connection: AsyncConnection, table: Table, number: int) -> None:
        """Nothing: AUTO_INCREMENT counts on from the highest number that a row ever had."""

    def violated_constraint(self, error: IntegrityError) -> str:
        """By the name at the end of "Duplicate entry … for key …"."""
        return violated_constraint(error)

    def translate(self, error: DBAPIError) -> TrackwireError | None:
        """By the server's number for the error, or the client's."""
        if error.orig is not None and took_too_long(error):
            return self._connections.took_too_long(self._shown(), error.orig)
        return translated(error, kind=self.name, shown=self._shown())

    def _shown(self) -> str:
        return self._address.render_as_string(hide_password=True)


class MysqlGiven:
    """Rows as parameters, or as a table that is made of their JSON."""

    def __init__(self, columns: Mapping[str, TypeEngine[Any]]):
        self._columns = columns

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        return self._rows.c[column]

    def into(self, statement: Insert) -> Insert:
        """As Given says."""
        return statement.values({name: bindparam(name, type_=kind) for name, kind in self._columns.items()})

    @cached_property
    def _rows(self) -> Subquery:
        kinds = sorted(self._columns.items())
        paths = (
            f"{name} {kind.compile(mysql.dialect())} PATH '$[{at}]' ERROR ON ERROR"
            for at, (name, kind) in enumerate(kinds)
        )
        # Names and types of columns of ours.
        table = text(f"SELECT * FROM JSON_TABLE(:{_GIVEN}, '$[*]' COLUMNS ({', '.join(paths)})) AS its_rows")  # noqa: S608
        return table.columns(*(column(name, kind) for name, kind in kinds)).subquery(_GIVEN)


class MysqlTransactions:
    """Connections of a pool, and the transactions on them."""

    def __init__(self, engine: AsyncEngine, begin: str, figures: PoolFigures):
        self.figures = figures
        self._engine = engine
        self._begin = begin

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As Writer says."""
        with self.figures.place() as place:
            connection = await self._begun()
            place.take()
            driver, info = await driver_of(connection), connection.info
            try:
                try:
                    yield connection
                except BaseException:
                    await roll_back(driver)
                    raise
                await say(driver, "COMMIT")
            finally:
                if info.pop(_IS_LAST, False):
                    await connection.invalidate()
                await connection.close()

    async def _begun(self) -> AsyncConnection:
        """A connection in a transaction. All that the pool has may have been closed while they lay idle."""
        left = self.figures.size
        while True:
            connection = await self._engine.connect()
            try:
                await say(await driver_of(connection), self._begin)
                return connection
            except BaseException as error:
                if isinstance(error, DBAPIError):
                    await connection.invalidate()
                await connection.close()
                if not (left and isinstance(error, DBAPIError) and is_gone(error)):
                    raise
            left -= 1

    async def in_one(self, work: Work[Result]) -> Result:
        """As Writer says; again where another transaction was in the way."""

        async def once() -> Result:
            async with self.transaction() as connection:
                return await work(connection)

        return await tried_until_free(once, met_a_deadlock)

    async def close(self) -> None:
        """As Writer says."""
        await self._engine.dispose()


def _as_json(columns: Mapping[str, Sequence[object]]) -> str:
    """Rows, each with its columns in the order of their names; empty if there are none."""
    rows = list(zip(*(map(_as_json_value, values) for _, values in sorted(columns.items())), strict=True))
    return json.dumps(rows, allow_nan=False, separators=(",", ":")) if rows else ""


def _as_json_value(value: object) -> object:
    return kept(value) if isinstance(value, float) else value


def _check_version(version: str) -> None:
    """Raises FailedPrecondition for a server that is too old."""
    name, least = ("MariaDB", _MARIADB) if "mariadb" in version.lower() else ("MySQL", _MYSQL)
    if tuple(map(int, re.findall(r"[0-9]+", version)[: len(least)])) < least:
        words = f"store_uri: the database server is {name} {version}, this needs {'.'.join(map(str, least))} or newer"
        raise FailedPrecondition(words, reason="DATABASE_TOO_OLD")
