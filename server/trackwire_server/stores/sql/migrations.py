"""Numbered, forward-only steps from one schema to the next. A fresh database is made whole and starts at the newest.

A step may only use literal DDL and its own Table objects, never `tables`: that is always the newest schema. Each is a
transaction, so that an upgrade that is broken off goes on where it was. Some databases keep each table that a step has
made or changed when it is broken off: it has to bear being run again there.

Servers of the release before work beside an upgrade, and after it: a step only adds what they need not know, and says
from which version on servers go on. What they must do without is removed a release later.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ClauseElement,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from trackwire_server.core.entities import (
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_EXPERIMENT_NAME,
    DEFAULT_WORKSPACE,
    experiment_artifact_location,
)
from trackwire_server.core.errors import FailedPrecondition
from trackwire_server.stores.sql.dialect import Compiled, dialect_of
from trackwire_server.stores.sql.tables import (
    DEFAULT_CONTEXT_NO,
    NO_RANK,
    SCHEMA_VERSION,
    experiments,
    metadata,
    metric_contexts,
    schema_migrations,
)
from trackwire_server.stores.sql.tables.columns import number, reference


@dataclass(frozen=True, slots=True)
class Step:
    """What leads to a version of the schema."""

    apply: Callable[[AsyncConnection], Awaitable[None]]
    # Servers that know this version of the schema, or a later one, work with the one that the step leads to.
    oldest_server: int


async def _know_oldest_server(connection: AsyncConnection) -> None:
    await add_column(connection, "schema_migrations", "oldest_server INTEGER DEFAULT 1 NOT NULL")


async def _index_values(connection: AsyncConnection) -> None:
    dialect = dialect_of(connection)
    key = connection.dialect.identifier_preparer.quote("key")
    beginning = "value(64)" if dialect.name in ("mysql", "mariadb") else "substr(value, 1, 64)"
    for table in ("run_params", "run_tags"):
        await dialect.create_index(connection, f"ix_{table}_value", table, f"{key}, {beginning}, run_no")


async def _keep_thinned_chunks(connection: AsyncConnection) -> None:
    schema = MetaData(naming_convention=metadata.naming_convention)
    Table("metric_series", schema, number("series_no"))
    thinned = Table(
        "metric_thinned",
        schema,
        reference("series_no", "metric_series.series_no"),
        Column("ordinal", Integer, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        PrimaryKeyConstraint("series_no", "ordinal"),
        sqlite_with_rowid=False,
    )
    statement = CreateTable(thinned, if_not_exists=True).compile(dialect=connection.dialect)
    dialect = dialect_of(connection)
    await dialect.change_schema(connection, str(statement))
    if dialect.name == "sqlite":
        columns = "series_no, ordinal, points, first_step, first_time_ms, last_step, last_time_ms"
        await dialect.create_index(connection, "ix_metric_chunks_places", "metric_chunks", columns)


# MIGRATIONS[n] leads from version n - 1 to version n.
MIGRATIONS: Mapping[int, Step] = {
    2: Step(_know_oldest_server, oldest_server=2),
    3: Step(_index_values, oldest_server=2),
    4: Step(_keep_thinned_chunks, oldest_server=2),
}
# Where MLflow's tool for migrations notes the version of its schema.
_MLFLOWS = "alembic_version"
# The last version that does not say what servers may work with it: those that know it.
_UNAWARE_OF_SERVERS = 1


async def add_column(connection: AsyncConnection, table: str, column: str) -> None:
    """ALTER TABLE … ADD COLUMN, where a step that was broken off has not done it already."""
    present = await connection.run_sync(lambda sync: inspect(sync).get_columns(table))
    if column.partition(" ")[0] not in {each["name"] for each in present}:
        await dialect_of(connection).change_schema(connection, f"ALTER TABLE {table} ADD COLUMN {column}")


@dataclass(frozen=True, slots=True)
class SchemaState:
    """A database's schema: its version, 0 if it is empty, and that which servers must know to work with it."""

    version: int
    oldest_server: int

    def check(self, known: int = SCHEMA_VERSION) -> None:
        """Refuses a database that asks for a newer server than one that knows this version. FailedPrecondition."""
        if self.oldest_server > known:
            raise FailedPrecondition(
                f"store_uri: the database has schema version {self.version}, which needs a server that knows version"
                f" {self.oldest_server}, and this one knows versions up to {known}: upgrade the server",
                reason="SCHEMA_TOO_NEW",
                metadata={"field": "store_uri", "value": self.version, "limit": known},
            )


