"""ImportService over a real socket: what is taken over, and each bad input."""

from hashlib import sha256

import grpc
import pytest
from google.protobuf.message import Message
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import imports_pb2 as pb
from trackwire.v1 import metrics_pb2
from trackwire.v1.evaluation_datasets_pb2 import (
    EVALUATION_RECORD_SOURCE_TYPE_HUMAN,
    EvaluationDataset,
    EvaluationDatasetRecord,
    EvaluationRecordSource,
    ListEvaluationDatasetRecordsRequest,
)
from trackwire.v1.experiments_pb2 import (
    LIFECYCLE_STAGE_ACTIVE,
    LIFECYCLE_STAGE_DELETED,
    Experiment,
    GetExperimentRequest,
)
from trackwire.v1.issues_pb2 import ISSUE_SEVERITY_LOW, ISSUE_STATUS_REJECTED, GetIssueRequest, Issue
from trackwire.v1.logged_models_pb2 import LOGGED_MODEL_STATUS_READY, LoggedModel
from trackwire.v1.model_registry_pb2 import (
    MODEL_STAGE_PRODUCTION,
    MODEL_VERSION_STATUS_READY,
    ModelVersion,
    RegisteredModel,
)
from trackwire.v1.run_inputs_pb2 import Dataset, DatasetInput, ModelInput, ModelOutput, RunInputs, RunOutputs
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED, GetRunRequest, Run

OLD_MS = 1_600_000_000_000


def experiment(**fields: object) -> Experiment:
    named: dict[str, object] = {"experiment_id": "7", "name": "vision", "creation_time_ms": OLD_MS} | fields
    return Experiment(lifecycle_stage=LIFECYCLE_STAGE_ACTIVE, workspace="default", **named)  # type: ignore[arg-type]


def run(**fields: object) -> Run:
    named: dict[str, object] = {"run_id": "r", "experiment_id": "7", "start_time_ms": OLD_MS} | fields
    return Run(**named)  # type: ignore[arg-type]


def issue(**fields: object) -> Issue:
    named: dict[str, object] = {"issue_id": "iss-1", "experiment_id": "7", "name": "n", "description": "d"} | fields
    return Issue(**named)  # type: ignore[arg-type]


def dataset(**fields: object) -> EvaluationDataset:
    named: dict[str, object] = {"dataset_id": "d-1", "name": "qa", "digest": "0123abcd"} | fields
    return EvaluationDataset(**named)  # type: ignore[arg-type]


def record(**fields: object) -> EvaluationDatasetRecord:
    named: dict[str, object] = {"record_id": "dr-1", "inputs": "{}"} | fields
    return EvaluationDatasetRecord(**named)  # type: ignore[arg-type]


async def taken_run(stubs: Stubs, message: Run) -> Run:
    return (await stubs.imports.ImportRun(pb.ImportRunRequest(run=message))).run


@pytest.fixture
async def in_seven(stubs: Stubs) -> Stubs:
    """With the experiment that the rest is in."""
    await stubs.imports.ImportExperiment(pb.ImportExperimentRequest(experiment=experiment()))
    return stubs


async def test_experiment_is_taken_over_as_sent(stubs: Stubs) -> None:
    sent = experiment(artifact_location="s3://b/7", last_update_time_ms=OLD_MS + 1, tags={"a": "b"})
    sent.lifecycle_stage = LIFECYCLE_STAGE_DELETED
    taken = (await stubs.imports.ImportExperiment(pb.ImportExperimentRequest(experiment=sent))).experiment
    assert taken == sent
    assert (await stubs.experiments.GetExperiment(GetExperimentRequest(experiment_id="7"))).experiment == sent


async def test_run_is_taken_over_as_sent_and_keeps_its_points(in_seven: Stubs) -> None:
    stubs = in_seven
    await taken_run(stubs, run())
    points = {"keys": ["loss"], "counts": [1], "steps": [1], "times_ms": [1], "values": [0.5]}
    await stubs.metrics.IngestMetrics(metrics_pb2.IngestMetricsRequest(run_id="r", **points))
    sent = run(
        run_name="otter",
        user_id="ann",
        status=RUN_STATUS_FINISHED,
        end_time_ms=OLD_MS + 9,
        lifecycle_stage=LIFECYCLE_STAGE_DELETED,
        deleted_time_ms=OLD_MS + 10,
        artifact_uri="s3://b/r/artifacts",
        params={"lr": "0.1"},
        tags={"mlflow.runName": "otter"},
        inputs=RunInputs(
            datasets=[DatasetInput(dataset=Dataset(name="d", digest="1"), tags={"a": "b"})],
            models=[ModelInput(model_id="m")],
        ),
        outputs=RunOutputs(models=[ModelOutput(model_id="n", step=2)]),
    )
    taken = await taken_run(stubs, sent)
    [summary] = taken.metrics
    assert (summary.key, summary.last_value) == ("loss", 0.5)
    taken.ClearField("metrics")
    assert taken == sent
    assert (await stubs.runs.GetRun(GetRunRequest(run_id="r"))).run.status == RUN_STATUS_FINISHED


