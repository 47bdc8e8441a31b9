"""Evaluation datasets: records of inputs, and of what is expected for them, by which models and agents are judged."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.v1 import evaluation_datasets_pb2 as pb
from trackwire.v1.evaluation_datasets_pb2 import (
    EvaluationDataset,
    EvaluationDatasetRecord,
    ListEvaluationDatasetRecordsResponse,
    NewEvaluationDatasetRecord,
    SearchEvaluationDatasetsResponse,
    UpsertEvaluationDatasetRecordsResponse,
)

RecordSourceTypeName = Literal["UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE"]
RECORD_SOURCE_TYPES: tuple[str, ...] = ("UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE")


class EvaluationRecordSource(TypedDict, total=False):
    """Where a record comes from."""

    source_type: Required[RecordSourceTypeName]
    source_data: Mapping[str, Any]


class EvaluationRecord(TypedDict, total=False):
    """A record to be added: values that `json` can write."""

    inputs: Required[Mapping[str, Any]]  # What is given to what is judged.
    outputs: Any  # What came out; None takes away what was there.
    expectations: Mapping[str, Any] | None
    tags: Mapping[str, Any] | None  # Who adds it may stand here as `mlflow.user`.
    source: EvaluationRecordSource | None


class EvaluationDatasetMethods(Calls):
    """The client's methods for evaluation datasets."""

    def create_evaluation_dataset(
        self,
        name: str,
        *,
        experiment_ids: str | Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        created_by: str = "",
        request_id: str = "",
    ) -> EvaluationDataset:
        """Makes an evaluation dataset without records; safe to be sent again by the channel."""
        request = pb.CreateEvaluationDatasetRequest(
            request_id=request_id or uuid.uuid4().hex,
            name=name,
            experiment_ids=text_list("experiment_ids", experiment_ids),
            tags=tags,
            created_by=created_by,
        )
        return self._call(request, pb.CreateEvaluationDatasetResponse, lambda response: response.dataset)

    def get_evaluation_dataset(self, dataset_id: str) -> EvaluationDataset:
        """An evaluation dataset without its records; NotFoundError if there is none."""
        request = pb.GetEvaluationDatasetRequest(dataset_id=dataset_id)
        return self._call(request, pb.GetEvaluationDatasetResponse, lambda response: response.dataset)

    def search_evaluation_datasets(
        self,
        experiment_ids: str | Sequence[str] = (),
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        max_results: int | None = None,
    ) -> Iterator[EvaluationDataset]:
        """Evaluation datasets that match a filter such as `name LIKE 'qa-%'`; without experiments, of all."""
        request = pb.SearchEvaluationDatasetsRequest(
            experiment_ids=text_list("experiment_ids", experiment_ids),
            filter=filter_string,
            order_by=text_list("order_by", order_by),
        )
        return self._pages(
            request, SearchEvaluationDatasetsResponse, lambda page: page.datasets, max_results=max_results
        )

    def search_evaluation_datasets_page(
        self,
        experiment_ids: str | Sequence[str] = (),
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        tags_required: bool = False,
    ) -> SearchEvaluationDatasetsResponse:
        """One page of what `search_evaluation_datasets` finds, at most 50,000 (100 where 0), and the next token.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = pb.SearchEvaluationDatasetsRequest(
            experiment_ids=text_list("experiment_ids", experiment_ids),
            filter=filter_string,
            order_by=text_list("order_by", order_by),
            page_size=page_size,
            page_token=page_token,
            tags_required=tags_required,
        )
        return self._call(request, SearchEvaluationDatasetsResponse, lambda response: response)

    def delete_evaluation_dataset(self, dataset_id: str) -> None:
        """Removes an evaluation dataset with its records, for good; NotFoundError if there is none."""
        request = pb.DeleteEvaluationDatasetRequest(dataset_id=dataset_id)
        return self._send(request, pb.DeleteEvaluationDatasetResponse)

    def set_evaluation_dataset_tags(self, dataset_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of an evaluation dataset; the last write of a key wins."""
        request = pb.SetEvaluationDatasetTagsRequest(dataset_id=dataset_id, tags=tags)
        return self._send(request, pb.SetEvaluationDatasetTagsResponse)

    def delete_evaluation_dataset_tag(self, dataset_id: str, key: str) -> None:
        """Deletes one tag of an evaluation dataset; NotFoundError if it has no such tag."""
        request = pb.DeleteEvaluationDatasetTagRequest(dataset_id=dataset_id, key=key)
        return self._send(request, pb.DeleteEvaluationDatasetTagResponse)

    def upsert_evaluation_dataset_records(
        self, dataset_id: str, records: Iterable[EvaluationRecord | NewEvaluationDatasetRecord], *, updated_by: str = ""
    ) -> UpsertEvaluationDatasetRecordsResponse:
        """Adds up to 100,000 records, all or none, merging those whose inputs are there; how many were new and not."""
        request = pb.UpsertEvaluationDatasetRecordsRequest(
            dataset_id=dataset_id,
            records=[record_message(f"records[{at}]", record) for at, record in enumerate(records)],
            updated_by=updated_by,
        )
        return self._call(request, UpsertEvaluationDatasetRecordsResponse, lambda response: response)

    def list_evaluation_dataset_records(
        self, dataset_id: str, *, max_results: int | None = None
    ) -> Iterator[EvaluationDatasetRecord]:
        """The records of an evaluation dataset, in the order in which they were added; what they say is JSON."""
        request = pb.ListEvaluationDatasetRecordsRequest(dataset_id=dataset_id)
        return self._pages(
            request, ListEvaluationDatasetRecordsResponse, lambda page: page.records, max_results=max_results
        )

    def list_evaluation_dataset_records_page(
        self, dataset_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> ListEvaluationDatasetRecordsResponse:
        """One page of records, at most 10,000 (1,000 where 0), fewer where they are large, and the next token."""
        request = pb.ListEvaluationDatasetRecordsRequest(
            dataset_id=dataset_id, page_size=page_size, page_token=page_token
        )
        return self._call(request, ListEvaluationDatasetRecordsResponse, lambda response: response)

    def delete_evaluation_dataset_records(self, dataset_id: str, record_ids: str | Sequence[str]) -> int:
        """Deletes up to 100,000 records by id; how many of them the dataset had."""
        request = pb.DeleteEvaluationDatasetRecordsRequest(
            dataset_id=dataset_id, record_ids=text_list("record_ids", record_ids)
        )
        return self._call(request, pb.DeleteEvaluationDatasetRecordsResponse, lambda response: response.deleted_count)

    def add_evaluation_dataset_to_experiments(
        self, dataset_id: str, experiment_ids: str | Sequence[str]
    ) -> EvaluationDataset:
        """Adds an evaluation dataset to experiments, all or none; to be there already is fine."""
        request = pb.AddEvaluationDatasetToExperimentsRequest(
            dataset_id=dataset_id, experiment_ids=text_list("experiment_ids", experiment_ids)
        )
        return self._call(request, pb.AddEvaluationDatasetToExperimentsResponse, lambda response: response.dataset)

    def remove_evaluation_dataset_from_experiments(
        self, dataset_id: str, experiment_ids: str | Sequence[str]
    ) -> EvaluationDataset:
        """Takes an evaluation dataset out of experiments; not to be there is fine."""
        request = pb.RemoveEvaluationDatasetFromExperimentsRequest(
            dataset_id=dataset_id, experiment_ids=text_list("experiment_ids", experiment_ids)
        )
        return self._call(request, pb.RemoveEvaluationDatasetFromExperimentsResponse, lambda response: response.dataset)


def record_message(field: str, record: EvaluationRecord | NewEvaluationDatasetRecord) -> NewEvaluationDatasetRecord:
    """A record as a request carries it. Raises TypeError for what `json` can't write."""
    if isinstance(record, NewEvaluationDatasetRecord):
        return record
    message = NewEvaluationDatasetRecord(inputs=json.dumps(record["inputs"]))
    if "outputs" in record:
        message.outputs = json.dumps(record["outputs"])
    if (expectations := record.get("expectations")) is not None:
        message.expectations = json.dumps(expectations)
    if (tags := record.get("tags")) is not None:
        message.tags = json.dumps(tags)
    if (source := record.get("source")) is not None:
        kind = enum_name(
            f"{field}.source.source_type",
            source["source_type"],
            RECORD_SOURCE_TYPES,
            prefix="EVALUATION_RECORD_SOURCE_TYPE",
        )
        data = json.dumps(source.get("source_data") or {})
        message.source.CopyFrom(pb.EvaluationRecordSource(type=kind, data=data))
    return message
