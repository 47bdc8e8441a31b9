"""What core asks of a store. Every method is one transaction: it happens whole or not at all.

All methods may raise StoreUnavailable, StorageFull and StoreCorrupt; what else they raise stands in their docstrings.
A method that takes a stamp follows the rule of WriterStamp under the row (run, writer): a stamp that is stored already
changes nothing and is no error; one whose predecessor is missing raises SequenceGap. The bytes of artifacts, which no
transaction covers, are in byte_stores.py.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.entities import (
    Experiment,
    LifecycleStage,
    MetricSummary,
    ModelStage,
    ModelVersion,
    NewExperiment,
    NewModelVersion,
    NewRegisteredModel,
    NewRun,
    RegisteredModel,
    Run,
    RunChange,
    RunSelection,
    Upload,
    WriterStamp,
)
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.logged_model_entities import GarbageModel, LoggedModel, LoggedModelStatus, NewLoggedModel
from trackwire_server.core.metric_queries import Arrived, Backlog, ReadQuery, Snapshot
from trackwire_server.core.paging import Page, Position, SearchQuery
from trackwire_server.core.run_inputs import DatasetSummary, RunInputs, RunOutputs
from trackwire_server.core.run_keys import RunKey, RunKeyQuery


class ExperimentStore(Protocol):
    """Experiments by id and by name."""

    async def create_experiment(self, new: NewExperiment) -> Experiment:
        """Stores an experiment under the next id. Raises AlreadyExists by name, deleted ones included."""

    async def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment, deleted or not. Raises NotFound."""

    async def get_experiment_by_name(self, name: str) -> Experiment:
        """The experiment, deleted or not. Raises NotFound."""

    async def search_experiments(self, query: SearchQuery) -> Page[Experiment]:
        """The experiments that match, in order."""

    async def rename_experiment(self, experiment_id: str, name: str, *, now_ms: int) -> Experiment:
        """Renames an active experiment. Raises NotFound, ExperimentDeleted, AlreadyExists."""

    async def change_experiment_tags(
        self, experiment_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Sets and deletes tags of an active experiment. Raises NotFound (also for a tag), ExperimentDeleted."""

    async def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Deletes or restores an experiment with all its runs. Raises NotFound if it is not in the other stage."""


class RunStore(Protocol):
    """Runs themselves."""

    async def create_run(self, new: NewRun) -> tuple[Run, bool]:
        """Stores a run, and its experiment if asked; True if made now.

        The same `request_id` again answers with the run it made. Raises NotFound (experiment),
        ExperimentDeleted, AlreadyExists (run id, unless `join`), RunDeleted (joining a deleted run).
        """

    async def get_run(self, run_id: str, selection: RunSelection) -> Run:
        """The run, deleted or not. Raises NotFound."""

    async def search_runs(self, query: SearchQuery, selection: RunSelection) -> Page[Run]:
        """The runs of the query's experiments that match, in order. Unknown experiments have no runs."""

    async def list_run_keys(self, query: RunKeyQuery) -> Page[RunKey]:
        """The keys that runs in the query's experiments and view have, each once: by kind, then by key.

        Of metrics those of primary series, which every metric of a run has. A position is a kind and a key.
        """

    async def update_run(self, run_id: str, change: RunChange, stamp: WriterStamp | None) -> Run:
        """Changes an active run; a new name is also its tag RUN_NAME_TAG. Raises NotFound, RunDeleted, SequenceGap."""

    async def set_run_stage(self, run_id: str, stage: LifecycleStage, *, now_ms: int) -> None:
        """Deletes or restores a run; in that stage already is fine. Raises NotFound."""


class RunDataStore(Protocol):
    """What is said about a run while it goes on. All methods raise NotFound and RunDeleted."""

    async def log_params(self, run_id: str, params: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Stores params; all or none. Raises ParamAlreadySet, SequenceGap."""

    async def set_run_tags(self, run_id: str, tags: Mapping[str, str], stamp: WriterStamp | None) -> None:
        """Sets tags; RUN_NAME_TAG renames the run. Raises SequenceGap."""

    async def delete_run_tag(self, run_id: str, key: str, stamp: WriterStamp | None) -> None:
        """Deletes a tag. Raises NotFound also for the tag, SequenceGap."""

    async def heartbeat(self, run_id: str, *, now_ms: int) -> bool:
        """Notes that the run's process lives; True if it should stop."""

    async def request_stop(self, run_id: str) -> None:
        """Notes that the run's process should stop."""


class RunInputStore(Protocol):
    """What runs are given and what they make. Logging raises NotFound, RunDeleted and SequenceGap."""

    async def log_run_inputs(self, run_id: str, inputs: RunInputs, stamp: WriterStamp | None) -> None:
        """Adds what the run doesn't have. A dataset that its experiment has by name and digest is that one."""

    async def log_run_outputs(self, run_id: str, outputs: RunOutputs, stamp: WriterStamp | None) -> None:
        """Adds what the run doesn't have."""

    async def search_run_datasets(
        self, experiment_ids: Sequence[str], *, page_size: int, after: Position | None
    ) -> Page[DatasetSummary]:
        """What runs were given, deleted ones too: by experiment's number, name, digest and context, each once."""


class RegisteredModelStore(Protocol):
    """Registered models. All methods but create and search raise NotFound."""

    async def create_registered_model(self, new: NewRegisteredModel) -> RegisteredModel:
        """Stores a registered model. Raises AlreadyExists."""

    async def get_registered_model(self, name: str) -> RegisteredModel:
        """The registered model with its aliases and latest versions."""

    async def search_registered_models(self, query: SearchQuery) -> Page[RegisteredModel]:
        """The registered models that match, in order."""

    async def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None, now_ms: int
    ) -> RegisteredModel:
        """Renames or describes a registered model; None leaves as it is. Raises AlreadyExists."""

    async def delete_registered_model(self, name: str) -> None:
        """Deletes it with all its versions."""

    async def change_registered_model_tags(
        self, name: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Sets and deletes tags; a tag to delete may be missing."""

    async def set_alias(self, name: str, alias: str, version: int | None, *, now_ms: int) -> None:
        """Points an alias at a version, or deletes it where None. Raises NotFound also for the version."""


class ModelVersionStore(Protocol):
    """Model versions. All methods but search raise NotFound."""

    async def create_model_version(self, new: NewModelVersion) -> ModelVersion:
        """Stores the next version; the same `request_id` again answers with the version it made."""

    async def get_model_version(self, name: str, selector: int | str) -> ModelVersion:
        """The version with this number or alias."""

    async def search_model_versions(self, query: SearchQuery) -> Page[ModelVersion]:
        """The versions that match, in order."""

    async def update_model_version(
        self, name: str, version: int, *, description: str | None, now_ms: int
    ) -> ModelVersion:
        """Describes a version; None leaves as it is."""

    async def transition_stage(
        self, name: str, version: int, stage: ModelStage, *, archive_existing: bool, now_ms: int
    ) -> ModelVersion:
        """Moves a version to a stage, and the others there to ARCHIVED if asked."""

    async def delete_model_version(self, name: str, version: int, *, now_ms: int) -> None:
        """Deletes a version with its aliases; its number is not used again."""

    async def change_model_version_tags(
        self, name: str, version: int, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Sets and deletes tags; a tag to delete may be missing."""


class LoggedModelStore(Protocol):
    """Logged models. All methods but create and search raise NotFound, and all but delete for deleted ones too."""

    async def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Stores a logged model; the same `request_id` again answers with the model it made.

        Raises NotFound (experiment), ExperimentDeleted.
        """

    async def get_logged_model(self, model_id: str, *, with_data: bool = True) -> LoggedModel:
        """The logged model, with its params, tags and metrics or without."""

    async def search_logged_models(self, query: SearchQuery) -> Page[LoggedModel]:
        """The logged models of the query's experiments that match, in order.

        A filter means any of a model's series of a key, an order the one whose last point has the latest time, of
        equal times the highest step, and of equal steps the greatest of the values asked for, NaN and none last.
        """

    async def update_logged_model(
        self, model_id: str, *, status: LoggedModelStatus | None, status_message: str | None, now_ms: int
    ) -> LoggedModel:
        """Changes a logged model; None leaves as it is."""

    async def change_logged_model_tags(
        self, model_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        """Sets and deletes tags. Raises NotFound also for a tag."""

    async def log_logged_model_params(self, model_id: str, params: Mapping[str, str], *, now_ms: int) -> None:
        """Stores params; all or none. Raises FailedPrecondition (PARAM_ALREADY_SET)."""

    async def delete_logged_model(self, model_id: str, *, now_ms: int) -> None:
        """Marks a logged model as deleted; deleted already is fine."""


class ImportStore(Protocol):
    """Takes over what was kept elsewhere, whole: what is there already is made equal to it, but for points and files.

    All methods raise AlreadyExists, as core/import_conflicts.py says, where something else has the id or the name.
    """

    async def import_experiment(self, experiment: Experiment) -> Experiment:
        """Under its own number; later ones are higher. Without an artifact location it gets one as if made here."""

    async def import_run(self, run: Run) -> Run:
        """A run with its params, tags, inputs and outputs; it keeps the time of an earlier deletion.

        Without an artifact URI it gets one as if made here. Raises NotFound (experiment).
        """

    async def import_logged_model(self, model: LoggedModel) -> LoggedModel:
        """Without an artifact URI it gets one as if made here. Raises NotFound (experiment, or deleted here)."""

    async def import_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        """Without its aliases and versions, which stay as they are."""

    async def import_model_version(self, version: ModelVersion) -> ModelVersion:
        """Under its own number; later ones are higher. Its aliases leave other versions. Raises NotFound (model)."""

    async def import_issue(self, issue: Issue) -> Issue:
        """An issue with its metadata. Raises NotFound (experiment)."""


class MetricStore(Protocol):
    """Points and their summaries."""

    async def append(self, batches: Sequence[Batch], *, now_ms: int) -> Sequence[Appended | TrackwireError]:
        """Stores a group in one transaction; an outcome a batch, in their order.

        Per run, commits are in the order of arrivals. A batch that is refused (NotFound, RunDeleted, SequenceGap)
        changes nothing and harms no other. Points without a stamp that are stored already are left out.
        """

    async def open_snapshot(self, query: ReadQuery) -> Snapshot:
        """The series of a query at one moment. Raises NotFound."""

    async def read_arrivals(
        self, run_ids: Sequence[str], keys: frozenset[str], positions: Sequence[int] | None
    ) -> Arrived:
        """What arrived behind the positions, a bounded part of it; None means the present ones.

        Raises NotFound, TailTokenExpired, InvalidArgument for a position that no run has come to.
        """

    async def summaries(
        self, run_ids: Sequence[str], keys: frozenset[str], *, page_size: int, after: Position | None
    ) -> Page[MetricSummary]:
        """Summaries by run and then by series, each in the order in which it was made. Raises NotFound."""

    async def compact(self, *, now_ms: int) -> bool:
        """Does a bounded part of the work of turning arrivals into what is fast to read; False if none is due."""

    async def prune(self, *, now_ms: int) -> bool:
        """Forgets a bounded part of the order of arrivals that no tail may ask for any more; False if there is none."""

    async def backlog(self) -> Backlog:
        """What waits to be compacted."""


class UploadStore(Protocol):
    """Uploads under way or done lately: what their headers announced, and when their latest stream began.

    A store has those of runs, or those of logged models.
    """

    async def begin_upload(self, upload: Upload) -> Upload:
        """Stores an upload, or gives the one with this id, from now on begun at `upload.begin_time_ms`.

        Raises AlreadyExists if that one differs in path or size, NotFound and RunDeleted for its owner.
        """

    async def get_upload(self, owner_id: str, upload_id: str) -> Upload | None:
        """The upload, or None."""

    async def complete_upload(self, owner_id: str, upload_id: str, *, sha256: bytes) -> None:
        """Notes that the file is whole and visible; an upload that is not there is fine."""

    async def discard_upload(self, owner_id: str, upload_id: str) -> None:
        """Forgets an upload; one that is not there is fine."""

    async def expired_uploads(self, *, before_ms: int, limit: int) -> Sequence[Upload]:
        """Uploads whose latest stream began before this time, oldest first."""

    async def unfinished_uploads(self) -> Sequence[Upload]:
        """All that are not whole."""


class GarbageStore(Protocol):
    """What was deleted, and its removal for good. Who was deleted at `before_ms` or earlier is old enough."""

    async def deleted_runs(self, *, before_ms: int, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """Ids of runs that are deleted and old enough, with their experiments', by run id from behind `after`."""

    async def deleted_experiments(self, *, before_ms: int) -> Sequence[str]:
        """Ids of experiments that are deleted and old enough, oldest id first."""

    async def count_runs(self, experiment_id: str) -> int:
        """How many runs an experiment has, deleted or not; 0 for an unknown one."""

    async def unfinished_uploads(self, run_id: str) -> Sequence[str]:
        """Ids of a run's uploads that are not whole."""

    async def remove_run(self, run_id: str, *, before_ms: int) -> bool:
        """Removes a run with all its rows; False if it is gone, restored, or not old enough any more.

        Datasets that no run was given any more go with it.
        """

    async def remove_experiment(self, experiment_id: str, *, before_ms: int) -> bool:
        """Removes an experiment with its logged models and issues.

        False if it is gone, restored, not old enough any more, or still has runs.
        """


class LoggedModelGarbageStore(Protocol):
    """Logged models that were deleted, or that go with their experiment. Old enough means as for GarbageStore."""

    async def deleted_logged_models(self, *, before_ms: int, after: str, limit: int) -> Sequence[GarbageModel]:
        """Logged models that are deleted and old enough, by id from behind `after`."""

    async def logged_models_of(self, experiment_id: str, *, after: str, limit: int) -> Sequence[GarbageModel]:
        """Logged models of an experiment, deleted or not, by id from behind `after`."""

    async def unfinished_uploads(self, model_id: str) -> Sequence[str]:
        """Ids of a model's uploads that are not whole."""

    async def remove_logged_model(self, model_id: str, *, before_ms: int) -> bool:
        """Removes a logged model with all its rows, but for its metrics, which are its runs'.

        False if it is gone, or not deleted and old enough.
        """