async def test_thousands_of_params_are_taken_over(in_seven: Stubs) -> None:
    params = {f"p{number}": "v" for number in range(5_000)}
    assert (await taken_run(in_seven, run(params=params))).params == params


async def test_deleted_run_without_a_time_was_deleted_now(in_seven: Stubs) -> None:
    taken = await taken_run(in_seven, run(lifecycle_stage=LIFECYCLE_STAGE_DELETED))
    assert taken.deleted_time_ms > OLD_MS


async def test_logged_model_registered_model_and_version_are_taken_over_as_sent(in_seven: Stubs) -> None:
    stubs = in_seven
    model = LoggedModel(
        model_id="m-1",
        experiment_id="7",
        name="net",
        artifact_uri="file:///old/7/models/m-1/artifacts",
        status=LOGGED_MODEL_STATUS_READY,
        creation_time_ms=OLD_MS,
        last_update_time_ms=OLD_MS,
        tags={"a": "b"},
        params={"c": "d"},
    )
    answer = await stubs.imports.ImportLoggedModel(pb.ImportLoggedModelRequest(logged_model=model))
    assert answer.logged_model == model
    registered = RegisteredModel(name="digits", workspace="default", creation_time_ms=1, last_update_time_ms=2)
    answer = await stubs.imports.ImportRegisteredModel(pb.ImportRegisteredModelRequest(registered_model=registered))
    assert answer.registered_model == registered
    version = ModelVersion(
        name="digits",
        version=3,
        source="/old/mlruns/7/models/m-1/artifacts",
        status=MODEL_VERSION_STATUS_READY,
        current_stage=MODEL_STAGE_PRODUCTION,
        aliases=["champion"],
        creation_time_ms=1,
        last_update_time_ms=2,
        model_id="m-1",
    )
    answer = await stubs.imports.ImportModelVersion(pb.ImportModelVersionRequest(model_version=version))
    assert answer.model_version == version


async def test_issue_evaluation_dataset_and_records_are_taken_over_as_sent(in_seven: Stubs) -> None:
    stubs = in_seven
    found = issue(
        status=ISSUE_STATUS_REJECTED,
        severity=ISSUE_SEVERITY_LOW,
        root_causes=["b", "a"],
        categories=["latency", "cost"],
        source_run_id="r",
        created_by="ann",
        last_updated_by="bob",
        creation_time_ms=OLD_MS,
        last_update_time_ms=OLD_MS + 1,
        last_seen_time_ms=0,
        metadata={"a": "b"},
    )
    assert (await stubs.imports.ImportIssue(pb.ImportIssueRequest(issue=found))).issue == found
    assert (await stubs.issues.GetIssue(GetIssueRequest(issue_id="iss-1"))).issue == found
    questions = dataset(
        tags={"team": "red"},
        schema='{"inputs":{},"outputs":"string","expectations":{}}',
        creation_time_ms=OLD_MS,
        last_update_time_ms=OLD_MS + 1,
        created_by="ann",
        last_updated_by="bob",
        experiment_ids=["0", "7"],
    )
    answer = await stubs.imports.ImportEvaluationDataset(pb.ImportEvaluationDatasetRequest(dataset=questions))
    assert answer.dataset == questions
    sent = record(
        dataset_id="d-1",
        inputs='{"q":"ä","n":NaN}',
        outputs="[1]",
        expectations='{"a":2}',
        tags='{"mlflow.user":"ann"}',
        source=EvaluationRecordSource(type=EVALUATION_RECORD_SOURCE_TYPE_HUMAN, data='{"x":1}'),
        creation_time_ms=OLD_MS,
        last_update_time_ms=OLD_MS + 1,
        created_by="ann",
        last_updated_by="bob",
    )
    request = pb.ImportEvaluationDatasetRecordsRequest(dataset_id="d-1", records=[sent])
    changed = (await stubs.imports.ImportEvaluationDatasetRecords(request)).dataset
    assert changed.record_count == 1
    assert changed.digest != questions.digest
    page = await stubs.evaluation_datasets.ListEvaluationDatasetRecords(
        ListEvaluationDatasetRecordsRequest(dataset_id="d-1")
    )
    assert list(page.records) == [sent]


async def test_evaluation_dataset_without_a_digest_gets_one(stubs: Stubs) -> None:
    request = pb.ImportEvaluationDatasetRequest(dataset=dataset(digest="", last_update_time_ms=1))
    taken = (await stubs.imports.ImportEvaluationDataset(request)).dataset
    # As MLflow makes it of "qa:1".
    assert taken.digest == sha256(b"qa:1").hexdigest()[:8]


