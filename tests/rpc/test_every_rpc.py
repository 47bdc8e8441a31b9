"""Every rpc of the protos has a handler and answers a minimal valid request over a real socket, on every store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from tests.conftest import Stubs
from tests.rpc.refusals import refusal_in

from trackwire.v1 import (
    admin_pb2,
    artifacts_pb2,
    evaluation_datasets_pb2,
    experiments_pb2,
    imports_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    run_inputs_pb2,
    runs_pb2,
)

FILES = {
    "experiments": experiments_pb2,
    "runs": runs_pb2,
    "metrics": metrics_pb2,
    "artifacts": artifacts_pb2,
    "model_registry": model_registry_pb2,
    "logged_models": logged_models_pb2,
    "issues": issues_pb2,
    "evaluation_datasets": evaluation_datasets_pb2,
    "imports": imports_pb2,
    "admin": admin_pb2,
}
METHODS: Mapping[tuple[str, str], MethodDescriptor] = {
    (noun, method.name): method
    for noun, file in FILES.items()
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
# An rpc that this server's stores can't answer otherwise.
UNSUPPORTED = {
    "CreateArtifactUploadUrl": "PRESIGNED_URLS_UNSUPPORTED",
    "CreateArtifactDownloadUrl": "PRESIGNED_URLS_UNSUPPORTED",
    "CreateArtifactPartUrl": "PRESIGNED_URLS_UNSUPPORTED",
    # Where no part has a URL, no upload in parts was begun.
    "CompleteArtifactUpload": "PARTS_GONE",
}
# Those of logged models that name no model, and of evaluation datasets that name no dataset.
NAMELESS = ("CreateLoggedModel", "SearchLoggedModels", "CreateEvaluationDataset", "SearchEvaluationDatasets")
DATA = b"weights"
_STAGE = model_registry_pb2.MODEL_STAGE_STAGING

# In an order in which each finds what it needs. Fields by name; experiment 1 and version 1 are the first made.
CALLS: list[tuple[str, str, dict[str, object]]] = [
    ("experiments", "CreateExperiment", {"name": "vision"}),
    ("experiments", "GetExperiment", {"name": "vision"}),
    ("experiments", "SearchExperiments", {}),
    ("experiments", "UpdateExperiment", {"experiment_id": "1", "name": "sound"}),
    ("experiments", "SetExperimentTags", {"experiment_id": "1", "tags": {"a": "b"}}),
    ("experiments", "DeleteExperimentTag", {"experiment_id": "1", "key": "a"}),
    ("experiments", "DeleteExperiment", {"experiment_id": "1"}),
    ("experiments", "RestoreExperiment", {"experiment_id": "1"}),
    ("runs", "CreateRun", {"run_id": "r"}),
    ("runs", "GetRun", {"run_id": "r"}),
    ("runs", "UpdateRun", {"run_id": "r", "run_name": "renamed"}),
    ("runs", "DeleteRun", {"run_id": "r"}),
    ("runs", "RestoreRun", {"run_id": "r"}),
    ("runs", "SearchRuns", {"experiment_ids": ["0"]}),
    ("runs", "LogParams", {"run_id": "r", "params": {"lr": "0.1"}}),
    ("runs", "SetRunTags", {"run_id": "r", "tags": {"a": "b"}}),
    ("runs", "DeleteRunTag", {"run_id": "r", "key": "a"}),
    ("runs", "LogRunInputs", {"run_id": "r", "models": [run_inputs_pb2.ModelInput(model_id="m")]}),
    ("runs", "LogRunOutputs", {"run_id": "r", "models": [run_inputs_pb2.ModelOutput(model_id="m")]}),
    ("runs", "SearchRunDatasets", {"experiment_ids": ["0"]}),
    ("runs", "ListRunKeys", {"experiment_ids": ["0"]}),
    ("runs", "HeartbeatRun", {"run_id": "r"}),
    ("runs", "RequestRunStop", {"run_id": "r"}),
    (
        "metrics",
        "IngestMetrics",
        {"run_id": "r", "keys": ["loss"], "counts": [1], "steps": [1], "times_ms": [1], "values": [0.5]},
    ),
    ("metrics", "LogMetrics", {"run_id": "r", "points": [metrics_pb2.MetricPoint(key="loss", value=1, step=2)]}),
    ("metrics", "ReadMetrics", {"run_ids": ["r"]}),
    ("metrics", "GetMetricSummaries", {"run_ids": ["r"]}),
    ("metrics", "TailMetrics", {"run_ids": ["r"]}),
    ("artifacts", "UploadArtifact", {}),
    ("artifacts", "GetUploadStatus", {"run_id": "r", "upload_id": "u"}),
    ("artifacts", "ListArtifacts", {"run_id": "r"}),
    ("artifacts", "DownloadArtifact", {"run_id": "r", "path": "w.bin"}),
    ("artifacts", "CreateArtifactUploadUrl", {"run_id": "r", "path": "w.bin"}),
    ("artifacts", "CreateArtifactDownloadUrl", {"run_id": "r", "path": "w.bin"}),
    (
        "artifacts",
        "CreateArtifactPartUrl",
        {"header": {"run_id": "r", "upload_id": "p", "path": "p", "size_bytes": 1}, "part_number": 1, "part_bytes": 1},
    ),
    (
        "artifacts",
        "CompleteArtifactUpload",
        {"header": {"run_id": "r", "upload_id": "p", "path": "p"}, "crc32s": [0], "sha256": bytes(32)},
    ),
    ("artifacts", "DeleteArtifact", {"run_id": "r", "path": "w.bin"}),
    ("model_registry", "CreateRegisteredModel", {"name": "digits"}),
    ("model_registry", "GetRegisteredModel", {"name": "digits"}),
    ("model_registry", "SearchRegisteredModels", {}),
    ("model_registry", "UpdateRegisteredModel", {"name": "digits", "description": "of hands"}),
    ("model_registry", "SetRegisteredModelTags", {"name": "digits", "tags": {"a": "b"}}),
    ("model_registry", "DeleteRegisteredModelTag", {"name": "digits", "key": "a"}),
    ("model_registry", "CreateModelVersion", {"name": "digits", "source": "runs:/r/model", "run_id": "r"}),
    ("model_registry", "GetModelVersion", {"name": "digits", "version": 1}),
    ("model_registry", "SearchModelVersions", {}),
    ("model_registry", "UpdateModelVersion", {"name": "digits", "version": 1, "description": "first"}),
    ("model_registry", "TransitionModelVersionStage", {"name": "digits", "version": 1, "stage": _STAGE}),
    ("model_registry", "GetLatestModelVersions", {"name": "digits"}),
    ("model_registry", "SetModelVersionTags", {"name": "digits", "version": 1, "tags": {"a": "b"}}),
    ("model_registry", "DeleteModelVersionTag", {"name": "digits", "version": 1, "key": "a"}),
    ("model_registry", "SetRegisteredModelAlias", {"name": "digits", "alias": "champion", "version": 1}),
    ("model_registry", "DeleteRegisteredModelAlias", {"name": "digits", "alias": "champion"}),
    ("model_registry", "DeleteModelVersion", {"name": "digits", "version": 1}),
    ("model_registry", "RenameRegisteredModel", {"name": "digits", "new_name": "numerals"}),
    ("model_registry", "DeleteRegisteredModel", {"name": "numerals"}),
    ("logged_models", "CreateLoggedModel", {"experiment_id": "0", "params": {"depth": "3"}}),
    ("logged_models", "SearchLoggedModels", {"experiment_ids": ["0"]}),
    ("logged_models", "GetLoggedModel", {}),
    ("logged_models", "UpdateLoggedModel", {"status": logged_models_pb2.LOGGED_MODEL_STATUS_READY}),
    ("logged_models", "SetLoggedModelTags", {"tags": {"a": "b"}}),
    ("logged_models", "DeleteLoggedModelTag", {"key": "a"}),
    ("logged_models", "LogLoggedModelParams", {"params": {"depth": "3"}}),
    ("logged_models", "DeleteLoggedModel", {}),
    (
        "issues",
        "CreateIssue",
        {"experiment_id": "0", "issue_id": "iss-1", "name": "slow", "description": "It takes long."},
    ),
    ("issues", "GetIssue", {"issue_id": "iss-1"}),
    ("issues", "UpdateIssue", {"issue_id": "iss-1", "status": issues_pb2.ISSUE_STATUS_RESOLVED}),
    ("issues", "SearchIssues", {}),
    ("evaluation_datasets", "CreateEvaluationDataset", {"name": "questions"}),
    ("evaluation_datasets", "SearchEvaluationDatasets", {}),
    ("evaluation_datasets", "GetEvaluationDataset", {}),
    ("evaluation_datasets", "SetEvaluationDatasetTags", {"tags": {"a": "b"}}),
    ("evaluation_datasets", "DeleteEvaluationDatasetTag", {"key": "a"}),
    (
        "evaluation_datasets",
        "UpsertEvaluationDatasetRecords",
        {"records": [evaluation_datasets_pb2.NewEvaluationDatasetRecord(inputs="{}")]},
    ),
    ("evaluation_datasets", "ListEvaluationDatasetRecords", {}),
    ("evaluation_datasets", "DeleteEvaluationDatasetRecords", {"record_ids": ["dr-1"]}),
    ("evaluation_datasets", "AddEvaluationDatasetToExperiments", {"experiment_ids": ["0"]}),
    ("evaluation_datasets", "RemoveEvaluationDatasetFromExperiments", {"experiment_ids": ["0"]}),
    ("evaluation_datasets", "DeleteEvaluationDataset", {}),
    ("imports", "ImportExperiment", {"experiment": experiments_pb2.Experiment(experiment_id="77", name="old")}),
    ("imports", "ImportRun", {"run": runs_pb2.Run(run_id="old", experiment_id="77")}),
    (
        "imports",
        "ImportLoggedModel",
        {"logged_model": logged_models_pb2.LoggedModel(model_id="m-old", experiment_id="77", name="old")},
    ),
    ("imports", "ImportRegisteredModel", {"registered_model": model_registry_pb2.RegisteredModel(name="old")}),
    (
        "imports",
        "ImportModelVersion",
        {"model_version": model_registry_pb2.ModelVersion(name="old", version=3, source="s3://old/model")},
    ),
    (
        "imports",
        "ImportIssue",
        {"issue": issues_pb2.Issue(issue_id="iss-old", experiment_id="77", name="old", description="It was slow.")},
    ),
    (
        "imports",
        "ImportEvaluationDataset",
        {"dataset": evaluation_datasets_pb2.EvaluationDataset(dataset_id="d-old", name="old")},
    ),
    (
        "imports",
        "ImportEvaluationDatasetRecords",
        {
            "dataset_id": "d-old",
            "records": [evaluation_datasets_pb2.EvaluationDatasetRecord(record_id="dr-old", inputs="{}")],
        },
    ),
    ("admin", "GetServerInfo", {}),
    ("admin", "CollectGarbage", {}),
]


async def upload() -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
    header = artifacts_pb2.UploadHeader(upload_id="u", run_id="r", path="w.bin", size_bytes=len(DATA))
    yield artifacts_pb2.UploadArtifactRequest(header=header)
    yield artifacts_pb2.UploadArtifactRequest(data=DATA)
    finish = artifacts_pb2.UploadFinish(sha256=sha256(DATA).digest())
    yield artifacts_pb2.UploadArtifactRequest(finish=finish)


async def answer(stubs: Stubs, noun: str, name: str, fields: Mapping[str, object]) -> Message:
    """The only answer to a call, or the first of a stream."""
    method = METHODS[noun, name]
    call: Callable[..., object] = getattr(getattr(stubs, noun), name)
    if method.client_streaming:
        return await awaited(call(upload()))
    request = getattr(FILES[noun], method.input_type.name)(**fields)
    if not method.server_streaming:
        return await awaited(call(request))
    stream = call(request)
    assert isinstance(stream, grpc.aio.UnaryStreamCall)
    first = await stream.read()
    stream.cancel()
    assert isinstance(first, Message), "the stream ended without an answer"
    return first


async def awaited(call: object) -> Message:
    assert isinstance(call, Awaitable)
    found = await call
    assert isinstance(found, Message)
    return found


def test_every_rpc_of_the_protos_is_called_below() -> None:
    assert {(noun, name) for noun, name, _ in CALLS} == METHODS.keys()


async def test_every_rpc_answers_a_minimal_request(stubs: Stubs) -> None:
    made: dict[str, dict[str, object]] = {"logged_models": {}, "evaluation_datasets": {}}
    for noun, name, named in CALLS:
        # The server makes the ids of these: they are only known once there is one.
        fields = {**made[noun], **named} if noun in made and name not in NAMELESS else named
        if name in UNSUPPORTED:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await answer(stubs, noun, name, fields)
            assert refusal_in(raised.value).reason == UNSUPPORTED[name]
        else:
            found = await answer(stubs, noun, name, fields)
            assert found.DESCRIPTOR is METHODS[noun, name].output_type, name
            if isinstance(found, logged_models_pb2.CreateLoggedModelResponse):
                made[noun]["model_id"] = found.logged_model.model_id
            if isinstance(found, evaluation_datasets_pb2.CreateEvaluationDatasetResponse):
                made[noun]["dataset_id"] = found.dataset.dataset_id


async def test_rpc_that_no_proto_has_is_unimplemented(stubs: Stubs) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stubs.channel.unary_unary("/trackwire.v1.RunService/NoSuchRpc")(b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
