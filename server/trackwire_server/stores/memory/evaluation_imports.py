"""Evaluation datasets that are taken over from elsewhere, in memory. Nothing here awaits, so every method is atomic."""

from collections.abc import Sequence
from dataclasses import replace

from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    EvaluationRecord,
    digest_of,
    time_of_change,
)
from trackwire_server.core.import_conflicts import check_same_evaluation_dataset, check_same_evaluation_record
from trackwire_server.core.imported_records import ImportedRecord
from trackwire_server.stores.memory.evaluation_datasets import get_evaluation_dataset
from trackwire_server.stores.memory.experiments import get_experiment
from trackwire_server.stores.memory.state import MemoryState


class MemoryEvaluationImports:
    """An EvaluationImportStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def import_evaluation_dataset(self, dataset: EvaluationDataset) -> EvaluationDataset:
        """Replaces the dataset, but not its records."""
        state = self._state
        for experiment_id in dataset.experiment_ids:
            get_experiment(state, experiment_id)
        here = state.evaluation_datasets.get(dataset.dataset_id)
        if here is not None:
            check_same_evaluation_dataset(here, dataset)
        records = state.evaluation_records.setdefault(dataset.dataset_id, {})
        taken = replace(
            dataset,
            tags=dict(dataset.tags),
            experiment_ids=tuple(sorted(dataset.experiment_ids, key=int)),
            record_count=len(records),
        )
        state.evaluation_datasets[dataset.dataset_id] = taken
        return taken

    async def import_evaluation_records(
        self, dataset_id: str, records: Sequence[ImportedRecord], *, now_ms: int
    ) -> EvaluationDataset:
        """Looks at every record; stores nothing before all are checked."""
        state = self._state
        dataset = get_evaluation_dataset(state, dataset_id)
        if not records:
            return dataset
        here = self._by_id()
        for imported in records:
            record = imported.record
            if record.record_id in here:
                check_same_evaluation_record(imported.id_field, here[record.record_id][1], record)
        ids, hashes = {each.record.record_id for each in records}, {each.input_hash for each in records}
        kept = {
            key: (number, record)
            for key, (number, record) in state.evaluation_records[dataset_id].items()
            if key not in hashes and record.record_id not in ids
        }
        for imported in records:
            number = self._number_of(here, imported.record.record_id)
            kept[imported.input_hash] = number, imported.record
        state.evaluation_records[dataset_id] = kept
        time_ms = time_of_change(dataset.last_update_time_ms, now_ms)
        digest = digest_of(dataset.name, time_ms)
        changed = replace(dataset, last_update_time_ms=time_ms, digest=digest, record_count=len(kept))
        state.evaluation_datasets[dataset_id] = changed
        return changed

    def _by_id(self) -> dict[str, tuple[int, EvaluationRecord]]:
        every = self._state.evaluation_records.values()
        return {numbered[1].record_id: numbered for records in every for numbered in records.values()}

    def _number_of(self, here: dict[str, tuple[int, EvaluationRecord]], record_id: str) -> int:
        if record_id in here:
            return here[record_id][0]
        self._state.last_evaluation_record_no += 1
        return self._state.last_evaluation_record_no
