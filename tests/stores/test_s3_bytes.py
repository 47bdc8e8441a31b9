"""What the store at S3 does beyond what every ByteStore keeps to: parts, notes, order of names, its settings."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import FakeClock
from tests.stores.byte_files import ROOT, names, put, read

from trackwire_server.core.artifact_paths import partial_id
from trackwire_server.core.byte_stores import LeftUpload
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreCorrupt, StoreUnavailable
from trackwire_server.core.uploads import UploadInUse
from trackwire_server.stores.memory.artifacts import MemoryBytes
from trackwire_server.stores.s3 import S3Bytes, S3Settings
from trackwire_server.stores.s3.bucket import Bucket, opened_client
from trackwire_server.stores.s3.listing import entries_of
from trackwire_server.stores.s3.parts import part_bytes
from trackwire_server.stores.s3.store import UploadsUnderWay

MEBIBYTE = 1024 * 1024
PATH = f"{ROOT}/large.bin"
# Two parts and a bit: noise, so that a part in another's place would be seen.
LARGE = os.urandom(17 * MEBIBYTE)
LARGE_SHA256 = hashlib.sha256(LARGE).digest()


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[Any]:
    """A bare client: what lies in the bucket, in its own words."""
    async with opened_client(S3Settings(endpoint_url=s3_endpoint)) as client:
        yield client


@pytest.fixture
def store(s3: Any, s3_bucket: str) -> S3Bytes:
    return S3Bytes(Bucket(s3, s3_bucket, S3Settings()), "folder", UploadsUnderWay())


@pytest.fixture
def another_servers(s3: Any, s3_bucket: str) -> S3Bytes:
    """The same store, as a server that has just been started has it."""
    return S3Bytes(Bucket(s3, s3_bucket, S3Settings()), "folder", UploadsUnderWay())


async def keys_and_uploads(client: Any, bucket: str) -> tuple[list[str], int]:
    keys = [entry["Key"] for entry in (await client.list_objects_v2(Bucket=bucket)).get("Contents", ())]
    return keys, len((await client.list_multipart_uploads(Bucket=bucket)).get("Uploads", ()))


async def append(store: S3Bytes, data: bytes, *, close: bool = True, partial_id: str = "p") -> Any:
    """Appends in messages of one MiB, as they come over gRPC."""
    partial = await store.open_partial(partial_id, PATH)
    for start in range(0, len(data), MEBIBYTE):
        await partial.append(data[start : start + MEBIBYTE])
    if close:
        await partial.close()
    return partial


async def test_large_file_comes_in_parts_and_reads_back(store: S3Bytes, s3: Any, s3_bucket: str) -> None:
    partial = await append(store, LARGE, close=False)
    assert await partial.sha256() == LARGE_SHA256
    assert await names(store, ROOT) == []
    artifact = await partial.publish()
    await partial.close()
    assert artifact == await store.get_file(PATH)
    assert await read(store, PATH) == LARGE
    assert await keys_and_uploads(s3, s3_bucket) == ([f"folder/{PATH}"], 0)


async def test_file_of_just_one_part_reads_back(store: S3Bytes) -> None:
    await put(store, PATH, LARGE[: part_bytes(0)])
    assert await read(store, PATH) == LARGE[: part_bytes(0)]


@pytest.mark.parametrize("arrived", [3, 9 * MEBIBYTE, 16 * MEBIBYTE, len(LARGE)])
async def test_large_upload_goes_on_where_it_was_cut(store: S3Bytes, s3: Any, s3_bucket: str, arrived: int) -> None:
    await append(store, LARGE[:arrived])
    assert await store.partial_size("p") == arrived
    partial = await append(store, LARGE[arrived:], close=False)
    assert partial.size_bytes == len(LARGE)
    assert await partial.sha256() == LARGE_SHA256
    await partial.publish()
    await partial.close()
    assert await read(store, PATH) == LARGE
    assert await keys_and_uploads(s3, s3_bucket) == ([f"folder/{PATH}"], 0)


async def test_another_server_goes_on_behind_what_was_no_part_yet(store: S3Bytes, another_servers: S3Bytes) -> None:
    await append(store, LARGE[:100])
    assert await another_servers.partial_size("p") == 100
    partial = await append(another_servers, LARGE[100:], close=False)
    assert await partial.sha256() == LARGE_SHA256
    await partial.publish()
    await partial.close()
    assert await read(store, PATH) == LARGE


async def test_another_server_begins_anew_what_has_parts_and_leaves_nothing_behind(
    store: S3Bytes, another_servers: S3Bytes, s3: Any, s3_bucket: str
) -> None:
    await append(store, LARGE[: 16 * MEBIBYTE])
    assert await another_servers.partial_size("p") == 0
    partial = await append(another_servers, LARGE, close=False)
    assert partial.size_bytes == len(LARGE)
    await partial.publish()
    await partial.close()
    assert await read(store, PATH) == LARGE
    assert await keys_and_uploads(s3, s3_bucket) == ([f"folder/{PATH}"], 0)


@pytest.mark.parametrize("more", [0, 9 * MEBIBYTE])
async def test_server_whose_upload_was_discarded_by_another_says_so_and_begins_anew(
    store: S3Bytes, another_servers: S3Bytes, more: int
) -> None:
    await append(store, LARGE[: 16 * MEBIBYTE])
    await another_servers.discard_partial("p")
    partial = await append(store, LARGE[16 * MEBIBYTE :][:more], close=False)
    with pytest.raises(StoreUnavailable, match="aborted by somebody else"):
        await partial.publish()
    await partial.close()
    assert await store.partial_size("p") == 0
    await put(store, PATH, LARGE, partial_id="p")
    assert await read(store, PATH) == LARGE


async def test_two_servers_that_take_the_same_upload_at_once_both_store_it_whole(
    store: S3Bytes, another_servers: S3Bytes, s3: Any, s3_bucket: str
) -> None:
    first = await append(store, LARGE, close=False)
    await put(another_servers, PATH, LARGE[:5], partial_id="q")
    second = await append(another_servers, LARGE, close=False)
    await second.publish()
    await second.close()
    assert await read(store, PATH) == LARGE
    # The first one's notes went with the second one's.
    with pytest.raises(StoreUnavailable):
        await first.publish()
    await first.close()
    assert await keys_and_uploads(s3, s3_bucket) == ([f"folder/{PATH}"], 0)


@pytest.mark.parametrize("arrived", [3, 16 * MEBIBYTE])
@pytest.mark.parametrize("by_another", [False, True])
async def test_discarded_upload_leaves_nothing(
    store: S3Bytes, another_servers: S3Bytes, s3: Any, s3_bucket: str, arrived: int, by_another: bool
) -> None:
    await append(store, LARGE[:arrived])
    assert await keys_and_uploads(s3, s3_bucket) != ([], 0)
    await (another_servers if by_another else store).discard_partial("p")
    assert await keys_and_uploads(s3, s3_bucket) == ([], 0)


async def test_note_that_is_none_is_named(store: S3Bytes, s3: Any, s3_bucket: str) -> None:
    await s3.put_object(Bucket=s3_bucket, Key="folder/.partial/p/x.upload", Body=b"what?")
    with pytest.raises(StoreCorrupt, match=r"x\.upload"):
        await store.discard_partial("p")


async def test_call_that_is_cancelled_twice_while_it_closes_lets_the_upload_go(store: S3Bytes) -> None:
    partial = await append(store, LARGE[: 16 * MEBIBYTE], close=False)
    closing = asyncio.create_task(partial.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    await partial.close()
    assert await store.partial_size("p") == 16 * MEBIBYTE
    await store.discard_partial("p")


async def test_file_is_read_from_anywhere(store: S3Bytes) -> None:
    await put(store, PATH, LARGE)
    file = await store.open_file(PATH)
    for offset, length in ((0, 10), (10, MEBIBYTE), (16 * MEBIBYTE, 100), (5, 7), (len(LARGE) - 3, 100), (0, 1)):
        assert await file.read(offset=offset, length=length) == LARGE[offset : offset + length]
    assert await file.read(offset=len(LARGE), length=1) == b""
    await file.close()


@pytest.mark.parametrize("path", [".partial/p", ".partial"])
async def test_its_own_folder_is_refused(store: S3Bytes, path: str) -> None:
    for call in (store.open_file, store.get_file, store.delete):
        with pytest.raises(InvalidArgument, match="own folder"):
            await call(path)


async def test_its_own_folder_is_not_listed(store: S3Bytes) -> None:
    await append(store, b"1")
    await put(store, f"{ROOT}/a")
    assert await names(store, "") == [("0", True)]


async def test_key_that_is_too_long_is_refused_with_its_limit(store: S3Bytes) -> None:
    path = "é" * 100 + "/" + "x" * 900
    with pytest.raises(InvalidArgument, match=r"key of 1,108 bytes .* at most 1,024") as refused:
        await store.open_partial("p", path)
    assert refused.value.field == "path"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (S3Settings(encryption="AES256"), ("AES256", None)),
        (S3Settings(encryption="aws:kms", kms_key_id="key-1"), ("aws:kms", "key-1")),
    ],
)
@pytest.mark.parametrize("size", [10, 9 * MEBIBYTE])
async def test_files_are_encrypted_as_the_settings_say(
    s3_endpoint: str, s3_bucket: str, s3: Any, said: S3Settings, shown: tuple[str, str | None], size: int
) -> None:
    settings = S3Settings(s3_endpoint, said.encryption, said.kms_key_id)
    async with S3Bytes.opened(s3_bucket, "folder", settings) as store:
        await put(store, PATH, LARGE[:size])
    head = await s3.head_object(Bucket=s3_bucket, Key=f"folder/{PATH}")
    assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == shown


async def test_folder_behind_a_full_page_of_keys_is_listed_in_its_place(s3: Any, s3_bucket: str) -> None:
    bucket = Bucket(s3, s3_bucket, S3Settings())
    files = [f"run-{number:02}" for number in range(20)]
    # S3 has "run/…" behind all of "run-…".
    for name in (*files, "run/x", "run.txt"):
        await bucket.put(f"f/{name}", b"")

    async def page(after: str, limit: int) -> list[str]:
        return [entry.path for entry in await entries_of(bucket, "f/", after=after, limit=limit, keys_at_once=7)]

    assert await page("", 3) == ["run", *files[:2]]
    assert await page("", 100) == ["run", *files, "run.txt"]
    assert await page("run", 1) == files[:1]
    assert await page(files[-2], 5) == [files[-1], "run.txt"]


# What stands before "/", itself, and what stands behind it, in every order.
NAMES = st.text("-.0a!é", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=12)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=PATHS, limit=st.integers(1, 5))
async def test_pages_of_a_folder_are_those_of_the_memory_store(
    clock: FakeClock, s3: Any, s3_bucket: str, paths: list[str], limit: int
) -> None:
    memory, bucket = MemoryBytes(clock), Bucket(s3, s3_bucket, S3Settings())
    folder = os.urandom(8).hex()
    for path in paths:
        with suppress(FailedPrecondition):
            await put(memory, f"{folder}/{path}")
            await bucket.put(f"{folder}/{path}", b"bytes")
    after: str | None = ""
    while after is not None:
        expected = await memory.list_folder(folder, after=after, limit=limit)
        entries = await entries_of(bucket, f"{folder}/", after=after, limit=limit, keys_at_once=2)
        assert [(entry.path, entry.is_dir) for entry in entries] == [(entry.path, entry.is_dir) for entry in expected]
        after = entries[-1].path if entries else None


HOUR_MS = 3_600_000
PARTIAL = partial_id("run1", "upload1")


async def left(store: S3Bytes, *, since_ms: int = -HOUR_MS, limit: int = 10) -> Sequence[LeftUpload]:
    """What nobody has written to for so long."""
    return await store.left_uploads(before_ms=int(time.time() * 1_000) - since_ms, limit=limit)


async def test_multipart_upload_without_a_note_is_left_and_can_be_discarded(
    store: S3Bytes, s3: Any, s3_bucket: str
) -> None:
    upload_id = await Bucket(s3, s3_bucket, S3Settings()).begin_multipart(f"folder/{PATH}")
    found = LeftUpload(f"s3://{s3_bucket}/folder/{PATH}", 0, key=f"folder/{PATH}", upload_id=upload_id)
    assert await left(store) == [found]
    assert await left(store, since_ms=HOUR_MS) == []
    await store.discard_left(found)
    await store.discard_left(found)
    assert await keys_and_uploads(s3, s3_bucket) == ([], 0)


async def test_upload_in_parts_is_left_once_by_its_notes(store: S3Bytes, s3: Any, s3_bucket: str) -> None:
    await append(store, LARGE[: 9 * MEBIBYTE], partial_id=PARTIAL)
    [found] = await left(store)
    assert (found.uri, found.partial_id) == (f"s3://{s3_bucket}/folder/.partial/{PARTIAL}", PARTIAL)
    assert found.size_bytes > MEBIBYTE
    assert await left(store, since_ms=HOUR_MS) == []
    await store.discard_left(found)
    assert await keys_and_uploads(s3, s3_bucket) == ([], 0)


async def test_what_others_have_begun_in_the_bucket_is_not_ours(store: S3Bytes, s3: Any, s3_bucket: str) -> None:
    bucket = Bucket(s3, s3_bucket, S3Settings())
    for key in ("backup.tar", "folder/backup.tar", f"folder2/{PATH}"):
        await bucket.begin_multipart(key)
    await bucket.put("folder/.partial/of-somebody-else/file", b"1")
    assert await left(store) == []


async def test_no_more_are_told_than_are_wanted(store: S3Bytes, s3: Any, s3_bucket: str) -> None:
    bucket = Bucket(s3, s3_bucket, S3Settings())
    for number in range(5):
        await bucket.begin_multipart(f"folder/{PATH}-{number}")
    assert len(await left(store)) == 5
    assert len(await left(store, limit=3)) == 3


async def test_upload_that_a_stream_writes_to_is_not_discarded(store: S3Bytes) -> None:
    partial = await append(store, LARGE[: 9 * MEBIBYTE], close=False, partial_id=PARTIAL)
    await partial.sha256()
    with pytest.raises(UploadInUse):
        await store.discard_left(LeftUpload("", 0, PARTIAL))
    await partial.close()
