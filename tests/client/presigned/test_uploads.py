"""Uploads that go around the server, of both clients: whole and right, or not there; under the server's rules."""

import asyncio
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.client.presigned.signed_calls import SignedCalls
from tests.client.training import train, training_folder
from tests.conftest import ServerProcess
from tests.faults.s3_wire import Call, S3Wire, error
from tests.faults.test_s3 import what_is_there

from trackwire import AsyncClient
from trackwire.client import Client
from trackwire.client.connection import Connection, Deadlines
from trackwire.client.presigned.upload import PART_BYTES_MAX, PARTS_MAX, part_bytes
from trackwire.client.sources import BytesSource, Source
from trackwire.client.transfers import upload
from trackwire.client.transport import BlockingTransport, run_blocking
from trackwire.errors import AbortedError, AlreadyExistsError, FailedPreconditionError, InvalidArgumentError
from trackwire.v1.artifacts_pb2 import Artifact
from trackwire_server.stores.s3 import S3Settings
from trackwire_server.stores.s3.bucket import opened_client

MIB = 1024 * 1024
# Two parts.
DATA = os.urandom(20 * MIB)
SHA256 = hashlib.sha256(DATA).digest()


def part_of(call: Call) -> int:
    return int(call.request.query["partNumber"])


@pytest.fixture
def parts(signed: SignedCalls) -> Callable[[], list[int]]:
    """The numbers of the parts that went around the server, as they came."""
    return lambda: [part_of(call) for call in signed.seen if call.name == "UploadPart"]


@pytest.fixture
def left(s3_endpoint: str, bucket: str) -> Callable[[str], tuple[list[str], list[str]]]:
    """`left(run_id)`: what the test has left there, by key: objects, notes included, and a run's multipart uploads."""

    async def look(run_id: str) -> tuple[list[str], list[str]]:
        async with opened_client(S3Settings(endpoint_url=s3_endpoint)) as client:
            keys, _ = await what_is_there(client, bucket)
            begun = (await client.list_multipart_uploads(Bucket=bucket)).get("Uploads", ())
        return keys, [each["Key"] for each in begun if run_id in each["Key"]]

    known, _ = asyncio.run(look(""))

    def left_by(run_id: str) -> tuple[list[str], list[str]]:
        keys, uploads = asyncio.run(look(run_id))
        return [key for key in keys if key not in known and (run_id in key or "/.partial/" in key)], uploads

    return left_by


def whole(run_id: str, path: str = "large") -> tuple[list[str], list[str]]:
    return [f"a/0/{run_id}/artifacts/{path}"], []


Parts = Callable[[], list[int]]
Left = Callable[[str], tuple[list[str], list[str]]]


