"""Runs in SQL."""

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    LifecycleStage,
    NewExperiment,
    NewRun,
    Run,
    RunChange,
    RunSelection,
    WriterStamp,
    experiment_artifact_location,
    run_artifact_uri,
)
from trackwire_server.core.errors import (
    AlreadyExists,
    ExperimentDeleted,
    NotFound,
    RunDeleted,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.core.run_keys import RunKey, RunKeyQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import upsert_entries
from trackwire_server.stores.sql.experiments import has_name, insert_experiment
from trackwire_server.stores.sql.heads import advance_writer, lock_run
from trackwire_server.stores.sql.requests import begun_again, raced
from trackwire_server.stores.sql.run_data import put_tags
from trackwire_server.stores.sql.run_keys import read_keys
from trackwire_server.stores.sql.run_rows import RUNS, RunReader, run_of
from trackwire_server.stores.sql.search import AnyRow, search_rows
from trackwire_server.stores.sql.tables import experiments, run_heads, run_params, run_tags, runs


@tried_again
class SqlRuns:
    """A RunStore."""

    def __init__(self, database: Database):
        self._database = database
        self._reader = RunReader()

    @begun_again
    async def create_run(self, new: NewRun) -> tuple[Run, bool]:
        """Looks for the request and for the run before it inserts anything."""
        # Of the run, of its request, and of the experiment that it asks for.
        unique = raced("run", new.run_id, "uq_runs_run_id", "uq_runs_request_id", "uq_experiments_name")
        async with self._database.write(unique) as connection:
            there = await self._made_before(connection, new)
            made = there is None
            row = there or await self._insert(connection, new)
            [run] = await self._reader.read(connection, [row], RunSelection())
            return run, made

    async def get_run(self, run_id: str, selection: RunSelection) -> Run:
        """By the unique id."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(runs).where(runs.c.run_id == run_id))).one_or_none()
            if row is None:
                raise NotFound("run", run_id, field="run_id")
            [run] = await self._reader.read(connection, [row], selection)
            return run

    async def search_runs(self, query: SearchQuery, selection: RunSelection) -> Page[Run]:
        """A page of rows, then their data."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, RUNS, query)
            return Page(await self._reader.read(connection, rows, selection), position)

    async def list_run_keys(self, query: RunKeyQuery) -> Page[RunKey]:
        """Kind by kind."""
        async with self._database.read() as connection:
            return await read_keys(connection, query)

    async def update_run(self, run_id: str, change: RunChange, stamp: WriterStamp | None) -> Run:
        """Updates the row under the run's lock."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            is_new = await advance_writer(connection, self._database.dialect, run, stamp)
            values = _values_of(change)
            if is_new and change.run_name is not None:
                await put_tags(connection, self._database.dialect, run, {RUN_NAME_TAG: change.run_name})
            if is_new and values:
                await connection.execute(
                    update(runs).where(runs.c.run_no == run.run_no).ordered_values(*values.items())
                )
            return run_of((await connection.execute(select(runs).where(runs.c.run_no == run.run_no))).one())

    async def set_run_stage(self, run_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Updates the row under the run's lock, if it is in another stage."""
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id, deleted_too=True)
            deleted_time_ms = now_ms if stage is LifecycleStage.DELETED else None
            await connection.execute(
                update(runs)
                .where(runs.c.run_no == run.run_no, runs.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, deleted_time_ms=deleted_time_ms)
            )

    async def _made_before(self, connection: AsyncConnection, new: NewRun) -> AnyRow | None:
        if new.request_id:
            by_request = select(runs).where(runs.c.request_id == new.request_id)
            row = (await connection.execute(by_request)).one_or_none()
            if row is not None:
                return row
        row = (await connection.execute(select(runs).where(runs.c.run_id == new.run_id))).one_or_none()
        if row is None:
            return None
        if new.request_id and row.request_id == new.request_id:
            return row  # committed since the look for the request
        if not new.join:
            raise AlreadyExists("run", new.run_id, field="run_id")
        if row.lifecycle_stage != LifecycleStage.ACTIVE:
            raise RunDeleted(new.run_id)
        run = await lock_run(connection, new.run_id)
        added = {key: value for key, value in new.tags.items() if key not in (RUN_NAME_TAG, PARENT_RUN_TAG)}
        await put_tags(connection, self._database.dialect, run, added)
        return row

    async def _insert(self, connection: AsyncConnection, new: NewRun) -> AnyRow:
        experiment_no, location = await self._experiment(connection, new)
        statement = insert(runs).values(
            run_id=new.run_id,
            experiment_no=experiment_no,
            run_name=new.run_name,
            user_id=new.user_id,
            status=new.status,
            start_time_ms=new.start_time_ms,
            end_time_ms=new.end_time_ms,
            artifact_uri=run_artifact_uri(location, new.run_id),
            parent_run_id=new.parent_run_id,
            request_id=new.request_id or None,
        )
        row = await insert_row(connection, statement)
        await connection.execute(insert(run_heads).values(run_no=row.run_no))
        await upsert_entries(connection, self._database.dialect, run_params, row.run_no, new.params)
        await upsert_entries(connection, self._database.dialect, run_tags, row.run_no, new.tags)
        return row

    async def _experiment(self, connection: AsyncConnection, new: NewRun) -> tuple[int, str]:
        """The experiment's number and artifact location, under a lock that holds off its deletion."""
        wanted = new.experiment
        condition = has_name(wanted.name) if wanted.name else experiments.c.experiment_no == int(wanted.experiment_id)
        row = (await connection.execute(select(experiments).where(condition).with_for_update(read=True))).one_or_none()
        if row is None and wanted.name and wanted.create:
            draft = NewExperiment(wanted.name, new.creation_time_ms)
            made = await insert_experiment(connection, self._database, draft)
            return int(made.experiment_id), made.artifact_location
        if row is None:
            field = "experiment_name" if wanted.name else "experiment_id"
            raise NotFound("experiment", wanted.name or wanted.experiment_id, field=field)
        experiment_id = str(row.experiment_no)
        if row.lifecycle_stage != LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment_id)
        return row.experiment_no, experiment_artifact_location(experiment_id, row.artifact_location)


def _values_of(change: RunChange) -> dict[str, object]:
    values: dict[str, object] = {}
    if change.end_time_ms is not None:
        values["end_time_ms"] = change.end_time_ms
    elif change.goes_on:
        values |= {"end_time_ms": None, "stop_requested": False}
    elif change.default_end_time_ms is not None:
        kept = func.coalesce(runs.c.end_time_ms, change.default_end_time_ms)
        values["end_time_ms"] = case((runs.c.status == change.status, kept), else_=change.default_end_time_ms)
    if change.status is not None:
        # Behind the look at it: some databases assign one after the other.
        values["status"] = change.status
    return values
