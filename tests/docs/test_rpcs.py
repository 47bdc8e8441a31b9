"""Every rpc of the contract is implemented by the server and reached by a method of both clients."""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from tests.client.looped import LoopedClient

from trackwire import Client, TrackwireError
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
    runs_pb2,
)
from trackwire.v1.artifacts_pb2 import UploadHeader

MODULES = (
    experiments_pb2,
    runs_pb2,
    metrics_pb2,
    artifacts_pb2,
    model_registry_pb2,
    logged_models_pb2,
    issues_pb2,
    evaluation_datasets_pb2,
    imports_pb2,
    admin_pb2,
)
RPCS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}": method
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}

METHODS: dict[str, Callable[[Client], object]] = {
    "ExperimentService/CreateExperiment": lambda client: client.create_experiment("name"),
    "ExperimentService/GetExperiment": lambda client: client.get_experiment("1"),
    "ExperimentService/SearchExperiments": lambda client: list(client.search_experiments()),
    "ExperimentService/UpdateExperiment": lambda client: client.rename_experiment("1", "name"),
    "ExperimentService/SetExperimentTags": lambda client: client.set_experiment_tag("1", "key", "value"),
    "ExperimentService/DeleteExperimentTag": lambda client: client.delete_experiment_tag("1", "key"),
    "ExperimentService/DeleteExperiment": lambda client: client.delete_experiment("1"),
    "ExperimentService/RestoreExperiment": lambda client: client.restore_experiment("1"),
    "RunService/CreateRun": lambda client: client.create_run(),
    "RunService/GetRun": lambda client: client.get_run("run"),
    "RunService/UpdateRun": lambda client: client.update_run("run", status="FINISHED"),
    "RunService/DeleteRun": lambda client: client.delete_run("run"),
    "RunService/RestoreRun": lambda client: client.restore_run("run"),
    "RunService/SearchRuns": lambda client: list(client.search_runs("1")),
    "RunService/LogParams": lambda client: client.log_param("run", "key", "value"),
    "RunService/SetRunTags": lambda client: client.set_tag("run", "key", "value"),
    "RunService/DeleteRunTag": lambda client: client.delete_tag("run", "key"),
    "RunService/LogRunInputs": lambda client: client.log_inputs("run", models=["model"]),
    "RunService/LogRunOutputs": lambda client: client.log_outputs("run", {"model": 1}),
    "RunService/SearchRunDatasets": lambda client: list(client.search_datasets("1")),
    "RunService/ListRunKeys": lambda client: list(client.list_run_keys("1")),
    "RunService/HeartbeatRun": lambda client: client.heartbeat_run("run"),
    "RunService/RequestRunStop": lambda client: client.request_run_stop("run"),
    "MetricService/IngestMetrics": lambda client: client.ingest_metrics("run", ["key"], [1], [0], [0], [0.0]),
    "MetricService/LogMetrics": lambda client: client.log_metric("run", "key", 0.0),
    "MetricService/ReadMetrics": lambda client: client.read_metrics("run"),
    "MetricService/GetMetricSummaries": lambda client: list(client.get_metric_summaries("run")),
    "MetricService/TailMetrics": lambda client: next(client.tail_metrics("run")),
    "ArtifactService/ListArtifacts": lambda client: list(client.list_artifacts("run")),
    "ArtifactService/UploadArtifact": lambda client: client.upload_bytes("run", b"", "path"),
    "ArtifactService/GetUploadStatus": lambda client: client.get_upload_status("run", "upload"),
    "ArtifactService/DownloadArtifact": lambda client: client.read_artifact("run", "path"),
    "ArtifactService/DeleteArtifact": lambda client: client.delete_artifact("run", "path"),
    "ArtifactService/CreateArtifactUploadUrl": lambda client: client.create_artifact_upload_url("run", "path"),
    "ArtifactService/CreateArtifactDownloadUrl": lambda client: client.create_artifact_download_url("run", "path"),
    "ArtifactService/CreateArtifactPartUrl": lambda client: client.create_artifact_part_url(
        UploadHeader(), 1, 1, crc32=0
    ),
    "ArtifactService/CompleteArtifactUpload": lambda client: client.complete_artifact_upload(
        UploadHeader(), parts_id="", crc32s=(), sha256=b""
    ),
    "ModelRegistryService/CreateRegisteredModel": lambda client: client.create_registered_model("name"),
    "ModelRegistryService/GetRegisteredModel": lambda client: client.get_registered_model("name"),
    "ModelRegistryService/SearchRegisteredModels": lambda client: list(client.search_registered_models()),
    "ModelRegistryService/UpdateRegisteredModel": lambda client: client.update_registered_model("name", description=""),
    "ModelRegistryService/RenameRegisteredModel": lambda client: client.rename_registered_model("name", "other"),
    "ModelRegistryService/DeleteRegisteredModel": lambda client: client.delete_registered_model("name"),
    "ModelRegistryService/SetRegisteredModelTags": lambda client: client.set_registered_model_tag("name", "key", "v"),
    "ModelRegistryService/DeleteRegisteredModelTag": lambda client: client.delete_registered_model_tag("name", "key"),
    "ModelRegistryService/SetRegisteredModelAlias": lambda client: client.set_registered_model_alias("name", "a", 1),
    "ModelRegistryService/DeleteRegisteredModelAlias": lambda client: client.delete_registered_model_alias("name", "a"),
    "ModelRegistryService/CreateModelVersion": lambda client: client.create_model_version("name", "source"),
    "ModelRegistryService/GetModelVersion": lambda client: client.get_model_version("name", 1),
    "ModelRegistryService/GetLatestModelVersions": lambda client: client.get_latest_versions("name"),
    "ModelRegistryService/SearchModelVersions": lambda client: list(client.search_model_versions()),
    "ModelRegistryService/UpdateModelVersion": lambda client: client.update_model_version("name", 1, description=""),
    "ModelRegistryService/TransitionModelVersionStage": lambda client: client.transition_model_version_stage(
        "name", 1, stage="Staging"
    ),
    "ModelRegistryService/DeleteModelVersion": lambda client: client.delete_model_version("name", 1),
    "ModelRegistryService/SetModelVersionTags": lambda client: client.set_model_version_tags("name", 1, {"key": "v"}),
    "ModelRegistryService/DeleteModelVersionTag": lambda client: client.delete_model_version_tag("name", 1, "key"),
    "LoggedModelService/CreateLoggedModel": lambda client: client.create_logged_model("0"),
    "LoggedModelService/GetLoggedModel": lambda client: client.get_logged_model("m-1"),
    "LoggedModelService/SearchLoggedModels": lambda client: list(client.search_logged_models("0")),
    "LoggedModelService/UpdateLoggedModel": lambda client: client.update_logged_model("m-1", status="READY"),
    "LoggedModelService/DeleteLoggedModel": lambda client: client.delete_logged_model("m-1"),
    "LoggedModelService/SetLoggedModelTags": lambda client: client.set_logged_model_tag("m-1", "key", "value"),
    "LoggedModelService/DeleteLoggedModelTag": lambda client: client.delete_logged_model_tag("m-1", "key"),
    "LoggedModelService/LogLoggedModelParams": lambda client: client.log_logged_model_params("m-1", {"key": "v"}),
    "IssueService/CreateIssue": lambda client: client.create_issue("0", "name", "description"),
    "IssueService/GetIssue": lambda client: client.get_issue("iss-1"),
    "IssueService/UpdateIssue": lambda client: client.update_issue("iss-1", status="RESOLVED"),
    "IssueService/SearchIssues": lambda client: list(client.search_issues()),
    "EvaluationDatasetService/CreateEvaluationDataset": lambda client: client.create_evaluation_dataset("name"),
    "EvaluationDatasetService/GetEvaluationDataset": lambda client: client.get_evaluation_dataset("d-1"),
    "EvaluationDatasetService/SearchEvaluationDatasets": lambda client: list(client.search_evaluation_datasets()),
    "EvaluationDatasetService/DeleteEvaluationDataset": lambda client: client.delete_evaluation_dataset("d-1"),
    "EvaluationDatasetService/SetEvaluationDatasetTags": lambda client: client.set_evaluation_dataset_tags(
        "d-1", {"key": "v"}
    ),
    "EvaluationDatasetService/DeleteEvaluationDatasetTag": lambda client: client.delete_evaluation_dataset_tag(
        "d-1", "key"
    ),
    "EvaluationDatasetService/UpsertEvaluationDatasetRecords": lambda client: client.upsert_evaluation_dataset_records(
        "d-1", [{"inputs": {}}]
    ),
    "EvaluationDatasetService/ListEvaluationDatasetRecords": lambda client: list(
        client.list_evaluation_dataset_records("d-1")
    ),
    "EvaluationDatasetService/DeleteEvaluationDatasetRecords": lambda client: client.delete_evaluation_dataset_records(
        "d-1", "dr-1"
    ),
    "EvaluationDatasetService/AddEvaluationDatasetToExperiments": lambda client: (
        client.add_evaluation_dataset_to_experiments("d-1", "0")
    ),
    "EvaluationDatasetService/RemoveEvaluationDatasetFromExperiments": lambda client: (
        client.remove_evaluation_dataset_from_experiments("d-1", "0")
    ),
    "ImportService/ImportExperiment": lambda client: client.import_experiment(experiments_pb2.Experiment()),
    "ImportService/ImportRun": lambda client: client.import_run(runs_pb2.Run()),
    "ImportService/ImportLoggedModel": lambda client: client.import_logged_model(logged_models_pb2.LoggedModel()),
    "ImportService/ImportRegisteredModel": lambda client: client.import_registered_model(
        model_registry_pb2.RegisteredModel()
    ),
    "ImportService/ImportModelVersion": lambda client: client.import_model_version(model_registry_pb2.ModelVersion()),
    "ImportService/ImportIssue": lambda client: client.import_issue(issues_pb2.Issue()),
    "ImportService/ImportEvaluationDataset": lambda client: client.import_evaluation_dataset(
        evaluation_datasets_pb2.EvaluationDataset()
    ),
    "ImportService/ImportEvaluationDatasetRecords": lambda client: client.import_evaluation_dataset_records("d-1", []),
    "AdminService/GetServerInfo": lambda client: client.get_server_info(),
    "AdminService/CollectGarbage": lambda client: client.collect_garbage(dry_run=True),
}


