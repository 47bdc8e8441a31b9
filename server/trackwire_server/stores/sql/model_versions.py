"""Model versions in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    NewModelVersion,
)
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.model_names import alias_not_found, model_not_found, request_id_reused, version_not_found
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.database import Database, OnConflict
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import delete_entry, upsert_entries
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.model_rows import (
    VERSION_ROWS,
    LockedVersion,
    lock_model,
    lock_version,
    named,
    read_versions,
    touch_model,
)
from trackwire_server.stores.sql.search import search_rows
from trackwire_server.stores.sql.tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_models,
)

MODEL_VERSIONS = Searchable(
    source=model_versions.join(registered_models, registered_models.c.model_no == model_versions.c.model_no),
    columns=[*model_versions.c, registered_models.c.name],
    owner=model_versions.c.version_no,
    attributes={
        "name": registered_models.c.name,
        "run_id": model_versions.c.run_id,
        "source_path": model_versions.c.source,
        "version_number": model_versions.c.version,
        "creation_timestamp": model_versions.c.creation_time_ms,
        "last_updated_timestamp": model_versions.c.last_update_time_ms,
        "current_stage": model_versions.c.current_stage,
        "status": model_versions.c.status,
    },
    entries={FieldKind.TAG: model_version_tags},
    workspace=registered_models.c.workspace,
)


def _request_id_taken(request_id: str) -> OnConflict:
    # Only a call for another model can come in between: calls for this one wait at its row.
    def on_conflict(constraint: str) -> TrackwireError | None:
        if constraint == "uq_model_versions_request_id":
            return request_id_reused(request_id, "a version of another model")
        return None

    return on_conflict


@tried_again
class SqlModelVersions:
    """ModelVersionStore over the tables model_versions and model_version_tags."""

    def __init__(self, database: Database):
        self._database = database

    async def create_model_version(self, new: NewModelVersion) -> ModelVersion:
        """Draws the number from the model's row, under its lock."""
        async with self._database.write(_request_id_taken(new.request_id)) as connection:
            model = await lock_model(connection, new.name)
            if made := await _made_by(connection, new):
                return made
            version = model.last_version + 1
            await connection.execute(
                update(registered_models)
                .where(registered_models.c.model_no == model.model_no)
                .values(last_version=version, last_update_time_ms=new.creation_time_ms)
            )
            row = _new_row(new, model_no=model.model_no, version=version)
            version_no = (await insert_row(connection, insert(model_versions).values(row))).version_no
            await upsert_entries(connection, self._database.dialect, model_version_tags, version_no, new.tags)
        return ModelVersion(
            name=new.name,
            version=version,
            source=new.source,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            description=new.description,
            run_id=new.run_id,
            run_link=new.run_link,
            user_id=new.user_id,
            tags=dict(new.tags),
            model_id=new.model_id,
            storage_location=new.storage_location,
        )

    async def get_model_version(self, name: str, selector: int | str) -> ModelVersion:
        """By the unique number, or through the alias."""
        async with self._database.read() as connection:
            wanted = _selected(selector)
            rows = (await connection.execute(VERSION_ROWS.where(named(name), wanted))).all()
            if rows:
                return (await read_versions(connection, rows))[0]
            if await connection.scalar(select(registered_models.c.model_no).where(named(name))) is None:
                raise model_not_found(name)
        if isinstance(selector, int):
            raise version_not_found(name, selector)
        raise alias_not_found(name, selector)

    async def search_model_versions(self, query: SearchQuery) -> Page[ModelVersion]:
        """A page of rows, and their tags and aliases by one more statement each."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, MODEL_VERSIONS, query)
            return Page(await read_versions(connection, rows), position)

    async def update_model_version(
        self, name: str, version: int, *, description: str | None, now_ms: int
    ) -> ModelVersion:
        """Updates the row under its model's lock."""
        changes = {} if description is None else {"description": description}
        async with self._database.write() as connection:
            locked = await lock_version(connection, name, version)
            return await _change(connection, locked, changes=changes, now_ms=now_ms)

    async def transition_stage(
        self, name: str, version: int, stage: ModelStage, *, archive_existing: bool, now_ms: int
    ) -> ModelVersion:
        """Updates the row, and the others of that stage by one more statement."""
        async with self._database.write() as connection:
            locked = await lock_version(connection, name, version)
            moved = await _change(connection, locked, changes={"current_stage": stage}, now_ms=now_ms)
            await touch_model(connection, locked.model_no, now_ms)
            if archive_existing:
                others = and_(
                    model_versions.c.model_no == locked.model_no,
                    model_versions.c.version != version,
                    model_versions.c.current_stage == stage,
                )
                archived = {"current_stage": ModelStage.ARCHIVED, "last_update_time_ms": now_ms}
                await connection.execute(update(model_versions).where(others).values(archived))
        return moved

    async def delete_model_version(self, name: str, version: int, *, now_ms: int) -> None:
        """Deletes the row; the foreign keys take its tags and aliases along."""
        async with self._database.write() as connection:
            locked = await lock_version(connection, name, version)
            await connection.execute(delete(model_versions).where(model_versions.c.version_no == locked.version_no))
            await touch_model(connection, locked.model_no, now_ms)

    async def change_model_version_tags(
        self, name: str, version: int, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Upserts and deletes under the model's lock."""
        async with self._database.write() as connection:
            locked = await lock_version(connection, name, version)
            await upsert_entries(connection, self._database.dialect, model_version_tags, locked.version_no, changed)
            for key in deleted:
                await delete_entry(connection, model_version_tags, locked.version_no, key)
            mine = model_versions.c.version_no == locked.version_no
            await connection.execute(update(model_versions).where(mine).values(last_update_time_ms=now_ms))


async def _made_by(connection: AsyncConnection, new: NewModelVersion) -> ModelVersion | None:
    if not new.request_id:
        return None
    rows = (await connection.execute(VERSION_ROWS.where(model_versions.c.request_id == new.request_id))).all()
    if not rows:
        return None
    (made,) = await read_versions(connection, rows)
    if made.name != new.name:
        raise request_id_reused(new.request_id, f"{made.name}/{made.version}")
    return made


def _new_row(new: NewModelVersion, *, model_no: int, version: int) -> dict[str, object]:
    return {
        "model_no": model_no,
        "version": version,
        "description": new.description,
        "source": new.source,
        "run_id": new.run_id,
        "run_link": new.run_link,
        "user_id": new.user_id,
        "status": ModelVersionStatus.READY,
        "status_message": "",
        "current_stage": ModelStage.NONE,
        "creation_time_ms": new.creation_time_ms,
        "last_update_time_ms": new.creation_time_ms,
        "request_id": new.request_id or None,
        "model_id": new.model_id,
        "storage_location": new.storage_location,
    }


def _selected(selector: int | str) -> ColumnElement[bool]:
    if isinstance(selector, int):
        return model_versions.c.version == selector
    pointing = select(registered_model_aliases.c.version_no).where(
        registered_model_aliases.c.model_no == registered_models.c.model_no,
        registered_model_aliases.c.alias == selector,
    )
    return model_versions.c.version_no == pointing.scalar_subquery()


async def _change(
    connection: AsyncConnection, locked: LockedVersion, *, changes: Mapping[str, object], now_ms: int
) -> ModelVersion:
    mine = model_versions.c.version_no == locked.version_no
    await connection.execute(update(model_versions).where(mine).values({**changes, "last_update_time_ms": now_ms}))
    rows = (await connection.execute(VERSION_ROWS.where(mine))).all()
    return (await read_versions(connection, rows))[0]
