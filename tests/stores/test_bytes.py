"""What every ByteStore keeps to, and how the folder guards itself."""

import asyncio
import hashlib
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import FakeClock

from trackwire_server.core.artifact_paths import ArtifactHome, home_of_model
from trackwire_server.core.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound, StorageFull
from trackwire_server.core.stores import ByteStore
from trackwire_server.stores.files import FileBytes, local_folders
from trackwire_server.stores.files.folders import errors_translated
from trackwire_server.stores.memory.artifacts import MemoryBytes

ROOT = "0/run1/artifacts"


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileBytes]:
    store = await FileBytes.open(tmp_path / "artifacts")
    yield store
    await store.close()


@pytest.fixture(params=["memory", "files", "files opened by each call"])
def store(request: pytest.FixtureRequest, clock: FakeClock, files: FileBytes, tmp_path: Path) -> ByteStore:
    match request.param:
        case "memory":
            return MemoryBytes(clock)
        case "files":
            return files
    return FileBytes(tmp_path / "elsewhere")


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def put(store: ByteStore, path: str, data: bytes = b"bytes", *, partial_id: str = "partial") -> None:
    partial = await store.open_partial(partial_id, path)
    try:
        await partial.append(data)
        await partial.publish()
    finally:
        await partial.close()


async def read(store: ByteStore, path: str) -> bytes:
    file = await store.open_file(path)
    try:
        return await file.read(offset=0, length=file.size_bytes)
    finally:
        await file.close()


async def names(store: ByteStore, folder: str) -> list[tuple[str, bool]]:
    return [(entry.path, entry.is_dir) for entry in await store.list_folder(folder, after="", limit=1_000)]


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
    await store.delete(f"{ROOT}/a")
    assert await new.read(offset=0, length=100) == b"new"
    await old.close()
    await new.close()


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


# The folder alone.


async def test_own_folder_is_refused(files: FileBytes) -> None:
    for call in (files.open_file, files.delete, files.get_file):
        with pytest.raises(InvalidArgument):
            await call(".partial/p")
    with pytest.raises(InvalidArgument):
        await files.open_partial("p", ".partial/q")
    assert await names(files, "") == []


@pytest.fixture
async def links(files: FileBytes, tmp_path: Path) -> Path:
    """A folder outside with a secret, and links to it from inside a run; the outside's path."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    await put(files, f"{ROOT}/plain")
    inside = tmp_path / "artifacts" / ROOT
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret")
    (inside / "near").symlink_to("plain")
    return outside


@pytest.mark.parametrize("path", ["folder", "folder/secret", "file", "near"])
async def test_links_are_not_there_for_readers(files: FileBytes, links: Path, path: str) -> None:
    for call in (files.open_file, files.get_file, files.delete):
        with pytest.raises(NotFound):
            await call(f"{ROOT}/{path}")
    assert await names(files, f"{ROOT}/{path}") == []
    assert await names(files, ROOT) == [("plain", False)]
    assert (links / "secret").read_text() == "secret"


@pytest.mark.parametrize("path", ["folder", "folder/new", "folder/deep/new", "file", "file/new", "near"])
async def test_links_are_refused_to_writers(files: FileBytes, links: Path, path: str) -> None:
    with pytest.raises(InvalidArgument, match="symbolic link"):
        await files.open_partial("p", f"{ROOT}/{path}")
    assert names_in(links) == ["secret"]


async def test_link_made_during_an_upload_is_refused(files: FileBytes, tmp_path: Path) -> None:
    partial = await files.open_partial("p", f"{ROOT}/folder/new")
    await partial.append(b"12")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "artifacts" / ROOT).mkdir(parents=True)
    (tmp_path / "artifacts" / ROOT / "folder").symlink_to(outside)
    with pytest.raises(InvalidArgument, match="symbolic link"):
        await partial.publish()
    await partial.close()
    assert names_in(outside) == []


async def test_deleting_a_folder_leaves_what_its_links_point_to(files: FileBytes, links: Path) -> None:
    await files.delete(ROOT)
    assert (links / "secret").read_text() == "secret"


async def test_pipe_is_not_a_file(files: FileBytes, tmp_path: Path) -> None:
    await put(files, f"{ROOT}/plain")
    os.mkfifo(tmp_path / "artifacts" / ROOT / "pipe")
    with pytest.raises(NotFound):
        await files.open_file(f"{ROOT}/pipe")
    assert await names(files, ROOT) == [("plain", False)]


async def test_two_stores_on_one_folder_exclude_each_other(files: FileBytes, tmp_path: Path) -> None:
    other = await FileBytes.open(tmp_path / "artifacts")
    held = await files.open_partial("p", f"{ROOT}/a")
    with pytest.raises(Aborted):
        await other.open_partial("p", f"{ROOT}/a")
    await held.close()
    await other.close()


async def test_broken_off_deletion_is_ended_at_the_start(files: FileBytes, tmp_path: Path) -> None:
    left = tmp_path / "artifacts" / ".partial" / "deleted-1"
    left.mkdir()
    (left / "file").write_text("bytes")
    await (await FileBytes.open(tmp_path / "artifacts")).close()
    assert not left.exists()


@contextmanager
def disk_full_at(size_bytes: int) -> Iterator[None]:
    """No file of this process grows past a size: write() fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_full_disk_keeps_whole_parts_alone(files: FileBytes) -> None:
    partial = await files.open_partial("p", f"{ROOT}/a")
    with disk_full_at(25):
        for _ in range(3):
            await partial.append(b"0123456789")
        with pytest.raises(StorageFull, match="artifact store"):
            await partial.sha256()
    await partial.close()
    assert await files.partial_size("p") == 20
    again = await files.open_partial("p", f"{ROOT}/a")
    await again.append(b"0123456789")
    await again.publish()
    await again.close()
    assert await read(files, f"{ROOT}/a") == b"0123456789" * 3


