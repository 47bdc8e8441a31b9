"""The tables of a whole export, a Parquet file each, and the rows that messages make in them.

What is empty in a message is null in a table where it means that there is none. Times are Unix milliseconds.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from trackwire.columns import SeriesBatch
from trackwire.exporting import points
from trackwire.exporting.parquet import Columns, ParquetTable
from trackwire.v1.evaluation_datasets_pb2 import (
    EvaluationDataset,
    EvaluationDatasetRecord,
    EvaluationRecordSourceType,
)
from trackwire.v1.experiments_pb2 import Experiment, LifecycleStage
from trackwire.v1.issues_pb2 import Issue, IssueSeverity, IssueStatus
from trackwire.v1.logged_models_pb2 import LoggedModel, LoggedModelStatus
from trackwire.v1.model_registry_pb2 import ModelStage, ModelVersion, ModelVersionStatus, RegisteredModel
from trackwire.v1.runs_pb2 import Run, RunStatus

CONTEXT_TAG = "mlflow.data.context"

_ENTRY: Columns = {"key": "string", "value": "string"}
_TIMES: Columns = {"creation_time_ms": "int64", "last_update_time_ms": "int64"}
_VERSION: Columns = {"name": "string", "version": "int64"}
TABLES: Mapping[str, Columns] = {
    "experiments": {
        "experiment_id": "string",
        "name": "string",
        "artifact_location": "string",
        "lifecycle_stage": "string",
        **_TIMES,
    },
    "experiment_tags": {"experiment_id": "string", **_ENTRY},
    "runs": {
        "run_id": "string",
        "run_name": "string",
        "experiment_id": "string",
        "user_id": "string",
        "status": "string",
        "start_time_ms": "int64",
        "end_time_ms": "int64",
        "lifecycle_stage": "string",
        "artifact_uri": "string",
        "deleted_time_ms": "int64",
        "parent_run_id": "string",
    },
    "params": {"run_id": "string", **_ENTRY},
    "tags": {"run_id": "string", **_ENTRY},
    "metrics": {**points.COLUMNS, "model_id": "string", "dataset_name": "string", "dataset_digest": "string"},
    "datasets": {
        "experiment_id": "string",
        "name": "string",
        "digest": "string",
        "source_type": "string",
        "source": "string",
        "schema": "string",
        "profile": "string",
    },
    "run_datasets": {"run_id": "string", "name": "string", "digest": "string", "context": "string"},
    "run_dataset_tags": {"run_id": "string", "name": "string", "digest": "string", **_ENTRY},
    "run_models": {"run_id": "string", "model_id": "string", "role": "string", "step": "int64"},
    "logged_models": {
        "model_id": "string",
        "experiment_id": "string",
        "name": "string",
        "artifact_uri": "string",
        "model_type": "string",
        "source_run_id": "string",
        "status": "string",
        "status_message": "string",
        **_TIMES,
    },
    "logged_model_params": {"model_id": "string", **_ENTRY},
    "logged_model_tags": {"model_id": "string", **_ENTRY},
    "issues": {
        "issue_id": "string",
        "experiment_id": "string",
        "name": "string",
        "description": "string",
        "status": "string",
        "severity": "string",
        "source_run_id": "string",
        "created_by": "string",
        "last_updated_by": "string",
        **_TIMES,
        "last_seen_time_ms": "int64",
    },
    "issue_root_causes": {"issue_id": "string", "root_cause": "string"},
    "issue_categories": {"issue_id": "string", "category": "string"},
    "issue_metadata": {"issue_id": "string", **_ENTRY},
    "evaluation_datasets": {
        "dataset_id": "string",
        "name": "string",
        "schema": "string",
        "record_count": "int64",
        "digest": "string",
        "created_by": "string",
        "last_updated_by": "string",
        **_TIMES,
    },
    "evaluation_dataset_tags": {"dataset_id": "string", **_ENTRY},
    "evaluation_dataset_experiments": {"dataset_id": "string", "experiment_id": "string"},
    "evaluation_records": {
        "record_id": "string",
        "dataset_id": "string",
        "inputs": "string",
        "outputs": "string",
        "expectations": "string",
        "tags": "string",
        "source_type": "string",
        "source_data": "string",
        "created_by": "string",
        "last_updated_by": "string",
        **_TIMES,
    },
    "registered_models": {"name": "string", "description": "string", **_TIMES},
    "registered_model_tags": {"name": "string", **_ENTRY},
    "registered_model_aliases": {"name": "string", "alias": "string", "version": "int64"},
    "model_versions": {
        **_VERSION,
        "description": "string",
        "source": "string",
        "storage_location": "string",
        "run_id": "string",
        "run_link": "string",
        "model_id": "string",
        "user_id": "string",
        "status": "string",
        "status_message": "string",
        "current_stage": "string",
        **_TIMES,
    },
    "model_version_tags": {**_VERSION, **_ENTRY},
}


class Tables:
    """All tables, in a folder, while they are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._tables: dict[str, ParquetTable] = {}
        # Of an experiment, name and digest there is one dataset, however many runs were given it.
        self._datasets: set[tuple[str, str, str]] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for name, columns in TABLES.items():
                table = ParquetTable(self._folder / f"{name}.parquet", columns)
                self._tables[name] = stack.enter_context(table)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(error_type, error, traceback)

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each table has so far."""
        return {name: table.rows for name, table in self._tables.items()}

    def add_experiment(self, experiment: Experiment) -> None:
        """An experiment with its tags."""
        stage = _word(LifecycleStage.Name(experiment.lifecycle_stage), "LIFECYCLE_STAGE_").lower()
        where = experiment.artifact_location
        times = (experiment.creation_time_ms, experiment.last_update_time_ms)
        self._add("experiments", experiment.experiment_id, experiment.name, where, stage, *times)
        self._add_entries("experiment_tags", experiment.tags, experiment.experiment_id)

    def add_run(self, run: Run) -> None:
        """A run with its params, tags, inputs and outputs."""
        self._add(
            "runs",
            run.run_id,
            run.run_name,
            run.experiment_id,
            run.user_id,
            _word(RunStatus.Name(run.status), "RUN_STATUS_"),
            run.start_time_ms,
            run.end_time_ms if run.HasField("end_time_ms") else None,
            _word(LifecycleStage.Name(run.lifecycle_stage), "LIFECYCLE_STAGE_").lower(),
            run.artifact_uri,
            run.deleted_time_ms if run.HasField("deleted_time_ms") else None,
            run.parent_run_id or None,
        )
        self._add_entries("params", run.params, run.run_id)
        self._add_entries("tags", run.tags, run.run_id)
        self._add_datasets(run)
        for given in run.inputs.models:
            self._add("run_models", run.run_id, given.model_id, "input", None)
        for made in run.outputs.models:
            self._add("run_models", run.run_id, made.model_id, "output", made.step)

    def add_points(self, batch: SeriesBatch) -> None:
        """Points of runs."""
        points.add_points(self._tables["metrics"], batch, with_owners=True)

    def add_logged_model(self, model: LoggedModel) -> None:
        """A logged model with its params and tags."""
        self._add(
            "logged_models",
            model.model_id,
            model.experiment_id,
            model.name,
            model.artifact_uri,
            model.model_type or None,
            model.source_run_id or None,
            _word(LoggedModelStatus.Name(model.status), "LOGGED_MODEL_STATUS_"),
            model.status_message or None,
            model.creation_time_ms,
            model.last_update_time_ms,
        )
        self._add_entries("logged_model_params", model.params, model.model_id)
        self._add_entries("logged_model_tags", model.tags, model.model_id)

    def add_issue(self, issue: Issue) -> None:
        """An issue with its root causes, categories and metadata."""
        severity = _word(IssueSeverity.Name(issue.severity), "ISSUE_SEVERITY_")
        self._add(
            "issues",
            issue.issue_id,
            issue.experiment_id,
            issue.name,
            issue.description,
            _word(IssueStatus.Name(issue.status), "ISSUE_STATUS_"),
            severity if issue.severity else None,
            issue.source_run_id or None,
            issue.created_by or None,
            issue.last_updated_by or None,
            issue.creation_time_ms,
            issue.last_update_time_ms,
            issue.last_seen_time_ms if issue.HasField("last_seen_time_ms") else None,
        )
        for root_cause in issue.root_causes:
            self._add("issue_root_causes", issue.issue_id, root_cause)
        for category in issue.categories:
            self._add("issue_categories", issue.issue_id, category)
        self._add_entries("issue_metadata", issue.metadata, issue.issue_id)

    def add_evaluation_dataset(self, dataset: EvaluationDataset) -> None:
        """An evaluation dataset with its tags and experiments, without its records."""
        self._add(
            "evaluation_datasets",
            dataset.dataset_id,
            dataset.name,
            dataset.schema or None,
            dataset.record_count,
            dataset.digest,
            dataset.created_by or None,
            dataset.last_updated_by or None,
            dataset.creation_time_ms,
            dataset.last_update_time_ms,
        )
        self._add_entries("evaluation_dataset_tags", dataset.tags, dataset.dataset_id)
        for experiment_id in dataset.experiment_ids:
            self._add("evaluation_dataset_experiments", dataset.dataset_id, experiment_id)

    def add_evaluation_record(self, record: EvaluationDatasetRecord) -> None:
        """A record of an evaluation dataset."""
        kind = _word(EvaluationRecordSourceType.Name(record.source.type), "EVALUATION_RECORD_SOURCE_TYPE_")
        has_source = record.HasField("source")
        self._add(
            "evaluation_records",
            record.record_id,
            record.dataset_id,
            record.inputs,
            record.outputs,
            record.expectations or None,
            record.tags,
            kind if has_source else None,
            record.source.data if has_source else None,
            record.created_by or None,
            record.last_updated_by or None,
            record.creation_time_ms,
            record.last_update_time_ms,
        )

    def add_registered_model(self, model: RegisteredModel) -> None:
        """A registered model with its tags and aliases."""
        times = (model.creation_time_ms, model.last_update_time_ms)
        self._add("registered_models", model.name, model.description, *times)
        self._add_entries("registered_model_tags", model.tags, model.name)
        for alias, version in sorted(model.aliases.items()):
            self._add("registered_model_aliases", model.name, alias, version)

    def add_version(self, version: ModelVersion) -> None:
        """A version of a registered model with its tags."""
        self._add(
            "model_versions",
            version.name,
            version.version,
            version.description,
            version.source,
            version.storage_location or None,
            version.run_id or None,
            version.run_link or None,
            version.model_id or None,
            version.user_id,
            _word(ModelVersionStatus.Name(version.status), "MODEL_VERSION_STATUS_"),
            version.status_message or None,
            _word(ModelStage.Name(version.current_stage), "MODEL_STAGE_").capitalize(),
            version.creation_time_ms,
            version.last_update_time_ms,
        )
        self._add_entries("model_version_tags", version.tags, version.name, version.version)

    def _add_datasets(self, run: Run) -> None:
        for given in run.inputs.datasets:
            said = given.dataset
            identity = (run.experiment_id, said.name, said.digest)
            if identity not in self._datasets:
                self._datasets.add(identity)
                rest = (said.source_type, said.source, said.schema or None, said.profile or None)
                self._add("datasets", *identity, *rest)
            place = (run.run_id, said.name, said.digest)
            self._add("run_datasets", *place, given.tags.get(CONTEXT_TAG))
            self._add_entries("run_dataset_tags", given.tags, *place)

    def _add(self, table: str, *values: object) -> None:
        self._tables[table].add_row(*values)

    def _add_entries(self, table: str, entries: Mapping[str, str], *owner: object) -> None:
        for key, value in sorted(entries.items()):
            self._tables[table].add_row(*owner, key, value)


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)
