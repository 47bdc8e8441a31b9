"""Registered models in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select, update

from trackwire_server.core.entities import NewRegisteredModel, RegisteredModel
from trackwire_server.core.errors import AlreadyExists, TrackwireError
from trackwire_server.core.model_names import model_not_found
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.database import Database, OnConflict
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import delete_entry, upsert_entries
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.model_rows import (
    lock_model,
    lock_version,
    named,
    read_models,
    touch_model,
)
from trackwire_server.stores.sql.search import search_rows
from trackwire_server.stores.sql.tables import registered_model_aliases, registered_model_tags, registered_models

REGISTERED_MODELS = Searchable(
    source=registered_models,
    columns=[*registered_models.c],
    owner=registered_models.c.model_no,
    attributes={
        "name": registered_models.c.name,
        "creation_timestamp": registered_models.c.creation_time_ms,
        "last_updated_timestamp": registered_models.c.last_update_time_ms,
        "description": registered_models.c.description,
    },
    entries={FieldKind.TAG: registered_model_tags},
    workspace=registered_models.c.workspace,
)


def _name_taken(name: str, field: str) -> OnConflict:
    def on_conflict(constraint: str) -> TrackwireError | None:
        return (
            AlreadyExists("registered model", name, field=field) if constraint == "uq_registered_models_name" else None
        )

    return on_conflict


@tried_again
class SqlRegisteredModels:
    """RegisteredModelStore over the tables registered_models, registered_model_tags and registered_model_aliases."""

    def __init__(self, database: Database):
        self._database = database

    async def create_registered_model(self, new: NewRegisteredModel) -> RegisteredModel:
        """Inserts a row and its tags."""
        row = {
            "workspace": new.workspace,
            "name": new.name,
            "description": new.description,
            "creation_time_ms": new.creation_time_ms,
            "last_update_time_ms": new.creation_time_ms,
        }
        async with self._database.write(_name_taken(new.name, "name")) as connection:
            model_no = (await insert_row(connection, insert(registered_models).values(row))).model_no
            await upsert_entries(connection, self._database.dialect, registered_model_tags, model_no, new.tags)
        return RegisteredModel(
            name=new.name,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            description=new.description,
            tags=dict(new.tags),
            workspace=new.workspace,
        )

    async def get_registered_model(self, name: str) -> RegisteredModel:
        """By the unique name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(registered_models).where(named(name)))).all()
            if not rows:
                raise model_not_found(name)
            return (await read_models(connection, rows))[0]

    async def search_registered_models(self, query: SearchQuery) -> Page[RegisteredModel]:
        """A page of rows, and what hangs on them by a fixed number of statements."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, REGISTERED_MODELS, query)
            return Page(await read_models(connection, rows), position)

    async def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None, now_ms: int
    ) -> RegisteredModel:
        """Updates the row under its lock; versions refer to its number, so a rename is one row."""
        asked = {"name": new_name, "description": description, "last_update_time_ms": now_ms}
        changes = {column: value for column, value in asked.items() if value is not None}
        async with self._database.write(_name_taken(new_name or name, "new_name")) as connection:
            model = await lock_model(connection, name)
            mine = registered_models.c.model_no == model.model_no
            await connection.execute(update(registered_models).where(mine).values(changes))
            rows = (await connection.execute(select(registered_models).where(mine))).all()
            return (await read_models(connection, rows))[0]

    async def delete_registered_model(self, name: str) -> None:
        """Deletes the row; the foreign keys take the rest along."""
        async with self._database.write() as connection:
            deleted = await connection.execute(delete(registered_models).where(named(name)))
            if deleted.rowcount == 0:
                raise model_not_found(name)

    async def change_registered_model_tags(
        self, name: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Upserts and deletes under the model's lock."""
        async with self._database.write() as connection:
            model = await lock_model(connection, name)
            await upsert_entries(connection, self._database.dialect, registered_model_tags, model.model_no, changed)
            for key in deleted:
                await delete_entry(connection, registered_model_tags, model.model_no, key)
            await touch_model(connection, model.model_no, now_ms)

    async def set_alias(self, name: str, alias: str, version: int | None, *, now_ms: int) -> None:
        """Upserts or deletes under the model's lock."""
        if version is None:
            await self._delete_alias(name, alias, now_ms=now_ms)
            return
        async with self._database.write() as connection:
            locked = await lock_version(connection, name, version)
            row = {"model_no": locked.model_no, "alias": alias, "version_no": locked.version_no}
            upsert = self._database.dialect.upsert(registered_model_aliases, "version_no")
            await connection.execute(upsert.values(row))
            await touch_model(connection, locked.model_no, now_ms)

    async def _delete_alias(self, name: str, alias: str, *, now_ms: int) -> None:
        async with self._database.write() as connection:
            model = await lock_model(connection, name)
            table = registered_model_aliases
            mine = (table.c.model_no == model.model_no) & (table.c.alias == alias)
            await connection.execute(delete(table).where(mine))
            await touch_model(connection, model.model_no, now_ms)
