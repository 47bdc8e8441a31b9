"""Numbered, forward-only steps from one schema to the next. A fresh database is made whole and starts at the newest.

A step may only use literal DDL and its own Table objects, never `tables`: that is always the newest schema. Some
databases keep each table that it has made or changed when it is broken off: a step has to bear being run again there.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import ClauseElement, func, insert, inspect, select
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.ext.asyncio import AsyncConnection

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

Step = Callable[[AsyncConnection], Awaitable[None]]

# MIGRATIONS[n] leads from version n - 1 to version n.
MIGRATIONS: Mapping[int, Step] = {}
# Where MLflow's tool for migrations notes the version of its schema.
_MLFLOWS = "alembic_version"


async def schema_version(connection: AsyncConnection) -> int:
    """The version of a database; 0 for an empty one."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if schema_migrations.name not in names:
        if names:
            advice = "point the server at an empty database"
            if _MLFLOWS in names:
                advice += "; `trackwire import mlflow URI` takes over what MLflow keeps in this one"
            raise FailedPrecondition(
                f"store_uri: the database has other tables ({', '.join(sorted(names)[:3])}, …) but none of Trackwire's:"
                f" {advice}",
                reason="FOREIGN_DATABASE",
            )
        return 0
    return await connection.scalar(select(func.max(schema_migrations.c.version))) or 0


def check_not_newer(version: int, newest: int) -> None:
    """Refuses a database that a newer server has upgraded. Raises FailedPrecondition."""
    if version > newest:
        raise FailedPrecondition(
            f"store_uri: the database has schema version {version}, this server knows versions up to {newest}:"
            " upgrade the server",
            reason="SCHEMA_TOO_NEW",
            metadata={"field": "store_uri", "value": version, "limit": newest},
        )


async def migrate(
    connection: AsyncConnection,
    *,
    artifact_root: str = "",
    steps: Mapping[int, Step] = MIGRATIONS,
    target: int = SCHEMA_VERSION,
) -> tuple[int, int]:
    """Brings a database to the target version; the versions before and after. Refuses a newer database.

    The default experiment of a fresh one keeps artifacts in `artifact_root`; "" for the server's own artifact store.
    """
    before = await schema_version(connection)
    check_not_newer(before, target)
    if before == 0:
        await _create(connection, artifact_root)
        await _record(connection, target)
        return 0, target
    for version in range(before + 1, target + 1):
        await steps[version](connection)
        await _record(connection, version)
    return before, target


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


async def _record(connection: AsyncConnection, version: int) -> None:
    applied = {"version": version, "applied_time_ms": time.time_ns() // 1_000_000}
    await connection.execute(insert(schema_migrations).values(applied))
