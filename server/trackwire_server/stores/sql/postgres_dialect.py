"""PostgreSQL by asyncpg: any number of servers write; a transaction is begun and ended by the driver itself.

SQLAlchemy's connections are in autocommit, so that its statements and the driver's run in one transaction, whichever
comes first.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import (
    ColumnElement,
    Executable,
    Insert,
    String,
    Table,
    Text,
    bindparam,
    column,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeEngine

from trackwire_server.core.errors import (
    FailedPrecondition,
    InvalidArgument,
    StorageFull,
    StoreCorrupt,
    StoreUnavailable,
    TrackwireError,
)
from trackwire_server.core.figures import PoolFigures
from trackwire_server.stores.sql.deadlocks import MetDeadlock, tried_until_free
from trackwire_server.stores.sql.dialect import (
    DIALECT_OPTION,
    READING,
    WRITING,
    Compiled,
    ConnectionSettings,
    GatheredAsJson,
    InLowerCase,
    LookedUp,
    Transaction,
    Work,
    Write,
    compiled_by,
)
from trackwire_server.stores.sql.postgres_sessions import CONNECT_TIMEOUT_SECONDS, PostgresSessions
from trackwire_server.stores.sql.sqlite_driver import Result

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

# Of advisory locks, which are numbers: any that nobody else has.
_SCHEMA_LOCK = 0x7472_6163_6B77_6972
_WORK_LOCK = 0x7472_6163
_ASYNCPG = asyncpg_dialect()  # type: ignore[no-untyped-call]

# By the first characters of PostgreSQL's SQLSTATE.
# Source: postgresql.org/docs/current/errcodes-appendix.html
_UNAVAILABLE = ("08", "25006", "28", "3D", "40001", "40P01", "42501", "53", "55P03", "57", "58")
_FULL = ("53100",)
_CORRUPT = ("XX001", "XX002")
_RETRIED = ("40001", "40P01")
# The last one is what a statement may get whose connection is lost between its two halves.
_DRIVERS_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@compiles(GatheredAsJson, "postgresql")
def _gathered_in_postgresql(element: GatheredAsJson, compiler: "SQLCompiler", **options: Any) -> str:
    return f"json_object_agg({compiler.process(element.clauses, **options)})::text"


@compiles(InLowerCase, "postgresql")
def _in_lower_case_in_postgresql(element: InLowerCase, compiler: "SQLCompiler", **options: Any) -> str:
    return f"trackwire_lower({compiler.process(element.clauses, **options)})"


@compiles(LookedUp, "postgresql")
def _looked_up_in_postgresql(element: LookedUp, compiler: "SQLCompiler", **options: Any) -> str:
    # Without this fence it would be made a join, whose order follows estimates of how many rows have a param: these
    # take a key and its values for independent, and are off by orders of magnitude.
    exists: str = compiler.visit_unary(element, **options)  # type: ignore[no-untyped-call]
    return f"{exists.removesuffix(')')} OFFSET 0)"


class PostgresDialect:
    """PostgreSQL: rows are locked where they change, and a read is a snapshot."""

    name = "postgresql"
    joins_before_it_locks = True
    returns_what_it_inserts = True
    indexes_expressions = True
    skips_in_indexes = False

    def __init__(self, url: URL, connections: ConnectionSettings):
        self._connections = connections
        # As the driver knows it: with several hosts, TLS and timeouts, if they are named, in libpq's words.
        self._address = url.set(drivername="postgresql")
        uri = self._address.render_as_string(hide_password=False)
        timeout_ms = round(connections.statement_timeout_seconds * 1000)
        self._sessions = PostgresSessions(uri, statement_timeout_ms=timeout_ms)

    def writer(self) -> "PostgresTransactions":
        """Connections that write under READ COMMITTED."""
        return self._transactions("BEGIN ISOLATION LEVEL READ COMMITTED", WRITING)

    def reader(self) -> "PostgresTransactions":
        """Connections that read under REPEATABLE READ."""
        return self._transactions("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", READING)

    def _transactions(self, begin: str, use: str) -> "PostgresTransactions":
        return PostgresTransactions(self._engine(), begin, PoolFigures(use, self._connections.pool_size))

    def _engine(self) -> AsyncEngine:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            isolation_level="AUTOCOMMIT",
            pool_size=self._connections.pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_SECONDS,
            pool_reset_on_return=None,
            execution_options={DIALECT_OPTION: self},
        )
        event.listen(engine.sync_engine, "checkout", _refuse_what_failed)
        return engine

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        with _as_dbapi_error("CONNECT"):
            return await self._sessions.connect()

    def warm_up(self) -> None:
        """Nothing."""

    def insert_missing(self, table: Table) -> Insert:
        """By ON CONFLICT."""
        return postgresql.insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, *columns: str) -> Insert:
        """By ON CONFLICT."""
        statement = postgresql.insert(table)
        changes = {name: statement.excluded[name] for name in columns}
        return statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=changes)

    def given(self, columns: Mapping[str, TypeEngine[Any]]) -> "PostgresGiven":
        """All rows at once."""
        return PostgresGiven(columns)

    def compiled(self, statement: Executable, like: Mapping[str, object] | None = None) -> Compiled:
        """With a numbered dollar a place."""
        return compiled_by(_ASYNCPG, statement, like)

    async def fetch_each(
        self, transaction: Transaction, queries: Sequence[tuple[Compiled, Sequence[object]]]
    ) -> Sequence[Sequence[tuple[Any, ...]]]:
        """By the driver itself, one after the other."""
        driver = await _driver(cast("AsyncConnection", transaction))
        with _as_dbapi_error(queries[0][0].text):
            return [list(map(tuple, await driver.fetch(query.text, *values))) for query, values in queries]

    async def execute_all(self, transaction: Transaction, writes: Sequence[Write]) -> None:
        """By the driver itself: a statement a write, which has its columns as arrays."""
        driver = await _driver(cast("AsyncConnection", transaction))
        with _as_dbapi_error(writes[0].statement.text):
            for write in writes:
                columns = [write.columns[name] for name in write.statement.names]
                if len(columns[0]):
                    await driver.execute(write.statement.text, *columns)

    async def create(self, connection: AsyncConnection, schema: Sequence[Compiled]) -> None:
        """In the transaction."""
        await self.fetch_each(connection, [(statement, ()) for statement in schema])

    async def begin_upgrade(self, connection: AsyncConnection) -> bool:
        """By an advisory lock."""
        encoding = await connection.scalar(text("SHOW server_encoding"))
        if encoding != "UTF8":
            words = f"store_uri: the database's encoding is {encoding}: make one with ENCODING 'UTF8'"
            raise FailedPrecondition(words, reason="BAD_ENCODING")
        for timeout in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            await connection.execute(text(f"SET LOCAL {timeout} = 0"))
        # Whoever waited here would hold a snapshot, for which an index that is made concurrently waits in turn.
        if not await connection.scalar(select(func.pg_try_advisory_xact_lock(_SCHEMA_LOCK))):
            return False
        if await connection.scalar(text("SELECT to_regproc('trackwire_lower') IS NULL")):
            # Columns are compared by code points, in which lower() knows ASCII only.
            version = int(await connection.scalar(text("SHOW server_version_num")) or 0)
            every_alphabet = "pg_c_utf8" if version >= 170_000 else "und-x-icu"
            body = f'SELECT lower($1 COLLATE "{every_alphabet}") COLLATE "C"'
            attributes = f"RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ({body})"
            await connection.execute(text(f"CREATE FUNCTION trackwire_lower(text) {attributes}"))
        return True

    async def change_schema(self, connection: AsyncConnection, statement: str) -> None:
        """In the transaction."""
        await connection.execute(text(statement))

    async def create_index(self, connection: AsyncConnection, name: str, table: str, columns: str) -> None:
        """Concurrently, which no transaction can: on a connection of its own. One that was broken off is made anew."""
        # What the transaction's last statement has read from stays open, and with it a snapshot that the index would
        # wait for, until another one comes: this one leaves nothing open.
        await (await _driver(connection)).execute("SELECT 1")
        driver = await self._connect()
        is_valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
        make = f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns})"
        try:
            with _as_dbapi_error(make):
                await driver.execute("SET lock_timeout = 0; SET statement_timeout = 0")
                found = await driver.fetchval(is_valid, name)
                if found is False:
                    await driver.execute(f"DROP INDEX CONCURRENTLY {name}")
                if not found:
                    await driver.execute(make)
        finally:
            driver.terminate()

    async def is_alone(self, connection: AsyncConnection, run_no: int) -> bool:
        """By an advisory lock, of which nothing is left when the server is gone."""
        # Two numbers of 32 bits: runs that share one are at worst worked on one after the other.
        lock = func.pg_try_advisory_xact_lock(_WORK_LOCK, run_no % 2**31)
        return bool(await connection.scalar(select(lock)))

    async def number_from(self, connection: AsyncConnection, table: Table, number: int) -> None:
        """Moves the table's sequence on; never back, as numbers of what was removed are given to nobody else."""
        # Whoever draws a number does so under a lock of the table that this one waits for.
        await connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
        [key] = table.primary_key.columns
        sequence = func.pg_get_serial_sequence(table.name, key.name)
        drawn = func.coalesce(func.pg_sequence_last_value(sequence.cast(postgresql.REGCLASS)), 1)
        await connection.execute(select(func.setval(sequence, func.greatest(drawn, number - 1))))

    def violated_constraint(self, error: IntegrityError) -> str:
        """By the name that PostgreSQL tells."""
        return getattr(_cause(error), "constraint_name", None) or ""

    def translate(self, error: DBAPIError) -> TrackwireError | None:
        """By the SQLSTATE; whatever has none is a connection that failed."""
        cause = _cause(error)
        if isinstance(cause, asyncpg.CharacterNotInRepertoireError):
            return InvalidArgument("text", "\0", "must be without U+0000, which PostgreSQL does not keep")
        if isinstance(cause, asyncpg.DataError):
            return InvalidArgument("value", str(cause), "must be one that PostgreSQL can keep")
        if isinstance(cause, asyncpg.InvalidCachedStatementError):
            return StoreUnavailable("the schema was changed a moment ago: send this again")
        if isinstance(cause, asyncpg.QueryCanceledError):
            return self._connections.took_too_long(self._shown(), cause)
        state = getattr(cause, "sqlstate", None) or "08000"
        if state.startswith(_FULL):
            return StorageFull("database")
        if state.startswith(_CORRUPT):
            return StoreCorrupt(f"database {self._shown()}: {cause}")
        if state.startswith(_RETRIED):
            return MetDeadlock(f"database {self._shown()}: {cause}")
        if state.startswith(_UNAVAILABLE):
            return StoreUnavailable(f"database {self._shown()}: {cause}")
        return None

    def _shown(self) -> str:
        return self._address.render_as_string(hide_password=True)


