"""From the messages of `trackwire.v1` to mlflow's entities."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from mlflow.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    FileInfo,
    InputTag,
    Issue,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.entities.issue import IssueSeverity, IssueStatus
from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)

from trackwire.queries import convert
from trackwire.v1 import (
    artifacts_pb2,
    experiments_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    run_inputs_pb2,
    runs_pb2,
)

_ISSUE_FIELDS = frozenset(field.name for field in dataclasses.fields(Issue))


def _by_key(entries: Mapping[str, str]) -> list[tuple[str, str]]:
    # The order of a map's entries differs from process to process.
    return sorted(entries.items())


def _lifecycle_stage(stage: experiments_pb2.LifecycleStage) -> str:
    return experiments_pb2.LifecycleStage.Name(stage).removeprefix("LIFECYCLE_STAGE_").lower()


def experiment_of(message: experiments_pb2.Experiment) -> Experiment:
    """An experiment."""
    return Experiment(
        experiment_id=message.experiment_id,
        name=message.name,
        artifact_location=message.artifact_location,
        lifecycle_stage=_lifecycle_stage(message.lifecycle_stage),
        tags=[ExperimentTag(key, value) for key, value in _by_key(message.tags)],
        creation_time=message.creation_time_ms,
        last_update_time=message.last_update_time_ms,
    )


def run_info_of(message: runs_pb2.Run) -> RunInfo:
    """What a run is, without its data."""
    return RunInfo(
        run_id=message.run_id,
        experiment_id=message.experiment_id,
        user_id=message.user_id,
        status=runs_pb2.RunStatus.Name(message.status).removeprefix("RUN_STATUS_"),
        start_time=message.start_time_ms,
        end_time=message.end_time_ms if message.HasField("end_time_ms") else None,
        lifecycle_stage=_lifecycle_stage(message.lifecycle_stage),
        artifact_uri=message.artifact_uri,
        run_name=message.run_name,
    )


def run_of(message: runs_pb2.Run) -> Run:
    """A run with its data, its inputs and its outputs."""
    data = RunData(
        metrics=[_last_point(summary) for summary in message.metrics],
        params=[Param(key, value) for key, value in _by_key(message.params)],
        tags=[RunTag(key, value) for key, value in _by_key(message.tags)],
    )
    inputs = RunInputs(
        dataset_inputs=[_dataset_input(given) for given in message.inputs.datasets],
        model_inputs=[LoggedModelInput(model.model_id) for model in message.inputs.models],
    )
    outputs = RunOutputs(
        model_outputs=[LoggedModelOutput(model.model_id, model.step) for model in message.outputs.models]
    )
    return Run(run_info_of(message), data, inputs, outputs)


def _dataset_input(message: run_inputs_pb2.DatasetInput) -> DatasetInput:
    said = message.dataset
    dataset = Dataset(
        name=said.name,
        digest=said.digest,
        source_type=said.source_type,
        source=said.source,
        schema=said.schema or None,
        profile=said.profile or None,
    )
    return DatasetInput(dataset, [InputTag(key, value) for key, value in _by_key(message.tags)])


def logged_model_of(message: logged_models_pb2.LoggedModel) -> LoggedModel:
    """A logged model with its params, tags and metrics."""
    return LoggedModel(
        experiment_id=message.experiment_id,
        model_id=message.model_id,
        name=message.name,
        artifact_location=message.artifact_uri,
        creation_timestamp=message.creation_time_ms,
        last_updated_timestamp=message.last_update_time_ms,
        model_type=message.model_type or None,
        source_run_id=message.source_run_id or None,
        # mlflow numbers them alike.
        status=LoggedModelStatus.from_int(message.status),
        status_message=message.status_message or None,
        tags=dict(_by_key(message.tags)),
        params=dict(_by_key(message.params)),
        metrics=[_last_point(summary) for summary in message.metrics],
    )


def issue_of(message: issues_pb2.Issue) -> Issue:
    """An issue."""
    severity = issues_pb2.IssueSeverity.Name(message.severity).removeprefix("ISSUE_SEVERITY_").lower()
    # Newer versions of mlflow keep more of an issue than older ones.
    more: dict[str, Any] = {
        "last_seen_timestamp": message.last_seen_time_ms if message.HasField("last_seen_time_ms") else None,
        "last_updated_by": message.last_updated_by or None,
        "metadata": dict(_by_key(message.metadata)) or None,
    }
    return Issue(
        issue_id=message.issue_id,
        experiment_id=message.experiment_id,
        name=message.name,
        description=message.description,
        status=IssueStatus(issues_pb2.IssueStatus.Name(message.status).removeprefix("ISSUE_STATUS_").lower()),
        created_timestamp=message.creation_time_ms,
        last_updated_timestamp=message.last_update_time_ms,
        severity=IssueSeverity(severity) if message.severity else None,
        root_causes=list(message.root_causes) or None,
        source_run_id=message.source_run_id or None,
        categories=list(message.categories) or None,
        created_by=message.created_by or None,
        **{name: value for name, value in more.items() if name in _ISSUE_FIELDS},
    )


def metric_of(
    key: str, value: float, time_ms: int, step: int, context: metrics_pb2.SeriesContext | None, run_id: str
) -> Metric:
    """One point of a metric."""
    if context is None:
        return Metric(key, value, time_ms, step, run_id=run_id)
    # mlflow has both of a dataset or none.
    has_dataset = bool(context.dataset_name or context.dataset_digest)
    return Metric(
        key,
        value,
        time_ms,
        step,
        model_id=context.model_id or None,
        dataset_name=context.dataset_name if has_dataset else None,
        dataset_digest=context.dataset_digest if has_dataset else None,
        run_id=run_id,
    )


def _last_point(summary: metrics_pb2.MetricSummary) -> Metric:
    context = summary.context if summary.HasField("context") else None
    last = (summary.last_value, summary.last_time_ms, summary.last_step)
    return metric_of(summary.key, *last, context, summary.run_id)


def model_version_of(message: model_registry_pb2.ModelVersion) -> ModelVersion:
    """A version of a registered model."""
    version = convert.model_version_of(message)
    return ModelVersion(
        name=version.name,
        version=version.version,
        creation_timestamp=version.creation_timestamp,
        last_updated_timestamp=version.last_updated_timestamp,
        description=version.description,
        user_id=version.user_id,
        current_stage=version.current_stage,
        source=version.source,
        run_id=version.run_id,
        status=version.status,
        status_message=version.status_message,
        tags=[ModelVersionTag(key, value) for key, value in version.tags.items()],
        run_link=version.run_link,
        aliases=version.aliases,
        model_id=message.model_id or None,
    )


def registered_model_of(message: model_registry_pb2.RegisteredModel) -> RegisteredModel:
    """A registered model with its latest versions."""
    return RegisteredModel(
        name=message.name,
        creation_timestamp=message.creation_time_ms,
        last_updated_timestamp=message.last_update_time_ms,
        description=message.description,
        latest_versions=[model_version_of(version) for version in message.latest_versions],
        tags=[RegisteredModelTag(key, value) for key, value in _by_key(message.tags)],
        aliases=[RegisteredModelAlias(alias, str(version)) for alias, version in sorted(message.aliases.items())],
    )


def file_info_of(message: artifacts_pb2.Artifact, path: str) -> FileInfo:
    """A file or a folder, under the path that it has from where it is listed."""
    return FileInfo(path, message.is_dir, None if message.is_dir else message.size_bytes)
