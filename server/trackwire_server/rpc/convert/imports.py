"""From the messages of what is taken over to entities: the nouns' own messages, read whole."""

from collections.abc import Iterable

from trackwire.v1 import (
    evaluation_datasets_pb2,
    experiments_pb2,
    issues_pb2,
    logged_models_pb2,
    model_registry_pb2,
    runs_pb2,
)
from trackwire_server.core.entities import (
    Experiment,
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    RegisteredModel,
    Run,
    RunStatus,
)
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, RecordSource
from trackwire_server.core.issue_entities import Issue, IssueStatus
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus
from trackwire_server.rpc.convert import issues, logged_models, model_registry, runs
from trackwire_server.rpc.convert.evaluation_datasets import source_type_from_proto
from trackwire_server.rpc.convert.run_inputs import inputs_from_proto, outputs_from_proto
from trackwire_server.rpc.convert.shared import stage_from_proto


def experiment_from_proto(message: experiments_pb2.Experiment) -> Experiment:
    """An experiment. Raises InvalidArgument."""
    return Experiment(
        experiment_id=message.experiment_id,
        name=message.name,
        artifact_location=message.artifact_location,
        lifecycle_stage=stage_from_proto("experiment.lifecycle_stage", message.lifecycle_stage),
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        tags=dict(message.tags),
    )


def run_from_proto(message: runs_pb2.Run) -> Run:
    """A run without its metrics. Raises InvalidArgument."""
    return Run(
        run_id=message.run_id,
        run_name=message.run_name,
        experiment_id=message.experiment_id,
        user_id=message.user_id,
        status=runs.status_from_proto(message.status, field="run.status") or RunStatus.RUNNING,
        start_time_ms=message.start_time_ms,
        end_time_ms=message.end_time_ms if message.HasField("end_time_ms") else None,
        lifecycle_stage=stage_from_proto("run.lifecycle_stage", message.lifecycle_stage),
        artifact_uri=message.artifact_uri,
        deleted_time_ms=message.deleted_time_ms if message.HasField("deleted_time_ms") else None,
        parent_run_id=message.parent_run_id,
        params=dict(message.params),
        tags=dict(message.tags),
        inputs=inputs_from_proto(message.inputs),
        outputs=outputs_from_proto(message.outputs),
    )


def logged_model_from_proto(message: logged_models_pb2.LoggedModel) -> LoggedModel:
    """A logged model without its metrics. Raises InvalidArgument."""
    status = logged_models.status_from_proto(message.status, field="logged_model.status")
    return LoggedModel(
        model_id=message.model_id,
        experiment_id=message.experiment_id,
        name=message.name,
        artifact_uri=message.artifact_uri,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        model_type=message.model_type,
        source_run_id=message.source_run_id,
        status=status or LoggedModelStatus.PENDING,
        status_message=message.status_message,
        tags=dict(message.tags),
        params=dict(message.params),
    )


def registered_model_from_proto(message: model_registry_pb2.RegisteredModel) -> RegisteredModel:
    """A registered model without its aliases and versions."""
    return RegisteredModel(
        name=message.name,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        description=message.description,
        tags=dict(message.tags),
    )


def version_from_proto(message: model_registry_pb2.ModelVersion) -> ModelVersion:
    """A version of a registered model. Raises InvalidArgument."""
    status = model_registry.status_from_proto("model_version.status", message.status)
    stage = ModelStage.NONE
    if message.current_stage != model_registry_pb2.MODEL_STAGE_UNSPECIFIED:
        stage = model_registry.stage_from_proto("model_version.current_stage", message.current_stage)
    return ModelVersion(
        name=message.name,
        version=message.version,
        source=message.source,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        description=message.description,
        run_id=message.run_id,
        run_link=message.run_link,
        user_id=message.user_id,
        status=status or ModelVersionStatus.READY,
        status_message=message.status_message,
        current_stage=stage,
        aliases=tuple(message.aliases),
        tags=dict(message.tags),
        model_id=message.model_id,
        storage_location=message.storage_location,
    )


def issue_from_proto(message: issues_pb2.Issue) -> Issue:
    """An issue. Raises InvalidArgument."""
    return Issue(
        issue_id=message.issue_id,
        experiment_id=message.experiment_id,
        name=message.name,
        description=message.description,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        status=issues.status_from_proto("issue.status", message.status) or IssueStatus.PENDING,
        severity=issues.severity_from_proto("issue.severity", message.severity),
        root_causes=tuple(message.root_causes),
        categories=tuple(message.categories),
        source_run_id=message.source_run_id,
        created_by=message.created_by,
        last_updated_by=message.last_updated_by,
        last_seen_time_ms=message.last_seen_time_ms if message.HasField("last_seen_time_ms") else None,
        metadata=dict(message.metadata),
    )


def evaluation_dataset_from_proto(message: evaluation_datasets_pb2.EvaluationDataset) -> EvaluationDataset:
    """An evaluation dataset without its records."""
    return EvaluationDataset(
        dataset_id=message.dataset_id,
        name=message.name,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        digest=message.digest,
        schema=message.schema,
        created_by=message.created_by,
        last_updated_by=message.last_updated_by,
        tags=dict(message.tags),
        experiment_ids=tuple(message.experiment_ids),
    )


def evaluation_records_from_proto(
    messages: Iterable[evaluation_datasets_pb2.EvaluationDatasetRecord],
) -> list[EvaluationRecord]:
    """Records, whose JSON is not read yet. Raises InvalidArgument."""
    return [_evaluation_record(f"records[{at}]", message) for at, message in enumerate(messages)]


def _evaluation_record(field: str, message: evaluation_datasets_pb2.EvaluationDatasetRecord) -> EvaluationRecord:
    source = None
    if message.HasField("source"):
        kind = source_type_from_proto(f"{field}.source.type", message.source.type)
        source = RecordSource(kind, message.source.data)
    return EvaluationRecord(
        record_id=message.record_id,
        dataset_id=message.dataset_id,
        inputs=message.inputs,
        creation_time_ms=message.creation_time_ms,
        last_update_time_ms=message.last_update_time_ms,
        outputs=message.outputs,
        expectations=message.expectations,
        tags=message.tags,
        source=source,
        created_by=message.created_by,
        last_updated_by=message.last_updated_by,
    )
