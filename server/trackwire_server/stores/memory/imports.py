"""What is taken over from elsewhere, in memory. Nothing here awaits, so every method is atomic."""

from dataclasses import replace

from trackwire_server.core.entities import (
    Experiment,
    LifecycleStage,
    ModelVersion,
    RegisteredModel,
    Run,
    RunSelection,
    experiment_artifact_location,
    run_artifact_uri,
)
from trackwire_server.core.import_conflicts import (
    check_same_experiment,
    check_same_issue,
    check_same_logged_model,
    check_same_name,
    check_same_registered_model,
    check_same_run,
    check_same_version,
)
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.logged_model_entities import (
    LoggedModel,
    logged_model_artifact_uri,
    logged_model_not_found,
)
from trackwire_server.stores.memory.experiments import find_by_name, get_experiment
from trackwire_server.stores.memory.logged_models import with_metrics
from trackwire_server.stores.memory.model_registry import ModelRegistryState, StoredModel
from trackwire_server.stores.memory.run_inputs import dataset_of_experiment, forget_unused_datasets
from trackwire_server.stores.memory.runs import with_data
from trackwire_server.stores.memory.state import MemoryState


class MemoryImports:
    """An ImportStore."""

    def __init__(self, state: MemoryState, registry: ModelRegistryState):
        self._state = state
        self._registry = registry

    async def import_experiment(self, experiment: Experiment) -> Experiment:
        """Replaces the experiment."""
        state, experiment_id = self._state, experiment.experiment_id
        here = state.experiments.get(experiment_id)
        if here is not None:
            check_same_experiment(here, experiment)
        named = find_by_name(state, experiment.name)
        if named is not None:
            check_same_name(named.experiment_id, experiment)
        location = experiment_artifact_location(
            experiment_id, experiment.artifact_location, artifact_root=state.artifact_root
        )
        taken = replace(experiment, artifact_location=location, tags=dict(experiment.tags))
        state.experiments[experiment_id] = taken
        state.last_experiment_no = max(state.last_experiment_no, int(experiment_id))
        return taken

    async def import_run(self, run: Run) -> Run:
        """Replaces the run."""
        state = self._state
        experiment = get_experiment(state, run.experiment_id)
        here = state.runs.get(run.run_id)
        if here is not None:
            check_same_run(here, run)
        given = tuple(dataset_of_experiment(state, run.experiment_id, each) for each in run.inputs.datasets)
        taken = replace(
            run,
            artifact_uri=run.artifact_uri or run_artifact_uri(experiment.artifact_location, run.run_id),
            deleted_time_ms=_deleted_time(here, run),
            heartbeat_time_ms=here.heartbeat_time_ms if here is not None else None,
            stop_requested=here is not None and here.stop_requested,
            params=dict(run.params),
            tags=dict(run.tags),
            metrics=(),
            inputs=replace(run.inputs, datasets=given),
        )
        state.runs[run.run_id] = taken
        if here is not None:
            forget_unused_datasets(state, here)
        return with_data(state, taken, RunSelection())

    async def import_logged_model(self, model: LoggedModel) -> LoggedModel:
        """Replaces the logged model."""
        experiment = get_experiment(self._state, model.experiment_id)
        here = self._state.logged_models.get(model.model_id)
        if here is not None:
            check_same_logged_model(here, model)
            if here.deleted_time_ms is not None:
                raise logged_model_not_found(model.model_id)
        taken = replace(
            model,
            artifact_uri=model.artifact_uri or logged_model_artifact_uri(experiment.artifact_location, model.model_id),
            deleted_time_ms=None,
            tags=dict(model.tags),
            params=dict(model.params),
            metrics=(),
        )
        self._state.logged_models[model.model_id] = taken
        return with_metrics(self._state, taken)

    async def import_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        """Replaces the registered model."""
        taken = replace(model, tags=dict(model.tags), aliases={}, latest_versions=())
        stored = self._registry.models.get(model.name)
        if stored is None:
            stored = self._registry.models[model.name] = StoredModel(taken)
        else:
            check_same_registered_model(stored.model, model)
            stored.model = taken
        return stored.whole()

    async def import_model_version(self, version: ModelVersion) -> ModelVersion:
        """Replaces the version."""
        stored = self._registry.model(version.name)
        number = version.version
        if number in stored.versions:
            check_same_version(stored.versions[number], version)
        versions = {**stored.versions, number: replace(version, name="", aliases=(), tags=dict(version.tags))}
        # In the order of their numbers, as StoredModel has them.
        stored.versions = {each: versions[each] for each in sorted(versions)}
        stored.last_version = max(stored.last_version, number)
        kept = {alias: target for alias, target in stored.aliases.items() if target != number}
        stored.aliases = kept | dict.fromkeys(version.aliases, number)
        return stored.version(number)

    async def import_issue(self, issue: Issue) -> Issue:
        """Replaces the issue."""
        get_experiment(self._state, issue.experiment_id)
        here = self._state.issues.get(issue.issue_id)
        if here is not None:
            check_same_issue(here, issue)
        taken = replace(issue, metadata=dict(issue.metadata))
        self._state.issues[issue.issue_id] = taken
        return taken


def _deleted_time(here: Run | None, run: Run) -> int | None:
    if run.lifecycle_stage is LifecycleStage.ACTIVE or here is None or here.deleted_time_ms is None:
        return run.deleted_time_ms
    return here.deleted_time_ms
