"""What every ByteStore keeps to."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conftest import FakeClock
from tests.stores.byte_files import ROOT, names, put, read
from tests.stores.remote_objects import Objects, objects_protocol, settings_of_objects

from trackwire_server.core.byte_stores import ByteStore
from trackwire_server.core.errors import Aborted, FailedPrecondition, NotFound
from trackwire_server.stores.files import FileBytes
from trackwire_server.stores.memory.artifacts import MemoryBytes
from trackwire_server.stores.remote import RemoteBytes
from trackwire_server.stores.s3 import S3Bytes, S3Settings


@pytest.fixture(
    params=["memory", "files", "files opened by each call", "S3", "a folder at S3", "sftp", "ftp", "objects"]
)
async def store(
    request: pytest.FixtureRequest, clock: FakeClock, files: FileBytes, tmp_path: Path
) -> AsyncIterator[ByteStore]:
    match request.param:
        case "memory":
            yield MemoryBytes(clock)
        case "files":
            yield files
        case "files opened by each call":
            yield FileBytes(tmp_path / "elsewhere")
        case "sftp" | "ftp" as protocol:
            server = request.getfixturevalue(f"{protocol}_server")
            async with RemoteBytes.opened(server.settings(server.fresh_folder(), tmp_path / "spool")) as opened:
                yield opened
        case "objects":
            said = settings_of_objects(tmp_path / "spool", "a folder/é")
            async with RemoteBytes.opened(said, objects_protocol(Objects())) as opened:
                yield opened
        case where:
            settings = S3Settings(endpoint_url=request.getfixturevalue("s3_endpoint"))
            bucket = request.getfixturevalue("s3_bucket")
            async with S3Bytes.opened(bucket, "" if where == "S3" else "a folder/é", settings) as opened:
                yield opened


async def test_published_file_reads_back(store: ByteStore) -> None:
    await put(store, f"{ROOT}/a/b.bin", b"0123456789")
    assert await read(store, f"{ROOT}/a/b.bin") == b"0123456789"
    assert (await store.get_file(f"{ROOT}/a/b.bin")).size_bytes == 10


async def test_empty_file_is_a_file(store: ByteStore) -> None:
    await put(store, f"{ROOT}/empty", b"")
    assert await read(store, f"{ROOT}/empty") == b""


async def test_partial_is_invisible_until_published(store: ByteStore) -> None:
    partial = await store.open_partial("p", f"{ROOT}/a")
    await partial.append(b"12")
    assert await names(store, ROOT) == []
    with pytest.raises(NotFound):
        await store.open_file(f"{ROOT}/a")
    await partial.publish()
    await partial.close()
    assert await names(store, ROOT) == [("a", False)]
    assert await store.partial_size("p") == 0


async def test_partial_goes_on_where_it_was(store: ByteStore) -> None:
    first = await store.open_partial("p", f"{ROOT}/a")
    await first.append(b"12")
    await first.append(b"345")
    await first.close()
    assert await store.partial_size("p") == 5
    second = await store.open_partial("p", f"{ROOT}/a")
    assert second.size_bytes == 5
    await second.append(b"6")
    assert await second.sha256() == hashlib.sha256(b"123456").digest()
    await second.publish()
    await second.close()
    assert await read(store, f"{ROOT}/a") == b"123456"


async def test_one_writer_at_a_time(store: ByteStore) -> None:
    held = await store.open_partial("p", f"{ROOT}/a")
    with pytest.raises(Aborted) as refused:
        await store.open_partial("p", f"{ROOT}/a")
    assert refused.value.reason == "UPLOAD_IN_USE"
    with pytest.raises(Aborted):
        await store.discard_partial("p")
    await held.close()
    await (await store.open_partial("p", f"{ROOT}/a")).close()


async def test_discarded_partial_is_gone(store: ByteStore) -> None:
    partial = await store.open_partial("p", f"{ROOT}/a")
    await partial.append(b"12")
    await partial.close()
    await store.discard_partial("p")
    await store.discard_partial("p")
    assert await store.partial_size("p") == 0


async def test_file_is_replaced_while_it_is_read(store: ByteStore) -> None:
    await put(store, f"{ROOT}/a", b"old bytes")
    old = await store.open_file(f"{ROOT}/a")
    await put(store, f"{ROOT}/a", b"new")
    new = await store.open_file(f"{ROOT}/a")
    assert await old.read(offset=4, length=100) == b"bytes"
    assert await new.read(offset=0, length=100) == b"new"
    assert old.version != new.version
    await old.close()
    await new.close()


async def test_file_that_is_deleted_is_read_to_its_end(store: ByteStore) -> None:
    data = bytes(range(256)) * 4
    await put(store, f"{ROOT}/a", data)
    file = await store.open_file(f"{ROOT}/a")
    assert await file.read(offset=0, length=10) == data[:10]
    await store.delete(f"{ROOT}/a")
    assert await file.read(offset=10, length=2_000) == data[10:]
    await file.close()


async def test_bytes_that_are_read_again_are_never_those_of_another_file(
    store: ByteStore, request: pytest.FixtureRequest
) -> None:
    await put(store, f"{ROOT}/a", b"old bytes")
    file = await store.open_file(f"{ROOT}/a")
    assert await file.read(offset=0, length=9) == b"old bytes"
    await put(store, f"{ROOT}/a", b"new bytes")
    if request.node.callspec.params["store"] in ("S3", "a folder at S3", "ftp"):
        with pytest.raises(Aborted) as refused:
            await file.read(offset=0, length=9)
        assert refused.value.reason == "ARTIFACT_CHANGED"
    else:
        assert await file.read(offset=0, length=9) == b"old bytes"
    await file.close()


async def test_listing_is_by_name_and_goes_on_after_one(store: ByteStore) -> None:
    for name in ("b", "a/x", "a/y/z", "c.txt", "a.txt", "Z", "é"):
        await put(store, f"{ROOT}/{name}")
    everything = [("Z", False), ("a", True), ("a.txt", False), ("b", False), ("c.txt", False), ("é", False)]
    assert await names(store, ROOT) == everything
    assert await names(store, f"{ROOT}/a") == [("x", False), ("y", True)]
    page = await store.list_folder(ROOT, after="a", limit=2)
    assert [entry.path for entry in page] == ["a.txt", "b"]


@pytest.mark.parametrize("folder", ["0/none", f"{ROOT}/file", f"{ROOT}/file/below"])
async def test_listing_what_is_no_folder_is_empty(store: ByteStore, folder: str) -> None:
    await put(store, f"{ROOT}/file")
    assert await names(store, folder) == []


async def test_deleting_a_folder_frees_its_bytes_and_empty_folders_go(store: ByteStore) -> None:
    await put(store, f"{ROOT}/a/b/c", b"123")
    await put(store, f"{ROOT}/a/b/d", b"4567")
    await put(store, f"{ROOT}/e", b"8")
    assert await store.delete(f"{ROOT}/a/b") == 7
    assert await names(store, ROOT) == [("e", False)]
    assert await store.delete(f"{ROOT}/e") == 1
    assert await names(store, "0") == []


@pytest.mark.parametrize("path", [f"{ROOT}/none", f"{ROOT}/a/below", f"{ROOT}/none/below"])
async def test_what_is_not_there_is_not_found(store: ByteStore, path: str) -> None:
    await put(store, f"{ROOT}/a")
    for call in (store.open_file, store.get_file, store.delete):
        with pytest.raises(NotFound):
            await call(path)


async def test_folder_is_not_read_as_a_file(store: ByteStore) -> None:
    await put(store, f"{ROOT}/a/b")
    with pytest.raises(NotFound):
        await store.open_file(f"{ROOT}/a")


@pytest.mark.parametrize(
    ("path", "reason"), [(f"{ROOT}/a", "ARTIFACT_IS_FOLDER"), (f"{ROOT}/a/b/c", "ARTIFACT_NOT_FOLDER")]
)
async def test_file_and_folder_do_not_take_each_others_place(store: ByteStore, path: str, reason: str) -> None:
    early = await store.open_partial("early", path)
    await early.append(b"12")
    await put(store, f"{ROOT}/a/b")
    with pytest.raises(FailedPrecondition) as refused:
        await store.open_partial("late", path)
    assert refused.value.reason == reason
    with pytest.raises(FailedPrecondition):
        await early.publish()
    await early.close()
    assert await store.partial_size("early") == 2


async def test_many_publish_and_delete_in_one_folder_at_once(store: ByteStore) -> None:
    async def come_and_go(number: int) -> None:
        for _ in range(10):
            await put(store, f"{ROOT}/shared/folder/{number}", partial_id=f"p{number}")
            await store.delete(f"{ROOT}/shared/folder/{number}")

    await asyncio.gather(*(come_and_go(number) for number in range(4)))
    assert await names(store, "0") == []