def test_large_file_goes_around_the_server(
    client: Client, run_id: str, s3_wire: S3Wire, parts: Parts, left: Left, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(DATA)
    before = s3_wire.calls.get("UploadPart", 0)
    artifact = client.upload_artifact(run_id, tmp_path / "file", "a folder/large")
    assert (artifact.path, artifact.size_bytes) == ("a folder/large", len(DATA))
    assert artifact.modification_time_ms > 0
    assert parts() == [1, 2]
    assert s3_wire.calls["UploadPart"] == before + 2
    assert client.read_artifact(run_id, "a folder/large") == DATA
    assert left(run_id) == whole(run_id, "a folder/large")


def test_files_of_a_folder_and_of_a_logged_model_do(client: Client, run_id: str, parts: Parts, tmp_path: Path) -> None:
    model_id = client.create_logged_model("0").model_id
    (tmp_path / "large").write_bytes(DATA)
    (tmp_path / "small").write_bytes(b"small")
    client.upload_folder(run_id, tmp_path, "folder")
    client.upload_logged_model_artifact(model_id, tmp_path / "large", "weights")
    assert parts() == [1, 2, 1, 2]
    assert client.read_artifact(run_id, "folder/small") == b"small"
    assert client.read_logged_model_artifact(model_id, "weights") == DATA


@pytest.mark.parametrize("size", [0, 8 * MIB - 1])
def test_small_file_goes_through_the_server(client: Client, run_id: str, signed: SignedCalls, size: int) -> None:
    client.upload_bytes(run_id, DATA[:size], "small")
    assert signed.seen == []


def test_setting_keeps_all_bytes_with_the_server(
    client_type: type[Client],
    server: ServerProcess,
    run_id: str,
    signed: SignedCalls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKWIRE_PRESIGNED_URLS", "off")
    with client_type(server.address) as client:
        client.upload_bytes(run_id, DATA, "large")
    assert signed.seen == []


@pytest.mark.parametrize("fault", ["cut", "SlowDown", "damaged"])
def test_part_that_does_not_arrive_is_sent_again(
    client: Client, run_id: str, signed: SignedCalls, parts: Parts, left: Left, fault: str
) -> None:
    async def faulty(call: Call) -> web.StreamResponse | None:
        if call.name != "UploadPart" or parts() != [1, 2]:
            return None
        if fault == "cut":
            call.cut()
            return web.Response()
        if fault == "SlowDown":
            return error(503, "SlowDown")
        # The wire compares the checksum, as S3 does.
        call.body = call.body[:-1] + bytes([call.body[-1] ^ 1])
        return None

    signed.fault = faulty
    client.upload_bytes(run_id, DATA, "large")
    assert parts() == [1, 2, 2]
    assert client.read_artifact(run_id, "large") == DATA
    assert left(run_id) == whole(run_id)


@pytest.mark.parametrize("why", ["AccessDenied", "cut"])
def test_store_that_can_t_be_reached_is_told_once_and_never_an_error(
    client: Client, run_id: str, signed: SignedCalls, left: Left, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    async def fault(call: Call) -> web.StreamResponse | None:
        if why != "cut":
            return error(403, why)
        call.cut()
        return web.Response()

    signed.fault = fault
    other_run = client.create_run().run_id
    with caplog.at_level(logging.INFO, logger="trackwire"):
        for each in (run_id, run_id, other_run):
            client.upload_bytes(each, DATA, "large")
            assert client.read_artifact(each, "large") == DATA
    [record] = [record for record in caplog.records if "artifact store" in record.message]
    assert record.levelno == logging.WARNING
    assert "Signature" not in caplog.text
    assert len(signed.seen) == 1
    assert left(run_id) == whole(run_id)


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (400, "BadDigest"), (404, "NoSuchUpload")])
def test_first_part_that_is_refused_for_now_rules_no_store_out(
    client: Client, run_id: str, signed: SignedCalls, parts: Parts, left: Left, status: int, code: str
) -> None:
    async def fault(_call: Call) -> web.StreamResponse | None:
        return error(status, code)

    signed.fault = fault
    client.upload_bytes(run_id, DATA, "large")
    assert parts() == [1]
    assert left(run_id) == whole(run_id)
    signed.fault = None
    client.upload_bytes(run_id, DATA, "large")
    assert parts() == [1, 1, 2]
    assert client.read_artifact(run_id, "large") == DATA


def test_store_that_stays_away_in_the_middle_is_gone_around(
    client: Client, run_id: str, signed: SignedCalls, parts: Parts, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackwire.client.retries.FIRST_WAIT_SECONDS", 0.001)

    async def fault(call: Call) -> web.StreamResponse | None:
        return error(503, "SlowDown") if part_of(call) == 2 else None

    signed.fault = fault
    client.upload_bytes(run_id, DATA, "large")
    assert set(parts()) == {1, 2}
    signed.fault = None
    assert client.read_artifact(run_id, "large") == DATA
    assert left(run_id) == whole(run_id)


def test_server_that_may_not_look_at_parts_takes_the_file_itself(
    client: Client, run_id: str, s3_wire: S3Wire, signed: SignedCalls, parts: Parts, left: Left
) -> None:
    async def fault(call: Call) -> web.StreamResponse | None:
        is_list_parts = call.request.method == "GET" and "uploadId" in call.request.query
        return error(403, "AccessDenied") if is_list_parts else await signed.pass_by(call)

    s3_wire.fault = fault
    for path in ("large", "another"):
        client.upload_bytes(run_id, DATA, path)
    assert parts() == []
    assert client.read_artifact(run_id, "large") == DATA
    keys, uploads = left(run_id)
    assert (len(keys), uploads) == (2, [])


@pytest.mark.parametrize("code", ["InvalidPart", "BadDigest"])
def test_parts_that_the_store_finds_to_be_others_are_no_file(
    client: Client, run_id: str, s3_wire: S3Wire, signed: SignedCalls, left: Left, code: str
) -> None:
    refused: list[Call] = []

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name == "CompleteMultipartUpload" and not refused:
            refused.append(call)
            return error(400, code)
        return await signed.pass_by(call)

    s3_wire.fault = fault
    client.upload_bytes(run_id, DATA, "large")
    assert refused
    assert client.read_artifact(run_id, "large") == DATA
    assert left(run_id) == whole(run_id)


@pytest.mark.parametrize("name", ["HeadObject", "ListObjectsV2", "DeleteObjects"])
def test_file_that_is_complete_is_never_sent_again(
    client: Client, run_id: str, s3_wire: S3Wire, signed: SignedCalls, parts: Parts, name: str
) -> None:
    completed, refused = threading.Event(), threading.Event()

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name == "CompleteMultipartUpload":
            completed.set()
        elif call.name == name and completed.is_set():
            refused.set()
            return error(403, "AccessDenied")
        return await signed.pass_by(call)

    s3_wire.fault = fault
    assert client.upload_bytes(run_id, DATA, "large").size_bytes == len(DATA)
    assert refused.is_set()
    s3_wire.fault = signed.pass_by
    assert parts() == [1, 2]
    assert client.read_artifact(run_id, "large") == DATA


def test_run_that_is_deleted_meanwhile_gets_no_file(
    client: Client, server: ServerProcess, run_id: str, signed: SignedCalls, left: Left
) -> None:
    def delete() -> None:
        with Client(server.address) as another:
            another.delete_run(run_id)

    async def fault(call: Call) -> web.StreamResponse | None:
        if part_of(call) == 2:
            await asyncio.to_thread(delete)
        return None

    signed.fault = fault
    with pytest.raises(FailedPreconditionError) as refused:
        client.upload_bytes(run_id, DATA, "large")
    assert refused.value.reason == "RUN_DELETED"
    assert list(client.list_artifacts(run_id)) == []
    assert client.collect_garbage(run_ids=[run_id]).uploads == 1
    assert left(run_id) == ([], [])


def test_path_where_no_file_can_be_is_refused_as_ever(client: Client, run_id: str, signed: SignedCalls) -> None:
    client.upload_bytes(run_id, b"1", "folder/file")
    for path, reason in (("folder", "ARTIFACT_IS_FOLDER"), ("folder/file/x", "ARTIFACT_NOT_FOLDER")):
        with pytest.raises(FailedPreconditionError) as refused:
            client.upload_bytes(run_id, DATA, path)
        assert refused.value.reason == reason
    assert signed.seen == []


def test_same_upload_again_is_answered_as_done(client: Client, run_id: str, parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(DATA)
    first = client.upload_artifact(run_id, tmp_path / "file", upload_id="upload-1")
    assert client.upload_artifact(run_id, tmp_path / "file", upload_id="upload-1") == first
    assert parts() == [1, 2]
    (tmp_path / "file").write_bytes(DATA[::-1])
    with pytest.raises(AlreadyExistsError, match="another checksum"):
        client.upload_artifact(run_id, tmp_path / "file", upload_id="upload-1")


@dataclass(slots=True)
class ChangingSource:
    """Bytes that are others each time they are read from their start."""

    versions: list[bytes]
    readings: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def size_bytes(self) -> int:
        return len(self.versions[0])

    def parts(self, offset: int) -> Iterator[bytes]:
        with self.lock:
            data = self.versions[min(self.readings, len(self.versions) - 1)]
            self.readings += 1
        for start in range(offset, len(data), MIB):
            yield data[start : start + MIB]


@contextmanager
def transport_to(server: ServerProcess) -> Iterator[BlockingTransport]:
    connection = Connection(server.address, Deadlines())
    try:
        yield BlockingTransport(connection)
    finally:
        connection.close()


def uploaded(server: ServerProcess, source: Source, **said: Any) -> Artifact:
    with transport_to(server) as transport:
        return run_blocking(upload(transport, source, **said))


def test_file_that_shrinks_meanwhile_is_refused_and_not_there(
    client: Client, server: ServerProcess, run_id: str, signed: SignedCalls
) -> None:
    source = ChangingSource([DATA, DATA[: 17 * MIB]])
    with pytest.raises(InvalidArgumentError, match="the stream ended"):
        uploaded(server, source, run_id=run_id, path="large")
    assert list(client.list_artifacts(run_id)) == []


def test_file_that_is_not_what_it_must_be_is_refused_and_not_there(
    client: Client, server: ServerProcess, run_id: str, left: Left, signed: SignedCalls
) -> None:
    source = BytesSource(memoryview(DATA))
    with pytest.raises(AbortedError) as refused:
        uploaded(server, source, run_id=run_id, path="large", sha256=bytes(32))
    assert refused.value.reason == "CHECKSUM_MISMATCH"
    assert left(run_id) == ([], [])
    assert uploaded(server, source, run_id=run_id, path="large", sha256=SHA256).size_bytes == len(DATA)


def test_file_that_can_t_be_read_is_the_caller_s_error(server: ServerProcess, run_id: str, signed: SignedCalls) -> None:
    class Unreadable(ChangingSource):
        def parts(self, offset: int) -> Iterator[bytes]:
            yield DATA[:MIB]
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        uploaded(server, Unreadable([DATA]), run_id=run_id, path="large")
    assert signed.seen == []


def test_spool_s_files_go_around_the_server(
    server: ServerProcess, client: Client, parts: Parts, tmp_path: Path
) -> None:
    script = """
import trackwire
with trackwire.start_run(run_id="{run_id}") as run:
    trackwire.log_artifact("large")
    assert run.flush(60)
"""
    run_id = client.create_run().run_id
    with training_folder(tmp_path) as folder:
        (folder / "large").write_bytes(DATA)
        train(folder, script.format(run_id=run_id), server.address, {"TRACKWIRE_SHIPPER_IDLE_SECONDS": "0"})
        assert client.read_artifact(run_id, "large") == DATA
    assert parts() == [1, 2]


async def test_task_that_is_cancelled_leaves_a_store_that_stalls_at_once(
    server: ServerProcess, signed: SignedCalls
) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    async def fault(_call: Call) -> web.StreamResponse | None:
        asked.set()
        await asyncio.to_thread(goes_on.wait, 60)
        return None

    signed.fault = fault
    async with AsyncClient(server.address) as client:
        run_id = (await client.create_run()).run_id
        uploading = asyncio.create_task(client.upload_bytes(run_id, DATA, "large"))
        assert await asyncio.to_thread(asked.wait, 60)
        uploading.cancel()
        _, pending = await asyncio.wait([uploading], timeout=30)
        goes_on.set()
        assert not pending
        assert uploading.cancelled()


@pytest.mark.parametrize("size", [1, 16 * MIB, 16_000 * MIB, 16_000 * MIB + 1, 5 * 1024**4])
def test_parts_are_no_more_and_no_larger_than_a_store_takes(size: int) -> None:
    each = part_bytes(size)
    if not each:
        assert size > PARTS_MAX * PART_BYTES_MAX
        return
    assert -(-size // each) <= PARTS_MAX
    assert 5 * MIB <= each <= PART_BYTES_MAX
