"""Logged models as plain values, and what is said when there is none of that id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trackwire_server.core.entities import MetricSummary, Summaries
from trackwire_server.core.errors import FailedPrecondition, NotFound, shown


class LoggedModelStatus(StrEnum):
    """How far a logged model has come."""

    PENDING = "PENDING"
    READY = "READY"
    UPLOAD_FAILED = "UPLOAD_FAILED"


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """What a training made; `metrics` are the summaries of all series of its id, in the order of `by_series`."""

    model_id: str
    experiment_id: str
    name: str
    artifact_uri: str
    creation_time_ms: int
    last_update_time_ms: int
    model_type: str = ""
    source_run_id: str = ""
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    status_message: str = ""
    deleted_time_ms: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Summaries = ()


@dataclass(frozen=True, slots=True)
class NewLoggedModel:
    """What is needed to make a logged model."""

    model_id: str
    experiment_id: str
    name: str
    creation_time_ms: int
    model_type: str = ""
    source_run_id: str = ""
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    request_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GarbageModel:
    """A logged model that may be removed for good."""

    model_id: str
    artifact_uri: str


def logged_model_artifact_uri(location: str, model_id: str) -> str:
    """Where a logged model keeps its files, in its experiment's location."""
    return f"{location.rstrip('/')}/{logged_model_folder(model_id)}"


def logged_model_folder(model_id: str) -> str:
    """A logged model's folder in its experiment's location."""
    return f"models/{model_id}/artifacts"


def by_series(summary: MetricSummary) -> tuple[str, str, str, str, int]:
    """Orders the series of a logged model."""
    context = summary.context
    rank = -1 if context.rank is None else context.rank
    return summary.key, context.dataset_name, context.dataset_digest, summary.run_id, rank


def logged_model_not_found(model_id: str) -> NotFound:
    """No logged model has this id, or it is deleted."""
    return NotFound("logged model", model_id, field="model_id")


def model_param_already_set(model_id: str, key: str, old_value: str, new_value: str) -> FailedPrecondition:
    """A param never changes once set."""
    return FailedPrecondition(
        f"params[{shown(key)}]: {shown(new_value)}: logged model {shown(model_id)} has it as {shown(old_value)},"
        " and a param never changes",
        reason="PARAM_ALREADY_SET",
        metadata={
            "field": f"params[{key}]",
            "model_id": model_id,
            "key": key,
            "value": new_value,
            "old_value": old_value,
        },
    )
