"""Transfers whose calls a server ends that goes away, of both clients."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from tests.client.scripted_server import Answer, ScriptedServer, abort

from trackwire.client import Client
from trackwire.client.connection import Deadlines
from trackwire.client.retries import ATTEMPTS_WITHOUT_PROGRESS_MAX
from trackwire.errors import CancelledError, DeadlineExceededError
from trackwire.internal.v1 import errors_pb2
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    CompleteArtifactUploadResponse,
    CreateArtifactPartUrlResponse,
    DownloadArtifactRequest,
    DownloadArtifactResponse,
    GetUploadStatusResponse,
)

DATA = os.urandom(8 * 1024 * 1024)
# gRPC itself sends a call no more than five times.
FAILURES = 6


def reason(text: str) -> errors_pb2.ErrorInfo:
    return errors_pb2.ErrorInfo(reason=text, domain="trackwire")


def failing_first(code: grpc.StatusCode, answer: Message, *details: Message, failures: int = FAILURES) -> Answer:
    """Fails so many times, then answers."""
    left = iter(range(failures))

    def respond(_request: bytes, context: grpc.ServicerContext) -> bytes:
        if next(left, None) is not None:
            abort(context, code, "the end", *details)
        return answer.SerializeToString()

    return respond


@pytest.fixture
def answers(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Message]:
    """Of a server that has all parts of a file."""
    monkeypatch.setattr("trackwire.client.retries.FIRST_WAIT_SECONDS", 0.001)
    answers: dict[str, Message] = {
        "GetUploadStatus": GetUploadStatusResponse(),
        "CreateArtifactPartUrl": CreateArtifactPartUrlResponse(complete=True),
        "CompleteArtifactUpload": CompleteArtifactUploadResponse(artifact=Artifact(path="large")),
    }
    for name, answer in answers.items():
        scripted.on_message(name, answer)
    return answers


def upload(client_type: type[Client], scripted: ScriptedServer, path: Path) -> Artifact:
    (path / "large").write_bytes(DATA)
    with client_type(scripted.address) as client:
        return client.upload_artifact("run-1", path / "large", upload_id="upload-1")


@pytest.mark.parametrize("name", ["GetUploadStatus", "CreateArtifactPartUrl", "CompleteArtifactUpload"])
def test_upload_goes_on_whose_calls_a_stopping_server_cancels(
    client_type: type[Client], scripted: ScriptedServer, answers: dict[str, Message], tmp_path: Path, name: str
) -> None:
    scripted.on(name, failing_first(grpc.StatusCode.CANCELLED, answers[name]))
    assert upload(client_type, scripted, tmp_path).path == "large"
    assert len(scripted.requests_of(name)) > FAILURES


@pytest.mark.parametrize(
    ("code", "details"),
    [(grpc.StatusCode.DEADLINE_EXCEEDED, ()), (grpc.StatusCode.ABORTED, (reason("UPLOAD_IN_USE"),))],
    ids=["too late", "in use"],
)
def test_upload_whose_end_takes_long_is_asked_for_again(
    client_type: type[Client],
    scripted: ScriptedServer,
    answers: dict[str, Message],
    tmp_path: Path,
    code: grpc.StatusCode,
    details: tuple[Message, ...],
) -> None:
    name = "CompleteArtifactUpload"
    scripted.on(name, failing_first(code, answers[name], *details))
    assert upload(client_type, scripted, tmp_path).path == "large"
    assert len(scripted.requests_of(name)) == FAILURES + 1
    assert len(scripted.requests_of("CreateArtifactPartUrl")) == 1


def test_upload_that_never_ends_is_an_error(
    client_type: type[Client], scripted: ScriptedServer, answers: dict[str, Message], tmp_path: Path
) -> None:
    name = "CompleteArtifactUpload"
    scripted.on(name, failing_first(grpc.StatusCode.DEADLINE_EXCEEDED, answers[name], failures=100))
    with pytest.raises(DeadlineExceededError):
        upload(client_type, scripted, tmp_path)
    assert len(scripted.requests_of(name)) == ATTEMPTS_WITHOUT_PROGRESS_MAX


def test_end_of_an_upload_may_take_as_long_as_a_stream(
    client_type: type[Client], scripted: ScriptedServer, answers: dict[str, Message], tmp_path: Path
) -> None:
    left: list[float] = []

    def respond(_request: bytes, context: grpc.ServicerContext) -> bytes:
        left.append(context.time_remaining())
        return answers["CompleteArtifactUpload"].SerializeToString()

    scripted.on("CompleteArtifactUpload", respond)
    upload(client_type, scripted, tmp_path)
    [seconds] = left
    # gRPC rounds it.
    assert seconds == pytest.approx(Deadlines().stream_seconds, rel=0.1)


def test_upload_that_is_cancelled_for_a_reason_ends(
    client_type: type[Client], scripted: ScriptedServer, answers: dict[str, Message], tmp_path: Path
) -> None:
    name = "CreateArtifactPartUrl"
    scripted.on(name, failing_first(grpc.StatusCode.CANCELLED, answers[name], reason("CLIENT_CLOSED")))
    with pytest.raises(CancelledError):
        upload(client_type, scripted, tmp_path)
    assert len(scripted.requests_of(name)) == 1


def test_download_goes_on_whose_stream_a_stopping_server_cancels(
    client_type: type[Client], scripted: ScriptedServer
) -> None:
    offsets: list[int] = []

    def respond(data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        request = DownloadArtifactRequest.FromString(data)
        offsets.append(request.offset)
        part = DownloadArtifactResponse(data=DATA[request.offset :][:1_000], size_bytes=2_000, version="1")
        yield part.SerializeToString()
        if len(offsets) == 1:
            abort(context, grpc.StatusCode.CANCELLED, "the end")

    scripted.on("DownloadArtifact", respond)
    with client_type(scripted.address) as client:
        assert client.read_artifact("run-1", "file") == DATA[:2_000]
    assert offsets == [0, 1_000]
