"""mlflow's entities as messages of `trackwire.v1`."""

import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from google.protobuf.message import Message
from mlflow.entities import EvaluationDataset, Experiment, Issue, LoggedModel, Run, RunInputs, RunOutputs
from mlflow.entities.dataset_record import DatasetRecord
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from trackwire.v1 import (
    evaluation_datasets_pb2,
    experiments_pb2,
    issues_pb2,
    logged_models_pb2,
    model_registry_pb2,
    run_inputs_pb2,
    runs_pb2,
)

# Where the contract has another word.
_LOGGED_MODEL_STATUSES = {"FAILED": "UPLOAD_FAILED"}


class Entry(Protocol):
    """A tag or a param."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def value(self) -> str:
        """What it says."""


def experiment_message(experiment: Experiment, *, with_place: bool) -> experiments_pb2.Experiment:
    """An experiment; without its place the server chooses one."""
    return experiments_pb2.Experiment(
        experiment_id=str(experiment.experiment_id),
        name=experiment.name,
        artifact_location=experiment.artifact_location if with_place else "",
        lifecycle_stage=_stage(experiment.lifecycle_stage),
        creation_time_ms=experiment.creation_time or 0,
        last_update_time_ms=experiment.last_update_time or 0,
        tags=_texts(experiment.tags),
    )


def run_message(run: Run, *, with_place: bool) -> runs_pb2.Run:
    """A run with its params, tags, inputs and outputs; without its place the server chooses one."""
    info = run.info
    return runs_pb2.Run(
        run_id=info.run_id,
        run_name=info.run_name or "",
        experiment_id=str(info.experiment_id),
        user_id=info.user_id or "",
        status=f"RUN_STATUS_{info.status}",
        start_time_ms=info.start_time or 0,
        end_time_ms=info.end_time,
        lifecycle_stage=_stage(info.lifecycle_stage),
        artifact_uri=info.artifact_uri if with_place else "",
        params=run.data.params,
        tags=run.data.tags,
        inputs=_inputs(run.inputs),
        outputs=_outputs(run.outputs),
    )


def logged_model_message(model: LoggedModel, *, with_place: bool) -> logged_models_pb2.LoggedModel:
    """A logged model; without its place the server chooses one."""
    return logged_models_pb2.LoggedModel(
        model_id=model.model_id,
        experiment_id=str(model.experiment_id),
        name=model.name,
        artifact_uri=model.artifact_location if with_place else "",
        model_type=model.model_type or "",
        source_run_id=model.source_run_id or "",
        status=f"LOGGED_MODEL_STATUS_{_LOGGED_MODEL_STATUSES.get(str(model.status), model.status)}",
        status_message=model.status_message or "",
        creation_time_ms=model.creation_timestamp or 0,
        last_update_time_ms=model.last_updated_timestamp or 0,
        tags={key: str(value) for key, value in model.tags.items()},
        params={key: str(value) for key, value in model.params.items()},
    )


def registered_model_message(model: RegisteredModel) -> model_registry_pb2.RegisteredModel:
    """A registered model without its aliases and versions."""
    return model_registry_pb2.RegisteredModel(
        name=model.name,
        description=model.description or "",
        creation_time_ms=model.creation_timestamp or 0,
        last_update_time_ms=model.last_updated_timestamp or 0,
        # `model.tags` leaves out the one that says that it is a prompt.
        tags=_texts(model.to_proto().tags),
    )


def version_message(version: ModelVersion, aliases: Iterable[str]) -> model_registry_pb2.ModelVersion:
    """A version with its stage, and with the aliases that point at it."""
    return model_registry_pb2.ModelVersion(
        name=version.name,
        version=int(version.version),
        description=version.description or "",
        source=version.source or "",
        run_id=version.run_id or "",
        run_link=version.run_link or "",
        user_id=version.user_id or "",
        status=f"MODEL_VERSION_STATUS_{version.status}",
        status_message=version.status_message or "",
        current_stage=f"MODEL_STAGE_{(version.current_stage or 'None').upper()}",
        aliases=sorted(aliases),
        tags=_texts(version.tags),
        creation_time_ms=version.creation_timestamp or 0,
        last_update_time_ms=version.last_updated_timestamp or 0,
        model_id=version.model_id or "",
    )


def issue_message(issue: Issue) -> issues_pb2.Issue:
    """An issue; the last of it newer versions of mlflow keep alone."""
    return issues_pb2.Issue(
        issue_id=issue.issue_id,
        experiment_id=str(issue.experiment_id),
        name=issue.name,
        description=issue.description,
        status=f"ISSUE_STATUS_{issue.status.value.upper()}",
        severity=f"ISSUE_SEVERITY_{issue.severity.value.upper()}" if issue.severity else None,
        root_causes=issue.root_causes,
        categories=issue.categories,
        source_run_id=issue.source_run_id or "",
        created_by=issue.created_by or "",
        creation_time_ms=issue.created_timestamp or 0,
        last_update_time_ms=issue.last_updated_timestamp or 0,
        last_updated_by=getattr(issue, "last_updated_by", None) or "",
        last_seen_time_ms=getattr(issue, "last_seen_timestamp", None),
        metadata=getattr(issue, "metadata", None),
    )


def evaluation_dataset_message(dataset: EvaluationDataset) -> evaluation_datasets_pb2.EvaluationDataset:
    """An evaluation dataset without its experiments and records."""
    return evaluation_datasets_pb2.EvaluationDataset(
        dataset_id=dataset.dataset_id,
        name=dataset.name,
        # mlflow passes over tags that are None, too.
        tags={key: str(value) for key, value in (dataset.tags or {}).items() if value is not None},
        schema=dataset.schema or "",
        digest=dataset.digest or "",
        creation_time_ms=dataset.created_time or 0,
        last_update_time_ms=dataset.last_update_time or 0,
        created_by=dataset.created_by or "",
        last_updated_by=dataset.last_updated_by or "",
    )


def evaluation_record_message(record: DatasetRecord) -> evaluation_datasets_pb2.EvaluationDatasetRecord:
    """A record of an evaluation dataset."""
    source = None
    if record.source is not None:
        source = evaluation_datasets_pb2.EvaluationRecordSource(
            type=f"EVALUATION_RECORD_SOURCE_TYPE_{record.source.source_type.value}",
            data=json.dumps(record.source.source_data or {}),
        )
    return evaluation_datasets_pb2.EvaluationDatasetRecord(
        record_id=record.dataset_record_id,
        dataset_id=record.dataset_id,
        inputs=json.dumps(record.inputs),
        outputs=json.dumps(record.outputs),
        expectations="" if record.expectations is None else json.dumps(record.expectations),
        tags=json.dumps(record.tags or {}),
        source=source,
        creation_time_ms=record.created_time or 0,
        last_update_time_ms=record.last_update_time or 0,
        created_by=record.created_by or "",
        last_updated_by=record.last_updated_by or "",
    )


def stored_as_sent(sent: Message, stored: Message, *chosen_there: str) -> bool:
    """Whether what is stored is what was sent, but for what the server chooses."""
    wanted, kept = type(sent)(), type(stored)()
    for copy, original in ((wanted, sent), (kept, stored)):
        copy.CopyFrom(original)
        for name in chosen_there:
            copy.ClearField(name)
    return wanted == kept


def _stage(stage: str) -> str:
    return f"LIFECYCLE_STAGE_{stage.upper()}"


def _texts(entries: Mapping[str, str] | Iterable[Entry]) -> dict[str, str]:
    # mlflow has a mapping of them in some entities and a list in others.
    if isinstance(entries, Mapping):
        return {key: str(value) for key, value in entries.items()}
    return {entry.key: str(entry.value) for entry in entries}


def _inputs(inputs: RunInputs | None) -> run_inputs_pb2.RunInputs | None:
    if inputs is None or not (inputs.dataset_inputs or inputs.model_inputs):
        return None
    message = run_inputs_pb2.RunInputs()
    for given in inputs.dataset_inputs or ():
        said = given.dataset
        dataset = run_inputs_pb2.Dataset(
            name=said.name,
            digest=said.digest,
            source_type=said.source_type,
            source=said.source,
            schema=said.schema,
            profile=said.profile,
        )
        message.datasets.add(dataset=dataset, tags=_texts(given.tags or ()))
    for model in inputs.model_inputs or ():
        message.models.add(model_id=model.model_id)
    return message


def _outputs(outputs: RunOutputs | None) -> run_inputs_pb2.RunOutputs | None:
    if outputs is None or not outputs.model_outputs:
        return None
    made = [run_inputs_pb2.ModelOutput(model_id=model.model_id, step=model.step) for model in outputs.model_outputs]
    return run_inputs_pb2.RunOutputs(models=made)
