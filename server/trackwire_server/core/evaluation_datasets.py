"""The rules of evaluation datasets."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trackwire_server.core.checks import check_characters, check_page_size, check_required, check_token
from trackwire_server.core.clock import Clock, NewId
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, NewEvaluationDataset
from trackwire_server.core.evaluation_records import USER_TAG, RecordDraft, prepared
from trackwire_server.core.evaluation_stores import EvaluationDatasetStore, EvaluationRecordStore
from trackwire_server.core.experiments import check_experiment_id
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import encode_token, fingerprint
from trackwire_server.core.searching import SearchRequest, parse_search, position_in
from trackwire_server.search import EVALUATION_DATASETS, ValueType


@dataclass(frozen=True, slots=True)
class EvaluationDatasetDraft:
    """An evaluation dataset as it is asked for; where `created_by` is empty, its tag USER_TAG says it."""

    name: str
    request_id: str = ""
    created_by: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    experiment_ids: Sequence[str] = ()


class EvaluationDatasets:
    """What may be done with evaluation datasets and their records."""

    def __init__(self, datasets: EvaluationDatasetStore, records: EvaluationRecordStore, clock: Clock, new_id: NewId):
        self._datasets = datasets
        self._records = records
        self._clock = clock
        self._new_id = new_id

    async def create(self, draft: EvaluationDatasetDraft) -> EvaluationDataset:
        """Makes an evaluation dataset. Raises NotFound and ExperimentDeleted for its experiments.

        A retry with the same `request_id` answers with the dataset that the first call made.
        """
        if draft.request_id:
            check_token("request_id", draft.request_id, LIMITS.request_id_characters)
        check_required("name", draft.name, LIMITS.evaluation_dataset_name_characters)
        check_characters("created_by", draft.created_by, LIMITS.user_id_characters)
        check_evaluation_tags("tags", draft.tags)
        creator = draft.created_by or check_characters(
            f"tags[{USER_TAG}]", draft.tags.get(USER_TAG, ""), LIMITS.user_id_characters
        )
        return await self._datasets.create_evaluation_dataset(
            NewEvaluationDataset(
                dataset_id=f"d-{self._new_id()}",
                name=draft.name,
                creation_time_ms=self._clock(),
                created_by=creator,
                request_id=draft.request_id,
                tags=dict(draft.tags),
                experiment_ids=checked_experiments("experiment_ids", draft.experiment_ids),
            )
        )

    async def get(self, dataset_id: str) -> EvaluationDataset:
        """An evaluation dataset without its records. Raises NotFound."""
        return await self._datasets.get_evaluation_dataset(_check_id(dataset_id))

    async def search(self, request: SearchRequest) -> tuple[Sequence[EvaluationDataset], str]:
        """A page of evaluation datasets, and the token of the next one."""
        search = parse_search(
            replace(request, experiment_ids=checked_experiments("experiment_ids", request.experiment_ids)),
            EVALUATION_DATASETS,
            page_size_default=LIMITS.evaluation_datasets_page_size_default,
            page_size_max=LIMITS.evaluation_datasets_page_size,
        )
        page = await self._datasets.search_evaluation_datasets(search.query)
        return page.items, search.token(page.next_position)

    async def delete(self, dataset_id: str) -> None:
        """Removes an evaluation dataset with its records. Raises NotFound."""
        await self._datasets.delete_evaluation_dataset(_check_id(dataset_id))

    async def set_tags(self, dataset_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags. Raises NotFound."""
        _check_id(dataset_id)
        if not tags:
            raise InvalidArgument("tags", {}, "at least one entry is required", reason="REQUIRED")
        check_evaluation_tags("tags", tags)
        await self._datasets.change_evaluation_dataset_tags(dataset_id, changed=tags)

    async def delete_tag(self, dataset_id: str, key: str) -> None:
        """Deletes a tag. Raises NotFound, also for the tag."""
        _check_id(dataset_id)
        check_required("key", key, LIMITS.evaluation_tag_key_characters)
        await self._datasets.change_evaluation_dataset_tags(dataset_id, changed={}, deleted=[key])

    async def add_to_experiments(self, dataset_id: str, experiment_ids: Sequence[str]) -> EvaluationDataset:
        """Adds a dataset to experiments. Raises NotFound, also for an experiment, and ExperimentDeleted."""
        _check_id(dataset_id)
        added = checked_experiments("experiment_ids", experiment_ids, required=True)
        return await self._datasets.link_evaluation_dataset(dataset_id, added=added, now_ms=self._clock())

    async def remove_from_experiments(self, dataset_id: str, experiment_ids: Sequence[str]) -> EvaluationDataset:
        """Takes a dataset out of experiments; not to be there is fine. Raises NotFound."""
        _check_id(dataset_id)
        removed = checked_experiments("experiment_ids", experiment_ids, required=True)
        return await self._datasets.link_evaluation_dataset(dataset_id, removed=removed, now_ms=self._clock())

    async def upsert_records(
        self, dataset_id: str, drafts: Sequence[RecordDraft], *, updated_by: str = ""
    ) -> tuple[int, int]:
        """Adds records, or merges them into those with the same inputs; how many were new, and how many were not.

        All or none. Raises NotFound.
        """
        _check_id(dataset_id)
        check_record_count("records", drafts)
        check_characters("updated_by", updated_by, LIMITS.user_id_characters)
        if not drafts:
            await self._datasets.get_evaluation_dataset(dataset_id)
            return 0, 0
        upsert = await asyncio.to_thread(prepared, drafts, updated_by, self._new_id)
        return await self._records.upsert_evaluation_records(dataset_id, upsert, now_ms=self._clock())

    async def list_records(
        self, dataset_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> tuple[Sequence[EvaluationRecord], str]:
        """A page of records in the order in which they were added, and the token of the next one. Raises NotFound."""
        _check_id(dataset_id)
        query = fingerprint("records of evaluation datasets", dataset_id)
        page = await self._records.list_evaluation_records(
            dataset_id,
            page_size=check_page_size(
                page_size, default=LIMITS.page_size_default, maximum=LIMITS.evaluation_records_page_size
            ),
            page_bytes=LIMITS.evaluation_records_page_bytes,
            after=position_in(query, page_token, [ValueType.INTEGER], may_be_missing=False),
        )
        return page.items, encode_token(query, page.next_position)

    async def delete_records(self, dataset_id: str, record_ids: Sequence[str]) -> int:
        """Deletes those of these records that the dataset has; how many it had. Raises NotFound for the dataset."""
        _check_id(dataset_id)
        if not record_ids:
            raise InvalidArgument("record_ids", [], "at least one is required", reason="REQUIRED")
        check_record_count("record_ids", record_ids)
        for at, record_id in enumerate(record_ids):
            check_token(f"record_ids[{at}]", record_id, LIMITS.evaluation_id_characters)
        distinct = tuple(dict.fromkeys(record_ids))
        return await self._records.delete_evaluation_records(dataset_id, distinct, now_ms=self._clock())


def _check_id(dataset_id: str) -> str:
    return check_token("dataset_id", dataset_id, LIMITS.evaluation_id_characters)


def check_record_count(name: str, entries: Sequence[object]) -> None:
    """Records in one request. Raises InvalidArgument."""
    limit = LIMITS.evaluation_records_per_request
    if len(entries) > limit:
        raise InvalidArgument(name, len(entries), f"at most {limit:,} are allowed in one request", limit=limit)


def check_evaluation_tags(field: str, tags: Mapping[str, str], *, limit: int = LIMITS.entries_per_request) -> None:
    """Tags of a dataset. Raises InvalidArgument."""
    if len(tags) > limit:
        raise InvalidArgument(field, len(tags), f"at most {limit:,} entries are allowed in one request", limit=limit)
    for key, value in tags.items():
        check_required(field, key, LIMITS.evaluation_tag_key_characters)
        check_characters(f"{field}[{key}]", value, LIMITS.tag_value_characters)


def checked_experiments(field: str, experiment_ids: Sequence[str], *, required: bool = False) -> tuple[str, ...]:
    """The experiments, each once."""
    if required and not experiment_ids:
        raise InvalidArgument(field, [], "at least one is required", reason="REQUIRED")
    limit = LIMITS.experiments_per_search
    if len(experiment_ids) > limit:
        raise InvalidArgument(field, len(experiment_ids), f"at most {limit:,} are allowed in one request", limit=limit)
    for at, experiment_id in enumerate(experiment_ids):
        check_experiment_id(f"{field}[{at}]", experiment_id)
    return tuple(dict.fromkeys(experiment_ids))
