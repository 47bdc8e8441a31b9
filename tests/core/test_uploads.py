"""How uploads come to their end: whole, cut, resumed, refused, expired; on the memory stores."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import FakeClock
from tests.core.files_of_runs import DATA, DAY_MS, FINISH, HEADER, RUN, WHOLE, download, stream

from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_places import FILE_SCHEME, ByteStores
from trackwire_server.core.artifacts import Artifacts, UploadStatus
from trackwire_server.core.errors import (
    Aborted,
    AlreadyExists,
    ChecksumMismatch,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    RunDeleted,
)
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.upload_streams import UploadFinish
from trackwire_server.stores.files import local_folders
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState


async def test_whole_upload_is_visible(artifacts: Artifacts) -> None:
    artifact = await artifacts.upload(HEADER, stream(*WHOLE))
    assert (artifact.path, artifact.size_bytes, artifact.is_dir) == ("a/b.bin", 10, False)
    assert await download(artifacts) == DATA
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(10, True)


async def test_cut_upload_goes_on_at_its_offset(artifacts: Artifacts) -> None:
    with pytest.raises(InvalidArgument) as cut:
        await artifacts.upload(HEADER, stream(DATA[:4]))
    assert (cut.value.reason, cut.value.metadata["offset"]) == ("INCOMPLETE_UPLOAD", "4")
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(4, False)
    with pytest.raises(NotFound):
        await download(artifacts)
    await artifacts.upload(replace(HEADER, offset=4), stream(DATA[4:], FINISH))
    assert await download(artifacts) == DATA


async def test_all_bytes_without_a_finish_are_no_upload(artifacts: Artifacts) -> None:
    with pytest.raises(InvalidArgument):
        await artifacts.upload(HEADER, stream(DATA))
    await artifacts.upload(replace(HEADER, offset=10), stream(FINISH))
    assert await download(artifacts) == DATA


async def test_cancelled_upload_keeps_what_arrived(artifacts: Artifacts) -> None:
    async def stalled() -> AsyncIterator[bytes | UploadFinish]:
        yield DATA[:4]
        await asyncio.Event().wait()

    task = asyncio.create_task(artifacts.upload(HEADER, stalled()))
    await asyncio.sleep(0.01)
    with pytest.raises(Aborted) as in_use:
        await artifacts.upload(HEADER, stream(*WHOLE))
    assert in_use.value.reason == "UPLOAD_IN_USE"
    task.cancel()
    await asyncio.wait([task])
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(4, False)


@pytest.mark.parametrize("offset", [3, 5, 10, 11])
async def test_wrong_offset_is_answered_with_the_right_one(artifacts: Artifacts, offset: int) -> None:
    with pytest.raises(InvalidArgument):
        await artifacts.upload(HEADER, stream(DATA[:4]))
    with pytest.raises(OutOfRange) as refused:
        await artifacts.upload(replace(HEADER, offset=offset), stream(DATA[offset:], FINISH))
    assert (refused.value.reason, refused.value.metadata["offset"]) == ("OFFSET_MISMATCH", "4")


@pytest.mark.parametrize(
    "parts", [(b"0123456780", FINISH), (DATA, UploadFinish(bytes(32)))], ids=["other bytes", "other checksum"]
)
async def test_wrong_checksum_keeps_nothing(artifacts: Artifacts, parts: tuple[bytes | UploadFinish, ...]) -> None:
    with pytest.raises(ChecksumMismatch):
        await artifacts.upload(HEADER, stream(*parts))
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(0, False)
    assert (await artifacts.list_artifacts("run1", "")).artifacts == []
    await artifacts.upload(HEADER, stream(*WHOLE))
    assert await download(artifacts) == DATA


async def test_too_many_bytes_keep_nothing(artifacts: Artifacts) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.upload(HEADER, stream(DATA, b"x", FINISH))
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("TOO_MANY_BYTES", "10")
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(0, False)


async def test_same_upload_again_is_answered_as_done(artifacts: Artifacts) -> None:
    first = await artifacts.upload(HEADER, stream(*WHOLE))
    assert await artifacts.upload(HEADER, stream(*WHOLE)) == first
    assert await artifacts.upload(replace(HEADER, offset=10), stream(FINISH)) == first
    await artifacts.delete_artifact("run1", "a")
    again = await artifacts.upload(HEADER, stream(*WHOLE))
    assert (again.path, again.size_bytes) == (first.path, first.size_bytes)


@pytest.mark.parametrize("change", [{"path": "c"}, {"size_bytes": 9}], ids=str)
async def test_other_header_under_the_same_id_is_refused(artifacts: Artifacts, change: dict[str, object]) -> None:
    await artifacts.upload(HEADER, stream(*WHOLE))
    with pytest.raises(AlreadyExists):
        await artifacts.upload(replace(HEADER, **change), stream(*WHOLE))  # type: ignore[arg-type]  # fields by name


async def test_other_bytes_under_the_id_of_a_complete_upload_are_refused(artifacts: Artifacts) -> None:
    await artifacts.upload(HEADER, stream(*WHOLE))
    other = b"9876543210"
    with pytest.raises(AlreadyExists):
        await artifacts.upload(HEADER, stream(other, UploadFinish(hashlib.sha256(other).digest())))
    assert await download(artifacts) == DATA


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"upload_id": ""}, "header.upload_id"),
        ({"upload_id": "a/b"}, "header.upload_id"),
        ({"upload_id": "ü"}, "header.upload_id"),
        ({"upload_id": "x" * 65}, "header.upload_id"),
        ({"owner_id": ""}, "header.run_id"),
        ({"path": ""}, "header.path"),
        ({"path": "../a"}, "header.path"),
        ({"size_bytes": -1}, "header.size_bytes"),
        ({"size_bytes": LIMITS.artifact_bytes + 1}, "header.size_bytes"),
        ({"offset": -1}, "header.offset"),
    ],
    ids=str,
)
async def test_bad_header_is_refused_by_field(artifacts: Artifacts, change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.upload(replace(HEADER, **change), stream(*WHOLE))  # type: ignore[arg-type]  # fields by name
    assert refused.value.field == field


async def test_short_checksum_is_refused_and_the_bytes_are_kept(artifacts: Artifacts) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.upload(HEADER, stream(DATA, UploadFinish(b"short")))
    assert refused.value.field == "finish.sha256"
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(10, False)


# Expiry


async def test_upload_expires_a_day_after_its_latest_stream(artifacts: Artifacts, clock: FakeClock) -> None:
    with pytest.raises(InvalidArgument):
        await artifacts.upload(HEADER, stream(DATA[:4]))
    clock.advance(DAY_MS - 1)
    with pytest.raises(InvalidArgument):
        await artifacts.upload(replace(HEADER, offset=4), stream(DATA[4:6]))
    clock.advance(DAY_MS)
    assert await artifacts.discard_expired() == 0
    clock.advance(1)
    assert await artifacts.discard_expired() == 1
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(0, False)


async def test_expired_uploads_are_dropped_where_they_lie_and_others_are_not_held_up(
    memory_state: MemoryState, clock: FakeClock, tmp_path: Path
) -> None:
    memory_state.runs["run1"] = replace(RUN, artifact_uri=f"{tmp_path}/runs/run1/artifacts")
    memory_state.runs["run2"] = replace(RUN, run_id="run2", artifact_uri=f"{tmp_path}/gone/run2/artifacts")
    stores = ByteStores({FILE_SCHEME: local_folders([])})
    artifacts = Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)
    for run_id in ("run2", "run1"):
        with pytest.raises(InvalidArgument):
            await artifacts.upload(replace(HEADER, owner_id=run_id), stream(DATA[:4]))
        clock.advance(1)
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(4, False)
    assert len(list((tmp_path / "runs" / ".partial").iterdir())) == 1
    # As when the server is started with other rights.
    memory_state.runs["run2"] = replace(memory_state.runs["run2"], artifact_uri="s3://bucket/run2/artifacts")
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert list((tmp_path / "runs" / ".partial").iterdir()) == []
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(0, False)


async def test_file_outlives_the_memory_of_its_upload(artifacts: Artifacts, clock: FakeClock) -> None:
    await artifacts.upload(HEADER, stream(*WHOLE))
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert await download(artifacts) == DATA


async def test_upload_under_way_does_not_expire(artifacts: Artifacts, clock: FakeClock) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes | UploadFinish]:
        yield DATA
        await go_on.wait()
        yield FINISH

    task = asyncio.create_task(artifacts.upload(HEADER, slow()))
    await asyncio.sleep(0.01)
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 0
    go_on.set()
    await task
    assert await download(artifacts) == DATA


# Streams without a header


async def bytes_of(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_stream_without_a_header_is_whole_at_its_end(
    artifacts: Artifacts, memory_state: MemoryState, clock: FakeClock
) -> None:
    stored = await artifacts.store("run1", "a/b.bin", bytes_of(DATA[:4], DATA[4:]))
    assert (stored.path, stored.size_bytes) == ("a/b.bin", len(DATA))
    assert await download(artifacts) == DATA
    await artifacts.store("run1", "a/b.bin", bytes_of())
    assert await download(artifacts) == b""
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 0


async def test_stream_without_a_header_leaves_nothing_where_it_breaks_off(
    artifacts: Artifacts, clock: FakeClock
) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionError

    async def stalled() -> AsyncIterator[bytes]:
        yield DATA
        await asyncio.Event().wait()

    with pytest.raises(ConnectionError):
        await artifacts.store("run1", "a/b.bin", cut())
    task = asyncio.create_task(artifacts.store("run1", "a/b.bin", stalled()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await artifacts.list_artifacts("run1", "")).artifacts == []
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 0


async def test_two_streams_to_one_path_do_not_mix(artifacts: Artifacts) -> None:
    async def slow(byte: bytes) -> AsyncIterator[bytes]:
        for _ in range(10):
            yield byte
            await asyncio.sleep(0)

    await asyncio.gather(*(artifacts.store("run1", "a/b.bin", slow(byte)) for byte in (b"a", b"b")))
    assert await download(artifacts) in (b"a" * 10, b"b" * 10)


async def test_stream_without_a_header_keeps_the_rules_of_uploads(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidArgument, match="path"):
        await artifacts.store("run1", "../x", bytes_of(DATA))
    with pytest.raises(RunDeleted):
        await artifacts.store("deleted", "x", bytes_of(DATA))
    with pytest.raises(NotFound):
        await artifacts.store("nobody", "x", bytes_of(DATA))
    with pytest.raises(FailedPrecondition, match="s3://bucket/0/far/artifacts"):
        await artifacts.store("far", "x", bytes_of(DATA))
    monkeypatch.setattr("trackwire_server.core.upload_streams.LIMITS", replace(LIMITS, artifact_bytes=len(DATA)))
    await artifacts.store("run1", "x", bytes_of(DATA))
    with pytest.raises(InvalidArgument, match="at most 10 bytes are allowed in one file"):
        await artifacts.store("run1", "y", bytes_of(DATA, b"!"))
    assert [entry.path for entry in (await artifacts.list_artifacts("run1", "")).artifacts] == ["x"]
