"""Hundreds of random requests at every rpc of a real server: each is answered, or refused by name; none breaks it."""

import asyncio
import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import LogCapture
from tests.conftest import Stubs
from tests.fuzz.requests import FILTERS, METHODS, Pools, Requests, has_field
from tests.rpc.refusals import refusal_in

from trackwire.v1 import (
    artifacts_pb2,
    evaluation_datasets_pb2,
    experiments_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    runs_pb2,
)

# On each of two stores.
REQUESTS_PER_RPC = 260
AT_ONCE = 16
TAIL_SECONDS = 0.05
CODE = grpc.StatusCode
CLIENT_ERRORS = {
    CODE.INVALID_ARGUMENT,
    CODE.NOT_FOUND,
    CODE.ALREADY_EXISTS,
    CODE.FAILED_PRECONDITION,
    CODE.ABORTED,
    CODE.OUT_OF_RANGE,
    CODE.RESOURCE_EXHAUSTED,
}
RUNS = ("run", "run-2", "gone")
MODELS = ("digits", "model two")
ISSUES = ("iss-1", "iss-2")


@dataclass(frozen=True, slots=True)
class World:
    """Things that exist, so that random requests reach beyond the first check; put back before each rpc."""

    stubs: Stubs
    pools: Pools

    async def restore(self) -> None:
        """Makes whatever an earlier rpc has removed. What is there already refuses, and that is fine."""
        stubs, join = self.stubs, runs_pb2.IF_EXISTS_JOIN
        for run_id in RUNS:
            await tried(stubs.runs.RestoreRun(runs_pb2.RestoreRunRequest(run_id=run_id)))
            draft = runs_pb2.CreateRunRequest(run_id=run_id, if_exists=join, tags={"a": "b"}, params={"lr": "0.1"})
            await tried(stubs.runs.CreateRun(draft))
            points = [metrics_pb2.MetricPoint(key="loss", step=step, value=step, time_ms=1) for step in range(5)]
            await tried(stubs.metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id=run_id, points=points)))
        for name in MODELS:
            # Anew, for numbers of deleted versions are not used again.
            gone = model_registry_pb2.DeleteRegisteredModelRequest(name=name)
            await tried(stubs.model_registry.DeleteRegisteredModel(gone))
            model = model_registry_pb2.CreateRegisteredModelRequest(name=name)
            await tried(stubs.model_registry.CreateRegisteredModel(model))
            version = model_registry_pb2.CreateModelVersionRequest(name=name, source="runs:/run/m", run_id="run")
            await tried(stubs.model_registry.CreateModelVersion(version))
            alias = model_registry_pb2.SetRegisteredModelAliasRequest(name=name, alias="champion", version=1)
            await tried(stubs.model_registry.SetRegisteredModelAlias(alias))
        experiment = experiments_pb2.CreateExperimentRequest(name="vision")
        made = await tried(stubs.experiments.CreateExperiment(experiment))
        if made is not None:
            self.pools.add("experiment_id", made.experiment.experiment_id)  # type: ignore[attr-defined]
        await self._log_model()
        for issue_id in ISSUES:
            issue = issues_pb2.CreateIssueRequest(
                issue_id=issue_id, experiment_id="0", name="slow", description="It is."
            )
            await tried(self.stubs.issues.CreateIssue(issue))
        await self._add_dataset()
        await tried(stubs.artifacts.UploadArtifact(upload("run", "folder/file.bin")))
        await tried(stubs.runs.DeleteRun(runs_pb2.DeleteRunRequest(run_id="gone")))

    async def _log_model(self) -> None:
        draft = logged_models_pb2.CreateLoggedModelRequest(experiment_id="0", tags={"a": "b"}, params={"lr": "0.1"})
        made = await tried(self.stubs.logged_models.CreateLoggedModel(draft))
        if made is None:
            return
        model_id = made.logged_model.model_id  # type: ignore[attr-defined]
        self.pools.add("model_id", model_id)
        context = metrics_pb2.SeriesContext(model_id=model_id, dataset_name="vision")
        point = metrics_pb2.MetricPoint(key="loss", value=1, time_ms=1, context=context)
        await tried(self.stubs.metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id="run", points=[point])))

    async def _add_dataset(self) -> None:
        draft = evaluation_datasets_pb2.CreateEvaluationDatasetRequest(name="vision", tags={"a": "b"})
        made = await tried(self.stubs.evaluation_datasets.CreateEvaluationDataset(draft))
        if made is None:
            return
        dataset_id = made.dataset.dataset_id  # type: ignore[attr-defined]
        # What was made before may be gone for good.
        self.pools.texts["dataset_id"] = ["d-1", dataset_id, dataset_id, dataset_id]
        records = [evaluation_datasets_pb2.NewEvaluationDatasetRecord(inputs=f'{{"q":{at}}}') for at in range(3)]
        request = evaluation_datasets_pb2.UpsertEvaluationDatasetRecordsRequest(dataset_id=dataset_id, records=records)
        await tried(self.stubs.evaluation_datasets.UpsertEvaluationDatasetRecords(request))


