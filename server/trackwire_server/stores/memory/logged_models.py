"""Logged models in memory."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from trackwire_server.core.entities import LifecycleStage, MetricSummary, SeriesContext
from trackwire_server.core.errors import ExperimentDeleted, NotFound
from trackwire_server.core.logged_model_entities import (
    LoggedModel,
    LoggedModelStatus,
    NewLoggedModel,
    by_series,
    logged_model_artifact_uri,
    logged_model_not_found,
    model_param_already_set,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, FieldKind, MetricDataset, Scalar
from trackwire_server.stores.memory.experiments import get_experiment
from trackwire_server.stores.memory.runs import aggregate_of
from trackwire_server.stores.memory.search import search_items
from trackwire_server.stores.memory.state import MemoryState


class MemoryLoggedModels:
    """A LoggedModelStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Looks for the request before it stores anything."""
        made = self._state.logged_model_of_request.get(new.request_id)
        if made is not None:
            return with_metrics(self._state, self._state.logged_models[made])
        experiment = get_experiment(self._state, new.experiment_id)
        if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment.experiment_id)
        model = LoggedModel(
            model_id=new.model_id,
            experiment_id=new.experiment_id,
            name=new.name,
            artifact_uri=logged_model_artifact_uri(experiment.artifact_location, new.model_id),
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            model_type=new.model_type,
            source_run_id=new.source_run_id,
            status=new.status,
            tags=dict(new.tags),
            params=dict(new.params),
        )
        self._state.logged_models[model.model_id] = model
        if new.request_id:
            self._state.logged_model_of_request[new.request_id] = model.model_id
        return with_metrics(self._state, model)

    async def get_logged_model(self, model_id: str, *, with_data: bool = True) -> LoggedModel:
        """By id."""
        model = self._state.active_logged_model(model_id)
        return with_metrics(self._state, model) if with_data else replace(model, params={}, tags={})

    async def search_logged_models(self, query: SearchQuery) -> Page[LoggedModel]:
        """By the language's evaluator."""
        seen = [
            with_metrics(self._state, model)
            for model in self._state.logged_models.values()
            if model.experiment_id in query.experiment_ids and model.deleted_time_ms is None
        ]
        if query.datasets:
            seen = [model for model in seen if any(_is_of(metric.context, query.datasets) for metric in model.metrics)]
        return search_items(seen, query, _ordered_by, values_of=_values)

    async def update_logged_model(
        self, model_id: str, *, status: LoggedModelStatus | None, status_message: str | None, now_ms: int
    ) -> LoggedModel:
        """Replaces the model."""
        model = self._state.active_logged_model(model_id)
        message = model.status_message if status_message is None else status_message
        return with_metrics(
            self._state,
            self._put(model, now_ms, status=status or model.status, status_message=message),
        )

    async def change_logged_model_tags(
        self, model_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Replaces the tags."""
        model = self._state.active_logged_model(model_id)
        tags = {**model.tags, **changed}
        for key in deleted:
            if key not in tags:
                raise NotFound("tag", key, field="key")
            del tags[key]
        self._put(model, now_ms, tags=tags)

    async def log_logged_model_params(self, model_id: str, params: Mapping[str, str], *, now_ms: int) -> None:
        """Compares with what is there, and adds the rest."""
        model = self._state.active_logged_model(model_id)
        for key, value in params.items():
            if model.params.get(key, value) != value:
                raise model_param_already_set(model_id, key, model.params[key], value)
        self._put(model, now_ms, params={**model.params, **params})

    async def delete_logged_model(self, model_id: str, *, now_ms: int) -> None:
        """Notes when."""
        model = self._state.logged_models.get(model_id)
        if model is None:
            raise logged_model_not_found(model_id)
        if model.deleted_time_ms is None:
            self._put(model, now_ms, deleted_time_ms=now_ms)

    def _put(self, model: LoggedModel, now_ms: int, **changes: object) -> LoggedModel:
        changed = replace(model, last_update_time_ms=now_ms, **changes)  # type: ignore[arg-type]  # the callers' own
        self._state.logged_models[model.model_id] = changed
        return changed


def with_metrics(state: MemoryState, model: LoggedModel) -> LoggedModel:
    """A logged model with the summaries of its series, of whichever run."""
    mine = (
        summary
        for summaries in state.summaries.values()
        for summary in summaries.values()
        if summary.context.model_id == model.model_id
    )
    return replace(model, metrics=tuple(sorted(mine, key=by_series)))


def _values(model: LoggedModel, field: Field) -> Scalar | tuple[Scalar, ...] | None:
    """What a filter compares: all values of a metric."""
    if field.kind is not FieldKind.METRIC:
        return _entry_or_attribute(model, field)
    values = (aggregate_of(metric, field.aggregate) for metric in _series(model, field))
    return tuple(value for value in values if value is not None)


def _ordered_by(model: LoggedModel, field: Field) -> Scalar | None:
    """What an order compares: one value of a metric."""
    if field.kind is not FieldKind.METRIC:
        return _entry_or_attribute(model, field)
    newest = max(
        ((metric.last_time_ms, metric.last_step, *_ranked(metric, field)) for metric in _series(model, field)),
        default=None,
    )
    if newest is None:
        return None
    *_, is_number, value, is_nan = newest
    return value if is_number else math.nan if is_nan else None


def _ranked(metric: MetricSummary, field: Field) -> tuple[bool, Scalar, bool]:
    """Whether the value asked for is a number, which, and whether it is NaN: the greatest last, NaN and none first."""
    value = aggregate_of(metric, field.aggregate)
    is_nan = value is not None and math.isnan(value)
    is_number = value is not None and not is_nan
    return is_number, value if value is not None and is_number else 0, is_nan


def _series(model: LoggedModel, field: Field) -> Iterable[MetricSummary]:
    for metric in model.metrics:
        if metric.key == field.key and (not field.datasets or _is_of(metric.context, field.datasets)):
            yield metric


def _is_of(context: SeriesContext, datasets: Sequence[MetricDataset]) -> bool:
    return any(
        context.dataset_name == dataset.name and dataset.digest in ("", context.dataset_digest) for dataset in datasets
    )


def _entry_or_attribute(model: LoggedModel, field: Field) -> Scalar | None:
    if field.kind is FieldKind.PARAM:
        return model.params.get(field.key)
    if field.kind is FieldKind.TAG:
        return model.tags.get(field.key)
    attributes: dict[str, Scalar | None] = {
        "name": model.name,
        "model_id": model.model_id,
        "status": model.status.value,
        "model_type": model.model_type or None,
        "source_run_id": model.source_run_id or None,
        "experiment_id": int(model.experiment_id),
        "creation_timestamp": model.creation_time_ms,
        "last_updated_timestamp": model.last_update_time_ms,
    }
    return attributes[field.key]
