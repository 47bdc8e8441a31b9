"""What stores of objects do beyond what every ByteStore keeps to, and folders like HDFS's, over fsspec's memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.stores.byte_files import ROOT, names, put, read
from tests.stores.remote_objects import BUCKET, Objects, objects_protocol, settings_of_objects

from trackwire_server.core.errors import Aborted, StorageFull, StoreUnavailable
from trackwire_server.stores.remote import Protocol, RemoteBytes
from trackwire_server.stores.remote.any_system import BLOCK_BYTES, AnySystemDrive, fault_of
from trackwire_server.stores.remote.protocols import Driver

PATH = f"{ROOT}/file"


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
async def store(objects: Objects, tmp_path: Path) -> AsyncIterator[RemoteBytes]:
    async with RemoteBytes.opened(settings_of_objects(tmp_path / "spool"), objects_protocol(objects)) as opened:
        yield opened


async def test_published_file_is_the_only_object(store: RemoteBytes, objects: Objects) -> None:
    await put(store, PATH)
    assert objects.names == [f"/{BUCKET}/{PATH}"]


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (ConnectionResetError("reset"), StoreUnavailable, "write: reset"),
        (PermissionError("no"), StoreUnavailable, "access is denied to the server's credentials"),
        (OSError("quota exceeded"), StorageFull, "is full"),
        (FileNotFoundError(BUCKET), StoreUnavailable, "what was sent is gone"),
    ],
)
async def test_upload_that_fails_shows_nothing_and_goes_on_afterwards(
    store: RemoteBytes, objects: Objects, raised: Exception, kind: type[Exception], said: str
) -> None:
    def fail(_: str) -> None:
        raise raised

    objects.before_put = fail
    with pytest.raises(kind, match=said):
        await put(store, PATH, b"bytes", partial_id="p")
    assert objects.names == []
    objects.before_put = lambda _: None
    assert await store.partial_size("p") == 5
    partial = await store.open_partial("p", PATH)
    await partial.publish()
    await partial.close()
    assert await read(store, PATH) == b"bytes"


async def test_large_file_that_is_replaced_while_it_is_read_is_not_mixed(store: RemoteBytes) -> None:
    await put(store, PATH, bytes(BLOCK_BYTES + 10))
    file = await store.open_file(PATH)
    assert await file.read(offset=0, length=10) == bytes(10)
    await put(store, PATH, b"1" * (BLOCK_BYTES + 10))
    assert await file.read(offset=10, length=10) == bytes(10)
    with pytest.raises(Aborted) as refused:
        await file.read(offset=BLOCK_BYTES, length=10)
    assert refused.value.reason == "ARTIFACT_CHANGED"
    await file.close()


async def test_name_that_looks_like_a_pattern_is_none(store: RemoteBytes) -> None:
    for name in ("a*", "ab", "a[b]/c"):
        await put(store, f"x/{name}")
    assert await store.delete("x/a*") == 5
    assert await store.delete("x/a[b]") == 5
    assert await names(store, "x") == [("ab", False)]


async def test_bucket_that_is_missing_is_named(objects: Objects, tmp_path: Path) -> None:
    objects.rmdir(BUCKET)
    with pytest.raises(StoreUnavailable, match=f"gs://{BUCKET}: '{BUCKET}' does not exist: make it") as refused:
        async with RemoteBytes.opened(settings_of_objects(tmp_path / "spool"), objects_protocol(objects)):
            pass
    assert refused.value.reason == "ARTIFACT_STORE_REFUSES"


async def test_bucket_that_goes_is_no_empty_folder(store: RemoteBytes, objects: Objects) -> None:
    objects.rmdir(BUCKET)
    for attempt in (names(store, ROOT), store.get_file(PATH), store.open_file(PATH)):
        with pytest.raises(StoreUnavailable, match="does not exist"):
            await attempt


@pytest.fixture
async def folders(objects: Objects, tmp_path: Path) -> AsyncIterator[RemoteBytes]:
    """With HDFS's ways: no rename in place of a file, and no folder that is removed only if it is empty."""
    objects.makedirs("/folder")
    protocol = Protocol(lambda: Driver(lambda _: AnySystemDrive(objects), fault_of), has_folders=True)
    async with RemoteBytes.opened(settings_of_objects(tmp_path / "spool", "folder"), protocol) as opened:
        yield opened


async def test_file_in_folders_like_those_of_hdfs_is_replaced_and_deleted(
    folders: RemoteBytes, objects: Objects
) -> None:
    await put(folders, "a/b/file", b"first")
    await put(folders, "a/b/file", b"second")
    await put(folders, "a/b/other", b"1")
    assert await read(folders, "a/b/file") == b"second"
    assert objects.names == ["/folder/a/b/file", "/folder/a/b/other"]
    assert await folders.delete("a/b/other") == 1
    assert await folders.delete("a/b/file") == 6
    assert objects.names == []


async def test_folder_like_those_of_hdfs_stays_where_it_has_become_empty(folders: RemoteBytes) -> None:
    await put(folders, "a/b/file")
    await folders.delete("a/b/file")
    assert await names(folders, "a") == [("b", True)]
