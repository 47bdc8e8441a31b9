"""What runs are given and what they make: datasets and models as plain values, and the rules for them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from trackwire_server.core.checks import check_characters, check_required, check_token
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS

Entry = TypeVar("Entry")
CONTEXT_TAG = "mlflow.data.context"


class DatasetView(StrEnum):
    """How much of a run's datasets is wanted: of BASIC all but what may be large."""

    NONE = "none"
    BASIC = "basic"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data by name and digest; `schema` and `profile` are JSON and may be large."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """What there is one dataset of in an experiment."""
        return self.name, self.digest


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a run was given, and what is said of it there."""

    dataset: Dataset
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> str:
        """What it is for; empty where nobody said."""
        return self.tags.get(CONTEXT_TAG, "")


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """A model that a run has made, and at which step."""

    model_id: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run was given: datasets, one of each identity, and models by id. In the order in which it was logged."""

    datasets: tuple[DatasetInput, ...] = ()
    model_ids: tuple[str, ...] = ()

    def joined(self, more: "RunInputs") -> "RunInputs":
        """With what is new in `more`; what is here stays as it is."""
        return RunInputs(
            _first_of_each((*self.datasets, *more.datasets), lambda each: each.dataset.identity),
            tuple(dict.fromkeys((*self.model_ids, *more.model_ids))),
        )

    def seen(self, view: DatasetView, *, models: bool) -> "RunInputs":
        """As much of it as is wanted."""
        datasets = () if view is DatasetView.NONE else self.datasets
        if view is DatasetView.BASIC:
            datasets = tuple(replace(each, dataset=replace(each.dataset, schema="", profile="")) for each in datasets)
        return RunInputs(datasets, self.model_ids if models else ())


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """What a run has made: models, one of each id, in the order in which they were logged."""

    models: tuple[ModelOutput, ...] = ()

    def joined(self, more: "RunOutputs") -> "RunOutputs":
        """With what is new in `more`; what is here stays as it is."""
        return RunOutputs(_first_of_each((*self.models, *more.models), lambda each: each.model_id))


NO_INPUTS = RunInputs()
NO_OUTPUTS = RunOutputs()


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A dataset as runs of an experiment were given it."""

    experiment_id: str
    name: str
    digest: str
    context: str


def checked_inputs(inputs: RunInputs) -> RunInputs:
    """The inputs, each once; of several that are the same the first counts. Raises InvalidArgument."""
    if not inputs.datasets and not inputs.model_ids:
        raise InvalidArgument("datasets", [], "at least one dataset or model is required", reason="REQUIRED")
    return checked_inputs_at("", inputs)


def checked_inputs_at(place: str, inputs: RunInputs) -> RunInputs:
    """Likewise, of a request that has them at a place such as "run.inputs.", where there may be none."""
    _check_count(f"{place}datasets", inputs.datasets)
    _check_count(f"{place}models", inputs.model_ids)
    for at, each in enumerate(inputs.datasets):
        _check_dataset(f"{place}datasets[{at}].dataset", each.dataset)
        _check_tags(f"{place}datasets[{at}].tags", each.tags)
    for at, model_id in enumerate(inputs.model_ids):
        check_token(f"{place}models[{at}].model_id", model_id, LIMITS.model_id_characters)
    return NO_INPUTS.joined(inputs)


def checked_outputs(outputs: RunOutputs) -> RunOutputs:
    """The outputs, each once; of several that are the same the first counts. Raises InvalidArgument."""
    if not outputs.models:
        raise InvalidArgument("models", [], "at least one model is required", reason="REQUIRED")
    return checked_outputs_at("", outputs)


def checked_outputs_at(place: str, outputs: RunOutputs) -> RunOutputs:
    """Likewise, of a request that has them at a place such as "run.outputs.", where there may be none."""
    _check_count(f"{place}models", outputs.models)
    for at, each in enumerate(outputs.models):
        check_token(f"{place}models[{at}].model_id", each.model_id, LIMITS.model_id_characters)
    return NO_OUTPUTS.joined(outputs)


def _check_count(name: str, entries: Sequence[object]) -> None:
    limit = LIMITS.entries_per_request
    if len(entries) > limit:
        raise InvalidArgument(name, len(entries), f"at most {limit:,} entries are allowed in one request", limit=limit)


def _check_dataset(name: str, dataset: Dataset) -> None:
    check_required(f"{name}.name", dataset.name, LIMITS.dataset_name_characters)
    check_required(f"{name}.digest", dataset.digest, LIMITS.dataset_digest_characters)
    check_characters(f"{name}.source_type", dataset.source_type, LIMITS.dataset_source_type_characters)
    check_characters(f"{name}.source", dataset.source, LIMITS.dataset_source_characters)
    check_characters(f"{name}.schema", dataset.schema, LIMITS.dataset_schema_characters)
    check_characters(f"{name}.profile", dataset.profile, LIMITS.dataset_profile_characters)


def _check_tags(name: str, tags: Mapping[str, str]) -> None:
    _check_count(name, tuple(tags))
    for key, value in tags.items():
        check_required(name, key, LIMITS.input_tag_key_characters)
        check_characters(f"{name}[{key}]", value, LIMITS.input_tag_value_characters)


def _first_of_each(entries: Iterable[Entry], identity: Callable[[Entry], Hashable]) -> tuple[Entry, ...]:
    found: dict[Hashable, Entry] = {}
    for entry in entries:
        found.setdefault(identity(entry), entry)
    return tuple(found.values())
