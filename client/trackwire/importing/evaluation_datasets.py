"""Evaluation datasets with their records. Digest and time of the last change come last, after all was found equal."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping

from mlflow.entities import EvaluationDataset as MlflowDataset

from trackwire.client import Client
from trackwire.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, TrackwireError
from trackwire.importing.entities import evaluation_dataset_message, evaluation_record_message, stored_as_sent
from trackwire.importing.runs import told
from trackwire.importing.source import MlflowSource
from trackwire.importing.tally import EVALUATION_DATASETS, EVALUATION_RECORDS, Tally, now_or_before
from trackwire.v1.evaluation_datasets_pb2 import EvaluationDataset, EvaluationDatasetRecord

# Records in one request, by number and by size; one alone may be larger.
REQUEST_RECORDS = 10_000
REQUEST_BYTES = 16 * 1024 * 1024
DELETED_AT_ONCE = 10_000
_PLACE = re.compile(r"records\[(\d+)\]")


class EvaluationDatasetImport:
    """Copies evaluation datasets, one at a time."""

    def __init__(self, source: MlflowSource, client: Client, tally: Tally) -> None:
        self._source = source
        self._client = client
        self._tally = tally

    def survey(self, dataset: MlflowDataset) -> None:
        """Only counts what there is."""
        self._tally.add(EVALUATION_DATASETS, found=1)
        self._tally.add(EVALUATION_RECORDS, found=sum(1 for _ in self._source.evaluation_records(dataset.dataset_id)))

    def take(self, dataset: MlflowDataset, wanted: Collection[str], taken: Collection[str]) -> None:
        """Copies a dataset; `wanted` are the experiments that this import is of, `taken` those that came over.

        Where it belongs to others, too, it does so here if an earlier import has said so.
        """
        message = evaluation_dataset_message(dataset)
        before = self._dataset(message.dataset_id)
        belongs = self._source.experiments_of(message.dataset_id)
        faults = [f"experiment {each} did not come over" for each in belongs if each in wanted and each not in taken]
        earlier = before.experiment_ids if before is not None else ()
        kept = {each for each in belongs if each in taken or (each in earlier and each not in wanted)}
        message.experiment_ids.extend(sorted(kept, key=int))
        self._client.import_evaluation_dataset(_unfinished(message, before))
        faults += self._take_records(message.dataset_id)
        if not faults and not self._finish(message, before):
            faults.append("it is not stored as it was sent")
        if faults:
            words = f"evaluation dataset {message.dataset_id} is not whole: {told(faults)}"
            self._tally.fail(EVALUATION_DATASETS, words)

    def _finish(self, message: EvaluationDataset, before: EvaluationDataset | None) -> bool:
        stored = self._client.import_evaluation_dataset(message)
        if not stored_as_sent(message, stored, "schema", "record_count"):
            return False
        if _canonical(message.schema) != _canonical(stored.schema):
            return False
        self._tally.add(EVALUATION_DATASETS, **now_or_before(before == stored))
        return True

    def _take_records(self, dataset_id: str) -> list[str]:
        """Makes the records here equal to those at the source; what is not equal, in words."""
        here = self._digests_here(dataset_id)
        there: dict[str, bytes] = {}
        refused: dict[str, str] = {}
        for part in _parts(self._changed(dataset_id, here, there)):
            refused |= self._send(dataset_id, part)
        gone = [record_id for record_id in here if record_id not in there]
        for start in range(0, len(gone), DELETED_AT_ONCE):
            self._client.delete_evaluation_dataset_records(dataset_id, gone[start : start + DELETED_AT_ONCE])
        if here != there:
            here = self._digests_here(dataset_id)
        faults = [f"record {record_id}: {why}" for record_id, why in refused.items()]
        return faults + [
            f"record {record_id}: it does not stand here as the source has it"
            for record_id in {**there, **here}
            if record_id not in refused and there.get(record_id) != here.get(record_id)
        ]

    def _changed(
        self, dataset_id: str, here: Mapping[str, bytes], there: dict[str, bytes]
    ) -> Iterator[EvaluationDatasetRecord]:
        """The source's records that are not here as they are there; notes all of them in `there`."""
        for record in self._source.evaluation_records(dataset_id):
            message = evaluation_record_message(record)
            digest = there[message.record_id] = _digest(message)
            is_same = here.get(message.record_id) == digest
            self._tally.add(EVALUATION_RECORDS, found=1, there=int(is_same))
            if not is_same:
                yield message

    def _send(self, dataset_id: str, records: list[EvaluationDatasetRecord]) -> dict[str, str]:
        """Stores records but for those that the server refuses, which it names by their place; these, and why."""
        refused: dict[str, str] = {}
        while records:
            try:
                self._client.import_evaluation_dataset_records(dataset_id, records)
            except (InvalidArgumentError, AlreadyExistsError) as error:
                place = _place(error)
                if place is None:
                    raise
                refused[records.pop(place).record_id] = str(error)
                self._tally.add(EVALUATION_RECORDS, failed=1)
            else:
                break
        self._tally.add(EVALUATION_RECORDS, copied=len(records))
        return refused

    def _digests_here(self, dataset_id: str) -> dict[str, bytes]:
        found = self._client.list_evaluation_dataset_records(dataset_id)
        return {record.record_id: _digest(record) for record in found}

    def _dataset(self, dataset_id: str) -> EvaluationDataset | None:
        try:
            return self._client.get_evaluation_dataset(dataset_id)
        except NotFoundError:
            return None


def _unfinished(message: EvaluationDataset, before: EvaluationDataset | None) -> EvaluationDataset:
    """The dataset as long as its records may differ: with the digest that it had, or that of none."""
    unfinished = EvaluationDataset()
    unfinished.CopyFrom(message)
    unfinished.digest = before.digest if before is not None else ""
    unfinished.last_update_time_ms = before.last_update_time_ms if before is not None else message.creation_time_ms
    return unfinished


def _parts(records: Iterator[EvaluationDatasetRecord]) -> Iterator[list[EvaluationDatasetRecord]]:
    """Records in requests that the server takes."""
    part: list[EvaluationDatasetRecord] = []
    size = 0
    for record in records:
        size += record.ByteSize()
        if part and (len(part) == REQUEST_RECORDS or size > REQUEST_BYTES):
            yield part
            part, size = [], record.ByteSize()
        part.append(record)
    if part:
        yield part


def _place(error: TrackwireError) -> int | None:
    """The place of the record that a refusal names."""
    found = _PLACE.match(error.metadata.get("field", ""))
    return int(found[1]) if found else None


def _digest(record: EvaluationDatasetRecord) -> bytes:
    """What a record says, whatever the spelling of its JSON."""
    said = EvaluationDatasetRecord()
    said.CopyFrom(record)
    for name in ("inputs", "outputs", "expectations", "tags"):
        setattr(said, name, _canonical(getattr(record, name)))
    if record.HasField("source"):
        said.source.data = _canonical(record.source.data)
    return hashlib.sha256(said.SerializeToString(deterministic=True)).digest()


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True) if text else ""
