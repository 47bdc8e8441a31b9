"""S3 is down, slow, refuses or damages what passes: a clear error, nothing half visible, nothing left behind."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.conftest import FakeClock, ServerProcess
from tests.core.files_of_runs import DAY_MS, RUN, stream
from tests.faults.s3_wire import Call, Fault, S3Wire, error, s3_wire_to
from tests.stores.byte_files import ROOT, names, put, read

from trackwire import Client
from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_places import OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.errors import (
    Aborted,
    ChecksumMismatch,
    InvalidArgument,
    StorageFull,
    StoreCorrupt,
    StoreUnavailable,
    TrackwireError,
)
from trackwire_server.core.upload_streams import UploadFinish, UploadHeader
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.s3 import S3Bytes, S3Settings
from trackwire_server.stores.s3.bucket import opened_client

MEBIBYTE = 1024 * 1024
PATH = f"{ROOT}/file.bin"
# Three parts.
DATA = os.urandom(17 * MEBIBYTE)
SMALL = DATA[:100_000]


@pytest.fixture
async def wire(s3_endpoint: str) -> AsyncIterator[S3Wire]:
    async with s3_wire_to(s3_endpoint) as wire:
        yield wire


@pytest.fixture
async def store(wire: S3Wire, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Bytes]:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    settings = S3Settings(endpoint_url=wire.url, timeout_seconds=5)
    async with S3Bytes.opened(s3_bucket, "", settings) as opened:
        yield opened


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[Any]:
    """A bare client, past the wire."""
    async with opened_client(S3Settings(endpoint_url=s3_endpoint)) as client:
        yield client


async def what_is_there(client: Any, bucket: str) -> tuple[list[str], int]:
    """Keys, and multipart uploads that were begun."""
    keys = [entry["Key"] for entry in (await client.list_objects_v2(Bucket=bucket)).get("Contents", ())]
    return keys, len((await client.list_multipart_uploads(Bucket=bucket)).get("Uploads", ()))


async def upload(store: S3Bytes, data: bytes) -> None:
    """Goes on with an upload from where it is, to its end."""
    partial = await store.open_partial("p", PATH)
    try:
        for start in range(partial.size_bytes, len(data), MEBIBYTE):
            await partial.append(data[start : start + MEBIBYTE])
        await partial.publish()
    finally:
        await partial.close()


def always(name: str, status: int, code: str) -> Fault:
    """Refuses all calls of a name."""

    async def fault(call: Call) -> web.StreamResponse | None:
        return error(status, code) if call.name == name else None

    return fault


REFUSALS = [
    (503, "SlowDown", StoreUnavailable, "SlowDown"),
    (500, "InternalError", StoreUnavailable, "InternalError"),
    (400, "ExpiredToken", StoreUnavailable, "credentials have expired: renew them"),
    (403, "AccessDenied", StoreUnavailable, "credentials need s3:ListBucket, s3:GetObject"),
    (403, "InvalidAccessKeyId", StoreUnavailable, "access key is not known"),
    (403, "SignatureDoesNotMatch", StoreUnavailable, "secret key"),
    (404, "NoSuchBucket", StoreUnavailable, "the bucket does not exist"),
    (507, "XMinioStorageFull", StorageFull, "is full"),
    (400, "BadDigest", StoreUnavailable, "damaged on their way"),
]


@pytest.mark.parametrize(
    ("call", "data", "status", "code", "kind", "said"),
    [
        *(("PutObject", SMALL, *refusal) for refusal in REFUSALS),
        ("CreateMultipartUpload", DATA, *REFUSALS[3]),
        *(("UploadPart", DATA, *refusal) for refusal in (REFUSALS[0], REFUSALS[2], REFUSALS[-1])),
        *(("CompleteMultipartUpload", DATA, *refusal) for refusal in (REFUSALS[1], REFUSALS[6])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_upload_that_is_refused_says_why_shows_nothing_and_goes_on_afterwards(
    store: S3Bytes,
    wire: S3Wire,
    s3: Any,
    s3_bucket: str,
    call: str,
    data: bytes,
    status: int,
    code: str,
    kind: type,
    said: str,
) -> None:
    wire.fault = always(call, status, code)
    with pytest.raises(kind, match=said) as refused:
        await upload(store, data)
    assert s3_bucket in refused.value.message
    assert "test-secret" not in f"{refused.value.message}{refused.value.metadata}"
    assert await names(store, "0") == []
    wire.fault = None
    await upload(store, data)
    assert await read(store, PATH) == data
    assert await what_is_there(s3, s3_bucket) == ([PATH], 0)


@pytest.mark.parametrize(("status", "code", "kind", "said"), REFUSALS[:7])
@pytest.mark.parametrize("call", ["GetObject", "ListObjectsV2"])
async def test_reading_that_is_refused_says_why(
    store: S3Bytes, wire: S3Wire, call: str, status: int, code: str, kind: type, said: str
) -> None:
    await put(store, PATH, SMALL)
    wire.fault = always(call, status, code)
    with pytest.raises(kind, match=said):
        await (store.open_file(PATH) if call == "GetObject" else store.list_folder("0", after="", limit=1))


async def test_endpoint_that_goes_down_in_the_middle_of_a_part_is_named_and_the_upload_goes_on_once_it_is_back(
    store: S3Bytes, wire: S3Wire, s3: Any, s3_bucket: str
) -> None:
    is_down = False

    async def fault(call: Call) -> web.StreamResponse | None:
        nonlocal is_down
        is_down = is_down or (call.name == "UploadPart" and call.request.query["partNumber"] == "2")
        if is_down:
            call.cut()
        return None

    wire.fault = fault
    with pytest.raises(StoreUnavailable, match=f"s3://{s3_bucket}: UploadPart"):
        await upload(store, DATA)
    wire.fault = None
    assert await names(store, "0") == []
    assert await store.partial_size("p") == 8 * MEBIBYTE
    before = wire.calls["UploadPart"]
    await upload(store, DATA)
    assert wire.calls["UploadPart"] == before + 2
    assert await read(store, PATH) == DATA
    assert await what_is_there(s3, s3_bucket) == ([PATH], 0)


async def test_upload_that_was_cut_by_an_outage_leaves_nothing_once_it_is_discarded(
    store: S3Bytes, wire: S3Wire, s3: Any, s3_bucket: str
) -> None:
    wire.fault = always("CompleteMultipartUpload", 500, "InternalError")
    with pytest.raises(StoreUnavailable):
        await upload(store, DATA)
    assert (await what_is_there(s3, s3_bucket))[1] == 1
    await store.discard_partial("p")
    assert await what_is_there(s3, s3_bucket) == ([], 0)


async def test_upload_whose_note_is_refused_is_not_begun(store: S3Bytes, wire: S3Wire, s3: Any, s3_bucket: str) -> None:
    wire.fault = always("PutObject", 403, "AccessDenied")
    with pytest.raises(StoreUnavailable, match="PutObject"):
        await upload(store, DATA)
    assert await what_is_there(s3, s3_bucket) == ([], 0)


async def test_failures_that_pass_are_not_noticed(store: S3Bytes, wire: S3Wire) -> None:
    async def fault(call: Call) -> web.StreamResponse | None:
        if call.number == 0:
            return error(500, "InternalError")
        return None

    wire.fault, wire.calls = fault, {}
    await upload(store, DATA)
    assert await read(store, PATH) == DATA


async def test_store_that_never_answers_is_given_up(
    wire: S3Wire, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    answered = asyncio.Event()

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name == "UploadPart":
            await answered.wait()
        return None

    wire.fault = fault
    settings = S3Settings(endpoint_url=wire.url, timeout_seconds=0.5)
    async with S3Bytes.opened(s3_bucket, "", settings) as store:
        with pytest.raises(StoreUnavailable, match=r"UploadPart: .*timeout"):
            await upload(store, DATA)
    answered.set()


async def test_slow_store_holds_an_upload_back_instead_of_filling_the_memory(store: S3Bytes, wire: S3Wire) -> None:
    goes_on = asyncio.Event()

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name == "UploadPart":
            await goes_on.wait()
        return None

    wire.fault = fault
    uploading = asyncio.create_task(upload(store, DATA * 2))
    while wire.calls.get("UploadPart", 0) < 3:
        await asyncio.wait([uploading], timeout=0.05)
    # Whoever did not wait would send the fourth part now.
    await asyncio.wait([uploading], timeout=0.5)
    assert wire.calls["UploadPart"] == 3
    goes_on.set()
    await uploading
    assert await read(store, PATH) == DATA * 2


@pytest.mark.parametrize("data", [SMALL, DATA], ids=["small", "large"])
async def test_bytes_that_are_damaged_on_their_way_are_not_stored(
    store: S3Bytes, wire: S3Wire, s3: Any, s3_bucket: str, data: bytes
) -> None:
    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name in ("PutObject", "UploadPart"):
            call.body = call.body[:-1] + bytes([call.body[-1] ^ 1])
        return None

    wire.fault = fault
    with pytest.raises(StoreUnavailable, match="damaged on their way there"):
        await upload(store, data)
    await store.discard_partial("p")
    assert await what_is_there(s3, s3_bucket) == ([], 0)


async def test_small_file_that_is_damaged_on_its_way_back_is_never_given_as_whole(store: S3Bytes, wire: S3Wire) -> None:
    await put(store, PATH, SMALL)
    wire.spoil = lambda data: b"x" + data[1:]
    with pytest.raises(StoreCorrupt, match="checksum does not agree"):
        await read(store, PATH)


async def test_connection_that_breaks_while_a_file_is_read_is_made_again(store: S3Bytes, wire: S3Wire) -> None:
    await put(store, PATH, DATA)
    breaks = 0

    async def fault(call: Call) -> web.StreamResponse | None:
        nonlocal breaks
        if call.name != "GetObject" or breaks == 3:
            return None
        breaks += 1
        return await _break_off(call)

    async def _break_off(call: Call) -> web.StreamResponse:
        start = int(call.request.headers.get("Range", "bytes=0-")[6:-1])
        headers = {
            "Content-Length": str(len(DATA) - start),
            "ETag": etag,
            "Last-Modified": "Sun, 22 Nov 2026 13:22:27 GMT",
        }
        answer = web.StreamResponse(status=206, headers=headers)
        await answer.prepare(call.request)
        await answer.write(DATA[start : start + 3 * MEBIBYTE])
        call.cut()
        return answer

    file = await store.open_file(PATH)
    etag = f'"{file.version}"'
    await file.close()
    wire.fault = fault
    assert await read(store, PATH) == DATA
    assert breaks == 3


async def test_file_that_is_replaced_behind_a_broken_connection_is_not_mixed(store: S3Bytes, wire: S3Wire) -> None:
    await put(store, PATH, DATA)
    file = await store.open_file(PATH)
    assert await file.read(offset=0, length=MEBIBYTE) == DATA[:MEBIBYTE]
    await put(store, PATH, bytes(len(DATA)))
    with pytest.raises(Aborted) as refused:
        await file.read(offset=12 * MEBIBYTE, length=MEBIBYTE)
    assert refused.value.reason == "ARTIFACT_CHANGED"
    await file.close()


async def test_files_that_may_not_be_deleted_are_named(store: S3Bytes, wire: S3Wire) -> None:
    await put(store, PATH, SMALL)

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.name != "DeleteObjects":
            return None
        # Done, as far as HTTP is concerned.
        error = f"<Error><Key>{PATH}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
        text = f"<DeleteResult>{error}</DeleteResult>"
        return web.Response(text=text, content_type="application/xml")

    wire.fault = fault
    with pytest.raises(TrackwireError, match="DeleteObjects: access is denied"):
        await store.delete(PATH)


@pytest.fixture
def artifacts(store: S3Bytes, memory_state: MemoryState, clock: FakeClock) -> Artifacts:
    """The rules of a run's artifacts, over the store."""
    memory_state.runs["run1"] = RUN
    stores = ByteStores({OWN_SCHEME: own_store(store)})
    return Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)


