"""Evaluation datasets' messages and entities, each way."""

from collections.abc import Sequence

from trackwire.v1 import evaluation_datasets_pb2 as pb
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    EvaluationRecord,
    RecordSource,
    RecordSourceType,
)
from trackwire_server.core.evaluation_datasets import EvaluationDatasetDraft
from trackwire_server.core.evaluation_records import UNSAID, RecordDraft
from trackwire_server.core.json_values import json_value
from trackwire_server.core.searching import SearchRequest

_TYPE_TO_PROTO = {
    RecordSourceType.UNSPECIFIED: pb.EVALUATION_RECORD_SOURCE_TYPE_UNSPECIFIED,
    RecordSourceType.TRACE: pb.EVALUATION_RECORD_SOURCE_TYPE_TRACE,
    RecordSourceType.HUMAN: pb.EVALUATION_RECORD_SOURCE_TYPE_HUMAN,
    RecordSourceType.DOCUMENT: pb.EVALUATION_RECORD_SOURCE_TYPE_DOCUMENT,
    RecordSourceType.CODE: pb.EVALUATION_RECORD_SOURCE_TYPE_CODE,
}
_TYPE_FROM_PROTO = {number: kind for kind, number in _TYPE_TO_PROTO.items()}


def draft_from_proto(request: pb.CreateEvaluationDatasetRequest) -> EvaluationDatasetDraft:
    """What CreateEvaluationDataset asks for."""
    return EvaluationDatasetDraft(
        name=request.name,
        request_id=request.request_id,
        created_by=request.created_by,
        tags=dict(request.tags),
        experiment_ids=tuple(request.experiment_ids),
    )


def search_from_proto(request: pb.SearchEvaluationDatasetsRequest) -> SearchRequest:
    """A search as it was written."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        tags_required=request.tags_required,
        experiment_ids=tuple(request.experiment_ids),
    )


def records_from_proto(request: pb.UpsertEvaluationDatasetRecordsRequest) -> Sequence[RecordDraft]:
    """Records with their JSON read; takes a while where they are large. Raises InvalidArgument."""
    return [_record_from_proto(f"records[{at}]", record) for at, record in enumerate(request.records)]


def _record_from_proto(field: str, record: pb.NewEvaluationDatasetRecord) -> RecordDraft:
    if not record.inputs:
        raise InvalidArgument(f"{field}.inputs", "", "is required", reason="REQUIRED")
    source_type, source_data = None, None
    if record.HasField("source"):
        source_type = source_type_from_proto(f"{field}.source.type", record.source.type)
        source_data = _optional(f"{field}.source.data", record.source.data)
    return RecordDraft(
        inputs=json_value(f"{field}.inputs", record.inputs),
        outputs=json_value(f"{field}.outputs", record.outputs) if record.HasField("outputs") else UNSAID,
        expectations=_optional(f"{field}.expectations", record.expectations),
        tags=_optional(f"{field}.tags", record.tags),
        source_type=source_type,
        source_data=source_data,
    )


def _optional(field: str, text: str) -> object:
    return json_value(field, text) if text else None


def source_type_from_proto(field: str, number: pb.EvaluationRecordSourceType) -> RecordSourceType:
    """Where a record comes from. Raises InvalidArgument."""
    if number not in _TYPE_FROM_PROTO:
        known = ", ".join(pb.EvaluationRecordSourceType.keys())
        raise InvalidArgument(field, number, f"is no type of source; there are {known}")
    return _TYPE_FROM_PROTO[number]


def dataset_to_proto(dataset: EvaluationDataset) -> pb.EvaluationDataset:
    """A dataset as it is sent."""
    return pb.EvaluationDataset(
        dataset_id=dataset.dataset_id,
        name=dataset.name,
        tags=dataset.tags,
        schema=dataset.schema,
        record_count=dataset.record_count,
        digest=dataset.digest,
        creation_time_ms=dataset.creation_time_ms,
        last_update_time_ms=dataset.last_update_time_ms,
        created_by=dataset.created_by,
        last_updated_by=dataset.last_updated_by,
        experiment_ids=dataset.experiment_ids,
    )


def record_to_proto(record: EvaluationRecord) -> pb.EvaluationDatasetRecord:
    """A record as it is sent."""
    return pb.EvaluationDatasetRecord(
        record_id=record.record_id,
        dataset_id=record.dataset_id,
        inputs=record.inputs,
        outputs=record.outputs,
        expectations=record.expectations,
        tags=record.tags,
        source=None if record.source is None else _source_to_proto(record.source),
        creation_time_ms=record.creation_time_ms,
        last_update_time_ms=record.last_update_time_ms,
        created_by=record.created_by,
        last_updated_by=record.last_updated_by,
    )


def _source_to_proto(source: RecordSource) -> pb.EvaluationRecordSource:
    return pb.EvaluationRecordSource(type=_TYPE_TO_PROTO[source.type], data=source.data)
