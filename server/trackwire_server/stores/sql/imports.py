"""What is taken over from elsewhere, in SQL; of the model registry by `registry_imports`."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    DEFAULT_WORKSPACE,
    Experiment,
    LifecycleStage,
    ModelVersion,
    RegisteredModel,
    Run,
    RunSelection,
    experiment_artifact_location,
    run_artifact_uri,
)
from trackwire_server.core.errors import NotFound
from trackwire_server.core.import_conflicts import (
    check_same_experiment,
    check_same_logged_model,
    check_same_name,
    check_same_run,
)
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.logged_model_entities import (
    LoggedModel,
    logged_model_artifact_uri,
    logged_model_not_found,
)
from trackwire_server.core.run_inputs import ModelOutput
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import replace_entries
from trackwire_server.stores.sql.experiments import experiment_of, has_name, read_experiment
from trackwire_server.stores.sql.heads import LockedRun, lock_run_if_there
from trackwire_server.stores.sql.issue_imports import import_issue
from trackwire_server.stores.sql.logged_model_rows import logged_model_of, read_logged_models
from trackwire_server.stores.sql.registry_imports import import_model_version, import_registered_model
from trackwire_server.stores.sql.requests import begun_again, raced
from trackwire_server.stores.sql.run_inputs import add_datasets, add_models, datasets_of_run, remove_unused
from trackwire_server.stores.sql.run_rows import RunReader, run_of
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    experiment_tags,
    experiments,
    logged_model_params,
    logged_model_tags,
    logged_models,
    run_datasets,
    run_heads,
    run_models,
    run_params,
    run_tags,
    runs,
)


@tried_again
class SqlImports:
    """An ImportStore."""

    def __init__(self, database: Database):
        self._database = database
        self._reader = RunReader()

    @begun_again
    async def import_experiment(self, experiment: Experiment) -> Experiment:
        """Inserts the row under its number, or updates it under its lock."""
        number, dialect = int(experiment.experiment_id), self._database.dialect
        unique = raced("experiment", experiment.name, "pk_experiments", "uq_experiments_name")
        async with self._database.write(unique) as connection:
            mine = experiments.c.experiment_no == number
            row = (await connection.execute(select(experiments).where(mine).with_for_update())).one_or_none()
            if row is not None:
                check_same_experiment(experiment_of(row, {}), experiment)
            named = await connection.scalar(select(experiments.c.experiment_no).where(has_name(experiment.name)))
            if named is not None:
                check_same_name(str(named), experiment)
            values = _experiment_values(experiment, row, self._database.artifact_root)
            if row is None:
                await dialect.number_from(connection, experiments, number + 1)
                await connection.execute(insert(experiments).values(experiment_no=number, **values))
            else:
                await connection.execute(update(experiments).where(mine).values(**values))
            await replace_entries(connection, dialect, experiment_tags, number, experiment.tags)
            return await read_experiment(connection, mine, experiment.experiment_id)

    @begun_again
    async def import_run(self, run: Run) -> Run:
        """Inserts the row and its head, or updates it under its head's lock."""
        dialect = self._database.dialect
        async with self._database.write(raced("run", run.run_id, "uq_runs_run_id")) as connection:
            location = await _location(connection, run.experiment_id)
            mine = runs.c.run_id == run.run_id
            locked = await lock_run_if_there(connection, run.run_id)
            here = (await connection.execute(select(runs).where(mine))).one_or_none()
            values = _run_values(run, here, run.artifact_uri or run_artifact_uri(location, run.run_id))
            # Made between the two looks, it violates a constraint, and this begins again.
            if here is None or locked is None:
                made = await insert_row(connection, insert(runs).values(run_id=run.run_id, **values))
                locked = LockedRun(made.run_no, int(run.experiment_id), run.run_id)
                await connection.execute(insert(run_heads).values(run_no=locked.run_no))
            else:
                check_same_run(run_of(here), run)
                await connection.execute(update(runs).where(mine).values(**values))
            await replace_entries(connection, dialect, run_params, locked.run_no, run.params)
            await replace_entries(connection, dialect, run_tags, locked.run_no, run.tags)
            await self._replace_links(connection, locked, run)
            row = (await connection.execute(select(runs).where(mine))).one()
            [taken] = await self._reader.read(connection, [row], RunSelection())
            return taken

    @begun_again
    async def import_logged_model(self, model: LoggedModel) -> LoggedModel:
        """Inserts the row, or updates it under its lock."""
        dialect = self._database.dialect
        unique = raced("logged model", model.model_id, "uq_logged_models_model_id")
        async with self._database.write(unique) as connection:
            location = await _location(connection, model.experiment_id)
            mine = logged_models.c.model_id == model.model_id
            here = (await connection.execute(select(logged_models).where(mine).with_for_update())).one_or_none()
            values = _logged_model_values(
                model, model.artifact_uri or logged_model_artifact_uri(location, model.model_id)
            )
            if here is None:
                await connection.execute(insert(logged_models).values(model_id=model.model_id, **values))
            else:
                check_same_logged_model(logged_model_of(here), model)
                if here.lifecycle_stage != LifecycleStage.ACTIVE:
                    raise logged_model_not_found(model.model_id)
                await connection.execute(update(logged_models).where(mine).values(**values))
            row = (await connection.execute(select(logged_models).where(mine))).one()
            await replace_entries(connection, dialect, logged_model_params, row.logged_model_no, model.params)
            await replace_entries(connection, dialect, logged_model_tags, row.logged_model_no, model.tags)
            [taken] = await read_logged_models(connection, [row])
            return taken

    @begun_again
    async def import_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        """Inserts the row, or updates it under its lock."""
        unique = raced("registered model", model.name, "uq_registered_models_name")
        async with self._database.write(unique) as connection:
            return await import_registered_model(connection, self._database.dialect, model)

    async def import_model_version(self, version: ModelVersion) -> ModelVersion:
        """Inserts the row, or updates it under its model's lock."""
        async with self._database.write() as connection:
            return await import_model_version(connection, self._database.dialect, version)

    @begun_again
    async def import_issue(self, issue: Issue) -> Issue:
        """Inserts the row, or updates it under its lock."""
        async with self._database.write(raced("issue", issue.issue_id, "uq_issues_issue_id")) as connection:
            await _location(connection, issue.experiment_id)
            return await import_issue(connection, self._database.dialect, issue)

    async def _replace_links(self, connection: AsyncConnection, run: LockedRun, wanted: Run) -> None:
        dialect = self._database.dialect
        given = await datasets_of_run(connection, run.run_no)
        for table in (run_datasets, run_models):
            await connection.execute(delete(table).where(table.c.run_no == run.run_no))
        await add_datasets(connection, dialect, run, wanted.inputs.datasets)
        models = [ModelOutput(model_id) for model_id in wanted.inputs.model_ids]
        await add_models(connection, dialect, run, models, is_output=False)
        await add_models(connection, dialect, run, wanted.outputs.models, is_output=True)
        await remove_unused(connection, given)


