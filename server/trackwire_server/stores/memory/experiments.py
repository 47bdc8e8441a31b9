"""Experiments in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trackwire_server.core.entities import (
    Experiment,
    LifecycleStage,
    NewExperiment,
    experiment_artifact_location,
)
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted, NotFound
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, FieldKind, Scalar
from trackwire_server.stores.memory.search import search_items
from trackwire_server.stores.memory.state import MemoryState


class MemoryExperiments:
    """An ExperimentStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def create_experiment(self, new: NewExperiment) -> Experiment:
        """Under the next number."""
        return add_experiment(self._state, new)

    async def get_experiment(self, experiment_id: str) -> Experiment:
        """By id."""
        return get_experiment(self._state, experiment_id)

    async def get_experiment_by_name(self, name: str) -> Experiment:
        """By name."""
        found = find_by_name(self._state, name)
        if found is None:
            raise NotFound("experiment", name, field="name")
        return found

    async def search_experiments(self, query: SearchQuery) -> Page[Experiment]:
        """By the language's evaluator."""
        stages = query.view.stages()
        seen = [experiment for experiment in self._state.experiments.values() if experiment.lifecycle_stage in stages]
        return search_items(seen, query, _field_of)

    async def rename_experiment(self, experiment_id: str, name: str, *, now_ms: int) -> Experiment:
        """Replaces the name."""
        experiment = self._active(experiment_id)
        other = find_by_name(self._state, name)
        if other is not None and other.experiment_id != experiment_id:
            raise AlreadyExists("experiment", name, field="name")
        return self._put(replace(experiment, name=name, last_update_time_ms=now_ms))

    async def change_experiment_tags(
        self, experiment_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Replaces the tags."""
        experiment = self._active(experiment_id)
        tags = {**experiment.tags, **changed}
        for key in deleted:
            if key not in tags:
                raise NotFound("tag", key, field="key")
            del tags[key]
        self._put(replace(experiment, tags=tags, last_update_time_ms=now_ms))

    async def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Replaces the stage of the experiment and of its runs."""
        experiment = self._state.experiments.get(experiment_id)
        if experiment is None or experiment.lifecycle_stage is stage:
            raise NotFound("experiment", experiment_id, field="experiment_id", hint=f"or it is {stage.value} already")
        self._put(replace(experiment, lifecycle_stage=stage, last_update_time_ms=now_ms))
        deleted_time_ms = now_ms if stage is LifecycleStage.DELETED else None
        for run in list(self._state.runs.values()):
            if run.experiment_id == experiment_id and run.lifecycle_stage is not stage:
                self._state.change_run(run, lifecycle_stage=stage, deleted_time_ms=deleted_time_ms)

    def _active(self, experiment_id: str) -> Experiment:
        experiment = get_experiment(self._state, experiment_id)
        if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment_id)
        return experiment

    def _put(self, experiment: Experiment) -> Experiment:
        self._state.experiments[experiment.experiment_id] = experiment
        return experiment


def add_experiment(state: MemoryState, new: NewExperiment) -> Experiment:
    """Stores an experiment. Raises AlreadyExists."""
    if find_by_name(state, new.name) is not None:
        raise AlreadyExists("experiment", new.name, field="name")
    state.last_experiment_no += 1
    experiment_id = str(state.last_experiment_no)
    experiment = Experiment(
        experiment_id=experiment_id,
        name=new.name,
        artifact_location=experiment_artifact_location(
            experiment_id, new.artifact_location, artifact_root=state.artifact_root
        ),
        lifecycle_stage=LifecycleStage.ACTIVE,
        creation_time_ms=new.creation_time_ms,
        last_update_time_ms=new.creation_time_ms,
        tags=dict(new.tags),
        workspace=new.workspace,
    )
    state.experiments[experiment_id] = experiment
    return experiment


def get_experiment(state: MemoryState, experiment_id: str) -> Experiment:
    """The experiment. Raises NotFound."""
    experiment = state.experiments.get(experiment_id)
    if experiment is None:
        raise NotFound("experiment", experiment_id, field="experiment_id")
    return experiment


def find_by_name(state: MemoryState, name: str) -> Experiment | None:
    """The experiment, or None."""
    return next((experiment for experiment in state.experiments.values() if experiment.name == name), None)


def _field_of(experiment: Experiment, field: Field) -> Scalar | None:
    if field.kind is FieldKind.TAG:
        return experiment.tags.get(field.key)
    attributes: dict[str, Scalar] = {
        "experiment_id": int(experiment.experiment_id),
        "name": experiment.name,
        "creation_time": experiment.creation_time_ms,
        "last_update_time": experiment.last_update_time_ms,
        "lifecycle_stage": experiment.lifecycle_stage.value,
    }
    return attributes[field.key]