def upload(run_id: str, path: str) -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
    async def parts() -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
        header = artifacts_pb2.UploadHeader(upload_id="up", run_id=run_id, path=path, size_bytes=3)
        yield artifacts_pb2.UploadArtifactRequest(header=header)
        yield artifacts_pb2.UploadArtifactRequest(data=b"abc")
        yield artifacts_pb2.UploadArtifactRequest(
            finish=artifacts_pb2.UploadFinish(sha256=hashlib.sha256(b"abc").digest())
        )

    return parts()


async def tried(call: "grpc.aio.UnaryUnaryCall[object, object] | grpc.aio.StreamUnaryCall[object, object]") -> object:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() not in CLIENT_ERRORS:
            raise
        return None


@pytest.fixture
async def world(stubs: Stubs) -> World:
    pools = Pools(
        {
            "run_id": list(RUNS),
            "parent_run_id": ["run", "run-2"],
            "experiment_id": ["0"],
            "experiment_name": ["Default", "vision"],
            "name": ["vision", *MODELS],
            "new_name": ["renamed", *MODELS],
            "key": ["loss", "a", "lr", "mlflow.runName", "mlflow.parentRunId"],
            "path": ["folder", "folder/file.bin", "new/file.bin"],
            "upload_id": ["up", *(f"up-{at}" for at in range(30))],
            "alias": ["champion", "latest", "v1"],
            "writer_id": ["w1", "w2"],
            "filter": list(FILTERS),
            "artifact_location": ["", "s3://bucket/folder"],
            "request_id": ["", *(f"request-{at}" for at in range(30))],
            "source": ["runs:/run/m", "/models/m", "file:///m"],
            "model_id": ["m-1", ""],
            "dataset_digest": ["d-1", ""],
            "issue_id": [*ISSUES, *(f"iss-{at}" for at in range(3, 20))],
            "description": ["It takes long."],
            "dataset_id": ["d-1"],
            "inputs": ["{}", '{"q":1}', '{"q":[]}', r'{"\ud800":"\udfff"}'],
            # JSON can spell what UTF-8 can't.
            "tags": ["{}", r'{"mlflow.user":"\ud800"}', '{"mlflow.user":"ada"}'],
            "outputs": ["null", "1", '{"a":NaN}'],
            "expectations": ["", '{"a":1}'],
            "data": ["", '{"trace_id":1}'],
            "record_id": ["dr-1"],
            "page_token": [""] * 10,
            "resume_token": [""] * 10,
            "version": ["", ""],
        },
        {"data": [b"abc"], "sha256": [hashlib.sha256(b"abc").digest()] * 3},
    )
    return World(stubs, pools)


