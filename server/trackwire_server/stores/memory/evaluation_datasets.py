"""Evaluation datasets in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.errors import ExperimentDeleted, NotFound
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    NewEvaluationDataset,
    evaluation_dataset_not_found,
    time_of_change,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, FieldKind, Scalar
from trackwire_server.stores.memory.experiments import get_experiment
from trackwire_server.stores.memory.search import search_items
from trackwire_server.stores.memory.state import MemoryState


class MemoryEvaluationDatasets:
    """An EvaluationDatasetStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def create_evaluation_dataset(self, new: NewEvaluationDataset) -> EvaluationDataset:
        """Looks for the request before it stores anything."""
        made = self._state.evaluation_dataset_of_request.get(new.request_id)
        if made is not None:
            return self._state.evaluation_datasets[made]
        self._check_active(new.experiment_ids)
        dataset = EvaluationDataset(
            dataset_id=new.dataset_id,
            name=new.name,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            digest=new.digest,
            created_by=new.created_by,
            last_updated_by=new.created_by,
            tags=dict(new.tags),
            experiment_ids=tuple(sorted(new.experiment_ids, key=int)),
            workspace=new.workspace,
        )
        self._state.evaluation_datasets[dataset.dataset_id] = dataset
        self._state.evaluation_records[dataset.dataset_id] = {}
        if new.request_id:
            self._state.evaluation_dataset_of_request[new.request_id] = dataset.dataset_id
        return dataset

    async def get_evaluation_dataset(self, dataset_id: str) -> EvaluationDataset:
        """By id."""
        return get_evaluation_dataset(self._state, dataset_id)

    async def search_evaluation_datasets(self, query: SearchQuery) -> Page[EvaluationDataset]:
        """By the language's evaluator."""
        wanted = set(query.experiment_ids)
        seen = [
            dataset
            for dataset in self._state.evaluation_datasets.values()
            if not wanted or not wanted.isdisjoint(dataset.experiment_ids)
        ]
        return search_items(seen, query, _field_of)

    async def change_evaluation_dataset_tags(
        self, dataset_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = ()
    ) -> None:
        """Replaces the tags."""
        dataset = get_evaluation_dataset(self._state, dataset_id)
        tags = {**dataset.tags, **changed}
        for key in deleted:
            if key not in tags:
                raise NotFound("tag", key, field="key")
            del tags[key]
        self._state.evaluation_datasets[dataset_id] = replace(dataset, tags=tags)

    async def link_evaluation_dataset(
        self, dataset_id: str, *, added: Sequence[str] = (), removed: Sequence[str] = (), now_ms: int
    ) -> EvaluationDataset:
        """Replaces the experiments."""
        dataset = get_evaluation_dataset(self._state, dataset_id)
        self._check_active(added)
        experiment_ids = tuple(sorted({*dataset.experiment_ids, *added} - {*removed}, key=int))
        if experiment_ids == dataset.experiment_ids:
            return dataset
        changed = replace(
            dataset,
            experiment_ids=experiment_ids,
            last_update_time_ms=time_of_change(dataset.last_update_time_ms, now_ms),
        )
        self._state.evaluation_datasets[dataset_id] = changed
        return changed

    async def delete_evaluation_dataset(self, dataset_id: str) -> None:
        """Forgets it."""
        state = self._state
        get_evaluation_dataset(state, dataset_id)
        del state.evaluation_datasets[dataset_id], state.evaluation_records[dataset_id]
        of_request = state.evaluation_dataset_of_request
        state.evaluation_dataset_of_request = {
            request: made for request, made in of_request.items() if made != dataset_id
        }

    def _check_active(self, experiment_ids: Sequence[str]) -> None:
        for experiment_id in experiment_ids:
            if get_experiment(self._state, experiment_id).lifecycle_stage is not LifecycleStage.ACTIVE:
                raise ExperimentDeleted(experiment_id)


def get_evaluation_dataset(state: MemoryState, dataset_id: str) -> EvaluationDataset:
    """The dataset. Raises NotFound."""
    dataset = state.evaluation_datasets.get(dataset_id)
    if dataset is None:
        raise evaluation_dataset_not_found(dataset_id)
    return dataset


def _field_of(dataset: EvaluationDataset, field: Field) -> Scalar | None:
    if field.kind is FieldKind.TAG:
        return dataset.tags.get(field.key)
    attributes: dict[str, Scalar | None] = {
        "name": dataset.name,
        "dataset_id": dataset.dataset_id,
        "created_by": dataset.created_by or None,
        "last_updated_by": dataset.last_updated_by or None,
        "created_time": dataset.creation_time_ms,
        "last_update_time": dataset.last_update_time_ms,
    }
    return attributes[field.key]
