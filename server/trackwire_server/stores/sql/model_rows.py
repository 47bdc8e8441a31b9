"""Rows of the model registry's tables: locked by name, touched, and read in bulk.

Whoever changes a registered model or anything below it locks the model's row first, so changes of one model are in
one order everywhere.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    DEFAULT_WORKSPACE,
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    RegisteredModel,
)
from trackwire_server.core.model_names import model_not_found, version_not_found
from trackwire_server.stores.sql.dialect import lock_rows
from trackwire_server.stores.sql.entries import read_entries
from trackwire_server.stores.sql.prepared import parts
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)

VERSION_ROWS = select(model_versions, registered_models.c.name).join(
    registered_models, registered_models.c.model_no == model_versions.c.model_no
)


@dataclass(frozen=True, slots=True)
class LockedModel:
    """A registered model whose row this transaction holds."""

    model_no: int
    last_version: int


@dataclass(frozen=True, slots=True)
class LockedVersion:
    """A version whose model's row this transaction holds."""

    model_no: int
    version_no: int


def named(name: str) -> ColumnElement[bool]:
    """The condition that finds a registered model by its name."""
    return and_(registered_models.c.workspace == DEFAULT_WORKSPACE, registered_models.c.name == name)


async def lock_model(connection: AsyncConnection, name: str) -> LockedModel:
    """Locks a registered model's row. Raises NotFound."""
    statement = select(registered_models.c.model_no, registered_models.c.last_version).where(named(name))
    row = (await connection.execute(statement.with_for_update())).one_or_none()
    if row is None:
        raise model_not_found(name)
    return LockedModel(row.model_no, row.last_version)


async def lock_version(connection: AsyncConnection, name: str, version: int) -> LockedVersion:
    """Locks the row of a version's model. Raises NotFound for the model or for the version."""
    this = and_(
        model_versions.c.model_no == registered_models.c.model_no,
        model_versions.c.version == version,
    )
    statement = (
        select(registered_models.c.model_no, model_versions.c.version_no)
        .outerjoin(model_versions, this)
        .where(named(name))
        .with_for_update(of=registered_models)
    )
    rows = await lock_rows(connection, statement)
    if not rows:
        raise model_not_found(name)
    [row] = rows
    if row.version_no is None:
        raise version_not_found(name, version)
    return LockedVersion(row.model_no, row.version_no)


async def touch_model(connection: AsyncConnection, model_no: int, now_ms: int) -> None:
    """Notes that a registered model changed, or which versions it has in which stage."""
    mine = registered_models.c.model_no == model_no
    await connection.execute(update(registered_models).where(mine).values(last_update_time_ms=now_ms))


async def read_versions(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[ModelVersion]:
    """The versions of these rows of VERSION_ROWS, in their order: two more statements whatever their number."""
    numbers = [row.version_no for row in rows]
    tags = await read_entries(connection, model_version_tags, numbers)
    aliases: dict[int, list[str]] = defaultdict(list)
    pointing = select(registered_model_aliases.c.version_no, registered_model_aliases.c.alias)
    for row in await _rows_of(connection, pointing, registered_model_aliases.c.version_no, numbers):
        aliases[row.version_no].append(row.alias)
    return [_version(row, tags.get(row.version_no, {}), aliases[row.version_no]) for row in rows]


async def read_models(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[RegisteredModel]:
    """The registered models of these rows, in their order: five more statements whatever their number."""
    numbers = [row.model_no for row in rows]
    tags = await read_entries(connection, registered_model_tags, numbers)
    aliases = await _aliases(connection, numbers)
    latest = await _latest_versions(connection, numbers)
    return [
        RegisteredModel(
            name=row.name,
            creation_time_ms=row.creation_time_ms,
            last_update_time_ms=row.last_update_time_ms,
            description=row.description,
            tags=tags.get(row.model_no, {}),
            aliases=aliases[row.model_no],
            latest_versions=tuple(latest[row.model_no]),
            workspace=row.workspace,
        )
        for row in rows
    ]


def _version(row: AnyRow, tags: Mapping[str, str], aliases: Sequence[str]) -> ModelVersion:
    return ModelVersion(
        name=row.name,
        version=row.version,
        source=row.source,
        creation_time_ms=row.creation_time_ms,
        last_update_time_ms=row.last_update_time_ms,
        description=row.description,
        run_id=row.run_id,
        run_link=row.run_link,
        user_id=row.user_id,
        status=ModelVersionStatus(row.status),
        status_message=row.status_message,
        current_stage=ModelStage(row.current_stage),
        aliases=tuple(sorted(aliases)),
        tags=tags,
        model_id=row.model_id,
        storage_location=row.storage_location,
    )


async def _aliases(connection: AsyncConnection, model_nos: Sequence[int]) -> dict[int, dict[str, int]]:
    table = registered_model_aliases
    pointing = select(table.c.model_no, table.c.alias, model_versions.c.version).join(
        model_versions, model_versions.c.version_no == table.c.version_no
    )
    aliases: dict[int, dict[str, int]] = defaultdict(dict)
    for row in await _rows_of(connection, pointing, table.c.model_no, model_nos):
        aliases[row.model_no][row.alias] = row.version
    return aliases


async def _latest_versions(connection: AsyncConnection, model_nos: Sequence[int]) -> dict[int, list[ModelVersion]]:
    latest: dict[int, list[ModelVersion]] = defaultdict(list)
    rows: list[AnyRow] = []
    for numbers in parts(model_nos):
        highest = (
            select(model_versions.c.model_no, func.max(model_versions.c.version).label("version"))
            .where(model_versions.c.model_no.in_(numbers))
            .group_by(model_versions.c.model_no, model_versions.c.current_stage)
            .subquery()
        )
        same = and_(model_versions.c.model_no == highest.c.model_no, model_versions.c.version == highest.c.version)
        ordered = VERSION_ROWS.join(highest, same).order_by(model_versions.c.model_no, model_versions.c.version)
        rows += (await connection.execute(ordered)).all()
    for row, version in zip(rows, await read_versions(connection, rows), strict=True):
        latest[row.model_no].append(version)
    return latest


async def _rows_of(
    connection: AsyncConnection,
    statement: Select[*tuple[Any, ...]],
    owner: ColumnElement[int],
    numbers: Sequence[int],
) -> list[AnyRow]:
    rows: list[AnyRow] = []
    for chunk in parts(numbers):
        rows += (await connection.execute(statement.where(owner.in_(chunk)))).all()
    return rows
