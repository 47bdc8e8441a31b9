"""Files of logged models, over a real socket, on each store; the rest of ArtifactService is in test_artifacts.py."""

import hashlib
from collections.abc import AsyncIterator

import grpc
import pytest
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import artifacts_pb2 as pb
from trackwire.v1 import experiments_pb2, runs_pb2
from trackwire.v1.logged_models_pb2 import CreateLoggedModelRequest, DeleteLoggedModelRequest

CODE = grpc.StatusCode
DATA = b"weights"


async def make_model(stubs: Stubs, experiment_id: str = "0") -> str:
    answer = await stubs.logged_models.CreateLoggedModel(CreateLoggedModelRequest(experiment_id=experiment_id))
    return answer.logged_model.model_id


@pytest.fixture
async def model_id(stubs: Stubs) -> str:
    return await make_model(stubs)


async def upload(header: pb.UploadHeader, *, whole: bool = True) -> AsyncIterator[pb.UploadArtifactRequest]:
    yield pb.UploadArtifactRequest(header=header)
    if whole:
        yield pb.UploadArtifactRequest(data=DATA)
        yield pb.UploadArtifactRequest(finish=pb.UploadFinish(sha256=hashlib.sha256(DATA).digest()))


async def put(stubs: Stubs, path: str, **owner: str) -> pb.Artifact:
    header = pb.UploadHeader(upload_id="u1", path=path, size_bytes=len(DATA), **owner)
    return (await stubs.artifacts.UploadArtifact(upload(header))).artifact


async def get(stubs: Stubs, path: str, **owner: str) -> bytes:
    request = pb.DownloadArtifactRequest(path=path, **owner)
    return b"".join([part.data async for part in stubs.artifacts.DownloadArtifact(request)])


async def paths(stubs: Stubs, path: str = "", **owner: str) -> list[str]:
    listing = await stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(path=path, **owner))
    return [artifact.path for artifact in listing.artifacts]


async def test_files_go_up_and_come_down(stubs: Stubs, model_id: str) -> None:
    stored = await put(stubs, "data/model.bin", model_id=model_id)
    assert (stored.path, stored.size_bytes) == ("data/model.bin", len(DATA))
    status = await stubs.artifacts.GetUploadStatus(pb.GetUploadStatusRequest(model_id=model_id, upload_id="u1"))
    assert (status.received_bytes, status.complete) == (len(DATA), True)
    listing = await stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(model_id=model_id))
    assert listing.root_uri == f"trackwire-artifacts:/0/models/{model_id}/artifacts"
    assert [(entry.path, entry.is_dir) for entry in listing.artifacts] == [("data", True)]
    assert await paths(stubs, "data", model_id=model_id) == ["data/model.bin"]
    assert await get(stubs, "data/model.bin", model_id=model_id) == DATA
    await stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(model_id=model_id, path="data"))
    assert await paths(stubs, model_id=model_id) == []


async def test_run_of_the_same_id_has_files_and_uploads_of_its_own(stubs: Stubs, model_id: str) -> None:
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id=model_id))
    await put(stubs, "of-model", model_id=model_id)
    await put(stubs, "of-run", run_id=model_id)
    assert await paths(stubs, model_id=model_id) == ["of-model"]
    assert await paths(stubs, run_id=model_id) == ["of-run"]


async def test_upload_that_was_cut_off_goes_on(stubs: Stubs, model_id: str) -> None:
    header = pb.UploadHeader(upload_id="u1", model_id=model_id, path="a", size_bytes=len(DATA))
    cut = await refusal(stubs.artifacts.UploadArtifact(upload(header, whole=False)))
    assert cut.reason == "INCOMPLETE_UPLOAD"
    assert (await stubs.artifacts.UploadArtifact(upload(header))).artifact.path == "a"


async def test_deleted_model_has_no_files(stubs: Stubs, model_id: str) -> None:
    await put(stubs, "a", model_id=model_id)
    await stubs.logged_models.DeleteLoggedModel(DeleteLoggedModelRequest(model_id=model_id))
    header = pb.UploadHeader(upload_id="u2", model_id=model_id, path="b", size_bytes=len(DATA))
    for call in (
        stubs.artifacts.UploadArtifact(upload(header)),
        stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(model_id=model_id)),
        stubs.artifacts.DownloadArtifact(pb.DownloadArtifactRequest(model_id=model_id, path="a")).read(),
        stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(model_id=model_id, path="a")),
        stubs.artifacts.GetUploadStatus(pb.GetUploadStatusRequest(model_id=model_id, upload_id="u1")),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (CODE.NOT_FOUND, "LOGGED_MODEL_NOT_FOUND")


async def test_files_that_lie_elsewhere_are_not_the_servers(stubs: Stubs) -> None:
    far = experiments_pb2.CreateExperimentRequest(name="far", artifact_location="s3://bucket/x")
    experiment_id = (await stubs.experiments.CreateExperiment(far)).experiment.experiment_id
    model_id = await make_model(stubs, experiment_id)
    refused = await refusal(stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(model_id=model_id)))
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "ARTIFACTS_ELSEWHERE")
    assert refused.metadata == {"model_id": model_id, "artifact_uri": f"s3://bucket/x/models/{model_id}/artifacts"}


async def test_bad_requests_are_refused_by_field(stubs: Stubs, model_id: str) -> None:
    header = pb.UploadHeader(upload_id="u1", model_id="m/1", path="a", size_bytes=1)
    for call, field in (
        (stubs.artifacts.UploadArtifact(upload(header)), "header.model_id"),
        (stubs.artifacts.UploadArtifact(upload(pb.UploadHeader(upload_id="u1", path="a"))), "header.run_id"),
        (stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest()), "run_id"),
        (stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(model_id="m" * 65)), "model_id"),
        (stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(model_id=model_id, path="../a")), "path"),
        (stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(model_id=model_id)), "path"),
        (stubs.artifacts.GetUploadStatus(pb.GetUploadStatusRequest(model_id=model_id)), "upload_id"),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))


async def test_missing_file_is_named_with_its_model(stubs: Stubs, model_id: str) -> None:
    refused = await refusal(stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(model_id=model_id, path="none")))
    assert refused.message == f"artifact 'none' does not exist: logged model {model_id} has no such file or folder"