class PostgresGiven:
    """Rows, from an array a column."""

    def __init__(self, columns: Mapping[str, TypeEngine[Any]]):
        # A cast to a length would cut what is longer off.
        kinds = {name: Text() if isinstance(kind, String) else kind for name, kind in columns.items()}
        arrays = [bindparam(name, type_=postgresql.ARRAY(kind)) for name, kind in kinds.items()]
        names = [column(name, kind) for name, kind in kinds.items()]
        self._rows = func.unnest(*arrays).table_valued(*names).render_derived(name="given")

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        return self._rows.c[column]

    def into(self, statement: Insert) -> Insert:
        """As Given says."""
        rows = self._rows.c
        return statement.from_select(list(rows.keys()), select(*rows)).inline()


class PostgresTransactions:
    """Connections of a pool, and the transactions on them."""

    def __init__(self, engine: AsyncEngine, begin: str, figures: PoolFigures):
        self.figures = figures
        self._engine = engine
        self._begin = begin

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As Writer says."""
        with self.figures.place() as place:
            async with self._engine.connect() as connection:
                place.take()
                driver = await _driver(connection)
                await _say(driver, self._begin)
                try:
                    yield connection
                except BaseException:
                    await _say(driver, "ROLLBACK")
                    raise
                await _say(driver, "COMMIT")

    async def in_one(self, work: Work[Result]) -> Result:
        """As Writer says; again where another transaction was in the way."""

        async def once() -> Result:
            async with self.transaction() as connection:
                return await work(connection)

        return await tried_until_free(once, _was_in_the_way)

    async def close(self) -> None:
        """As Writer says."""
        await self._engine.dispose()


async def _say(driver: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    """Begins or ends a transaction. Where it isn't known whether that came to its end, the connection is closed."""
    if driver.is_closed() and statement == "ROLLBACK":
        return  # PostgreSQL has done so by itself
    with _as_dbapi_error(statement):
        try:
            answer = await driver.execute(statement)
        except BaseException:
            driver.terminate()
            raise
        if not statement.startswith(answer):
            raise asyncpg.InFailedSQLTransactionError(f"{statement} was answered with {answer}")


def _refuse_what_failed(adapter: Any, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Has the pool connect anew in place of a connection that was closed."""
    if adapter.driver_connection.is_closed():
        raise DisconnectionError


async def _driver(connection: AsyncConnection) -> "asyncpg.Connection[asyncpg.Record]":
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)


def _was_in_the_way(error: DBAPIError) -> bool:
    return str(getattr(_cause(error), "sqlstate", "")).startswith(_RETRIED)


def _cause(error: BaseException) -> BaseException:
    """What the driver raised, below what SQLAlchemy made of it."""
    found: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    while found is not None and not isinstance(found, _DRIVERS_ERRORS):
        found = found.__cause__
    return found or error


@contextmanager
def _as_dbapi_error(statement: str) -> Iterator[None]:
    """Errors of the bare driver look like those that SQLAlchemy raises, so that they are translated in one place."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise IntegrityError(statement, None, error) from error
    except (*_DRIVERS_ERRORS, OSError) as error:
        raise DBAPIError(statement, None, error) from error
