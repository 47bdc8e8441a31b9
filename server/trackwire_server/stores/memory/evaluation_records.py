"""Records of evaluation datasets in memory."""

from collections.abc import Sequence
from dataclasses import replace

from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    EvaluationRecord,
    digest_of,
    time_of_change,
)
from trackwire_server.core.evaluation_records import Upsert, folded, merged_schema
from trackwire_server.core.paging import Page, Position, entries_that_fit
from trackwire_server.stores.memory.evaluation_datasets import get_evaluation_dataset
from trackwire_server.stores.memory.state import MemoryState


class MemoryEvaluationRecords:
    """An EvaluationRecordStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def upsert_evaluation_records(self, dataset_id: str, upsert: Upsert, *, now_ms: int) -> tuple[int, int]:
        """Stores nothing before all is merged."""
        dataset = get_evaluation_dataset(self._state, dataset_id)
        numbered = self._state.evaluation_records[dataset_id]
        time_ms = time_of_change(dataset.last_update_time_ms, now_ms)
        there = {key: record for key, (_, record) in numbered.items()}
        outcome = folded(there, upsert.records, dataset_id, time_ms)
        schema = merged_schema(dataset.schema, upsert)
        for key, record in outcome.changed.items():
            numbered[key] = numbered[key][0], record
        for key, record in outcome.new.items():
            self._state.last_evaluation_record_no += 1
            numbered[key] = self._state.last_evaluation_record_no, record
        user = upsert.user or dataset.last_updated_by
        self._put(dataset, time_ms, schema=schema, last_updated_by=user)
        return len(outcome.new), len(upsert.records) - len(outcome.new)

    async def list_evaluation_records(
        self, dataset_id: str, *, page_size: int, page_bytes: int, after: Position | None
    ) -> Page[EvaluationRecord]:
        """By number."""
        get_evaluation_dataset(self._state, dataset_id)
        numbered = self._state.evaluation_records[dataset_id].values()
        behind = sorted((each for each in numbered if after is None or (each[0],) > after), key=lambda each: each[0])
        sizes = (record.size_bytes for _, record in behind)
        page = behind[: entries_that_fit(sizes, entries_max=page_size, bytes_max=page_bytes)]
        return Page([record for _, record in page], (page[-1][0],) if len(page) < len(behind) else None)

    async def delete_evaluation_records(self, dataset_id: str, record_ids: Sequence[str], *, now_ms: int) -> int:
        """Looks at every record."""
        dataset = get_evaluation_dataset(self._state, dataset_id)
        numbered = self._state.evaluation_records[dataset_id]
        wanted = set(record_ids)
        gone = [key for key, (_, record) in numbered.items() if record.record_id in wanted]
        for key in gone:
            del numbered[key]
        if gone:
            self._put(dataset, time_of_change(dataset.last_update_time_ms, now_ms))
        return len(gone)

    def _put(self, dataset: EvaluationDataset, time_ms: int, **changes: object) -> None:
        self._state.evaluation_datasets[dataset.dataset_id] = replace(
            dataset,
            last_update_time_ms=time_ms,
            digest=digest_of(dataset.name, time_ms),
            record_count=len(self._state.evaluation_records[dataset.dataset_id]),
            **changes,  # type: ignore[arg-type]  # the callers' own
        )