class Listener(grpc.GenericRpcHandler):
    """Notes which rpcs are called, and implements none."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> None:
        self.called.append(handler_call_details.method.removeprefix("/trackwire.v1."))


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module", params=[Client, LoopedClient], ids=["blocking", "asyncio"])
def listening_client(request: pytest.FixtureRequest, listener: Listener) -> Iterator[Client]:
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[listener])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with request.param(f"127.0.0.1:{port}", timeout_seconds=10) as client:
        yield client
    server.stop(None).wait()


def test_table_holds_every_rpc() -> None:
    assert set(METHODS) == set(RPCS)


@pytest.mark.parametrize("rpc", METHODS)
def test_client_method_calls_its_rpc(rpc: str, listener: Listener, listening_client: Client) -> None:
    listener.called.clear()
    with suppress(TrackwireError):
        METHODS[rpc](listening_client)
    assert rpc in listener.called


@pytest.mark.parametrize("rpc", RPCS)
def test_server_implements_the_rpc(rpc: str, address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        path, method = f"/trackwire.v1.{rpc}", RPCS[rpc]
        code = _code(_answers(channel, path, method))
    assert code not in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


def _answers(channel: grpc.Channel, path: str, method: MethodDescriptor) -> Callable[[], object]:
    """A call with an empty request, up to its first answer."""
    if method.client_streaming:
        return lambda: channel.stream_unary(path, _as_is, _as_is)(iter([b""]), timeout=10)
    if method.server_streaming:
        return lambda: next(channel.unary_stream(path, _as_is, _as_is)(b"", timeout=10))
    return lambda: channel.unary_unary(path, _as_is, _as_is)(b"", timeout=10)


def _as_is(data: bytes) -> bytes:
    return data


def _code(call: Callable[[], object]) -> grpc.StatusCode:
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK
