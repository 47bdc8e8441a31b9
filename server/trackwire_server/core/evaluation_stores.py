"""What core asks of a store of evaluation datasets; the rules for all of a store's methods stand in stores.py."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, NewEvaluationDataset
from trackwire_server.core.evaluation_records import Upsert
from trackwire_server.core.imported_records import ImportedRecord
from trackwire_server.core.paging import Page, Position, SearchQuery


class EvaluationDatasetStore(Protocol):
    """Evaluation datasets. All methods but create and search raise NotFound."""

    async def create_evaluation_dataset(self, new: NewEvaluationDataset) -> EvaluationDataset:
        """Stores a dataset; the same `request_id` again answers with the dataset it made.

        Raises NotFound and ExperimentDeleted for its experiments.
        """

    async def get_evaluation_dataset(self, dataset_id: str) -> EvaluationDataset:
        """The dataset, without its records."""

    async def search_evaluation_datasets(self, query: SearchQuery) -> Page[EvaluationDataset]:
        """The datasets that match, in order; only those of the query's experiments, where it has some."""

    async def change_evaluation_dataset_tags(
        self, dataset_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = ()
    ) -> None:
        """Sets and deletes tags. Raises NotFound also for a tag."""

    async def link_evaluation_dataset(
        self, dataset_id: str, *, added: Sequence[str] = (), removed: Sequence[str] = (), now_ms: int
    ) -> EvaluationDataset:
        """Adds the dataset to experiments and takes it out of others; it is changed only if that changes something.

        Raises NotFound and ExperimentDeleted for experiments that it is added to.
        """

    async def delete_evaluation_dataset(self, dataset_id: str) -> None:
        """Removes the dataset with its records."""


class EvaluationRecordStore(Protocol):
    """The records of evaluation datasets. All methods raise NotFound for the dataset."""

    async def upsert_evaluation_records(self, dataset_id: str, upsert: Upsert, *, now_ms: int) -> tuple[int, int]:
        """Adds records, and merges them into those with the same inputs; how many were new, and how many were not.

        Raises InvalidArgument where a record or the schema becomes too large.
        """

    async def list_evaluation_records(
        self, dataset_id: str, *, page_size: int, page_bytes: int, after: Position | None
    ) -> Page[EvaluationRecord]:
        """Records in the order in which they were added. A page ends where it has `page_bytes` or more."""

    async def delete_evaluation_records(self, dataset_id: str, record_ids: Sequence[str], *, now_ms: int) -> int:
        """Deletes those of these records that the dataset has; how many it had."""


class EvaluationImportStore(Protocol):
    """Takes over evaluation datasets and records of them that were kept elsewhere: what is there is made equal to them.

    Both raise AlreadyExists, as core/import_conflicts.py says, where something else has the id.
    """

    async def import_evaluation_dataset(self, dataset: EvaluationDataset) -> EvaluationDataset:
        """With its tags and its experiments; its records stay as they are. Raises NotFound (experiment)."""

    async def import_evaluation_records(
        self, dataset_id: str, records: Sequence[ImportedRecord], *, now_ms: int
    ) -> EvaluationDataset:
        """Each in its place, or behind the others; removes what has the same inputs. Changes the dataset's digest.

        Raises NotFound (dataset).
        """
