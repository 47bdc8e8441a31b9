"""The rules for records of evaluation datasets: what is one and the same record, and how one is merged into another."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trackwire_server.core.checks import check_characters
from trackwire_server.core.clock import NewId
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import EvaluationRecord, RecordSource, RecordSourceType
from trackwire_server.core.evaluation_schema import Schema
from trackwire_server.core.json_values import check_levels, json_object, json_text
from trackwire_server.core.limits import LIMITS

# Who says something, as MLflow's clients tell it.
USER_TAG = "mlflow.user"


class Unsaid:
    """The type of UNSAID."""


UNSAID: Final = Unsaid()


@dataclass(frozen=True, slots=True)
class RecordDraft:
    """A record as it is asked for, in values of JSON; the outputs may be any, and None takes away what was there."""

    inputs: object
    outputs: object = UNSAID
    expectations: object = None
    tags: object = None
    source_type: RecordSourceType | None = None
    source_data: object = None


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """A record that has been checked; `at` is its place in the request, `record_id` its id if it is new."""

    at: int
    record_id: str
    input_hash: str
    inputs: str
    outputs: str | None
    expectations: Mapping[str, object] | None
    tags: Mapping[str, object]
    source: RecordSource | None
    user: str

    def new(self, dataset_id: str, now_ms: int) -> EvaluationRecord:
        """The record, where there was none of these inputs."""
        return self._checked(
            EvaluationRecord(
                record_id=self.record_id,
                dataset_id=dataset_id,
                inputs=self.inputs,
                creation_time_ms=now_ms,
                last_update_time_ms=now_ms,
                outputs="{}" if self.outputs is None else self.outputs,
                expectations="" if self.expectations is None else json_text(self.expectations),
                tags=json_text(self.tags),
                source=self.source,
                created_by=self.user,
                last_updated_by=self.user,
            )
        )

    def merged_into(self, there: EvaluationRecord, now_ms: int) -> EvaluationRecord:
        """The record that was there, with what this one says."""
        return self._checked(
            replace(
                there,
                outputs=there.outputs if self.outputs is None else self.outputs,
                expectations=_joined(there.expectations, self.expectations or {}),
                tags=_joined(there.tags, self.tags),
                last_update_time_ms=now_ms,
                last_updated_by=self.user or there.last_updated_by,
            )
        )

    def _checked(self, record: EvaluationRecord) -> EvaluationRecord:
        return check_size(f"records[{self.at}]", record)


@dataclass(frozen=True, slots=True)
class Upsert:
    """Records to be added or merged one after the other; `schema` is that of them all."""

    records: Sequence[PreparedRecord]
    schema: Schema

    @property
    def user(self) -> str:
        """Who changes the dataset, by the last record that says it."""
        return next((record.user for record in reversed(self.records) if record.user), "")


@dataclass(frozen=True, slots=True)
class Folded:
    """What an upsert makes of records, by the hash of their inputs."""

    new: Mapping[str, EvaluationRecord]
    changed: Mapping[str, EvaluationRecord]


def prepared(drafts: Sequence[RecordDraft], updated_by: str, new_id: NewId) -> Upsert:
    """The records, checked; takes a while where they are large. Raises InvalidArgument."""
    records, schema = [], Schema()
    for at, draft in enumerate(drafts):
        records.append(_prepared(at, draft, updated_by, new_id))
        schema.add(draft.inputs, None if isinstance(draft.outputs, Unsaid) else draft.outputs, draft.expectations)
    return Upsert(records, schema)


def folded(
    there: Mapping[str, EvaluationRecord], records: Sequence[PreparedRecord], dataset_id: str, now_ms: int
) -> Folded:
    """The records, one after the other, added to those `there`. Raises InvalidArgument."""
    new: dict[str, EvaluationRecord] = {}
    changed: dict[str, EvaluationRecord] = {}
    for record in records:
        key = record.input_hash
        before = new.get(key) or changed.get(key) or there.get(key)
        if before is None:
            new[key] = record.new(dataset_id, now_ms)
        else:
            (new if key in new else changed)[key] = record.merged_into(before, now_ms)
    return Folded(new, changed)


def merged_schema(there: str, upsert: Upsert) -> str:
    """A dataset's schema, with that of more records. Raises InvalidArgument."""
    schema = Schema.read(there)
    schema.join(upsert.schema)
    text = schema.written()
    limit = LIMITS.dataset_schema_characters
    if len(text) > limit:
        raise InvalidArgument(
            "records",
            len(upsert.records),
            f"would give the dataset a schema of {len(text):,} characters, it may have {limit:,}",
            limit=limit,
        )
    return text


def check_size(field: str, record: EvaluationRecord) -> EvaluationRecord:
    """A record that is not too large. Raises InvalidArgument."""
    size, limit = record.size_bytes, LIMITS.evaluation_record_bytes
    if size > limit:
        raise InvalidArgument(
            field, size, f"bytes are too many: a record may have {limit:,}", reason="TOO_LONG", limit=limit
        )
    return record


def input_hash_of(inputs: Mapping[str, object]) -> str:
    """What a record is known by."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _prepared(at: int, draft: RecordDraft, updated_by: str, new_id: NewId) -> PreparedRecord:
    field = f"records[{at}]"
    for part in ("inputs", "outputs", "expectations", "tags"):
        check_levels(f"{field}.{part}", getattr(draft, part))
    check_levels(f"{field}.source.data", draft.source_data)
    inputs = json_object(f"{field}.inputs", draft.inputs)
    expectations = None
    if draft.expectations is not None:
        expectations = json_object(f"{field}.expectations", draft.expectations)
    tags = json_object(f"{field}.tags", {} if draft.tags is None else draft.tags)
    source = None
    if draft.source_type is not None:
        data = {} if draft.source_data is None else draft.source_data
        source = RecordSource(draft.source_type, json_text(json_object(f"{field}.source.data", data)))
    return PreparedRecord(
        at=at,
        record_id=f"dr-{new_id()}",
        input_hash=input_hash_of(inputs),
        inputs=json_text(inputs),
        outputs=None if isinstance(draft.outputs, Unsaid) else json_text(draft.outputs),
        expectations=expectations,
        tags=tags,
        source=source,
        user=_user(f"{field}.tags", tags) or updated_by,
    )


def _user(field: str, tags: Mapping[str, object]) -> str:
    user = tags.get(USER_TAG)
    return check_characters(f"{field}[{USER_TAG}]", user, LIMITS.user_id_characters) if isinstance(user, str) else ""


def _joined(there: str, more: Mapping[str, object]) -> str:
    return json_text({**(json.loads(there) if there else {}), **more}) if more else there
