"""Registered models and versions that are taken over from elsewhere, in SQL, each within a transaction."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import DEFAULT_WORKSPACE, ModelVersion, RegisteredModel
from trackwire_server.core.import_conflicts import check_same_registered_model, check_same_version
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.entries import replace_entries
from trackwire_server.stores.sql.model_rows import VERSION_ROWS, lock_model, named, read_models, read_versions
from trackwire_server.stores.sql.tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)


async def import_registered_model(
    connection: AsyncConnection, dialect: Dialect, model: RegisteredModel
) -> RegisteredModel:
    """Inserts the row, or updates it under its lock."""
    mine = named(model.name)
    here = (await connection.execute(select(registered_models).where(mine).with_for_update())).all()
    values = {
        "description": model.description,
        "creation_time_ms": model.creation_time_ms,
        "last_update_time_ms": model.last_update_time_ms,
    }
    if here:
        [before] = await read_models(connection, here)
        check_same_registered_model(before, model)
        await connection.execute(update(registered_models).where(mine).values(**values))
    else:
        made = insert(registered_models).values(workspace=DEFAULT_WORKSPACE, name=model.name, **values)
        await connection.execute(made)
    rows = (await connection.execute(select(registered_models).where(mine))).all()
    await replace_entries(connection, dialect, registered_model_tags, rows[0].model_no, model.tags)
    [taken] = await read_models(connection, rows)
    return taken


async def import_model_version(connection: AsyncConnection, dialect: Dialect, version: ModelVersion) -> ModelVersion:
    """Inserts the row, or updates it under its model's lock."""
    model = await lock_model(connection, version.name)
    mine = (model_versions.c.model_no == model.model_no) & (model_versions.c.version == version.version)
    here = (await connection.execute(VERSION_ROWS.where(mine))).all()
    values = _values(version)
    if here:
        [before] = await read_versions(connection, here)
        check_same_version(before, version)
        await connection.execute(update(model_versions).where(mine).values(**values))
    else:
        made = insert(model_versions).values(model_no=model.model_no, version=version.version, **values)
        await connection.execute(made)
    if version.version > model.last_version:
        numbered = update(registered_models).where(registered_models.c.model_no == model.model_no)
        await connection.execute(numbered.values(last_version=version.version))
    version_no = (await connection.execute(select(model_versions.c.version_no).where(mine))).scalar_one()
    await replace_entries(connection, dialect, model_version_tags, version_no, version.tags)
    await _replace_aliases(connection, model.model_no, version_no, version.aliases)
    rows = (await connection.execute(VERSION_ROWS.where(mine))).all()
    [taken] = await read_versions(connection, rows)
    return taken


async def _replace_aliases(
    connection: AsyncConnection, model_no: int, version_no: int, aliases: tuple[str, ...]
) -> None:
    """Has these aliases, and no others, point at a version; they leave those that they pointed at."""
    table = registered_model_aliases
    of_model = table.c.model_no == model_no
    await connection.execute(delete(table).where(of_model, table.c.version_no == version_no))
    if aliases:
        await connection.execute(delete(table).where(of_model, table.c.alias.in_(aliases)))
        rows = [{"model_no": model_no, "alias": alias, "version_no": version_no} for alias in dict.fromkeys(aliases)]
        await connection.execute(insert(table), rows)


def _values(version: ModelVersion) -> dict[str, object]:
    return {
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "user_id": version.user_id,
        "status": version.status,
        "status_message": version.status_message,
        "current_stage": version.current_stage,
        "creation_time_ms": version.creation_time_ms,
        "last_update_time_ms": version.last_update_time_ms,
        "model_id": version.model_id,
        "storage_location": version.storage_location,
    }