async def test_upload_that_nobody_goes_on_with_leaves_nothing_after_a_day(
    artifacts: Artifacts, clock: FakeClock, s3: Any, s3_bucket: str
) -> None:
    header = UploadHeader("upload1", "run1", "file", len(DATA) + 1, 0)
    with pytest.raises(InvalidArgument, match="the stream ended"):
        await artifacts.upload(header, stream(DATA))
    assert (await artifacts.get_upload_status("run1", "upload1")).received_bytes == len(DATA)
    keys, uploads = await what_is_there(s3, s3_bucket)
    assert sorted(key.rpartition(".")[2] for key in keys) == ["rest", "upload"]
    assert uploads == 1
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert await what_is_there(s3, s3_bucket) == ([], 0)


async def test_upload_whose_checksum_is_another_leaves_nothing(artifacts: Artifacts, s3: Any, s3_bucket: str) -> None:
    header = UploadHeader("upload1", "run1", "file", len(DATA), 0)
    with pytest.raises(ChecksumMismatch):
        await artifacts.upload(header, stream(DATA, UploadFinish(bytes(32))))
    assert await what_is_there(s3, s3_bucket) == ([], 0)


async def test_client_waits_for_the_end_of_an_outage_and_the_file_arrives(
    make_server_process: Callable[..., ServerProcess],
    wire: S3Wire,
    s3_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKWIRE_PRESIGNED_URLS", "off")
    refused = 0

    async def fault(call: Call) -> web.StreamResponse | None:
        nonlocal refused
        if call.name != "UploadPart" or refused == 3:
            return None
        refused += 1
        return error(400, "ExpiredToken")

    (tmp_path / "file").write_bytes(DATA)
    server = make_server_process("--artifacts-uri", f"s3://{s3_bucket}", "--s3-endpoint-url", wire.url)
    address = await asyncio.to_thread(server.start)
    wire.fault = fault

    def upload_and_read() -> bytes:
        with Client(address) as client:
            run_id = client.create_run().run_id
            client.upload_artifact(run_id, tmp_path / "file", "file")
            client.download_artifact(run_id, "file", tmp_path / "copy")
        return (tmp_path / "copy").read_bytes()

    assert await asyncio.to_thread(upload_and_read) == DATA
    assert refused == 3