class Caller:
    """Sends random requests to one rpc and judges the answers."""

    def __init__(self, world: World, path: str, method: MethodDescriptor, source: random.Random):
        self._world = world
        self._method = method
        self._source = source
        self._requests = Requests(source, world.pools)
        channel = world.stubs.channel
        self._unary = channel.unary_unary(path)
        self._stream = channel.unary_stream(path)
        self._uploading = channel.stream_unary(path)
        self.answers: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.faults: dict[str, str] = {}

    async def send(self, count: int) -> None:
        """So many requests, some at once."""
        for at in range(0, count, AT_ONCE):
            await asyncio.gather(*(self._send_one() for _ in range(min(AT_ONCE, count - at))))

    async def _send_one(self) -> None:
        asked = self._method.input_type
        is_stream = self._method.client_streaming
        sent = self._requests.stream_of(asked) if is_stream else [self._requests.bytes_of(asked)]
        try:
            for answer in await asyncio.wait_for(self._call(sent), 30):
                self._learn(answer)
            self.answers["OK"] += 1
        except grpc.aio.AioRpcError as error:
            self.answers[error.code().name] += 1
            self._judge(error, sent)

    async def _call(self, sent: Sequence[bytes]) -> list[bytes]:
        if self._method.client_streaming:
            return [await self._uploading(iter(sent))]
        if not self._method.server_streaming:
            return [await self._unary(sent[0])]
        call = self._stream(sent[0])
        if self._method.name != "TailMetrics":
            return [answer async for answer in call]
        first = await call.read()
        await asyncio.sleep(TAIL_SECONDS if self._source.random() < 0.1 else 0)
        call.cancel()
        return [] if first is grpc.aio.EOF else [first]

    def _learn(self, answer: bytes) -> None:
        """Tokens of this answer are worth trying in later requests."""
        message = GetMessageClass(self._method.output_type).FromString(answer)
        for each in self._method.output_type.fields:
            if each.name.endswith("_token"):
                name = "page_token" if each.name == "next_page_token" else "resume_token"
                self._world.pools.add(name, getattr(message, each.name))
            if each.name == "version" and each.type == each.TYPE_STRING:
                self._world.pools.add(each.name, getattr(message, each.name))

    def _judge(self, error: grpc.aio.AioRpcError, sent: Sequence[bytes]) -> None:
        if error.code() not in CLIENT_ERRORS:
            self._fault("not a client's error", error, sent)
            return
        refused = refusal_in(error)
        self.reasons[f"{refused.reason} {refused.fields}"] += 1
        if not refused.reason:
            self._fault("no reason", error, sent)
        if refused.code is not CODE.INVALID_ARGUMENT:
            return
        if not refused.fields:
            self._fault("no field", error, sent)
        for name in refused.fields:
            if name != "request" and not has_field(self._method.input_type, name):
                self._fault(f"no such field: {name}", error, sent)

    def _fault(self, what: str, error: grpc.aio.AioRpcError, sent: Sequence[bytes]) -> None:
        self.faults.setdefault(what, f"{error.code().name} {error.details()}: sent {[part.hex() for part in sent]}")


@pytest.mark.slow
async def test_random_requests_are_answered_or_refused_by_name(world: World, log_capture: LogCapture) -> None:
    seed = int(os.environ.get("TRACKWIRE_FUZZ_SEED", "20261120"))
    print(f"TRACKWIRE_FUZZ_SEED={seed}")
    faults: dict[str, dict[str, str]] = {}
    for path, method in METHODS.items():
        await world.restore()
        caller = Caller(world, path, method, random.Random(f"{seed}{path}"))
        await caller.send(REQUESTS_PER_RPC)
        print(path, dict(caller.answers), dict(caller.reasons.most_common(5)))
        if caller.faults:
            faults[path] = caller.faults
    assert not faults, json.dumps(faults, indent=1)
    health = health_pb2_grpc.HealthStub(world.stubs.channel)
    answer = await health.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert [entry for entry in log_capture.entries if entry["log_level"] in ("error", "warning", "critical")] == []