async def read_state(connection: AsyncConnection) -> SchemaState:
    """What a database says of its schema. Raises FailedPrecondition if it is somebody else's."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if schema_migrations.name not in names:
        if names:
            raise _foreign(names)
        return SchemaState(0, 0)
    version = await connection.scalar(select(func.max(schema_migrations.c.version))) or 0
    if version <= _UNAWARE_OF_SERVERS:
        return SchemaState(version, version)
    oldest = select(schema_migrations.c.oldest_server).where(schema_migrations.c.version == version)
    return SchemaState(version, (await connection.execute(oldest)).scalar_one())


def _foreign(names: Sequence[str]) -> FailedPrecondition:
    advice = "point the server at an empty database"
    if _MLFLOWS in names:
        advice += "; `trackwire import mlflow URI` takes over what MLflow keeps in this one"
    return FailedPrecondition(
        f"store_uri: the database has other tables ({', '.join(sorted(names)[:3])}, …) but none of Trackwire's:"
        f" {advice}",
        reason="FOREIGN_DATABASE",
    )


async def take_step(
    connection: AsyncConnection,
    *,
    artifact_root: str = "",
    steps: Mapping[int, Step] = MIGRATIONS,
    target: int = SCHEMA_VERSION,
) -> tuple[int, int]:
    """Brings a database one version further, an empty one to the target; the versions before and after.

    Raises FailedPrecondition for one that needs a newer server. The default experiment of a fresh one keeps artifacts
    in `artifact_root`; "" for the server's own artifact store.
    """
    state = await read_state(connection)
    state.check(target)
    if state.version == 0:
        await _create(connection, artifact_root)
        await _record(connection, target, steps[target].oldest_server)
        return 0, target
    if state.version >= target:
        return state.version, state.version
    version = state.version + 1
    await steps[version].apply(connection)
    await _record(connection, version, steps[version].oldest_server)
    return state.version, version


async def _create(connection: AsyncConnection, artifact_root: str) -> None:
    await dialect_of(connection).create(connection, _whole_schema(connection))
    now_ms = time.time_ns() // 1_000_000
    await connection.execute(
        insert(experiments).values(
            experiment_no=int(DEFAULT_EXPERIMENT_ID),
            workspace=DEFAULT_WORKSPACE,
            name=DEFAULT_EXPERIMENT_NAME,
            artifact_location=_location(artifact_root),
            creation_time_ms=now_ms,
            last_update_time_ms=now_ms,
        )
    )
    await connection.execute(insert(metric_contexts).values(context_no=DEFAULT_CONTEXT_NO, rank=NO_RANK))


def _whole_schema(connection: AsyncConnection) -> Sequence[Compiled]:
    # Collected to be sent together: a trip to the driver for each is half of a fresh database's making.
    statements: list[Compiled] = []

    def keep(statement: ClauseElement, *_: object, **_options: object) -> None:
        statements.append(Compiled(str(statement.compile(dialect=connection.dialect)), ()))

    # Nothing is there yet, and none of the tables has to be looked for. What tells whose they are comes first: where
    # tables are no part of a transaction, they stay when it is broken off.
    others = [table for table in metadata.sorted_tables if table is not schema_migrations]
    for tables in ([schema_migrations], others):
        metadata.create_all(MockConnection(connection.dialect, keep), tables=tables, checkfirst=False)
    return statements


def _location(artifact_root: str) -> str:
    if not artifact_root:
        return ""
    return experiment_artifact_location(DEFAULT_EXPERIMENT_ID, "", artifact_root=artifact_root)


async def _record(connection: AsyncConnection, version: int, oldest_server: int) -> None:
    applied_time_ms = time.time_ns() // 1_000_000
    applied = {"version": version, "applied_time_ms": applied_time_ms, "oldest_server": oldest_server}
    await connection.execute(insert(schema_migrations).values(applied))
