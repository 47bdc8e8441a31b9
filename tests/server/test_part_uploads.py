"""Uploads whose parts go around the server, under the rules of all others, at an S3."""

import hashlib
import http.client
import os
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import FakeClock
from tests.core.files_of_runs import DAY_MS, RUN, stream
from tests.faults.test_s3 import what_is_there

from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_places import OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import Artifacts, UploadStatus
from trackwire_server.core.byte_stores import FilePart
from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.errors import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, RunDeleted
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.part_uploads import PartUploads
from trackwire_server.core.upload_streams import UploadFinish, UploadHeader
from trackwire_server.stores.memory.artifacts import MemoryBytes, MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.s3 import S3Bytes, S3Settings
from trackwire_server.stores.s3.bucket import opened_client

MEBIBYTE = 1024 * 1024
PARTS = (os.urandom(5 * MEBIBYTE), os.urandom(1_000))
DATA = b"".join(PARTS)
CRC32S = [zlib.crc32(part) for part in PARTS]
SHA256 = hashlib.sha256(DATA).digest()
HEADER = UploadHeader("upload1", "run1", "folder/large", len(DATA), 0)
KEY = "0/run1/artifacts/folder/large"


@pytest.fixture
async def store(s3_endpoint: str, s3_bucket: str) -> AsyncIterator[S3Bytes]:
    async with S3Bytes.opened(s3_bucket, "", S3Settings(endpoint_url=s3_endpoint)) as opened:
        yield opened


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[Any]:
    async with opened_client(S3Settings(endpoint_url=s3_endpoint)) as client:
        yield client


@pytest.fixture
def artifacts(store: S3Bytes, memory_state: MemoryState, clock: FakeClock) -> Artifacts:
    memory_state.runs["run1"] = RUN
    stores = ByteStores({OWN_SCHEME: own_store(store)})
    return Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)


def put(url: str, data: bytes, headers: Any) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request("PUT", f"{parts.path}?{parts.query}", data, dict(headers))
    assert connection.getresponse().status == 200
    connection.close()


async def send(uploads: PartUploads, count: int = 2, header: UploadHeader = HEADER) -> str:
    """Sends the first parts; what they gather under."""
    parts_id = ""
    for number, data in enumerate(PARTS[:count], 1):
        part = FilePart(number, len(data), CRC32S[number - 1])
        at = replace(header, offset=len(PARTS[0]) * (number - 1))
        url = await uploads.create_url(at, part, parts_id)
        assert url.presigned is not None
        put(url.presigned.url, data, url.presigned.headers)
        parts_id = url.parts_id
    return parts_id


async def test_parts_become_a_file_when_the_upload_is_completed(artifacts: Artifacts, s3: Any, s3_bucket: str) -> None:
    uploads = artifacts.in_parts
    parts_id = await send(uploads)
    assert (await artifacts.list_artifacts("run1", "")).artifacts == []
    artifact = await uploads.complete(HEADER, parts_id, CRC32S, SHA256)
    assert (artifact.path, artifact.size_bytes) == ("folder/large", len(DATA))
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(len(DATA), True)
    assert await what_is_there(s3, s3_bucket) == ([KEY], 0)
    # Again, as after a lost answer.
    assert await uploads.complete(HEADER, parts_id, CRC32S, SHA256) == artifact
    assert (await uploads.create_url(HEADER, FilePart(1, len(PARTS[0]), 0), "")).presigned is None
    with pytest.raises(AlreadyExists, match="another checksum"):
        await uploads.complete(HEADER, parts_id, CRC32S, bytes(32))


@pytest.mark.parametrize(("sent", "crc32s"), [(1, CRC32S), (2, CRC32S[:1]), (1, CRC32S[:1]), (0, CRC32S)])
async def test_parts_that_are_missing_are_told_and_nothing_is_visible(
    artifacts: Artifacts, s3: Any, s3_bucket: str, sent: int, crc32s: list[int]
) -> None:
    uploads = artifacts.in_parts
    parts_id = await send(uploads, sent) if sent else (await begun(uploads))
    with pytest.raises(FailedPrecondition) as refused:
        await uploads.complete(HEADER, parts_id, crc32s, SHA256)
    assert refused.value.reason == "PARTS_MISSING"
    assert (await artifacts.list_artifacts("run1", "")).artifacts == []
    # They can still come.
    await uploads.complete(HEADER, await send(uploads), CRC32S, SHA256)
    assert await what_is_there(s3, s3_bucket) == ([KEY], 0)


async def begun(uploads: PartUploads, header: UploadHeader = HEADER) -> str:
    return (await uploads.create_url(header, FilePart(1, len(PARTS[0]), CRC32S[0]), "")).parts_id


async def test_parts_of_another_upload_are_not_taken(artifacts: Artifacts) -> None:
    uploads = artifacts.in_parts
    others = await send(uploads, header=replace(HEADER, upload_id="upload2", path="other"))
    await begun(uploads)
    for parts_id in (others, "no-such-id"):
        with pytest.raises(Aborted) as refused:
            await uploads.complete(HEADER, parts_id, CRC32S, SHA256)
        assert refused.value.reason == "PARTS_GONE"


async def test_upload_that_was_never_begun_is_gone(artifacts: Artifacts) -> None:
    with pytest.raises(Aborted) as refused:
        await artifacts.in_parts.complete(HEADER, "id", CRC32S, SHA256)
    assert refused.value.reason == "PARTS_GONE"


