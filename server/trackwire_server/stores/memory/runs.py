"""Runs in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from trackwire_server.core.entities import (
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    Experiment,
    LifecycleStage,
    MetricSummary,
    NewExperiment,
    NewRun,
    Run,
    RunChange,
    RunSelection,
    WriterStamp,
    run_artifact_uri,
)
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted, NotFound, ParamAlreadySet, TrackwireError
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.core.run_inputs import NO_INPUTS, NO_OUTPUTS
from trackwire_server.core.run_keys import RunKey, RunKeyQuery
from trackwire_server.search import Field, FieldKind, MetricAggregate, Scalar
from trackwire_server.stores.memory.experiments import add_experiment, find_by_name, get_experiment
from trackwire_server.stores.memory.run_keys import list_keys
from trackwire_server.stores.memory.search import search_items
from trackwire_server.stores.memory.state import MemoryState

_FIELD_OF_TAG = {RUN_NAME_TAG: "run_name", PARENT_RUN_TAG: "parent_run_id"}


class MemoryRuns:
    """A RunStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def create_run(self, new: NewRun) -> tuple[Run, bool]:
        """Looks for the request and for the run before it stores anything."""
        made_by_request = self._state.run_of_request.get(new.request_id)
        if made_by_request is not None:
            return with_data(self._state, self._state.runs[made_by_request], RunSelection()), False
        if new.run_id in self._state.runs:
            if not new.join:
                raise AlreadyExists("run", new.run_id, field="run_id")
            run = self._state.active_run(new.run_id)
            added = {key: value for key, value in new.tags.items() if key not in _FIELD_OF_TAG}
            run = self._state.change_run(run, tags={**run.tags, **added})
            return with_data(self._state, run, RunSelection()), False
        return self._add(new), True

    async def get_run(self, run_id: str, selection: RunSelection) -> Run:
        """By id."""
        return with_data(self._state, self._run(run_id), selection)

    async def search_runs(self, query: SearchQuery, selection: RunSelection) -> Page[Run]:
        """By the language's evaluator."""
        stages = query.view.stages()
        seen = [
            run
            for run in self._state.runs.values()
            if run.experiment_id in query.experiment_ids and run.lifecycle_stage in stages
        ]
        page = search_items(seen, query, self._field_of, values_of=self._values_of)
        return Page([with_data(self._state, run, selection) for run in page.items], page.next_position)

    async def list_run_keys(self, query: RunKeyQuery) -> Page[RunKey]:
        """Of every run."""
        return list_keys(self._state, query)

    async def update_run(self, run_id: str, change: RunChange, stamp: WriterStamp | None) -> Run:
        """Replaces the run."""
        run = self._state.active_run(run_id)
        if not self._state.advance_writer(run_id, stamp):
            return _bare(run)
        name = run.run_name if change.run_name is None else change.run_name
        changed = self._state.change_run(
            run,
            status=change.status or run.status,
            end_time_ms=_end_time(run, change),
            run_name=name,
            stop_requested=run.stop_requested and not change.goes_on,
            tags={**run.tags, RUN_NAME_TAG: name},
        )
        return _bare(changed)

    async def set_run_stage(self, run_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Replaces the run, if it is in another stage."""
        run = self._run(run_id)
        if run.lifecycle_stage is not stage:
            deleted_time_ms = now_ms if stage is LifecycleStage.DELETED else None
            self._state.change_run(run, lifecycle_stage=stage, deleted_time_ms=deleted_time_ms)

    def _add(self, new: NewRun) -> Run:
        experiment = self._experiment(new)
        run = Run(
            run_id=new.run_id,
            run_name=new.run_name,
            experiment_id=experiment.experiment_id,
            user_id=new.user_id,
            status=new.status,
            start_time_ms=new.start_time_ms,
            end_time_ms=new.end_time_ms,
            lifecycle_stage=LifecycleStage.ACTIVE,
            artifact_uri=run_artifact_uri(experiment.artifact_location, new.run_id),
            parent_run_id=new.parent_run_id,
            params=dict(new.params),
            tags=dict(new.tags),
        )
        self._state.runs[run.run_id] = run
        if new.request_id:
            self._state.run_of_request[new.request_id] = run.run_id
        return run

    def _experiment(self, new: NewRun) -> Experiment:
        wanted = new.experiment
        if not wanted.name:
            experiment = get_experiment(self._state, wanted.experiment_id)
        else:
            found = find_by_name(self._state, wanted.name)
            if found is None and not wanted.create:
                raise NotFound("experiment", wanted.name, field="experiment_name")
            experiment = found or add_experiment(self._state, NewExperiment(wanted.name, new.creation_time_ms))
        if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment.experiment_id)
        return experiment

    def _run(self, run_id: str) -> Run:
        run = self._state.runs.get(run_id)
        if run is None:
            raise NotFound("run", run_id, field="run_id")
        return run

    def _values_of(self, run: Run, field: Field) -> Scalar | tuple[Scalar, ...] | None:
        return _of_datasets(run, field.key) if field.kind is FieldKind.DATASET else self._field_of(run, field)

    def _field_of(self, run: Run, field: Field) -> Scalar | None:
        match field.kind:
            case FieldKind.PARAM:
                return run.params.get(field.key)
            case FieldKind.TAG:
                return run.tags.get(field.key)
            case FieldKind.METRIC:
                summary = _primary(self._state, run.run_id).get(field.key)
                return None if summary is None else aggregate_of(summary, field.aggregate)
            case FieldKind.DATASET:
                return None  # Of several nothing is ordered by one.
            case FieldKind.ATTRIBUTE:
                return _attribute(run, field.key)


class MemoryRunData:
    """A RunDataStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def log_params(self, run_id: str, params: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Compares with what is there, and adds the rest."""
        run = self._state.active_run(run_id)
        with self._advancing(run_id, stamp) as is_new:
            if not is_new:
                return
            for key, value in params.items():
                if run.params.get(key, value) != value:
                    raise ParamAlreadySet(run_id, key, run.params[key], value)
            self._state.change_run(run, params={**run.params, **params})

    async def set_run_tags(self, run_id: str, tags: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Replaces tags, and the fields that say the same."""
        run = self._state.active_run(run_id)
        with self._advancing(run_id, stamp) as is_new:
            if not is_new:
                return
            fields = {field: tags[tag] for tag, field in _FIELD_OF_TAG.items() if tag in tags}
            self._state.change_run(run, tags={**run.tags, **tags}, **fields)

    async def delete_run_tag(self, run_id: str, key: str, stamp: WriterStamp | None) -> None:
        """Removes a tag, and the field that says the same."""
        run = self._state.active_run(run_id)
        with self._advancing(run_id, stamp) as is_new:
            if not is_new:
                return
            if key not in run.tags:
                raise NotFound("tag", key, field="key")
            tags = {other: value for other, value in run.tags.items() if other != key}
            fields = {_FIELD_OF_TAG[key]: ""} if key in _FIELD_OF_TAG else {}
            self._state.change_run(run, tags=tags, **fields)

    async def heartbeat(self, run_id: str, *, now_ms: int) -> bool:
        """Replaces the time."""
        run = self._state.active_run(run_id)
        return self._state.change_run(run, heartbeat_time_ms=now_ms).stop_requested

    async def request_stop(self, run_id: str) -> None:
        """Replaces the flag."""
        self._state.change_run(self._state.active_run(run_id), stop_requested=True)

    @contextmanager
    def _advancing(self, run_id: str, stamp: WriterStamp | None) -> Iterator[bool]:
        """Moves the writer's mark, unless what follows fails."""
        before = dict(self._state.marks)
        try:
            yield self._state.advance_writer(run_id, stamp)
        except TrackwireError:
            self._state.marks = before
            raise


def with_data(state: MemoryState, run: Run, selection: RunSelection) -> Run:
    """A run with as much of its data as is wanted."""
    primary = sorted(_primary(state, run.run_id).items())
    return replace(
        run,
        params={key: value for key, value in run.params.items() if selection.params.wants(key)},
        tags={key: value for key, value in run.tags.items() if selection.tags.wants(key)},
        metrics=tuple(summary for key, summary in primary if selection.metrics.wants(key)),
        inputs=run.inputs.seen(selection.datasets, models=selection.models),
        outputs=run.outputs if selection.models else NO_OUTPUTS,
    )


def _end_time(run: Run, change: RunChange) -> int | None:
    if change.end_time_ms is not None:
        return change.end_time_ms
    if change.goes_on:
        return None
    if change.default_end_time_ms is None or (run.status is change.status and run.end_time_ms is not None):
        return run.end_time_ms
    return change.default_end_time_ms


def _primary(state: MemoryState, run_id: str) -> dict[str, MetricSummary]:
    return {summary.key: summary for summary in state.summaries.get(run_id, {}).values() if summary.primary}


def aggregate_of(summary: MetricSummary, aggregate: MetricAggregate) -> float | int | None:
    """What a field means of a series; None where no number was ever logged."""
    match aggregate:
        case MetricAggregate.LAST:
            return summary.last_value
        case MetricAggregate.FIRST:
            return summary.first_value
        case MetricAggregate.MIN:
            return summary.min_value
        case MetricAggregate.MAX:
            return summary.max_value
        case MetricAggregate.COUNT:
            return summary.count


def _of_datasets(run: Run, name: str) -> tuple[str, ...]:
    given = run.inputs.datasets
    values = {
        "name": [each.dataset.name for each in given],
        "digest": [each.dataset.digest for each in given],
        "context": [each.context for each in given if each.context],
    }
    return tuple(values[name])


def _attribute(run: Run, name: str) -> Scalar | None:
    attributes: dict[str, Scalar | None] = {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "status": run.status.value,
        "artifact_uri": run.artifact_uri,
        "user_id": run.user_id,
        "experiment_id": int(run.experiment_id),
        "parent_run_id": run.parent_run_id or None,
        "lifecycle_stage": run.lifecycle_stage.value,
        "start_time": run.start_time_ms,
        "end_time": run.end_time_ms,
        "heartbeat_time": run.heartbeat_time_ms,
    }
    return attributes[name]


def _bare(run: Run) -> Run:
    return replace(run, params={}, tags={}, metrics=(), inputs=NO_INPUTS, outputs=NO_OUTPUTS)
