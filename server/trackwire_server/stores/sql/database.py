"""One database: its transactions, and what its errors mean to core."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import literal, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable, TrackwireError
from trackwire_server.core.figures import PoolFigures
from trackwire_server.stores.sql.dialect import ConnectionSettings, Dialect, Reader, Work, Writer
from trackwire_server.stores.sql.migrations import MIGRATIONS, SchemaState, Step, read_state, take_step
from trackwire_server.stores.sql.sqlite_driver import Result
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

_PING = select(literal(1))
# Between looks at whether another server still works on the schema.
_BUSY_SECONDS = 0.2
OnConflict = Callable[[str], TrackwireError | None]


class Database:
    """Hands out transactions. `write` is exclusive on SQLite; `read` is a snapshot that never waits for a writer."""

    def __init__(self, dialect: Dialect, writer: Writer, reader: Reader, *, artifact_root: str = ""):
        """`artifact_root` is that of experiments that choose no location; "" for the server's own artifact store."""
        self.dialect = dialect
        self.artifact_root = artifact_root
        self._writer = writer
        self._reader = reader
        # Of its schema, once that was brought up to date.
        self.version = 0

    @property
    def pools(self) -> Sequence[PoolFigures]:
        """How its connections are used."""
        return (self._writer.figures, self._reader.figures)

    @classmethod
    async def open(
        cls,
        store_uri: str | URL,
        *,
        artifact_root: str = "",
        upgrade: bool = True,
        connections: ConnectionSettings | None = None,
    ) -> Self:
        """Connects, and brings the schema up to date unless told not to. Raises FailedPrecondition, StoreCorrupt."""
        dialect = _dialect_of(store_uri, connections or ConnectionSettings())
        database = cls(dialect, dialect.writer(), dialect.reader(), artifact_root=artifact_root)
        try:
            if upgrade:
                await database.upgrade()
        except BaseException:
            await database.close()
            raise
        return database

    async def warm_up(self) -> None:
        """Does beforehand what would hold the first writes up; for whoever goes on writing."""
        await asyncio.to_thread(self.dialect.warm_up)

    async def upgrade(self, *, steps: Mapping[int, Step] = MIGRATIONS, target: int = SCHEMA_VERSION) -> tuple[int, int]:
        """Brings the schema up to date, a version a transaction; the versions before and after."""
        before, self.version = await self._take_step(steps, target)
        while self.version < target:
            _, self.version = await self._take_step(steps, target)
        return before, self.version

    async def _take_step(self, steps: Mapping[int, Step], target: int) -> tuple[int, int]:
        while True:
            async with self.write() as connection:
                if await self.dialect.begin_upgrade(connection):
                    return await take_step(connection, artifact_root=self.artifact_root, steps=steps, target=target)
            await asyncio.sleep(_BUSY_SECONDS)

    async def ping(self) -> None:
        """Asks it for nothing, and returns once it has answered."""
        async with self.read() as connection:
            await connection.execute(_PING)

    async def schema(self) -> SchemaState:
        """What it says of its schema."""
        async with self.read() as connection:
            return await read_state(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot."""
        with self._translated(None):
            async with self._reader.transaction() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, on_conflict: OnConflict | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end; `on_conflict` turns a violated constraint's name into an error."""
        with self._translated(on_conflict):
            async with self._writer.transaction() as connection:
                yield connection

    async def write_in_one(self, work: Work[Result], on_conflict: OnConflict | None = None) -> Result:
        """The same for `work` that awaits nothing but its statements; on SQLite, in the connection's thread."""
        with self._translated(on_conflict):
            return await self._writer.in_one(work)

    def _translated(self, on_conflict: OnConflict | None) -> "_Translation":
        return _Translation(self.dialect, on_conflict)

    async def close(self) -> None:
        """Closes every connection; nothing may be under way."""
        await self._reader.close()
        await self._writer.close()


class _Translation:
    """Turns a driver's errors into the domain's; the only place that does."""

    def __init__(self, dialect: Dialect, on_conflict: OnConflict | None):
        self._dialect = dialect
        self._on_conflict = on_conflict

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _traceback: object) -> None:
        translated: TrackwireError | None = None
        if isinstance(error, IntegrityError) and self._on_conflict is not None:
            translated = self._on_conflict(self._dialect.violated_constraint(error))
        elif isinstance(error, PoolTimeoutError):
            translated = StoreUnavailable(f"no connection to the store became free: {error}")
        elif isinstance(error, DBAPIError):
            translated = self._dialect.translate(error)
        if translated is not None:
            raise translated from error


def _dialect_of(store_uri: str | URL, connections: ConnectionSettings) -> Dialect:
    """The dialect for a store URI. Raises InvalidArgument if there is none."""
    try:
        url = make_url(store_uri)
    except ArgumentError as error:
        raise InvalidArgument(
            "store_uri", str(store_uri), "is not a database URI such as sqlite:////data/trackwire.db"
        ) from error
    match url.drivername.partition("+")[0]:
        case "sqlite":
            from trackwire_server.stores.sql.sqlite_dialect import SqliteDialect

            return SqliteDialect(url)
        case "postgresql" | "postgres":
            from trackwire_server.stores.sql.postgres_dialect import PostgresDialect

            return PostgresDialect(url, connections)
        case "mysql" | "mariadb":
            return _mysql_dialect(url, connections)
    raise InvalidArgument(
        "store_uri", store_uri, "has no store; there are mysql://, mariadb://, postgresql://, sqlite:// and memory:"
    )


def _mysql_dialect(url: URL, connections: ConnectionSettings) -> Dialect:
    try:
        from trackwire_server.stores.sql.mysql_dialect import MysqlDialect
    except ModuleNotFoundError as error:
        if error.name != "asyncmy":
            raise
        raise FailedPrecondition(
            "store_uri: MySQL and MariaDB need the package asyncmy: pip install 'trackwire[server,mysql]'",
            reason="EXTRA_MISSING",
            metadata={"field": "store_uri"},
        ) from error
    return MysqlDialect(url, connections)
