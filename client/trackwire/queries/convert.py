"""From the messages of `trackwire.v1` to entities."""

from collections.abc import Mapping

from trackwire.columns import Series
from trackwire.queries.entities import (
    Experiment,
    FileInfo,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
)
from trackwire.queries.inputs import inputs_of, outputs_of
from trackwire.v1 import artifacts_pb2, experiments_pb2, model_registry_pb2, runs_pb2

_LIFECYCLE_STAGES = {
    experiments_pb2.LIFECYCLE_STAGE_ACTIVE: "active",
    experiments_pb2.LIFECYCLE_STAGE_DELETED: "deleted",
}
_MODEL_STAGES = {
    model_registry_pb2.MODEL_STAGE_NONE: "None",
    model_registry_pb2.MODEL_STAGE_STAGING: "Staging",
    model_registry_pb2.MODEL_STAGE_PRODUCTION: "Production",
    model_registry_pb2.MODEL_STAGE_ARCHIVED: "Archived",
}


def _by_key(texts: Mapping[str, str]) -> dict[str, str]:
    # The order of a map's entries differs from process to process.
    return dict(sorted(texts.items()))


def run_of(message: runs_pb2.Run) -> Run:
    """A run with its data, its inputs and its outputs."""
    return Run(
        info=RunInfo(
            run_id=message.run_id,
            run_name=message.run_name,
            experiment_id=message.experiment_id,
            user_id=message.user_id,
            status=runs_pb2.RunStatus.Name(message.status).removeprefix("RUN_STATUS_"),
            start_time=message.start_time_ms,
            end_time=message.end_time_ms if message.HasField("end_time_ms") else None,
            lifecycle_stage=_LIFECYCLE_STAGES[message.lifecycle_stage],
            artifact_uri=message.artifact_uri,
        ),
        data=RunData(
            metrics={summary.key: summary.last_value for summary in message.metrics},
            params=_by_key(message.params),
            tags=_by_key(message.tags),
        ),
        inputs=inputs_of(message),
        outputs=outputs_of(message),
    )


def experiment_of(message: experiments_pb2.Experiment) -> Experiment:
    """An experiment."""
    return Experiment(
        experiment_id=message.experiment_id,
        name=message.name,
        artifact_location=message.artifact_location,
        lifecycle_stage=_LIFECYCLE_STAGES[message.lifecycle_stage],
        tags=_by_key(message.tags),
        creation_time=message.creation_time_ms,
        last_update_time=message.last_update_time_ms,
    )


def metrics_of(series: Series) -> list[Metric]:
    """The points of a series, in its order."""
    columns = (series.values.tolist(), series.times_ms.tolist(), series.steps.tolist())
    context = series.context
    names = (context.model_id, context.dataset_name, context.dataset_digest) if context is not None else ("", "", "")
    said = [name or None for name in names]
    return [Metric(series.key, value, time_ms, step, *said) for value, time_ms, step in zip(*columns, strict=True)]


def file_info_of(message: artifacts_pb2.Artifact) -> FileInfo:
    """A file or a folder."""
    return FileInfo(message.path, message.is_dir, None if message.is_dir else message.size_bytes)


def model_version_of(message: model_registry_pb2.ModelVersion) -> ModelVersion:
    """A version of a registered model."""
    status = model_registry_pb2.ModelVersionStatus.Name(message.status)
    return ModelVersion(
        name=message.name,
        version=str(message.version),
        creation_timestamp=message.creation_time_ms,
        last_updated_timestamp=message.last_update_time_ms,
        description=message.description,
        user_id=message.user_id,
        current_stage=_MODEL_STAGES[message.current_stage],
        source=message.source,
        run_id=message.run_id,
        status=status.removeprefix("MODEL_VERSION_STATUS_"),
        status_message=message.status_message,
        run_link=message.run_link,
        tags=_by_key(message.tags),
        aliases=list(message.aliases),
    )


def registered_model_of(message: model_registry_pb2.RegisteredModel) -> RegisteredModel:
    """A registered model with its latest versions."""
    return RegisteredModel(
        name=message.name,
        creation_timestamp=message.creation_time_ms,
        last_updated_timestamp=message.last_update_time_ms,
        description=message.description,
        latest_versions=[model_version_of(version) for version in message.latest_versions],
        tags=_by_key(message.tags),
        aliases={alias: str(version) for alias, version in sorted(message.aliases.items())},
    )
