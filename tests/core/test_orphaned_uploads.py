"""What uploads have left that no row tells of is found and removed; what may be under way is not."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import NOW_MS, FakeClock
from tests.core.files_of_runs import DAY_MS, RUN
from tests.stores.byte_files import names_in

from trackwire_server.core.artifact_owners import LoggedModelOwners, RunOwners
from trackwire_server.core.artifact_paths import model_partial_id, partial_id
from trackwire_server.core.artifact_places import FILE_SCHEME, OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.entities import NewExperiment, Upload
from trackwire_server.core.garbage import Garbage
from trackwire_server.core.orphaned_uploads import OrphanedUploads
from trackwire_server.stores.files import FileBytes, local_folders
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.experiments import MemoryExperiments
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState

NAME = partial_id("run1", "upload1")
UPLOAD = Upload("upload1", "run1", "file", 5, NOW_MS)


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[FileBytes]:
    opened = await FileBytes.open(tmp_path / "own")
    yield opened
    await opened.close()


@pytest.fixture
def uploads(memory_state: MemoryState) -> MemoryUploads:
    memory_state.runs["run1"] = RUN
    return MemoryUploads(memory_state)


@pytest.fixture
def model_uploads(memory_state: MemoryState) -> MemoryUploads:
    return MemoryUploads(memory_state, lambda _model_id: None)


@pytest.fixture
def orphans(
    memory_state: MemoryState, own: FileBytes, uploads: MemoryUploads, model_uploads: MemoryUploads
) -> OrphanedUploads:
    rows = (
        (RunOwners(MemoryRuns(memory_state)), uploads),
        (LoggedModelOwners(MemoryLoggedModels(memory_state)), model_uploads),
    )
    stores = ByteStores({OWN_SCHEME: own_store(own), FILE_SCHEME: local_folders([])})
    return OrphanedUploads(MemoryExperiments(memory_state), stores, rows)


def leave(folder: Path, name: str = NAME, *, age_ms: int = 2 * DAY_MS) -> str:
    """A partial file that was last written to so long ago; its URI."""
    path = folder / ".partial" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"bytes")
    os.utime(path, ((NOW_MS - age_ms) / 1_000,) * 2)
    return path.as_uri()


async def collected(orphans: OrphanedUploads, *, dry_run: bool = False) -> Garbage:
    taken = Garbage()
    found = await orphans.find(await orphans.homes(), before_ms=NOW_MS - DAY_MS)
    await orphans.take(found, taken, dry_run=dry_run)
    return taken


async def test_what_has_no_row_is_told_and_then_removed(orphans: OrphanedUploads, tmp_path: Path) -> None:
    uri = leave(tmp_path / "own")
    told = await collected(orphans, dry_run=True)
    assert (told.orphaned_uploads, told.uploads, told.artifact_bytes) == ([uri], 1, 5)
    assert names_in(tmp_path / "own" / ".partial") == [NAME]
    assert await collected(orphans) == told
    assert names_in(tmp_path / "own" / ".partial") == []
    assert await collected(orphans) == Garbage()


async def test_what_is_younger_than_a_day_stays(orphans: OrphanedUploads, tmp_path: Path) -> None:
    leave(tmp_path / "own", age_ms=DAY_MS - 1_000)
    assert await collected(orphans) == Garbage()


async def test_what_has_a_row_stays(
    orphans: OrphanedUploads, uploads: MemoryUploads, model_uploads: MemoryUploads, tmp_path: Path
) -> None:
    leave(tmp_path / "own")
    leave(tmp_path / "own", model_partial_id("m-1", "upload1"))
    await uploads.begin_upload(UPLOAD)
    await model_uploads.begin_upload(replace(UPLOAD, owner_id="m-1"))
    assert await collected(orphans) == Garbage()


async def test_what_gets_a_row_before_it_is_removed_stays(
    orphans: OrphanedUploads, uploads: MemoryUploads, tmp_path: Path
) -> None:
    leave(tmp_path / "own")
    found = await orphans.find(await orphans.homes(), before_ms=NOW_MS - DAY_MS)
    await uploads.begin_upload(UPLOAD)
    taken = Garbage()
    await orphans.take(found, taken, dry_run=False)
    assert (len(found), taken) == (1, Garbage())
    assert names_in(tmp_path / "own" / ".partial") == [NAME]


async def test_what_a_stream_writes_to_stays(orphans: OrphanedUploads, own: FileBytes, tmp_path: Path) -> None:
    leave(tmp_path / "own")
    partial = await own.open_partial(NAME, "0/run1/artifacts/file")
    assert (await collected(orphans)).orphaned_uploads == []
    await partial.close()
    assert len((await collected(orphans)).orphaned_uploads) == 1


async def test_what_lies_in_the_folder_of_an_experiment_is_found(
    orphans: OrphanedUploads, memory_state: MemoryState, clock: FakeClock, tmp_path: Path
) -> None:
    experiments = MemoryExperiments(memory_state)
    for name, location in (
        ("folder", str(tmp_path / "my runs")),
        ("again", str(tmp_path / "my runs")),
        ("uri", f"file://{tmp_path}/by%20uri"),
        ("not there", str(tmp_path / "none")),
        ("far", "s3://bucket/far"),
    ):
        await experiments.create_experiment(NewExperiment(name, clock(), location))
    uris = [leave(tmp_path / "my runs"), leave(tmp_path / "by uri")]
    leave(tmp_path / "my runs", "somebody-else-s")
    assert (await collected(orphans)).orphaned_uploads == uris
    assert names_in(tmp_path / "my runs" / ".partial") == ["somebody-else-s"]
    assert not (tmp_path / "none").exists()
