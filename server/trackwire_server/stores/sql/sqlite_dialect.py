"""SQLite: one connection writes, a few read, and what is sent together runs in one trip to a connection's thread."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, Connection, Executable, Insert, Table, bindparam, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.types import TypeEngine

from trackwire_server.core.errors import InvalidArgument, StorageFull, StoreCorrupt, StoreUnavailable, TrackwireError
from trackwire_server.core.figures import PoolFigures
from trackwire_server.stores.sql.dialect import (
    DIALECT_OPTION,
    READING,
    WRITING,
    Compiled,
    Dialect,
    GatheredAsJson,
    InLowerCase,
    OneTrip,
    Transaction,
    Work,
    Write,
    compiled_by,
)
from trackwire_server.stores.sql.sqlite_driver import Result, SqliteDriver, connect
from trackwire_server.stores.sql.sqlite_log import grow_log
from trackwire_server.stores.sql.tables import schema_migrations

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

READERS = 4
BUSY_TIMEOUT_SECONDS = 30
CACHE_BYTES = 32 * 1024 * 1024
# Checkpoints are the committer's cost: fewer and larger ones write a page that changed often only once.
CHECKPOINT_PAGES = 4_096
PAGE_BYTES = 4_096
_BEGIN_WRITE = "BEGIN IMMEDIATE"
_QMARK = sqlite_dialect(paramstyle="qmark")

# SQLite names the columns of a violated constraint, not the constraint.
_SQLITE_CONSTRAINTS = {
    "experiments.workspace, experiments.name": "uq_experiments_name",
    "runs.run_id": "uq_runs_run_id",
    "runs.request_id": "uq_runs_request_id",
    "registered_models.workspace, registered_models.name": "uq_registered_models_name",
    "model_versions.request_id": "uq_model_versions_request_id",
    "logged_models.request_id": "uq_logged_models_request_id",
    "issues.issue_id": "uq_issues_issue_id",
    "issues.request_id": "uq_issues_request_id",
    "evaluation_datasets.request_id": "uq_evaluation_datasets_request_id",
    "logged_models.model_id": "uq_logged_models_model_id",
}

_UNAVAILABLE = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
    )
)


@compiles(GatheredAsJson, "sqlite")
def _gathered_in_sqlite(element: GatheredAsJson, compiler: "SQLCompiler", **options: Any) -> str:
    return f"json_group_object({compiler.process(element.clauses, **options)})"


@compiles(InLowerCase, "sqlite")
def _in_lower_case_in_sqlite(element: InLowerCase, compiler: "SQLCompiler", **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


class SqliteDialect:
    """SQLite in a file: WAL, one writer, readers with snapshots of their own."""

    name = "sqlite"
    joins_before_it_locks = False
    returns_what_it_inserts = True
    indexes_expressions = True
    skips_in_indexes = False

    def __init__(self, url: URL):
        if not url.database or url.database == ":memory:":
            raise InvalidArgument(
                "store_uri", str(url), "needs a file: sqlite:///relative/path or sqlite:////absolute/path"
            )
        self._pages_max = _pages_max(url)
        self._url = url.set(drivername="sqlite+aiosqlite").difference_update_query(["max_page_count"])

    def writer(self) -> "SqliteWriter":
        """One connection that writes under BEGIN IMMEDIATE."""
        return SqliteWriter(self, self._engine(1, reads_only=False))

    def reader(self) -> "SqliteReader":
        """A few connections that read under BEGIN."""
        return SqliteReader(self._engine(READERS, reads_only=True))

    def _engine(self, connections: int, *, reads_only: bool) -> AsyncEngine:
        path = str(self._url.database)
        engine = create_async_engine(
            self._url,
            async_creator=lambda: connect(path, timeout_seconds=BUSY_TIMEOUT_SECONDS, reads_only=reads_only),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_TIMEOUT_SECONDS,
            execution_options={DIALECT_OPTION: self},
            # Database ends every transaction that it begins; one more rollback would be a trip for nothing.
            pool_reset_on_return=None,
        )

        # The driver would begin transactions by itself, but not for SELECT: a snapshot needs an explicit BEGIN.
        @event.listens_for(engine.sync_engine, "connect")
        def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            # Anybody else's database is refused later, and stays as it is.
            journal_mode = ["journal_mode=WAL"] if _is_empty_or_ours(cursor) else []
            for pragma in (
                *journal_mode,
                "synchronous=FULL",
                "foreign_keys=ON",
                f"busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
                "case_sensitive_like=ON",
                f"cache_size=-{CACHE_BYTES // 1024}",
                f"wal_autocheckpoint={CHECKPOINT_PAGES}",
                f"journal_size_limit={4 * CHECKPOINT_PAGES * PAGE_BYTES}",
                "temp_store=MEMORY",
                # Some builds wipe what is deleted by default: every retired journal row would be written once more.
                "secure_delete=OFF",
                *([f"max_page_count={self._pages_max}"] if self._pages_max else []),
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
            # SQLite's own lower() knows ASCII only; ILIKE is to fold every alphabet.
            connection.create_function("lower", 1, _lower, deterministic=True)

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            driver = cast("SqliteDriver", connection.connection.driver_connection)
            driver.begin("BEGIN" if reads_only else _BEGIN_WRITE)

        return engine

    def warm_up(self) -> None:
        """Grows the log as far as it grows before it starts over."""
        grow_log(Path(str(self._url.database)), CHECKPOINT_PAGES * PAGE_BYTES)

    def insert_missing(self, table: Table) -> Insert:
        """By ON CONFLICT."""
        return sqlite.insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, *columns: str) -> Insert:
        """By ON CONFLICT."""
        statement = sqlite.insert(table)
        changes = {name: statement.excluded[name] for name in columns}
        return statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=changes)

    def given(self, columns: Mapping[str, TypeEngine[Any]]) -> "SqliteGiven":
        """A row at a time."""
        return SqliteGiven(columns)

    def compiled(self, statement: Executable, like: Mapping[str, object] | None = None) -> Compiled:
        """With a question mark a place."""
        return compiled_by(_QMARK, statement, like)

    async def fetch_each(
        self, transaction: Transaction, queries: Sequence[tuple[Compiled, Sequence[object]]]
    ) -> Sequence[Sequence[tuple[Any, ...]]]:
        """By the driver itself."""
        driver = await _driver(transaction)
        with _as_dbapi_error(queries[0][0].text):
            return await driver.run(
                lambda database: [database.execute(query.text, values).fetchall() for query, values in queries]
            )

    async def execute_all(self, transaction: Transaction, writes: Sequence[Write]) -> None:
        """In one trip for all of them."""
        driver = await _driver(transaction)
        with _as_dbapi_error(writes[0].statement.text):
            await driver.run(lambda database: _execute_all(database, writes))

    async def create(self, connection: AsyncConnection, schema: Sequence[Compiled]) -> None:
        """In the transaction."""
        await self.fetch_each(connection, [(statement, ()) for statement in schema])

    async def begin_upgrade(self, connection: AsyncConnection) -> bool:
        """Whoever writes does so alone."""
        return True

    async def change_schema(self, connection: AsyncConnection, statement: str) -> None:
        """In the transaction."""
        await connection.execute(text(statement))

    async def create_index(self, connection: AsyncConnection, name: str, table: str, columns: str) -> None:
        """In the transaction."""
        await self.change_schema(connection, f"CREATE INDEX {name} ON {table} ({columns})")

    async def is_alone(self, connection: AsyncConnection, run_no: int) -> bool:
        """Always: a file has one server."""
        return True

    async def number_from(self, connection: AsyncConnection, table: Table, number: int) -> None:
        """Nothing: AUTOINCREMENT counts on from the highest number that a row ever had."""

    def violated_constraint(self, error: IntegrityError) -> str:
        """By the columns in "UNIQUE constraint failed: …"."""
        _, _, columns = str(error.orig).partition("constraint failed: ")
        return _SQLITE_CONSTRAINTS.get(columns, columns)

    def translate(self, error: DBAPIError) -> TrackwireError | None:
        """By SQLite's primary result code."""
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        extended = getattr(error.orig, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
            return StorageFull("database")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return StoreCorrupt(f"database {self._url.database}: {error.orig}")
        if code in _UNAVAILABLE:
            return StoreUnavailable(f"database {self._url.database}: {error.orig}")
        return None


class SqliteGiven:
    """A row, as parameters."""

    def __init__(self, columns: Mapping[str, TypeEngine[Any]]):
        self._parameters = {name: bindparam(name, type_=kind) for name, kind in columns.items()}

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        return self._parameters[column]

    def into(self, statement: Insert) -> Insert:
        """As Given says."""
        return statement.values(self._parameters)


class SqliteReader:
    """Connections that read."""

    def __init__(self, engine: AsyncEngine):
        self.figures = PoolFigures(READING, READERS)
        self._engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As Reader says."""
        with self.figures.place() as place:
            async with self._engine.begin() as connection:
                place.take()
                yield connection

    async def close(self) -> None:
        """As Reader says."""
        await self._engine.dispose()


class SqliteWriter:
    """The connection that writes. Transactions take turns, in the order in which they came."""

    def __init__(self, dialect: Dialect, engine: AsyncEngine):
        """The engine has one connection."""
        self.figures = PoolFigures(WRITING, 1)
        self._dialect = dialect
        self._engine = engine
        self._turn = asyncio.Lock()
        self._driver: SqliteDriver | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As Writer says. Raises StoreUnavailable if its turn doesn't come."""
        async with self._my_turn(), self._engine.begin() as connection:
            yield connection

    async def in_one(self, work: Work[Result]) -> Result:
        """As Writer says: in the thread of the connection. Raises StoreUnavailable if its turn doesn't come."""
        async with self._my_turn():
            with _as_dbapi_error(_BEGIN_WRITE):
                driver = await self._connected()
                return await driver.transact(
                    _BEGIN_WRITE, lambda database: _at_once(work(OneTrip(self._dialect, database)))
                )

    async def close(self) -> None:
        """As Writer says."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        with self.figures.place() as place:
            try:
                async with asyncio.timeout(BUSY_TIMEOUT_SECONDS):
                    await self._turn.acquire()
            except TimeoutError as error:
                raise StoreUnavailable(
                    f"other transactions have held the store for {BUSY_TIMEOUT_SECONDS} seconds: nothing was stored"
                ) from error
            place.take()
            try:
                yield
            finally:
                self._turn.release()

    async def _connected(self) -> SqliteDriver:
        """The driver of the engine's connection, not asked of its pool each time: that is a tenth of a small write."""
        # An engine parts with a connection whose transaction was cancelled.
        if self._driver is None or self._driver.is_closed:
            connection = await self._engine.raw_connection()
            self._driver = cast("SqliteDriver", connection.driver_connection)
            connection.close()
        return self._driver


async def _driver(transaction: Transaction) -> SqliteDriver | OneTrip:
    if isinstance(transaction, OneTrip):
        return transaction
    raw = await transaction.get_raw_connection()
    return cast("SqliteDriver", raw.driver_connection)


def _is_empty_or_ours(cursor: sqlite3.Cursor) -> bool:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name for (name,) in cursor.fetchall()}
    return not names or schema_migrations.name in names


def _execute_all(database: sqlite3.Connection, writes: Sequence[Write]) -> None:
    for write in writes:
        names = write.statement.names
        rows = zip(*(write.columns[name] for name in names), strict=True)
        database.executemany(write.statement.text, rows).close()


def _at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine returns that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as ended:
        return cast("Result", ended.value)
    work.close()
    raise RuntimeError("a transaction in one trip waits for something that is none of its statements")


@contextmanager
def _as_dbapi_error(statement: str) -> Iterator[None]:
    """Errors of the bare driver look like those that SQLAlchemy raises, so that they are translated in one place."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except sqlite3.Error as error:
        raise DBAPIError(statement, None, error) from error


def _pages_max(url: URL) -> int:
    """How many pages of 4 KiB the file may have, where the URI says so with `?max_page_count=`; 0 for no limit."""
    text = url.query.get("max_page_count", "0")
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,10}", text):
        raise InvalidArgument("store_uri", str(url), "max_page_count must be a whole number of pages")
    return int(text)


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()
