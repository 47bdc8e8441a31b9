"""Logged models that were deleted, in SQL. Rows that belong to one go with it, by ON DELETE CASCADE."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, select

from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.logged_model_entities import GarbageModel
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.tables import logged_model_uploads, logged_models


@tried_again
class SqlLoggedModelGarbage:
    """A LoggedModelGarbageStore."""

    def __init__(self, database: Database):
        self._database = database

    async def deleted_logged_models(self, *, before_ms: int, after: str, limit: int) -> Sequence[GarbageModel]:
        """See LoggedModelGarbageStore."""
        return await self._found(_is_garbage(before_ms), after=after, limit=limit)

    async def logged_models_of(self, experiment_id: str, *, after: str, limit: int) -> Sequence[GarbageModel]:
        """See LoggedModelGarbageStore."""
        return await self._found(logged_models.c.experiment_no == int(experiment_id), after=after, limit=limit)

    async def unfinished_uploads(self, model_id: str) -> Sequence[str]:
        """See LoggedModelGarbageStore."""
        table = logged_model_uploads
        statement = (
            select(table.c.upload_id)
            .join(logged_models, logged_models.c.logged_model_no == table.c.logged_model_no)
            .where(logged_models.c.model_id == model_id, ~table.c.complete)
            .order_by(table.c.upload_id)
        )
        async with self._database.read() as connection:
            return (await connection.scalars(statement)).all()

    async def remove_logged_model(self, model_id: str, *, before_ms: int) -> bool:
        """See LoggedModelGarbageStore."""
        statement = delete(logged_models).where(logged_models.c.model_id == model_id, _is_garbage(before_ms))
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def _found(self, condition: ColumnElement[bool], *, after: str, limit: int) -> Sequence[GarbageModel]:
        statement = (
            select(logged_models.c.model_id, logged_models.c.artifact_uri)
            .where(condition, logged_models.c.model_id > after)
            .order_by(logged_models.c.model_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [GarbageModel(row.model_id, row.artifact_uri) for row in await connection.execute(statement)]


def _is_garbage(before_ms: int) -> ColumnElement[bool]:
    return and_(logged_models.c.lifecycle_stage == LifecycleStage.DELETED, logged_models.c.deleted_time_ms <= before_ms)