async def _location(connection: AsyncConnection, experiment_id: str) -> str:
    """Where an experiment keeps artifacts, under a lock that holds off its removal. Raises NotFound."""
    mine = select(experiments.c.artifact_location).where(experiments.c.experiment_no == int(experiment_id))
    location = await connection.scalar(mine.with_for_update(read=True))
    if location is None:
        raise NotFound("experiment", experiment_id, field="experiment_id")
    return experiment_artifact_location(experiment_id, location)


def _experiment_values(experiment: Experiment, here: AnyRow | None, artifact_root: str) -> Mapping[str, object]:
    location = experiment.artifact_location
    if not location and artifact_root:
        location = experiment_artifact_location(experiment.experiment_id, "", artifact_root=artifact_root)
    is_deleted = experiment.lifecycle_stage is LifecycleStage.DELETED
    deleted_before = here.deleted_time_ms if here is not None else None
    return {
        "workspace": DEFAULT_WORKSPACE,
        "name": experiment.name,
        "artifact_location": location,
        "lifecycle_stage": experiment.lifecycle_stage,
        "creation_time_ms": experiment.creation_time_ms,
        "last_update_time_ms": experiment.last_update_time_ms,
        "deleted_time_ms": (deleted_before or experiment.last_update_time_ms) if is_deleted else None,
    }


def _run_values(run: Run, here: AnyRow | None, artifact_uri: str) -> Mapping[str, object]:
    deleted_before = here.deleted_time_ms if here is not None else None
    is_deleted = run.lifecycle_stage is LifecycleStage.DELETED
    return {
        "experiment_no": int(run.experiment_id),
        "run_name": run.run_name,
        "user_id": run.user_id,
        "status": run.status,
        "start_time_ms": run.start_time_ms,
        "end_time_ms": run.end_time_ms,
        "lifecycle_stage": run.lifecycle_stage,
        "deleted_time_ms": (deleted_before or run.deleted_time_ms) if is_deleted else None,
        "artifact_uri": artifact_uri,
        "parent_run_id": run.parent_run_id,
    }


def _logged_model_values(model: LoggedModel, artifact_uri: str) -> Mapping[str, object]:
    return {
        "experiment_no": int(model.experiment_id),
        "name": model.name,
        "artifact_uri": artifact_uri,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "status": model.status,
        "status_message": model.status_message,
        "creation_time_ms": model.creation_time_ms,
        "last_update_time_ms": model.last_update_time_ms,
    }
