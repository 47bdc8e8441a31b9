"""The nouns as plain values: what rpc converts to and from, and stores keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from trackwire_server.core.run_inputs import NO_INPUTS, NO_OUTPUTS, DatasetView, RunInputs, RunOutputs

DEFAULT_WORKSPACE = "default"
DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"
RUN_NAME_TAG = "mlflow.runName"
PARENT_RUN_TAG = "mlflow.parentRunId"
ARTIFACT_SCHEME = "trackwire-artifacts:/"


def experiment_artifact_location(experiment_id: str, chosen: str, *, artifact_root: str = "") -> str:
    """Where an experiment's runs keep artifacts: as chosen, or a folder in the root of those that chose none.

    Without a root, that is the server's own artifact store.
    """
    root = f"{artifact_root.rstrip('/')}/" if artifact_root else ARTIFACT_SCHEME
    return chosen or f"{root}{experiment_id}"


def run_artifact_uri(location: str, run_id: str) -> str:
    """Where a run keeps its artifacts, in its experiment's location."""
    return f"{location.rstrip('/')}/{run_folder(run_id)}"


def run_folder(run_id: str) -> str:
    """A run's folder in its experiment's location."""
    return f"{run_id}/artifacts"


class LifecycleStage(StrEnum):
    """Whether something is in use or waits to be collected as garbage."""

    ACTIVE = "active"
    DELETED = "deleted"


class ViewType(StrEnum):
    """Which lifecycle stages a search looks at."""

    ACTIVE_ONLY = "active_only"
    DELETED_ONLY = "deleted_only"
    ALL = "all"

    def stages(self) -> tuple[LifecycleStage, ...]:
        """The stages that this view shows."""
        match self:
            case ViewType.ACTIVE_ONLY:
                return (LifecycleStage.ACTIVE,)
            case ViewType.DELETED_ONLY:
                return (LifecycleStage.DELETED,)
            case ViewType.ALL:
                return (LifecycleStage.ACTIVE, LifecycleStage.DELETED)


class RunStatus(StrEnum):
    """How far a run has come."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def is_terminal(self) -> bool:
        """Whether a run in this status has ended."""
        return self in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)


class ModelStage(StrEnum):
    """How far a model version has come on its way to production."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class ModelVersionStatus(StrEnum):
    """Whether a model version can be used."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"


@dataclass(frozen=True, slots=True)
class WriterStamp:
    """Makes a write exactly once; see WriterStamp in protos/trackwire/v1/metrics.proto."""

    writer_id: str
    sequence: int
    previous_sequence: int


@dataclass(frozen=True, slots=True, order=True)
class SeriesContext:
    """Which of several series of one key; the empty context is the default one."""

    rank: int | None = None
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


DEFAULT_CONTEXT = SeriesContext()


# Not frozen: a page of runs holds thousands, and a frozen one takes three times as long to make.
@dataclass(slots=True)
class MetricSummary:
    """What is known of a series without reading its points; values are NaN where the point was."""

    run_id: str
    key: str
    context: SeriesContext
    primary: bool
    count: int
    nan_count: int
    last_value: float
    last_step: int
    last_time_ms: int
    first_value: float
    first_step: int
    first_time_ms: int
    min_value: float | None
    max_value: float | None


Summaries: TypeAlias = tuple[MetricSummary, ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named set of runs."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    creation_time_ms: int
    last_update_time_ms: int
    tags: Mapping[str, str] = field(default_factory=dict)
    workspace: str = DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """What is needed to make an experiment."""

    name: str
    creation_time_ms: int
    artifact_location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    workspace: str = DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class Run:
    """One execution; `metrics` are the summaries of its primary series."""

    run_id: str
    run_name: str
    experiment_id: str
    user_id: str
    status: RunStatus
    start_time_ms: int
    end_time_ms: int | None
    lifecycle_stage: LifecycleStage
    artifact_uri: str
    deleted_time_ms: int | None = None
    parent_run_id: str = ""
    heartbeat_time_ms: int | None = None
    stop_requested: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Summaries = ()
    inputs: RunInputs = NO_INPUTS
    outputs: RunOutputs = NO_OUTPUTS


@dataclass(frozen=True, slots=True)
class ExperimentReference:
    """An experiment by id, or by name and then made if asked."""

    experiment_id: str = ""
    name: str = ""
    create: bool = False


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is needed to make a run; `join` opens the one that has `run_id` already."""

    run_id: str
    run_name: str
    experiment: ExperimentReference
    user_id: str
    status: RunStatus
    start_time_ms: int
    creation_time_ms: int
    end_time_ms: int | None = None
    request_id: str = ""
    join: bool = False
    parent_run_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunChange:
    """A change of a run's own fields; None leaves a field as it is.

    `default_end_time_ms` is the end time of a run that had not come to this status before.
    """

    status: RunStatus | None = None
    end_time_ms: int | None = None
    default_end_time_ms: int | None = None
    # Whether it runs (again): then it has no end time, and nobody has asked it to stop.
    goes_on: bool = False
    run_name: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries of a mapping are wanted: all where `keys` is None."""

    keys: frozenset[str] | None = None

    def wants(self, key: str) -> bool:
        """Whether the entry of this key is wanted."""
        return self.keys is None or key in self.keys


EVERYTHING = Selection()
NOTHING = Selection(frozenset())


@dataclass(frozen=True, slots=True)
class RunSelection:
    """Which metrics, params and tags of a run are wanted, how much of its datasets, and whether its models."""

    metrics: Selection = EVERYTHING
    params: Selection = EVERYTHING
    tags: Selection = EVERYTHING
    datasets: DatasetView = DatasetView.FULL
    models: bool = True


RUN_ALONE = RunSelection(NOTHING, NOTHING, NOTHING, DatasetView.NONE, models=False)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model; `storage_location` is where its files lie if `source` names another version.

    `model_id` is that of the logged model which it came from.
    """

    name: str
    version: int
    source: str
    creation_time_ms: int
    last_update_time_ms: int
    description: str = ""
    run_id: str = ""
    run_link: str = ""
    user_id: str = ""
    status: ModelVersionStatus = ModelVersionStatus.READY
    status_message: str = ""
    current_stage: ModelStage = ModelStage.NONE
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    model_id: str = ""
    storage_location: str = ""

    @property
    def files(self) -> str:
        """Where its files lie."""
        return self.storage_location or self.source


@dataclass(frozen=True, slots=True)
class NewModelVersion:
    """What is needed to make a version."""

    name: str
    source: str
    creation_time_ms: int
    request_id: str = ""
    run_id: str = ""
    run_link: str = ""
    user_id: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    model_id: str = ""
    storage_location: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name under which versions gather; `aliases` maps alias to version."""

    name: str
    creation_time_ms: int
    last_update_time_ms: int
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    latest_versions: tuple[ModelVersion, ...] = ()
    workspace: str = DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class NewRegisteredModel:
    """What is needed to register a name."""

    name: str
    creation_time_ms: int
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    workspace: str = DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or a folder of a run or a logged model; `path` is relative to its root."""

    path: str
    is_dir: bool
    size_bytes: int = 0
    modification_time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way or done, of a run or a logged model; `sha256` is known once it is complete."""

    upload_id: str
    owner_id: str
    path: str
    size_bytes: int
    begin_time_ms: int
    sha256: bytes = b""
    complete: bool = False
