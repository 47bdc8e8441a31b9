"""The tracking store's methods for evaluation datasets."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from mlflow.entities import EvaluationDataset
from mlflow.entities.dataset_record import DatasetRecord
from mlflow.entities.dataset_record_source import DatasetRecordSource
from mlflow.store.entities.paged_list import PagedList

from trackwire.client.evaluation_datasets import record_message
from trackwire.errors import InvalidArgumentError, NotFoundError
from trackwire.mlflow_plugin.asking import Asking, fitting, page_size
from trackwire.mlflow_plugin.entities import dataset_record_of, evaluation_dataset_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.v1.evaluation_datasets_pb2 import NewEvaluationDatasetRecord

if TYPE_CHECKING:
    from trackwire.client.evaluation_datasets import EvaluationRecord

PAGE_SIZE = 1_000
# A page may have fewer than are asked for.
_RECORDS_PER_PAGE = 10_000
# Records in one request, by number and by size; one alone may be larger.
_RECORDS_PER_REQUEST = 10_000
_BYTES_PER_REQUEST = 16 * 1024 * 1024
_PLACE = re.compile(r"records\[(\d+)\]")


@raises_mlflow_errors
class EvaluationDatasetMethods(Asking):
    """Evaluation datasets, as mlflow's AbstractStore has them."""

    def create_dataset(
        self, name: str, tags: Mapping[str, Any] | None = None, experiment_ids: Sequence[str] | None = None
    ) -> EvaluationDataset:
        """Makes an evaluation dataset; a retry makes no second one."""
        made = self._client.create_evaluation_dataset(name, experiment_ids=_ids(experiment_ids), tags=_texts(tags))
        return evaluation_dataset_of(made)

    def get_dataset(self, dataset_id: str) -> EvaluationDataset:
        """An evaluation dataset; its records are read where they are asked for."""
        return evaluation_dataset_of(self._client.get_evaluation_dataset(dataset_id))

    def delete_dataset(self, dataset_id: str) -> None:
        """Removes an evaluation dataset with its records; one that is gone is fine."""
        with suppress(NotFoundError):
            self._client.delete_evaluation_dataset(dataset_id)

    def search_datasets(
        self,
        experiment_ids: Sequence[str] | None = None,
        filter_string: str | None = None,
        max_results: int = PAGE_SIZE,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[EvaluationDataset]:
        """A page of the evaluation datasets that match, newest first."""
        search = partial(
            self._client.search_evaluation_datasets_page,
            _ids(experiment_ids),
            filter_string or "",
            order_by=order_by or (),
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        return PagedList([evaluation_dataset_of(message) for message in page.datasets], page.next_page_token or None)

    def set_dataset_tags(self, dataset_id: str, tags: Mapping[str, Any]) -> None:
        """Sets tags; as to mlflow, those that are None are left as they are."""
        said = _texts(tags)
        if said:
            self._client.set_evaluation_dataset_tags(dataset_id, said)
        else:
            self._client.get_evaluation_dataset(dataset_id)

    def delete_dataset_tag(self, dataset_id: str, key: str) -> None:
        """Deletes one tag; one that is gone is fine."""
        with suppress(NotFoundError):
            self._client.delete_evaluation_dataset_tag(dataset_id, key)

    def upsert_dataset_records(self, dataset_id: str, records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Adds records or merges them into those with the same inputs, request by request where they are many."""
        inserted = updated = sent = 0
        for part in _parts(_record(at, record) for at, record in enumerate(records)):
            with _records_counted_from(sent):
                answer = self._client.upsert_evaluation_dataset_records(dataset_id, part)
            inserted += answer.inserted_count
            updated += answer.updated_count
            sent += len(part)
        return {"inserted": inserted, "updated": updated}

    def delete_dataset_records(self, dataset_id: str, dataset_record_ids: Sequence[str]) -> int:
        """Deletes records; how many of them the dataset had."""
        if not dataset_record_ids:
            return 0
        return self._client.delete_evaluation_dataset_records(dataset_id, list(dataset_record_ids))

    def get_dataset_experiment_ids(self, dataset_id: str) -> list[str]:
        """The experiments that an evaluation dataset belongs to."""
        return list(self._client.get_evaluation_dataset(dataset_id).experiment_ids)

    def _load_dataset_records(
        self, dataset_id: str, max_results: int | None = None, page_token: str | None = None
    ) -> tuple[list[DatasetRecord], str | None]:
        """A page of records and the next one's token; all that follow where `max_results` is None."""
        found: list[DatasetRecord] = []
        size = min(page_size(max_results, _RECORDS_PER_PAGE), _RECORDS_PER_PAGE)
        token = page_token or ""
        while True:
            page = self._client.list_evaluation_dataset_records_page(dataset_id, page_size=size, page_token=token)
            found += map(dataset_record_of, page.records)
            token = page.next_page_token
            if max_results is not None or not token:
                return found, token or None

    def add_dataset_to_experiments(self, dataset_id: str, experiment_ids: Sequence[str]) -> EvaluationDataset:
        """Adds an evaluation dataset to experiments."""
        changed = self._client.add_evaluation_dataset_to_experiments(dataset_id, _ids(experiment_ids))
        return evaluation_dataset_of(changed)

    def remove_dataset_from_experiments(self, dataset_id: str, experiment_ids: Sequence[str]) -> EvaluationDataset:
        """Takes an evaluation dataset out of experiments."""
        changed = self._client.remove_evaluation_dataset_from_experiments(dataset_id, _ids(experiment_ids))
        return evaluation_dataset_of(changed)


def _ids(experiment_ids: Sequence[str] | None) -> list[str]:
    # One alone is a list of one, and ids may be ints.
    alone = isinstance(experiment_ids, str | int)
    return [str(each) for each in ([experiment_ids] if alone else experiment_ids or ())]


def _texts(tags: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (tags or {}).items() if value is not None}


def _record(at: int, said: Mapping[str, Any]) -> NewEvaluationDatasetRecord:
    record: EvaluationRecord = {"inputs": said.get("inputs", {})}
    if "outputs" in said:
        record["outputs"] = said["outputs"]
    record["expectations"] = said.get("expectations")
    record["tags"] = said.get("tags")
    if source := said.get("source"):
        known = source if isinstance(source, DatasetRecordSource) else DatasetRecordSource.from_dict(source)
        record["source"] = {"source_type": known.source_type.value, "source_data": known.source_data or {}}
    return record_message(f"records[{at}]", record)


@contextmanager
def _records_counted_from(first: int) -> Iterator[None]:
    """Has a record that is refused told by its place among all records, not in its request."""
    try:
        yield
    except InvalidArgumentError as error:
        field, found = error.metadata.get("field", ""), _PLACE.match(error.message)
        if not first or found is None or not field.startswith(found[0]):
            raise
        place = f"records[{first + int(found[1])}]"
        raise InvalidArgumentError(
            place + error.message.removeprefix(found[0]),
            reason=error.reason,
            metadata={**error.metadata, "field": place + field.removeprefix(found[0])},
        ) from error


def _parts(records: Iterable[NewEvaluationDatasetRecord]) -> Iterator[list[NewEvaluationDatasetRecord]]:
    """Records in requests that the server takes."""
    part: list[NewEvaluationDatasetRecord] = []
    size = 0
    for record in records:
        size += record.ByteSize()
        if part and (len(part) == _RECORDS_PER_REQUEST or size > _BYTES_PER_REQUEST):
            yield part
            part, size = [], record.ByteSize()
        part.append(record)
    # Also where there are none: whether the dataset is there is still to be told.
    yield part
