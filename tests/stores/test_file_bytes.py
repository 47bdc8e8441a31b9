"""How a folder keeps files, and guards itself."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.traffic import until
from tests.stores.byte_files import ROOT, names, names_in, open_descriptors, put, read

from trackwire_server.core.errors import Aborted, InvalidArgument, NotFound, StorageFull
from trackwire_server.stores.files import FileBytes
from trackwire_server.stores.files.folders import errors_translated


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
    assert await until(lambda: open_descriptors() == before, seconds=30)
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


# A folder that is opened by each call


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
