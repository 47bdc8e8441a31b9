"""MLflow's evaluation datasets. Their tags and records travel as JSON within JSON."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    EvaluationRecord,
    RecordSource,
    RecordSourceType,
)
from trackwire_server.core.evaluation_datasets import EvaluationDatasetDraft, EvaluationDatasets
from trackwire_server.core.evaluation_records import UNSAID, RecordDraft
from trackwire_server.core.json_values import check_levels, json_object, json_text, json_value
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.errors import fields_called
from trackwire_server.mlflow_api.reading import Int32
from trackwire_server.mlflow_api.searches import check_max_results

INT32_MAX = 2**31 - 1


class CreateDataset(Struct):
    name: str = ""
    experiment_ids: list[str] = []
    tags: str = ""
    created_by: str = ""


class OfDataset(Struct):
    dataset_id: str = ""


class SearchEvaluationDatasets(Struct):
    experiment_ids: list[str] = []
    filter_string: str = ""
    max_results: Int32 = 1_000
    order_by: list[str] = []
    page_token: str = ""


class SetDatasetTags(Struct):
    tags: str
    dataset_id: str = ""


class DeleteDatasetTag(Struct):
    dataset_id: str = ""
    key: str = ""


class UpsertDatasetRecords(Struct):
    records: str
    dataset_id: str = ""
    updated_by: str = ""


class GetDatasetRecords(Struct):
    dataset_id: str = ""
    max_results: Int32 = 1_000
    page_token: str = ""


class DeleteDatasetRecords(Struct):
    dataset_id: str = ""
    dataset_record_ids: list[str] = []


class ChangeExperiments(Struct):
    dataset_id: str = ""
    experiment_ids: list[str] = []


class EvaluationDatasetDoor:
    """Evaluation datasets, as MLflow's clients ask for them."""

    def __init__(self, datasets: EvaluationDatasets):
        self._datasets = datasets

    def rpcs(self) -> Sequence[Rpc]:
        at = "3.0/mlflow/datasets"
        one = f"{at}/{{dataset_id}}"
        return (
            Rpc("POST", f"{at}/create", CreateDataset, self.create),
            Rpc("POST", f"{at}/search", SearchEvaluationDatasets, self.search),
            Rpc("GET", f"{at}/search", SearchEvaluationDatasets, self.search),
            Rpc("GET", one, OfDataset, self.get),
            Rpc("DELETE", one, OfDataset, self.delete),
            Rpc("PATCH", f"{one}/tags", SetDatasetTags, self.set_tags),
            Rpc("DELETE", f"{one}/tags/{{key}}", DeleteDatasetTag, self.delete_tag),
            Rpc("POST", f"{one}/records", UpsertDatasetRecords, self.upsert_records),
            Rpc("GET", f"{one}/records", GetDatasetRecords, self.get_records),
            Rpc("DELETE", f"{one}/records", DeleteDatasetRecords, self.delete_records),
            Rpc("GET", f"{one}/experiment-ids", OfDataset, self.get_experiment_ids),
            Rpc("POST", f"{one}/add-experiments", ChangeExperiments, self.add_to_experiments),
            Rpc("POST", f"{one}/remove-experiments", ChangeExperiments, self.remove_from_experiments),
        )

    async def create(self, request: CreateDataset) -> Answer:
        draft = EvaluationDatasetDraft(
            name=request.name,
            created_by=request.created_by,
            tags=_tags(request.tags) if request.tags else {},
            experiment_ids=request.experiment_ids,
        )
        return {"dataset": to_json(await self._datasets.create(draft))}

    async def get(self, request: OfDataset) -> Answer:
        return {"dataset": to_json(await self._datasets.get(request.dataset_id))}

    async def delete(self, request: OfDataset) -> Answer:
        # To MLflow's clients, what is gone already is deleted.
        with suppress(NotFound):
            await self._datasets.delete(request.dataset_id)
        return EMPTY

    async def search(self, request: SearchEvaluationDatasets) -> Answer:
        search = SearchRequest(
            filter=request.filter_string,
            order_by=request.order_by,
            page_size=check_max_results(request.max_results, LIMITS.evaluation_datasets_page_size),
            page_token=request.page_token,
            tags_required=True,
            experiment_ids=tuple(request.experiment_ids),
        )
        with fields_called({"filter": "filter_string"}):
            found, token = await self._datasets.search(search)
        return {"datasets": [to_json(each) for each in found]} | ({"next_page_token": token} if token else {})

    async def set_tags(self, request: SetDatasetTags) -> Answer:
        if tags := _tags(request.tags):
            await self._datasets.set_tags(request.dataset_id, tags)
        return {"dataset": to_json(await self._datasets.get(request.dataset_id))}

    async def delete_tag(self, request: DeleteDatasetTag) -> Answer:
        with suppress(NotFound):
            await self._datasets.delete_tag(request.dataset_id, request.key)
        return EMPTY

    async def upsert_records(self, request: UpsertDatasetRecords) -> Answer:
        drafts = await asyncio.to_thread(_drafts, request.records)
        with fields_called({"records[].source.data": "records[].source.source_data"}):
            inserted, updated = await self._datasets.upsert_records(
                request.dataset_id, drafts, updated_by=request.updated_by
            )
        return {"inserted_count": inserted, "updated_count": updated}

    async def get_records(self, request: GetDatasetRecords) -> Answer:
        # A page may have fewer than are asked for.
        page_size = min(check_max_results(request.max_results, INT32_MAX), LIMITS.evaluation_records_page_size)
        records, token = await self._datasets.list_records(
            request.dataset_id, page_size=page_size, page_token=request.page_token
        )
        found = await asyncio.to_thread(_records_text, records)
        return {"records": found} | ({"next_page_token": token} if token else {})

    async def delete_records(self, request: DeleteDatasetRecords) -> Answer:
        if not request.dataset_record_ids:
            await self._datasets.get(request.dataset_id)
            return {"deleted_count": 0}
        with fields_called({"record_ids": "dataset_record_ids"}):
            deleted = await self._datasets.delete_records(request.dataset_id, request.dataset_record_ids)
        return {"deleted_count": deleted}

    async def get_experiment_ids(self, request: OfDataset) -> Answer:
        return {"experiment_ids": (await self._datasets.get(request.dataset_id)).experiment_ids}

    async def add_to_experiments(self, request: ChangeExperiments) -> Answer:
        changed = await self._datasets.add_to_experiments(request.dataset_id, request.experiment_ids)
        return {"dataset": to_json(changed)}

    async def remove_from_experiments(self, request: ChangeExperiments) -> Answer:
        changed = await self._datasets.remove_from_experiments(request.dataset_id, request.experiment_ids)
        return {"dataset": to_json(changed)}


def to_json(dataset: EvaluationDataset) -> Answer:
    """A dataset in MLflow's shape."""
    said = {
        "schema": dataset.schema,
        "profile": profile_of(dataset),
        "created_by": dataset.created_by,
        "last_updated_by": dataset.last_updated_by,
    }
    return {
        "dataset_id": dataset.dataset_id,
        "name": dataset.name,
        "tags": json.dumps(dict(dataset.tags)),
        "digest": dataset.digest,
        "created_time": dataset.creation_time_ms,
        "last_update_time": dataset.last_update_time_ms,
        "experiment_ids": dataset.experiment_ids,
        **{name: value for name, value in said.items() if value},
    }


def profile_of(dataset: EvaluationDataset) -> str:
    """What MLflow knows of the records as a whole."""
    return json_text({"num_records": dataset.record_count}) if dataset.record_count else ""


def _tags(text: str) -> dict[str, str]:
    """Tags of any JSON, as text; MLflow passes over those that are null."""
    said = json_object("tags", json_value("tags", text))
    check_levels("tags", said)
    return {key: value if isinstance(value, str) else str(value) for key, value in said.items() if value is not None}


def _drafts(text: str) -> Sequence[RecordDraft]:
    said = json_value("records", text)
    if not isinstance(said, list):
        raise InvalidArgument("records", text, "must be a JSON array of objects")
    return [_draft(f"records[{at}]", json_object(f"records[{at}]", each)) for at, each in enumerate(said)]


def _draft(field: str, said: Mapping[str, object]) -> RecordDraft:
    source_type, source_data = None, None
    if said.get("source"):
        source = json_object(f"{field}.source", said["source"])
        source_type = _source_type(f"{field}.source.source_type", source.get("source_type"))
        source_data = source.get("source_data")
    return RecordDraft(
        inputs=said.get("inputs", {}),
        outputs=said.get("outputs", UNSAID),
        expectations=said.get("expectations"),
        tags=said.get("tags"),
        source_type=source_type,
        source_data=source_data,
    )


def _source_type(field: str, said: object) -> RecordSourceType:
    found = RecordSourceType.__members__.get(said.upper()) if isinstance(said, str) else None
    if found is None:
        raise InvalidArgument(field, said, f"must be one of {', '.join(RecordSourceType)}")
    return found


def _records_text(records: Sequence[EvaluationRecord]) -> str:
    # What is JSON already goes in as it is, NaN too.
    return msgspec.json.encode([_record_to_json(record) for record in records]).decode()


def _record_to_json(record: EvaluationRecord) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "dataset_record_id": record.record_id,
        "dataset_id": record.dataset_id,
        "inputs": _raw(record.inputs),
        "tags": _raw(record.tags),
        "created_time": record.creation_time_ms,
        "last_update_time": record.last_update_time_ms,
    }
    if record.outputs != "null":
        found["outputs"] = _raw(record.outputs)
    if record.expectations:
        found["expectations"] = _raw(record.expectations)
    if record.source is not None:
        found["source"] = {"source_type": record.source.type, "source_data": _raw(record.source.data)}
        found["source_type"] = record.source.type
        if source_id := _source_id(record.source):
            found["source_id"] = source_id
    by = {"created_by": record.created_by, "last_updated_by": record.last_updated_by}
    return found | {name: value for name, value in by.items() if value}


def _source_id(source: RecordSource) -> object:
    """What the source is known by, where its data say it."""
    return json.loads(source.data).get("trace_id" if source.type is RecordSourceType.TRACE else "source_id")


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