BAD_EXPERIMENTS: list[tuple[str, Experiment]] = [
    ("experiment.experiment_id", experiment(experiment_id="")),
    ("experiment.experiment_id", experiment(experiment_id="abc")),
    ("experiment.experiment_id", experiment(experiment_id="1" * 19)),
    ("experiment.name", experiment(name="")),
    ("experiment.name", experiment(name="x" * 501)),
    ("experiment.creation_time_ms", experiment(creation_time_ms=-1)),
    ("experiment.last_update_time_ms", experiment(last_update_time_ms=253_402_300_800_000)),
    ("experiment.artifact_location", experiment(artifact_location="trackwire-artifacts:/7")),
    ("experiment.tags[a]", experiment(tags={"a": "x" * 65_537})),
    ("experiment.tags[a#]", experiment(tags={"a#": "x"})),
]
BAD_RUNS: list[tuple[str, Run]] = [
    ("run.run_id", run(run_id="")),
    ("run.run_id", run(run_id="a/b")),
    ("run.experiment_id", run(experiment_id="x")),
    ("run.status", run(status=77)),
    ("run.lifecycle_stage", run(lifecycle_stage=77)),
    ("run.run_name", run(run_name="a", tags={"mlflow.runName": "b"})),
    ("run.parent_run_id", run(tags={"mlflow.parentRunId": "r"})),
    ("run.start_time_ms", run(start_time_ms=-1)),
    ("run.end_time_ms", run(end_time_ms=-1)),
    ("run.params[lr]", run(params={"lr": "x" * 65_537})),
    ("run.inputs.datasets[0].dataset.name", run(inputs=RunInputs(datasets=[DatasetInput()]))),
    ("run.outputs.models[0].model_id", run(outputs=RunOutputs(models=[ModelOutput(model_id="a/b")]))),
    ("run.artifact_uri", run(artifact_uri="trackwire-artifacts:/7/other/artifacts")),
    ("run.artifact_uri", run(artifact_uri="file:///etc")),
    ("run.artifact_uri", run(artifact_uri="/srv/7/other/artifacts")),
    ("run.artifact_uri", run(artifact_uri="/srv/../etc/r/artifacts")),
    ("run.artifact_uri", run(artifact_uri="mlruns/7/r/artifacts")),
]
BAD_VERSIONS: list[tuple[str, ModelVersion]] = [
    ("model_version.version", ModelVersion(name="digits", source="s3://x")),
    ("model_version.source", ModelVersion(name="digits", version=1)),
    ("model_version.source", ModelVersion(name="digits", version=1, source="/a/../b")),
    ("model_version.aliases[0]", ModelVersion(name="digits", version=1, source="s3://x", aliases=["latest"])),
    ("model_version.current_stage", ModelVersion(name="digits", version=1, source="s3://x", current_stage=77)),
    ("model_version.status", ModelVersion(name="digits", version=1, source="s3://x", status=77)),
    ("model_version.tags[a]", ModelVersion(name="d", version=1, source="s3://x", tags={"a": "x" * 100_001})),
]


