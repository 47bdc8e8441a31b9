"""Logged models in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import LifecycleStage, experiment_artifact_location
from trackwire_server.core.errors import NotFound
from trackwire_server.core.logged_model_entities import (
    LoggedModel,
    LoggedModelStatus,
    NewLoggedModel,
    logged_model_artifact_uri,
    logged_model_not_found,
    model_param_already_set,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import delete_entry, upsert_entries
from trackwire_server.stores.sql.experiments import hold_active_experiment
from trackwire_server.stores.sql.logged_model_rows import (
    LOGGED_MODELS,
    lock_logged_model,
    logged_model_of,
    read_logged_models,
)
from trackwire_server.stores.sql.requests import begun_again, made_before, raced_request
from trackwire_server.stores.sql.search import AnyRow, search_rows
from trackwire_server.stores.sql.tables import logged_model_params, logged_model_tags, logged_models


@tried_again
class SqlLoggedModels:
    """A LoggedModelStore."""

    def __init__(self, database: Database):
        self._database = database

    @begun_again
    async def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Looks for the request before it inserts anything."""
        async with self._database.write(raced_request("model", logged_models, new.request_id)) as connection:
            row = await made_before(connection, logged_models, new.request_id) or await self._insert(connection, new)
            [model] = await read_logged_models(connection, [row])
            return model

    async def get_logged_model(self, model_id: str, *, with_data: bool = True) -> LoggedModel:
        """By the unique id."""
        async with self._database.read() as connection:
            return await _read_one(connection, model_id, with_data=with_data)

    async def search_logged_models(self, query: SearchQuery) -> Page[LoggedModel]:
        """A page of rows, then their data."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, LOGGED_MODELS, query)
            return Page(await read_logged_models(connection, rows), position)

    async def update_logged_model(
        self, model_id: str, *, status: LoggedModelStatus | None, status_message: str | None, now_ms: int
    ) -> LoggedModel:
        """Updates the row."""
        changes = {"status": status, "status_message": status_message}
        async with self._database.write() as connection:
            model_no = await lock_logged_model(connection, model_id)
            await _touch(
                connection, model_no, now_ms, **{k: value for k, value in changes.items() if value is not None}
            )
            return await _read_one(connection, model_id)

    async def change_logged_model_tags(
        self, model_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Upserts and deletes under the row's lock."""
        async with self._database.write() as connection:
            model_no = await lock_logged_model(connection, model_id)
            await upsert_entries(connection, self._database.dialect, logged_model_tags, model_no, changed)
            for key in deleted:
                if not await delete_entry(connection, logged_model_tags, model_no, key):
                    raise NotFound("tag", key, field="key")
            await _touch(connection, model_no, now_ms)

    async def log_logged_model_params(self, model_id: str, params: Mapping[str, str], *, now_ms: int) -> None:
        """Compares with what is there under the row's lock, and inserts the rest."""
        table = logged_model_params
        async with self._database.write() as connection:
            model_no = await lock_logged_model(connection, model_id)
            mine = select(table.c.key, table.c.value).where(table.c.logged_model_no == model_no)
            rows = await connection.execute(mine.where(table.c.key.in_(params)))
            there = {row.key: row.value for row in rows}
            for key, value in params.items():
                if there.get(key, value) != value:
                    raise model_param_already_set(model_id, key, there[key], value)
            new = {key: value for key, value in params.items() if key not in there}
            await upsert_entries(connection, self._database.dialect, table, model_no, new)
            await _touch(connection, model_no, now_ms)

    async def delete_logged_model(self, model_id: str, *, now_ms: int) -> None:
        """Updates the row, if it is not deleted."""
        async with self._database.write() as connection:
            model_no = await lock_logged_model(connection, model_id, deleted_too=True)
            await connection.execute(
                update(logged_models)
                .where(
                    logged_models.c.logged_model_no == model_no,
                    logged_models.c.lifecycle_stage == LifecycleStage.ACTIVE,
                )
                .values(lifecycle_stage=LifecycleStage.DELETED, deleted_time_ms=now_ms, last_update_time_ms=now_ms)
            )

    async def _insert(self, connection: AsyncConnection, new: NewLoggedModel) -> AnyRow:
        statement = insert(logged_models).values(
            model_id=new.model_id,
            experiment_no=int(new.experiment_id),
            name=new.name,
            artifact_uri=logged_model_artifact_uri(await _location(connection, new.experiment_id), new.model_id),
            model_type=new.model_type,
            source_run_id=new.source_run_id,
            status=new.status,
            status_message="",
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            request_id=new.request_id or None,
        )
        row = await insert_row(connection, statement)
        dialect = self._database.dialect
        await upsert_entries(connection, dialect, logged_model_params, row.logged_model_no, new.params)
        await upsert_entries(connection, dialect, logged_model_tags, row.logged_model_no, new.tags)
        return row


async def _location(connection: AsyncConnection, experiment_id: str) -> str:
    """Where an experiment keeps artifacts. Raises as create_logged_model."""
    row = await hold_active_experiment(connection, experiment_id)
    return experiment_artifact_location(experiment_id, row.artifact_location)


async def _read_one(connection: AsyncConnection, model_id: str, *, with_data: bool = True) -> LoggedModel:
    mine = select(logged_models).where(
        logged_models.c.model_id == model_id, logged_models.c.lifecycle_stage == LifecycleStage.ACTIVE
    )
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        raise logged_model_not_found(model_id)
    if not with_data:
        return logged_model_of(row)
    [model] = await read_logged_models(connection, [row])
    return model


async def _touch(connection: AsyncConnection, model_no: int, now_ms: int, **changes: object) -> None:
    mine = logged_models.c.logged_model_no == model_no
    await connection.execute(update(logged_models).where(mine).values(last_update_time_ms=now_ms, **changes))