def test_device_that_is_full_is_a_full_disk() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(StorageFull), errors_translated():
            os.write(full, b"1")
    finally:
        os.close(full)


async def test_failure_that_nobody_awaited_is_no_warning(files: FileBytes) -> None:
    partial = await files.open_partial("p", f"{ROOT}/a")
    with disk_full_at(5):
        await partial.append(b"0123456789")
        await partial.close()
    assert await files.partial_size("p") == 0


async def test_cancelled_writer_leaves_whole_parts_and_no_lock(files: FileBytes) -> None:
    partial = await files.open_partial("p", f"{ROOT}/a")
    part = bytes(1024 * 1024)

    async def write() -> None:
        while True:
            await partial.append(part)

    task = asyncio.create_task(write())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    await partial.close()
    assert await files.partial_size("p") == partial.size_bytes
    await files.discard_partial("p")


async def test_cancelled_opening_leaves_no_lock_and_no_descriptor(files: FileBytes) -> None:
    before = open_descriptors()
    for _ in range(20):
        task = asyncio.create_task(files.open_partial("p", f"{ROOT}/a"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await asyncio.sleep(0.2)
    await (await files.open_partial("p", f"{ROOT}/a")).close()
    assert open_descriptors() == before


async def test_nothing_stays_open(files: FileBytes) -> None:
    before = open_descriptors()
    await put(files, f"{ROOT}/a/b")
    await read(files, f"{ROOT}/a/b")
    await names(files, ROOT)
    await files.delete(f"{ROOT}/a")
    for path in (f"{ROOT}/a", f"{ROOT}/a/b"):
        with pytest.raises(NotFound):
            await files.open_file(path)
    assert open_descriptors() == before


# A folder that is opened by each call.


async def test_folder_is_made_by_the_first_upload_alone(tmp_path: Path) -> None:
    store = FileBytes(tmp_path / "deep" / "folder")
    assert await names(store, "") == []
    assert await store.partial_size("p") == 0
    await store.discard_partial("p")
    for call in (store.open_file, store.delete):
        with pytest.raises(NotFound):
            await call("a/b")
    assert not (tmp_path / "deep").exists()
    await put(store, "a/b")
    assert (tmp_path / "deep" / "folder" / "a" / "b").read_bytes() == b"bytes"


async def test_folder_may_be_deleted_and_made_again_meanwhile(tmp_path: Path) -> None:
    store = FileBytes(tmp_path / "folder")
    await put(store, "a")
    (tmp_path / "folder").rename(tmp_path / "away")
    assert await names(store, "") == []
    await put(store, "b")
    assert await names(store, "") == [("b", False)]


async def test_nothing_of_another_folder_stays_open(tmp_path: Path) -> None:
    store = FileBytes(tmp_path / "folder")
    before = open_descriptors()
    await put(store, "a/b")
    await names(store, "a")
    partial = await store.open_partial("p", "a/c")
    assert open_descriptors() == before + 1
    await partial.close()
    await store.discard_partial("p")
    await store.delete("a")
    assert open_descriptors() == before


async def test_folder_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("bytes")
    assert await read(FileBytes(folder), "a") == b"bytes"
    assert names_in(folder) == ["a"]


async def test_broken_off_deletion_is_ended_by_a_later_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileBytes(tmp_path / "folder")
    await put(store, "a")
    await put(store, "b")
    left = tmp_path / "folder" / ".partial" / "deleted-1"
    left.mkdir()
    await store.delete("a")
    assert left.exists()  # It may be under way.
    monkeypatch.setattr("trackwire_server.stores.files.store.DELETION_SECONDS_MAX", -60)
    await store.delete("b")
    assert not left.exists()


# Runs in folders that somebody named.


def run_at(uri: str) -> ArtifactHome:
    return ArtifactHome("run", "run_id", "run1", uri, 2)


@pytest.mark.parametrize("uri", ["{folder}/my runs/run1/artifacts", "file://{folder}/my%20runs/run1/artifacts"])
async def test_run_in_a_folder_is_read_and_written_there(tmp_path: Path, uri: str) -> None:
    async with local_folders([])(run_at(uri.format(folder=tmp_path))) as folder:
        await put(folder.store, folder.of("a/b"))
        assert await names(folder.store, folder.of("a")) == [("b", False)]
    assert (tmp_path / "my runs" / "run1" / "artifacts" / "a" / "b").read_bytes() == b"bytes"
    assert names_in(tmp_path / "my runs" / "run1") == ["artifacts"]


@pytest.mark.parametrize(
    "uri",
    [
        "/run1/artifacts",
        "file:///run1/artifacts",
        "/data/../run1/artifacts",
        "file:///data/%2e%2e/etc/run1/artifacts",
        "file://host/data/run1/artifacts",
        "file:data/run1/artifacts",
        "//data/run1/artifacts",
        "/data//run1/artifacts",
    ],
)
async def test_uri_that_leads_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        async with local_folders([])(run_at(uri)):
            pass
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"
    assert uri in refused.value.message


@pytest.mark.parametrize(
    "location", ["", "/data", "/data/artifacts", "/data/artifacts/0", "/data/spool/x", "/link", "/link/artifacts"]
)
async def test_folders_of_the_servers_own_are_no_runs(tmp_path: Path, location: str) -> None:
    own = [tmp_path / "data" / "artifacts", tmp_path / "data" / "spool"]
    for folder in own:
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    run_id = "data" if not location else "artifacts" if location in ("/data", "/link") else "run1"
    uri = f"{tmp_path}{location}/{run_id}/artifacts"
    with pytest.raises(FailedPrecondition, match="own") as refused:
        async with local_folders(own)(run_at(uri)):
            pass
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"


async def test_long_run_id_is_a_folder_in_a_folder(tmp_path: Path) -> None:
    async with local_folders([])(run_at(f"{tmp_path}/runs/{'r' * 256}/artifacts")) as folder:
        await put(folder.store, folder.of("a"))
    assert (tmp_path / "runs" / ("r" * 255) / "r" / "artifacts" / "a").exists()


async def test_links_below_a_location_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("secret")
    (tmp_path / "runs" / "run1").mkdir(parents=True)
    (tmp_path / "runs" / "run1" / "artifacts").symlink_to(tmp_path / "secret")
    async with local_folders([])(run_at(f"{tmp_path}/runs/run1/artifacts")) as folder:
        assert await names(folder.store, folder.path) == []
        with pytest.raises(NotFound):
            await folder.store.open_file(folder.of("file"))
        with pytest.raises(InvalidArgument, match="symbolic link"):
            await folder.store.open_partial("p", folder.of("new"))
    assert names_in(tmp_path / "secret") == ["file"]


@pytest.mark.parametrize("location", ["file/runs", "loop/runs", "x" * 256])
async def test_what_the_system_forbids_is_refused_for_good(tmp_path: Path, location: str) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FailedPrecondition, match="can't use") as refused:
        async with local_folders([tmp_path / "own"])(run_at(f"{tmp_path}/{location}/run1/artifacts")) as folder:
            await put(folder.store, folder.of("a"))
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"


async def test_uploads_of_a_logged_model_lie_in_its_experiments_location(tmp_path: Path) -> None:
    home = home_of_model("m-1", f"{tmp_path}/far/models/m-1/artifacts")
    async with local_folders([])(home) as folder:
        await put(folder.store, folder.of("a"))
    assert sorted(names_in(tmp_path / "far")) == [".partial", "models"]
    assert names_in(tmp_path / "far" / "models") == ["m-1"]
