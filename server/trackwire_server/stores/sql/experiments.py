"""Experiments in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    DEFAULT_WORKSPACE,
    Experiment,
    LifecycleStage,
    NewExperiment,
    experiment_artifact_location,
)
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted, NotFound, TrackwireError
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.database import Database, OnConflict
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import delete_entry, read_entries, upsert_entries
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.search import AnyRow, search_rows
from trackwire_server.stores.sql.tables import experiment_tags, experiments, run_heads, runs

EXPERIMENTS = Searchable(
    source=experiments,
    columns=[*experiments.c],
    owner=experiments.c.experiment_no,
    attributes={
        "experiment_id": experiments.c.experiment_no,
        "name": experiments.c.name,
        "creation_time": experiments.c.creation_time_ms,
        "last_update_time": experiments.c.last_update_time_ms,
        "lifecycle_stage": experiments.c.lifecycle_stage,
    },
    entries={FieldKind.TAG: experiment_tags},
    workspace=experiments.c.workspace,
    stage=experiments.c.lifecycle_stage,
)


@tried_again
class SqlExperiments:
    """An ExperimentStore."""

    def __init__(self, database: Database):
        self._database = database

    async def create_experiment(self, new: NewExperiment) -> Experiment:
        """Inserts a row and its tags."""
        async with self._database.write(on_conflict=name_taken(new.name)) as connection:
            return await insert_experiment(connection, self._database, new)

    async def get_experiment(self, experiment_id: str) -> Experiment:
        """By primary key."""
        async with self._database.read() as connection:
            return await read_experiment(connection, experiments.c.experiment_no == int(experiment_id), experiment_id)

    async def get_experiment_by_name(self, name: str) -> Experiment:
        """By the unique name."""
        async with self._database.read() as connection:
            return await read_experiment(connection, has_name(name), name, field="name")

    async def search_experiments(self, query: SearchQuery) -> Page[Experiment]:
        """A page of rows, and their tags by one more statement."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, EXPERIMENTS, query)
            tags = await read_entries(connection, experiment_tags, [row.experiment_no for row in rows])
        return Page([experiment_of(row, tags.get(row.experiment_no, {})) for row in rows], position)

    async def rename_experiment(self, experiment_id: str, name: str, *, now_ms: int) -> Experiment:
        """Updates the row under its lock."""
        async with self._database.write(on_conflict=name_taken(name)) as connection:
            experiment_no = await _lock_active(connection, experiment_id)
            await _touch(connection, experiment_no, name=name, last_update_time_ms=now_ms)
            return await read_experiment(connection, experiments.c.experiment_no == experiment_no, experiment_id)

    async def change_experiment_tags(
        self, experiment_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Upserts and deletes under the row's lock."""
        async with self._database.write() as connection:
            experiment_no = await _lock_active(connection, experiment_id)
            await upsert_entries(connection, self._database.dialect, experiment_tags, experiment_no, changed)
            for key in deleted:
                if not await delete_entry(connection, experiment_tags, experiment_no, key):
                    raise NotFound("tag", key, field="key")
            await _touch(connection, experiment_no, last_update_time_ms=now_ms)

    async def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Moves the row and all rows of its runs."""
        experiment_no = int(experiment_id)
        deleted_time_ms = now_ms if stage is LifecycleStage.DELETED else None
        async with self._database.write() as connection:
            moved = await connection.execute(
                update(experiments)
                .where(experiments.c.experiment_no == experiment_no, experiments.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, last_update_time_ms=now_ms, deleted_time_ms=deleted_time_ms)
            )
            if moved.rowcount == 0:
                raise NotFound(
                    "experiment", experiment_id, field="experiment_id", hint=f"or it is {stage.value} already"
                )
            await _lock_heads(connection, experiment_no)
            await connection.execute(
                update(runs)
                .where(runs.c.experiment_no == experiment_no, runs.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, deleted_time_ms=deleted_time_ms)
            )


def name_taken(name: str) -> OnConflict:
    """What a violated constraint means to whoever stores this name."""

    def on_conflict(constraint: str) -> TrackwireError | None:
        return AlreadyExists("experiment", name, field="name") if constraint == "uq_experiments_name" else None

    return on_conflict


def has_name(name: str) -> ColumnElement[bool]:
    """The condition that finds an experiment by name."""
    return (experiments.c.workspace == DEFAULT_WORKSPACE) & (experiments.c.name == name)


async def insert_experiment(connection: AsyncConnection, database: Database, new: NewExperiment) -> Experiment:
    """Stores an experiment under the next number, which is part of the location that it gets where it chose none."""
    statement = insert(experiments).values(
        workspace=new.workspace,
        name=new.name,
        artifact_location=new.artifact_location,
        creation_time_ms=new.creation_time_ms,
        last_update_time_ms=new.creation_time_ms,
    )
    row = await insert_row(connection, statement)
    await upsert_entries(connection, database.dialect, experiment_tags, row.experiment_no, new.tags)
    made = experiment_of(row, dict(new.tags))
    if new.artifact_location or not database.artifact_root:
        return made
    location = experiment_artifact_location(made.experiment_id, "", artifact_root=database.artifact_root)
    await _touch(connection, row.experiment_no, artifact_location=location)
    return replace(made, artifact_location=location)


async def hold_active_experiment(connection: AsyncConnection, experiment_id: str) -> AnyRow:
    """An active experiment's row, under a lock that holds off its deletion. Raises NotFound, ExperimentDeleted."""
    mine = select(experiments).where(experiments.c.experiment_no == int(experiment_id))
    row = (await connection.execute(mine.with_for_update(read=True))).one_or_none()
    if row is None:
        raise NotFound("experiment", experiment_id, field="experiment_id")
    if row.lifecycle_stage != LifecycleStage.ACTIVE:
        raise ExperimentDeleted(experiment_id)
    return row


async def read_experiment(
    connection: AsyncConnection, condition: ColumnElement[bool], name: str, *, field: str = "experiment_id"
) -> Experiment:
    """The experiment that a condition finds. Raises NotFound."""
    row = (await connection.execute(select(experiments).where(condition))).one_or_none()
    if row is None:
        raise NotFound("experiment", name, field=field)
    tags = await read_entries(connection, experiment_tags, [row.experiment_no])
    return experiment_of(row, tags.get(row.experiment_no, {}))


async def _lock_active(connection: AsyncConnection, experiment_id: str) -> int:
    experiment_no = int(experiment_id)
    statement = select(experiments.c.lifecycle_stage).where(experiments.c.experiment_no == experiment_no)
    stage = await connection.scalar(statement.with_for_update())
    if stage is None:
        raise NotFound("experiment", experiment_id, field="experiment_id")
    if stage != LifecycleStage.ACTIVE:
        raise ExperimentDeleted(experiment_id)
    return experiment_no


async def _lock_heads(connection: AsyncConnection, experiment_no: int) -> None:
    heads = select(run_heads.c.run_no).join(runs, runs.c.run_no == run_heads.c.run_no)
    mine = heads.where(runs.c.experiment_no == experiment_no).order_by(run_heads.c.run_no)
    await connection.execute(mine.with_for_update(of=run_heads))


async def _touch(connection: AsyncConnection, experiment_no: int, **values: object) -> None:
    await connection.execute(update(experiments).where(experiments.c.experiment_no == experiment_no).values(**values))


def experiment_of(row: AnyRow, tags: Mapping[str, str]) -> Experiment:
    """An experiment from its row and its tags."""
    experiment_id = str(row.experiment_no)
    return Experiment(
        experiment_id=experiment_id,
        name=row.name,
        artifact_location=experiment_artifact_location(experiment_id, row.artifact_location),
        lifecycle_stage=LifecycleStage(row.lifecycle_stage),
        creation_time_ms=row.creation_time_ms,
        last_update_time_ms=row.last_update_time_ms,
        tags=tags,
        workspace=row.workspace,
    )
