"""The rules of artifacts, on the memory stores."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import NOW_MS, FakeClock

from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_paths import artifact_root, check_artifact_path, home_of_run
from trackwire_server.core.artifact_places import FILE_SCHEME, OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import (
    DOWNLOAD_PART_BYTES,
    Artifacts,
    DownloadPart,
    DownloadRange,
    UploadFinish,
    UploadHeader,
    UploadStatus,
)
from trackwire_server.core.entities import LifecycleStage, Run, RunStatus
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
from trackwire_server.stores.files import local_folders
from trackwire_server.stores.memory.artifacts import MemoryBytes, MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState

RUN = Run(
    run_id="run1",
    run_name="name",
    experiment_id="0",
    user_id="",
    status=RunStatus.RUNNING,
    start_time_ms=NOW_MS,
    end_time_ms=None,
    lifecycle_stage=LifecycleStage.ACTIVE,
    artifact_uri="trackwire-artifacts:/0/run1/artifacts",
)
DATA = b"0123456789"
HEADER = UploadHeader("upload1", "run1", "a/b.bin", len(DATA), 0)
FINISH = UploadFinish(hashlib.sha256(DATA).digest())
WHOLE = (DATA[:4], DATA[4:], FINISH)
DAY_MS = LIMITS.upload_expiry_seconds * 1_000


@pytest.fixture
def artifacts(memory_state: MemoryState, clock: FakeClock) -> Artifacts:
    memory_state.runs["run1"] = RUN
    memory_state.runs["deleted"] = replace(RUN, run_id="deleted", lifecycle_stage=LifecycleStage.DELETED)
    memory_state.runs["far"] = replace(RUN, run_id="far", artifact_uri="s3://bucket/0/far/artifacts")
    stores = ByteStores({OWN_SCHEME: own_store(MemoryBytes(clock))})
    return Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)


async def stream(*parts: bytes | UploadFinish) -> AsyncIterator[bytes | UploadFinish]:
    for part in parts:
        yield part


async def upload(artifacts: Artifacts, path: str, data: bytes = DATA) -> None:
    finish = UploadFinish(hashlib.sha256(data).digest())
    header = UploadHeader(f"of-{hashlib.sha256(path.encode()).hexdigest()[:32]}", "run1", path, len(data), 0)
    await artifacts.upload(header, stream(data, finish))


async def download(artifacts: Artifacts, path: str = "a/b.bin", *, offset: int = 0, length: int = 0) -> bytes:
    return b"".join([part.data async for part in artifacts.download("run1", path, DownloadRange(offset, length))])


# Paths


@pytest.mark.parametrize(
    "path", ["a", "a/b", ".hidden", "a..b", "...", "a b/ü", "100%", "100%25", "a%2fb", "-", "x" * 255, "C:"]
)
def test_clean_path_is_kept_as_it_is(path: str) -> None:
    assert check_artifact_path("path", path) == path


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a/.",
        "/a",
        "//a",
        "a//b",
        "a/",
        "/",
        "a\\b",
        "..\\a",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "\ud800",
        "%2e%2e",
        "%2E%2e/a",
        "a/%2e%2e/b",
        "%252e%252e",
        "%25252e%25252e",
        ".%2e",
        "%2fetc",
        "a%2f%2fb",
        "a%2f..%2fb",
        "a%5cb",
        "a%00b",
        "%5c%5chost",
    ],
)
def test_path_that_could_escape_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_artifact_path("header.path", path)
    assert refused.value.field == "header.path"
    assert refused.value.metadata["value"]


@pytest.mark.parametrize(
    ("path", "limit"), [("a/" * 512 + "a", "1024"), ("x" * 256, "255"), ("ü" * 128, "255"), ("a/" + "x" * 256, "255")]
)
def test_long_path_is_refused_by_its_limit(path: str, limit: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_artifact_path("path", path)
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("TOO_LONG", limit)


@given(st.text(alphabet="./\\%25eEfFcC0a", max_size=40))
def test_accepted_path_never_leads_out_however_often_it_is_decoded(path: str) -> None:
    from urllib.parse import unquote

    try:
        check_artifact_path("path", path)
    except InvalidArgument:
        return
    for _ in range(20):
        assert not path.startswith("/")
        assert not {"..", ".", ""} & set(path.replace("\\", "/").split("/"))
        path = unquote(path)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("trackwire-artifacts:/0/run1/artifacts", "0/run1/artifacts"),
        ("trackwire-artifacts:/team/x/run1/artifacts", "team/x/run1/artifacts"),
        (f"trackwire-artifacts:/0/{'r' * 256}/artifacts", f"0/{'r' * 255}/r/artifacts"),
    ],
)
def test_run_lies_in_a_folder_of_its_own(uri: str, folder: str) -> None:
    assert artifact_root(home_of_run(replace(RUN, artifact_uri=uri))) == folder


@pytest.mark.parametrize(
    "uri", ["s3://bucket/run1/artifacts", "/data/run1/artifacts", "trackwire-artifacts:/../run1/artifacts", ""]
)
def test_run_elsewhere_is_refused_with_the_place(uri: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        artifact_root(home_of_run(replace(RUN, artifact_uri=uri)))
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"
    assert refused.value.metadata["artifact_uri"] == uri
    assert uri in str(refused.value)


# Uploads


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


async def test_deleted_run_rejects_writes_and_answers_reads(artifacts: Artifacts) -> None:
    for write in (
        artifacts.upload(replace(HEADER, owner_id="deleted"), stream(*WHOLE)),
        artifacts.delete_artifact("deleted", "a"),
        artifacts.create_upload_url("deleted", "a"),
    ):
        with pytest.raises(RunDeleted):
            await write
    assert (await artifacts.list_artifacts("deleted", "")).artifacts == []


async def test_run_elsewhere_is_refused_by_every_call(artifacts: Artifacts) -> None:
    for call in (
        artifacts.list_artifacts("far", ""),
        artifacts.upload(replace(HEADER, owner_id="far"), stream(*WHOLE)),
        artifacts.delete_artifact("far", "a"),
        anext(artifacts.download("far", "a", DownloadRange())),
    ):
        with pytest.raises(FailedPrecondition, match="s3://bucket/0/far/artifacts"):
            await call


async def test_urls_are_not_supported(artifacts: Artifacts) -> None:
    for call in (artifacts.create_upload_url("run1", "a"), artifacts.create_download_url("run1", "a")):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert refused.value.reason == "PRESIGNED_URLS_UNSUPPORTED"


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


# Downloads


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 0, DATA), (3, 0, DATA[3:]), (3, 2, DATA[3:5]), (8, 100, DATA[8:]), (10, 0, b""), (10, 5, b"")],
)
async def test_range_is_answered(artifacts: Artifacts, offset: int, length: int, expected: bytes) -> None:
    await upload(artifacts, "a/b.bin")
    assert await download(artifacts, offset=offset, length=length) == expected


@pytest.mark.parametrize("size_bytes", [0, 1, DOWNLOAD_PART_BYTES, DOWNLOAD_PART_BYTES + 1, 3 * DOWNLOAD_PART_BYTES])
async def test_first_part_alone_tells_of_the_whole(artifacts: Artifacts, size_bytes: int) -> None:
    data = bytes(size_bytes)
    await upload(artifacts, "a", data)
    parts = [part async for part in artifacts.download("run1", "a", DownloadRange())]
    assert len(parts) == max(1, -(-size_bytes // DOWNLOAD_PART_BYTES))
    assert (parts[0].size_bytes, bool(parts[0].version)) == (size_bytes, True)
    assert parts[1:] == [DownloadPart(part.data) for part in parts[1:]]
    assert b"".join(part.data for part in parts) == data


async def test_offset_past_the_end_is_out_of_range(artifacts: Artifacts) -> None:
    await upload(artifacts, "a/b.bin")
    with pytest.raises(OutOfRange) as refused:
        await download(artifacts, offset=11)
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("OFFSET_PAST_END", "10")


@pytest.mark.parametrize(("offset", "length"), [(-1, 0), (0, -1)])
async def test_negative_range_is_refused(artifacts: Artifacts, offset: int, length: int) -> None:
    with pytest.raises(InvalidArgument):
        await download(artifacts, offset=offset, length=length)


async def test_replaced_file_does_not_go_on_with_an_old_version(artifacts: Artifacts) -> None:
    await upload(artifacts, "a/b.bin")
    first = await anext(artifacts.download("run1", "a/b.bin", DownloadRange()))
    again = DownloadRange(offset=5, version=first.version)
    assert (await anext(artifacts.download("run1", "a/b.bin", again))).data == DATA[5:]
    await artifacts.upload(replace(HEADER, upload_id="other"), stream(*WHOLE))
    with pytest.raises(Aborted) as changed:
        await anext(artifacts.download("run1", "a/b.bin", again))
    assert changed.value.reason == "ARTIFACT_CHANGED"


# Listing


async def test_listing_pages_survive_changes_between_them(artifacts: Artifacts) -> None:
    for name in ("b", "d", "f/x", "h"):
        await upload(artifacts, f"top/{name}")
    first = await artifacts.list_artifacts("run1", "top", page_size=2)
    assert [entry.path for entry in first.artifacts] == ["top/b", "top/d"]
    assert first.root_uri == RUN.artifact_uri
    await upload(artifacts, "top/a")
    await upload(artifacts, "top/e")
    await artifacts.delete_artifact("run1", "top/d")
    second = await artifacts.list_artifacts("run1", "top", page_size=2, page_token=first.next_page_token)
    assert [(entry.path, entry.is_dir) for entry in second.artifacts] == [("top/e", False), ("top/f", True)]
    last = await artifacts.list_artifacts("run1", "top", page_size=2, page_token=second.next_page_token)
    assert ([entry.path for entry in last.artifacts], last.next_page_token) == (["top/h"], "")


async def test_page_token_of_another_folder_is_refused(artifacts: Artifacts) -> None:
    for name in ("a/1", "a/2", "b/1"):
        await upload(artifacts, name)
    token = (await artifacts.list_artifacts("run1", "a", page_size=1)).next_page_token
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.list_artifacts("run1", "b", page_size=1, page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_MISMATCH"


@pytest.mark.parametrize("page_size", [-1, LIMITS.artifacts_page_size + 1])
async def test_bad_page_size_is_refused(artifacts: Artifacts, page_size: int) -> None:
    with pytest.raises(InvalidArgument):
        await artifacts.list_artifacts("run1", "", page_size=page_size)


async def test_what_is_not_there_is_not_found_by_the_runs_own_path(artifacts: Artifacts) -> None:
    for call in (download(artifacts, "none"), artifacts.delete_artifact("run1", "none")):
        with pytest.raises(NotFound) as missing:
            await call
        assert missing.value.metadata["resource_name"] == "none"


# Streams without a header.


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
    monkeypatch.setattr("trackwire_server.core.artifacts.LIMITS", replace(LIMITS, artifact_bytes=len(DATA)))
    await artifacts.store("run1", "x", bytes_of(DATA))
    with pytest.raises(InvalidArgument, match="at most 10 bytes are allowed in one file"):
        await artifacts.store("run1", "y", bytes_of(DATA, b"!"))
    assert [entry.path for entry in (await artifacts.list_artifacts("run1", "")).artifacts] == ["x"]


async def test_root_is_told_of_every_run(artifacts: Artifacts) -> None:
    assert await artifacts.root_uri("run1") == "trackwire-artifacts:/0/run1/artifacts"
    assert await artifacts.root_uri("far") == "s3://bucket/0/far/artifacts"
    with pytest.raises(NotFound):
        await artifacts.root_uri("nobody")
