"""Logged models are collected as garbage with their files, over a real socket, on each store."""

import hashlib
from collections.abc import AsyncIterator

import grpc
import pytest
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import artifacts_pb2, experiments_pb2, metrics_pb2, runs_pb2
from trackwire.v1 import logged_models_pb2 as pb
from trackwire.v1.admin_pb2 import CollectGarbageRequest, CollectGarbageResponse

DATA = b"weights"


async def create(stubs: Stubs, experiment_id: str = "0", *, files: int = 0) -> str:
    request = pb.CreateLoggedModelRequest(experiment_id=experiment_id, params={"a": "b"}, tags={"c": "d"})
    model_id = (await stubs.logged_models.CreateLoggedModel(request)).logged_model.model_id
    for at in range(files):
        await stubs.artifacts.UploadArtifact(upload(model_id, f"folder/{at}", whole=True))
    return model_id


async def upload(model_id: str, path: str, *, whole: bool) -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
    header = artifacts_pb2.UploadHeader(
        upload_id=path.replace("/", "-"), model_id=model_id, path=path, size_bytes=len(DATA)
    )
    yield artifacts_pb2.UploadArtifactRequest(header=header)
    yield artifacts_pb2.UploadArtifactRequest(data=DATA if whole else DATA[:3])
    if whole:
        finish = artifacts_pb2.UploadFinish(sha256=hashlib.sha256(DATA).digest())
        yield artifacts_pb2.UploadArtifactRequest(finish=finish)


async def delete(stubs: Stubs, model_id: str) -> None:
    await stubs.logged_models.DeleteLoggedModel(pb.DeleteLoggedModelRequest(model_id=model_id))


async def collect(stubs: Stubs, **fields: object) -> CollectGarbageResponse:
    """What a collection takes; a dry one must say the same before."""
    dry = await stubs.admin.CollectGarbage(CollectGarbageRequest(dry_run=True, **fields))
    taken: CollectGarbageResponse = await stubs.admin.CollectGarbage(CollectGarbageRequest(**fields))
    assert taken == dry
    return taken


async def experiment(stubs: Stubs) -> str:
    request = experiments_pb2.CreateExperimentRequest(name="old")
    return str((await stubs.experiments.CreateExperiment(request)).experiment.experiment_id)


async def test_deleted_model_goes_with_its_files(stubs: Stubs) -> None:
    kept, gone = await create(stubs, files=1), await create(stubs, files=2)
    await refusal(stubs.artifacts.UploadArtifact(upload(gone, "begun", whole=False)))
    await delete(stubs, gone)
    taken = await collect(stubs)
    assert (list(taken.model_ids), taken.uploads, taken.artifact_bytes) == ([gone], 1, 2 * len(DATA) + 3)
    assert await collect(stubs) == CollectGarbageResponse()
    listing = await stubs.artifacts.ListArtifacts(artifacts_pb2.ListArtifactsRequest(model_id=kept))
    assert [artifact.path for artifact in listing.artifacts] == ["folder"]
    unknown = await refusal(stubs.logged_models.DeleteLoggedModel(pb.DeleteLoggedModelRequest(model_id=gone)))
    assert unknown.code is grpc.StatusCode.NOT_FOUND


async def test_model_that_was_deleted_lately_stays(stubs: Stubs) -> None:
    await delete(stubs, await create(stubs))
    assert await collect(stubs, older_than_ms=3_600_000) == CollectGarbageResponse()


@pytest.mark.parametrize("named", [False, True])
async def test_experiment_goes_with_its_models(stubs: Stubs, named: bool) -> None:
    experiment_id = await experiment(stubs)
    there, deleted = await create(stubs, experiment_id, files=1), await create(stubs, experiment_id, files=1)
    await refusal(stubs.artifacts.UploadArtifact(upload(there, "begun", whole=False)))
    await delete(stubs, deleted)
    request = experiments_pb2.DeleteExperimentRequest(experiment_id=experiment_id)
    await stubs.experiments.DeleteExperiment(request)
    await stubs.logged_models.GetLoggedModel(pb.GetLoggedModelRequest(model_id=there))
    taken = await collect(stubs, experiment_ids=[experiment_id] if named else [])
    assert list(taken.experiment_ids) == [experiment_id]
    assert (sorted(taken.model_ids), taken.uploads) == (sorted([there, deleted]), 1)
    assert taken.artifact_bytes == 2 * len(DATA) + 3
    refused = await refusal(stubs.logged_models.GetLoggedModel(pb.GetLoggedModelRequest(model_id=there)))
    assert refused.code is grpc.StatusCode.NOT_FOUND
    assert await collect(stubs) == CollectGarbageResponse()


async def test_models_stay_where_their_experiment_stays(stubs: Stubs) -> None:
    experiment_id = await experiment(stubs)
    there = await create(stubs, experiment_id, files=1)
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="r", experiment_id=experiment_id))
    await stubs.experiments.DeleteExperiment(experiments_pb2.DeleteExperimentRequest(experiment_id=experiment_id))
    # A run that is back keeps its experiment, deleted as that is.
    await stubs.runs.RestoreRun(runs_pb2.RestoreRunRequest(run_id="r"))
    assert await collect(stubs) == CollectGarbageResponse()
    listing = await stubs.artifacts.ListArtifacts(artifacts_pb2.ListArtifactsRequest(model_id=there))
    assert [artifact.path for artifact in listing.artifacts] == ["folder"]


async def test_named_runs_are_collected_alone(stubs: Stubs) -> None:
    await delete(stubs, await create(stubs))
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="r"))
    await stubs.runs.DeleteRun(runs_pb2.DeleteRunRequest(run_id="r"))
    assert await collect(stubs, run_ids=["r"]) == CollectGarbageResponse(run_ids=["r"])


async def test_metrics_of_a_model_go_with_their_run(stubs: Stubs) -> None:
    model_id = await create(stubs)
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="r"))
    context = metrics_pb2.SeriesContext(model_id=model_id)
    point = metrics_pb2.MetricPoint(key="acc", value=1, context=context)
    await stubs.metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id="r", points=[point]))
    get = pb.GetLoggedModelRequest(model_id=model_id)
    await stubs.runs.DeleteRun(runs_pb2.DeleteRunRequest(run_id="r"))
    assert [metric.run_id for metric in (await stubs.logged_models.GetLoggedModel(get)).logged_model.metrics] == ["r"]
    await collect(stubs)
    assert list((await stubs.logged_models.GetLoggedModel(get)).logged_model.metrics) == []
