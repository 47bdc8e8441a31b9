"""Params, tags and signs of life of runs in SQL."""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import PARENT_RUN_TAG, RUN_NAME_TAG, WriterStamp
from trackwire_server.core.errors import NotFound, ParamAlreadySet
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.entries import delete_entry, upsert_entries
from trackwire_server.stores.sql.heads import LockedRun, advance_writer, lock_run
from trackwire_server.stores.sql.tables import run_params, run_tags, runs

# These tags are columns too.
_COLUMN_OF_TAG = {RUN_NAME_TAG: "run_name", PARENT_RUN_TAG: "parent_run_id"}


@tried_again
class SqlRunData:
    """A RunDataStore."""

    def __init__(self, database: Database):
        self._database = database

    async def log_params(self, run_id: str, params: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Compares with what is there under the run's lock, and inserts the rest."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            if not await advance_writer(connection, self._database.dialect, run, stamp):
                return
            mine = select(run_params.c.key, run_params.c.value).where(run_params.c.run_no == run.run_no)
            rows = await connection.execute(mine.where(run_params.c.key.in_(params)))
            there = {row.key: row.value for row in rows}
            for key, value in params.items():
                if there.get(key, value) != value:
                    raise ParamAlreadySet(run_id, key, there[key], value)
            new = {key: value for key, value in params.items() if key not in there}
            await upsert_entries(connection, self._database.dialect, run_params, run.run_no, new)

    async def set_run_tags(self, run_id: str, tags: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Upserts under the run's lock."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            if await advance_writer(connection, self._database.dialect, run, stamp):
                await put_tags(connection, self._database.dialect, run, tags)

    async def delete_run_tag(self, run_id: str, key: str, stamp: WriterStamp | None) -> None:
        """Deletes one row under the run's lock."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            if not await advance_writer(connection, self._database.dialect, run, stamp):
                return
            if not await delete_entry(connection, run_tags, run.run_no, key):
                raise NotFound("tag", key, field="key")
            if key in _COLUMN_OF_TAG:
                await _change(connection, run, **{_COLUMN_OF_TAG[key]: ""})

    async def heartbeat(self, run_id: str, *, now_ms: int) -> bool:
        """Updates the run's row."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            await _change(connection, run, heartbeat_time_ms=now_ms)
            return bool(await connection.scalar(select(runs.c.stop_requested).where(runs.c.run_no == run.run_no)))

    async def request_stop(self, run_id: str) -> None:
        """Updates the run's row."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            await _change(connection, run, stop_requested=True)


async def put_tags(connection: AsyncConnection, dialect: Dialect, run: LockedRun, tags: Mapping[str, str]) -> None:
    """Sets tags, and the columns that say the same."""
    await upsert_entries(connection, dialect, run_tags, run.run_no, tags)
    columns = {column: tags[tag] for tag, column in _COLUMN_OF_TAG.items() if tag in tags}
    if columns:
        await _change(connection, run, **columns)


async def _change(connection: AsyncConnection, run: LockedRun, **values: object) -> None:
    await connection.execute(update(runs).where(runs.c.run_no == run.run_no).values(**values))
