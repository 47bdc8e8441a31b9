"""What reads give, and what a batch is made of, with MLflow's attribute names. Nothing here asks a server.

Run ─┬─ info: RunInfo          Experiment    RegisteredModel ── latest_versions: ModelVersion
     ├─ data: RunData          FileInfo      Metric, Param, RunTag
     ├─ inputs: RunInputs ── dataset_inputs: DatasetInput, model_inputs: LoggedModelInput
     └─ outputs: RunOutputs ── model_outputs: LoggedModelOutput

Words for numbers and the like are in `named_values`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import TypeVar

EntryT = TypeVar("EntryT")


class PagedList(list[EntryT]):
    """A page of a search; `token` asks for the next one, and is None at the end."""

    def __init__(self, entries: Iterable[EntryT], token: str | None) -> None:
        super().__init__(entries)
        self.token = token


class Entity:
    """`dict(entity)` gives its attributes by name."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[str, object]]:
        # Every entity is a dataclass, which this base of them is not.
        return ((each.name, getattr(self, each.name)) for each in fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RunInfo(Entity):
    """What a run is. Times are Unix milliseconds."""

    run_id: str
    run_name: str
    experiment_id: str
    user_id: str
    # RUNNING, SCHEDULED, FINISHED, FAILED or KILLED.
    status: str
    start_time: int
    # None while it goes on.
    end_time: int | None
    # "active" or "deleted".
    lifecycle_stage: str
    artifact_uri: str


@dataclass(frozen=True, slots=True)
class RunData(Entity):
    """What a run said: the last value of each metric, its params and its tags."""

    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def to_dictionary(self) -> dict[str, object]:
        """The same as a dict, of copies."""
        return {"metrics": dict(self.metrics), "params": dict(self.params), "tags": dict(self.tags)}


@dataclass(frozen=True, slots=True)
class Dataset(Entity):
    """What a run was given. `schema` and `profile` are JSON, None where there is none; searches leave both out."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class InputTag(Entity):
    """One tag of an input; `mlflow.data.context` says what for."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class DatasetInput(Entity):
    """A dataset that a run was given, and what is said of that."""

    dataset: Dataset
    tags: list[InputTag] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LoggedModelInput(Entity):
    """A model that a run was given."""

    model_id: str


@dataclass(frozen=True, slots=True)
class LoggedModelOutput(Entity):
    """A model that a run has made, and at which step."""

    model_id: str
    step: int


@dataclass(frozen=True, slots=True)
class RunInputs(Entity):
    """All that a run was given; a search leaves out models."""

    dataset_inputs: list[DatasetInput] = field(default_factory=list)
    model_inputs: list[LoggedModelInput] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunOutputs(Entity):
    """All that a run has made; a search leaves it out."""

    model_outputs: list[LoggedModelOutput] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run(Entity):
    """A run as it was when it was read."""

    info: RunInfo
    data: RunData
    inputs: RunInputs = field(default_factory=RunInputs)
    outputs: RunOutputs = field(default_factory=RunOutputs)

    def to_dictionary(self) -> dict[str, object]:
        """The same as a dict of dicts, for JSON and such."""
        return {
            "info": dict(self.info),
            "data": self.data.to_dictionary(),
            "inputs": asdict(self.inputs),
            "outputs": asdict(self.outputs),
        }


@dataclass(frozen=True, slots=True)
class Experiment(Entity):
    """A named set of runs. Times are Unix milliseconds."""

    experiment_id: str
    name: str
    # Empty where it is the server's own artifact store.
    artifact_location: str
    # "active" or "deleted".
    lifecycle_stage: str
    tags: dict[str, str] = field(default_factory=dict)
    creation_time: int = 0
    last_update_time: int = 0


@dataclass(frozen=True, slots=True)
class Metric(Entity):
    """One point of a metric; the time is Unix milliseconds."""

    key: str
    value: float
    timestamp: int
    step: int
    # What it was measured of and on; None where that isn't said.
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Param(Entity):
    """One param of a run."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RunTag(Entity):
    """One tag of a run."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ExperimentTag(Entity):
    """One tag of an experiment."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class FileInfo(Entity):
    """An artifact, or a folder of them, whose size is None."""

    path: str
    is_dir: bool
    file_size: int | None


@dataclass(frozen=True, slots=True)
class ModelVersion(Entity):
    """One version of a registered model. Times are Unix milliseconds."""

    name: str
    # A number as text, as in MLflow.
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str
    user_id: str
    # None, Staging, Production or Archived: the first one is a word too.
    current_stage: str
    # Where its files lie: runs:/<run_id>/<path>, or another URI.
    source: str
    # Empty where no run is said to have made it.
    run_id: str
    # READY, PENDING_REGISTRATION or FAILED_REGISTRATION.
    status: str
    status_message: str
    run_link: str
    tags: dict[str, str] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegisteredModel(Entity):
    """A name under which versions gather. Times are Unix milliseconds."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str
    # The highest version of each stage that has one.
    latest_versions: list[ModelVersion] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    # Alias to version.
    aliases: dict[str, str] = field(default_factory=dict)