BAD_ISSUES: list[tuple[str, Issue]] = [
    ("issue.issue_id", issue(issue_id="a b")),
    ("issue.experiment_id", issue(experiment_id="x")),
    ("issue.name", issue(name="")),
    ("issue.description", issue(description="x" * 65_537)),
    ("issue.status", issue(status=77)),
    ("issue.severity", issue(severity=77)),
    ("issue.root_causes[1]", issue(root_causes=["a", ""])),
    ("issue.categories", issue(categories=["a"] * 101)),
    ("issue.source_run_id", issue(source_run_id="a b")),
    ("issue.created_by", issue(created_by="x" * 257)),
    ("issue.last_updated_by", issue(last_updated_by="x" * 257)),
    ("issue.creation_time_ms", issue(creation_time_ms=-1)),
    ("issue.last_update_time_ms", issue(last_update_time_ms=-1)),
    ("issue.last_seen_time_ms", issue(last_seen_time_ms=-1)),
    ("issue.metadata[a]", issue(metadata={"a": "x" * 65_537})),
]
BAD_LOGGED_MODELS: list[tuple[str, LoggedModel]] = [
    ("logged_model.model_id", LoggedModel(model_id="a b", experiment_id="7", name="net")),
    ("logged_model.model_id", LoggedModel(model_id="artifacts", experiment_id="7", name="net")),
]
BAD_DATASETS: list[tuple[str, EvaluationDataset]] = [
    ("dataset.dataset_id", dataset(dataset_id="a b")),
    ("dataset.name", dataset(name="")),
    ("dataset.digest", dataset(digest="0123ABCD")),
    ("dataset.created_by", dataset(created_by="x" * 257)),
    ("dataset.last_updated_by", dataset(last_updated_by="x" * 257)),
    ("dataset.creation_time_ms", dataset(creation_time_ms=-1)),
    ("dataset.last_update_time_ms", dataset(last_update_time_ms=-1)),
    ("dataset.tags[a]", dataset(tags={"a": "x" * 65_537})),
    ("dataset.experiment_ids[1]", dataset(experiment_ids=["7", "x"])),
    ("dataset.schema", dataset(schema="[]")),
    ("dataset.schema", dataset(schema='{"inputs":{},"outputs":{},"expectations":"string"}')),
    ("dataset.schema", dataset(schema='{"inputs":{"a":1},"outputs":{},"expectations":{}}')),
]
BAD_RECORDS: list[tuple[str, EvaluationDatasetRecord]] = [
    ("records[1].record_id", record(record_id="a b", inputs='{"a":1}')),
    ("records[1].record_id", record(inputs='{"a":1}')),
    ("records[1].inputs", record(record_id="dr-2")),
    ("records[1].inputs", record(record_id="dr-2", inputs="")),
    ("records[1].inputs", record(record_id="dr-2", inputs="[]")),
    ("records[1].outputs", record(record_id="dr-2", inputs='{"a":1}', outputs="{")),
    ("records[1].expectations", record(record_id="dr-2", inputs='{"a":1}', expectations="1")),
    ("records[1].tags", record(record_id="dr-2", inputs='{"a":1}', tags="null")),
    ("records[1].tags", record(record_id="dr-2", inputs='{"a":1}', tags='{"t":' + "[" * 200 + "]" * 200 + "}")),
    ("records[1].outputs", record(record_id="dr-2", inputs='{"a":1}', outputs="[" * 100_000)),
    ("records[1].source.type", record(record_id="dr-2", source=EvaluationRecordSource(type=77))),  # type: ignore[arg-type]
    ("records[1].source.data", record(record_id="dr-2", source=EvaluationRecordSource(data="1"))),
    ("records[1].created_by", record(record_id="dr-2", inputs='{"a":1}', created_by="x" * 257)),
    ("records[1].last_updated_by", record(record_id="dr-2", inputs='{"a":1}', last_updated_by="x" * 257)),
    ("records[1].creation_time_ms", record(record_id="dr-2", inputs='{"a":1}', creation_time_ms=-1)),
    ("records[1].last_update_time_ms", record(record_id="dr-2", inputs='{"a":1}', last_update_time_ms=-1)),
    ("records[1]", record(record_id="dr-2", inputs=f'{{"a":"{"x" * 4_194_304}"}}')),
]


@pytest.mark.parametrize(
    ("field", "message"),
    [*BAD_EXPERIMENTS, *BAD_RUNS, *BAD_LOGGED_MODELS, *BAD_VERSIONS, *BAD_ISSUES, *BAD_DATASETS, *BAD_RECORDS],
)
async def test_bad_field_is_named(in_seven: Stubs, field: str, message: Message) -> None:
    match message:
        case Experiment():
            call = in_seven.imports.ImportExperiment(pb.ImportExperimentRequest(experiment=message))
        case Run():
            call = in_seven.imports.ImportRun(pb.ImportRunRequest(run=message))
        case LoggedModel():
            call = in_seven.imports.ImportLoggedModel(pb.ImportLoggedModelRequest(logged_model=message))
        case Issue():
            call = in_seven.imports.ImportIssue(pb.ImportIssueRequest(issue=message))
        case EvaluationDataset():
            call = in_seven.imports.ImportEvaluationDataset(pb.ImportEvaluationDatasetRequest(dataset=message))
        case EvaluationDatasetRecord():
            request = pb.ImportEvaluationDatasetRecordsRequest(dataset_id="d-1", records=[record(), message])
            call = in_seven.imports.ImportEvaluationDatasetRecords(request)
        case _:
            call = in_seven.imports.ImportModelVersion(pb.ImportModelVersionRequest(model_version=message))
    refused = await refusal(call)
    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, (field,))


async def test_too_many_params_are_refused_by_their_number(in_seven: Stubs) -> None:
    params = {f"p{number}": "v" for number in range(100_001)}
    refused = await refusal(in_seven.imports.ImportRun(pb.ImportRunRequest(run=run(params=params))))
    assert (refused.fields, refused.metadata["limit"]) == (("run.params",), "100000")


async def test_other_thing_with_the_id_is_named(in_seven: Stubs) -> None:
    other = pb.ImportExperimentRequest(experiment=experiment(name="sound", creation_time_ms=OLD_MS + 1))
    refused = await refusal(in_seven.imports.ImportExperiment(other))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EXPERIMENT_ALREADY_EXISTS")
    assert "'vision'" in refused.message
    assert "'sound'" in refused.message
