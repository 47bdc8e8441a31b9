"""Evaluation datasets and their records as plain values, and what is said when there is no dataset of that id."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trackwire_server.core.entities import DEFAULT_WORKSPACE
from trackwire_server.core.errors import NotFound


class RecordSourceType(StrEnum):
    """Where a record comes from."""

    UNSPECIFIED = "UNSPECIFIED"
    TRACE = "TRACE"
    HUMAN = "HUMAN"
    DOCUMENT = "DOCUMENT"
    CODE = "CODE"


@dataclass(frozen=True, slots=True)
class RecordSource:
    """Where a record comes from; `data` is a JSON object."""

    type: RecordSourceType
    data: str = "{}"


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """A record; `inputs`, `expectations` and `tags` are JSON objects, `outputs` any JSON.

    `expectations` are empty where there are none.
    """

    record_id: str
    dataset_id: str
    inputs: str
    creation_time_ms: int
    last_update_time_ms: int
    outputs: str = "{}"
    expectations: str = ""
    tags: str = "{}"
    source: RecordSource | None = None
    created_by: str = ""
    last_updated_by: str = ""

    @property
    def size_bytes(self) -> int:
        """What its parts take together."""
        source = "" if self.source is None else self.source.data
        return sum(len(part.encode()) for part in (self.inputs, self.outputs, self.expectations, self.tags, source))


@dataclass(frozen=True, slots=True)
class EvaluationDataset:
    """Records under a name; `schema` is JSON, empty before the first record. The experiments are in order."""

    dataset_id: str
    name: str
    creation_time_ms: int
    last_update_time_ms: int
    digest: str
    schema: str = ""
    record_count: int = 0
    created_by: str = ""
    last_updated_by: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    experiment_ids: tuple[str, ...] = ()
    workspace: str = DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class NewEvaluationDataset:
    """What is needed to make an evaluation dataset; each experiment is named once."""

    dataset_id: str
    name: str
    creation_time_ms: int
    created_by: str = ""
    request_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    experiment_ids: tuple[str, ...] = ()
    workspace: str = DEFAULT_WORKSPACE

    @property
    def digest(self) -> str:
        """That of no records."""
        return digest_of(self.name, self.creation_time_ms)


def digest_of(name: str, last_update_time_ms: int) -> str:
    """Tells one state of the records from any other, since no two have the same time."""
    return hashlib.sha256(f"{name}:{last_update_time_ms}".encode()).hexdigest()[:8]


def time_of_change(last_update_time_ms: int, now_ms: int) -> int:
    """When a dataset is changed: later than ever before, also within a millisecond or by a clock that was put back."""
    return max(now_ms, last_update_time_ms + 1)


def evaluation_dataset_not_found(dataset_id: str) -> NotFound:
    """No evaluation dataset has this id."""
    return NotFound("evaluation dataset", dataset_id, field="dataset_id")
