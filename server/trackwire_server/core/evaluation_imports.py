"""The rules of taking over evaluation datasets: those of making one, but nothing is chosen here."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from trackwire_server.core.checks import check_characters, check_required, check_time, check_token
from trackwire_server.core.clock import Clock
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, digest_of
from trackwire_server.core.evaluation_datasets import check_evaluation_tags, check_record_count, checked_experiments
from trackwire_server.core.evaluation_schema import checked_schema
from trackwire_server.core.evaluation_stores import EvaluationImportStore
from trackwire_server.core.imported_records import checked_records
from trackwire_server.core.limits import LIMITS

_DIGEST = re.compile(r"[0-9a-f]{8}")


class EvaluationImports:
    """What may be taken over, and may be again. Raises NotFound, and AlreadyExists where something else is."""

    def __init__(self, store: EvaluationImportStore, clock: Clock):
        self._store = store
        self._clock = clock

    async def import_dataset(self, dataset: EvaluationDataset) -> EvaluationDataset:
        """Takes over a dataset with its tags and experiments; its records stay as they are."""
        check_token("dataset.dataset_id", dataset.dataset_id, LIMITS.evaluation_id_characters)
        check_required("dataset.name", dataset.name, LIMITS.evaluation_dataset_name_characters)
        for name in ("created_by", "last_updated_by"):
            check_characters(f"dataset.{name}", getattr(dataset, name), LIMITS.user_id_characters)
        for name in ("creation_time_ms", "last_update_time_ms"):
            check_time(f"dataset.{name}", getattr(dataset, name))
        check_evaluation_tags("dataset.tags", dataset.tags, limit=LIMITS.entries_per_import)
        return await self._store.import_evaluation_dataset(
            replace(
                dataset,
                schema=checked_schema("dataset.schema", dataset.schema),
                digest=_checked_digest(dataset),
                experiment_ids=checked_experiments("dataset.experiment_ids", dataset.experiment_ids),
            )
        )

    async def import_records(self, dataset_id: str, records: Sequence[EvaluationRecord]) -> EvaluationDataset:
        """Takes over records, all or none."""
        check_token("dataset_id", dataset_id, LIMITS.evaluation_id_characters)
        check_record_count("records", records)
        checked = await asyncio.to_thread(checked_records, dataset_id, records)
        return await self._store.import_evaluation_records(dataset_id, checked, now_ms=self._clock())


def _checked_digest(dataset: EvaluationDataset) -> str:
    if not dataset.digest:
        return digest_of(dataset.name, dataset.last_update_time_ms)
    if not _DIGEST.fullmatch(dataset.digest):
        raise InvalidArgument("dataset.digest", dataset.digest, "must have 8 hexadecimal digits")
    return dataset.digest
