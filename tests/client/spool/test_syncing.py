"""What a crash of the machine doesn't undo: all of a stream, down to the folders that name it, and nothing twice."""

import errno
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import trackwire
from trackwire.fluent import snapshots
from trackwire.spool.kinds import RecordKind
from trackwire.spool.stream import SpoolStream, open_streams

SyncedPaths = Callable[[], list[Path]]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> SyncedPaths:
    """Gives, and forgets, the paths that were synced, in order."""
    fsync, paths = os.fsync, []

    def watched(fd: int) -> None:
        fsync(fd)
        paths.append(Path(f"/proc/self/fd/{fd}").readlink())

    def taken() -> list[Path]:
        found = paths.copy()
        paths.clear()
        return found

    monkeypatch.setattr(os, "fsync", watched)
    return taken


def create(spool: Path) -> SpoolStream:
    return SpoolStream.create(spool, run_id="run-1", tracking_uri="", segment_bytes=1000)


def append(stream: SpoolStream, records: int) -> None:
    for number in range(records):
        stream.append(RecordKind.INGEST, bytes([number]) * 300)


def keep(stream: SpoolStream, text: str) -> Path:
    taken = snapshots.take(stream.place.files_folder, "a.txt", lambda path: path.write_text(text))
    assert taken is not None
    return stream.place.files_folder / taken.name


def test_first_sync_has_the_disk_keep_the_stream_and_all_that_leads_to_it(tmp_path: Path, synced: SyncedPaths) -> None:
    with closing(create(tmp_path / "a/spool")) as stream:
        append(stream, 20)
        files = [keep(stream, text) for text in "ab"]
        stream.sync()
        folder = stream.place.folder
        segments = stream.place.segments()
        assert len(segments) > 4
        found = synced()
        assert len(found) == len(set(found))
        assert {*segments, *files, folder / "stream.json", folder / "delivered", folder / "files", folder} <= set(found)
        assert {folder.parent, tmp_path / "a/spool", tmp_path / "a", tmp_path} <= set(found)
        # Who finds a record finds what it names.
        assert max(map(found.index, files)) < min(map(found.index, segments))


def test_later_sync_costs_what_has_come_since(tmp_path: Path, synced: SyncedPaths) -> None:
    with closing(create(tmp_path)) as stream:
        append(stream, 20)
        keep(stream, "a")
        stream.sync()
        place = stream.place
        before = place.segments()
        synced()
        stream.sync()
        assert synced() == [before[-1]]
        file = keep(stream, "b")
        stream.sync()
        assert synced() == [file, place.files_folder, before[-1]]
        append(stream, 10)
        stream.sync()
        assert synced() == [before[-1], *place.segments()[len(before) :], place.folder]


def test_sync_passes_over_what_was_delivered_and_deleted(tmp_path: Path, synced: SyncedPaths) -> None:
    with closing(create(tmp_path)) as stream:
        append(stream, 20)
        first, *others = stream.place.segments()
        first.unlink()
        keep(stream, "a").unlink()
        stream.sync()
        found = synced()
        assert first not in found
        assert set(others) <= set(found)


def test_sync_that_failed_is_done_again(tmp_path: Path, synced: SyncedPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(create(tmp_path)) as stream:
        append(stream, 20)
        file = keep(stream, "a")
        watched = os.fsync

        def failing(fd: int) -> None:
            if Path(f"/proc/self/fd/{fd}").readlink() == stream.place.segments()[1]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            watched(fd)

        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", failing)
            with pytest.raises(OSError, match="Input/output error"):
                stream.sync()
        synced()
        stream.sync()
        assert {*stream.place.segments(), stream.place.folder, file.parent, tmp_path} <= set(synced())


def test_end_of_a_stream_is_synced_too(tmp_path: Path, synced: SyncedPaths) -> None:
    stream = create(tmp_path)
    stream.sync()
    synced()
    stream.close()
    stream.sync()
    assert synced() == stream.place.segments()


def test_flush_without_a_server_has_the_disk_keep_files_and_points(spool: Path, synced: SyncedPaths) -> None:
    with trackwire.start_run() as run:
        run.log_metric("loss", 1.0)
        run.log_text("a", "a.txt")
        assert run.flush()
        [place] = open_streams(spool)
        [file] = place.files_folder.iterdir()
        assert {file, place.files_folder, *place.segments(), place.folder, spool, spool.parent} <= set(synced())
        run.log_text("b", "b.txt")
        assert run.flush()
        assert {path.parent for path in synced()} == {place.files_folder, place.folder}