async def completed_in_the_store(s3: Any, bucket: str, parts_id: str) -> None:
    """Makes a file of the parts, as a server does whose answer is lost."""
    listed = (await s3.list_parts(Bucket=bucket, Key=KEY, UploadId=parts_id))["Parts"]
    named = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
    await s3.complete_multipart_upload(Bucket=bucket, Key=KEY, UploadId=parts_id, MultipartUpload={"Parts": named})


@pytest.mark.parametrize("notes", ["there", "gone"])
async def test_parts_that_are_a_file_already_are_answered_as_done(
    artifacts: Artifacts, s3: Any, s3_bucket: str, notes: str
) -> None:
    parts_id = await send(artifacts.in_parts)
    await completed_in_the_store(s3, s3_bucket, parts_id)
    if notes == "gone":
        for key in (await what_is_there(s3, s3_bucket))[0]:
            if key != KEY:
                await s3.delete_object(Bucket=s3_bucket, Key=key)
    artifact = await artifacts.in_parts.complete(HEADER, parts_id, CRC32S, SHA256)
    assert (artifact.path, artifact.size_bytes) == ("folder/large", len(DATA))
    assert artifact.modification_time_ms > 0
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(len(DATA), True)
    assert await what_is_there(s3, s3_bucket) == ([KEY], 0)


async def test_another_file_of_the_same_size_is_not_taken_for_the_parts(
    artifacts: Artifacts, s3: Any, s3_bucket: str
) -> None:
    parts_id = await send(artifacts.in_parts)
    await completed_in_the_store(s3, s3_bucket, parts_id)
    for crc32s in (CRC32S[::-1], CRC32S[:1]):
        with pytest.raises(Aborted) as refused:
            await artifacts.in_parts.complete(HEADER, parts_id, crc32s, SHA256)
        assert refused.value.reason == "PARTS_GONE"
    await s3.put_object(Bucket=s3_bucket, Key=KEY, Body=DATA[::-1])
    with pytest.raises(Aborted):
        await artifacts.in_parts.complete(HEADER, parts_id, CRC32S, SHA256)


async def test_parts_that_nobody_completes_are_dropped_after_a_day(
    artifacts: Artifacts, clock: FakeClock, s3: Any, s3_bucket: str
) -> None:
    parts_id = await send(artifacts.in_parts)
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert await what_is_there(s3, s3_bucket) == ([], 0)
    with pytest.raises(Aborted):
        await artifacts.in_parts.complete(HEADER, parts_id, CRC32S, SHA256)


async def test_deleted_run_takes_neither_part_nor_end(artifacts: Artifacts, memory_state: MemoryState) -> None:
    uploads = artifacts.in_parts
    parts_id = await send(uploads)
    memory_state.runs["run1"] = replace(RUN, lifecycle_stage=LifecycleStage.DELETED)
    with pytest.raises(RunDeleted):
        await uploads.complete(HEADER, parts_id, CRC32S, SHA256)
    with pytest.raises(RunDeleted):
        await begun(uploads)


async def test_stream_takes_over_from_parts(artifacts: Artifacts, s3: Any, s3_bucket: str) -> None:
    await send(artifacts.in_parts, 1)
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(0, False)
    await artifacts.upload(HEADER, stream(DATA, UploadFinish(SHA256)))
    assert await what_is_there(s3, s3_bucket) == ([KEY], 0)


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (FilePart(0, 5, 0), "part_number"),
        (FilePart(LIMITS.upload_parts + 1, 5, 0), "part_number"),
        (FilePart(1, 0, 0), "part_bytes"),
        (FilePart(1, 5 * MEBIBYTE - 1, 0), "part_bytes"),
        (FilePart(1, len(DATA) + 1, 0), "part_bytes"),
    ],
)
async def test_part_that_can_t_be_is_refused_by_name(artifacts: Artifacts, part: FilePart, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.in_parts.create_url(HEADER, part, "")
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("parts_id", "crc32s", "sha256", "field"),
    [
        ("", CRC32S, SHA256, "parts_id"),
        ("id", [], SHA256, "crc32s"),
        ("id", [0] * (LIMITS.upload_parts + 1), SHA256, "crc32s"),
        ("id", CRC32S, SHA256[:-1], "sha256"),
    ],
    # The bytes are others in each process.
    ids=["no parts_id", "no checksums", "too many checksums", "short sha256"],
)
async def test_end_that_can_t_be_is_refused_by_name(
    artifacts: Artifacts, parts_id: str, crc32s: list[int], sha256: bytes, field: str
) -> None:
    await begun(artifacts.in_parts)
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.in_parts.complete(HEADER, parts_id, crc32s, sha256)
    assert refused.value.field == field


async def test_store_without_urls_says_what_to_use_instead(memory_state: MemoryState, clock: FakeClock) -> None:
    memory_state.runs["run1"] = RUN
    stores = ByteStores({OWN_SCHEME: own_store(MemoryBytes(clock))})
    uploads = MemoryUploads(memory_state)
    artifacts = Artifacts(RunOwners(MemoryRuns(memory_state)), uploads, stores, clock)
    with pytest.raises(FailedPrecondition) as refused:
        await begun(artifacts.in_parts)
    assert refused.value.reason == "PRESIGNED_URLS_UNSUPPORTED"
    assert await uploads.unfinished_uploads() == []
