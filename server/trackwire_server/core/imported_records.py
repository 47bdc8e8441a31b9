"""The rules for records of evaluation datasets that are taken over from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trackwire_server.core.checks import check_characters, check_time, check_token
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import EvaluationRecord
from trackwire_server.core.evaluation_records import check_size, input_hash_of
from trackwire_server.core.json_values import check_levels, json_object, json_text, json_value
from trackwire_server.core.limits import LIMITS


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """A record that has been checked, with what it is known by; `at` is its place in the request."""

    at: int
    input_hash: str
    record: EvaluationRecord

    @property
    def id_field(self) -> str:
        """Where its id stands in the request."""
        return f"records[{self.at}].record_id"


def checked_records(dataset_id: str, records: Sequence[EvaluationRecord]) -> list[ImportedRecord]:
    """Records of a dataset as they are kept, each once; takes a while where they are large. Raises InvalidArgument."""
    found: list[ImportedRecord] = []
    ids: set[str] = set()
    hashes: set[str] = set()
    for at, record in enumerate(records):
        checked = _checked(at, replace(record, dataset_id=dataset_id))
        if record.record_id in ids:
            raise InvalidArgument(checked.id_field, record.record_id, "is that of an earlier one, too")
        if checked.input_hash in hashes:
            raise InvalidArgument(f"records[{at}].inputs", record.inputs, "are those of an earlier one, too")
        ids.add(record.record_id)
        hashes.add(checked.input_hash)
        found.append(checked)
    return found


def _checked(at: int, record: EvaluationRecord) -> ImportedRecord:
    field = f"records[{at}]"
    check_token(f"{field}.record_id", record.record_id, LIMITS.evaluation_id_characters)
    for name in ("creation_time_ms", "last_update_time_ms"):
        check_time(f"{field}.{name}", getattr(record, name))
    for name in ("created_by", "last_updated_by"):
        check_characters(f"{field}.{name}", getattr(record, name), LIMITS.user_id_characters)
    if not record.inputs:
        raise InvalidArgument(f"{field}.inputs", "", "is required", reason="REQUIRED")
    inputs = json_object(f"{field}.inputs", _value(f"{field}.inputs", record.inputs))
    source = record.source
    kept = replace(
        record,
        inputs=json_text(inputs),
        outputs=json_text(_value(f"{field}.outputs", record.outputs or "{}")),
        expectations=_object(f"{field}.expectations", record.expectations) if record.expectations else "",
        tags=_object(f"{field}.tags", record.tags or "{}"),
        source=source and replace(source, data=_object(f"{field}.source.data", source.data or "{}")),
    )
    return ImportedRecord(at, input_hash_of(inputs), check_size(field, kept))


def _object(field: str, text: str) -> str:
    return json_text(json_object(field, _value(field, text)))


def _value(field: str, text: str) -> object:
    value = json_value(field, text)
    check_levels(field, value)
    return value
