"""Artifacts over a real socket: each rpc, and each bad input with its code, field, value and limit."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import grpc
import pytest
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from tests.conftest import Stubs

from trackwire.v1 import artifacts_pb2 as pb
from trackwire.v1 import experiments_pb2, runs_pb2
from trackwire_server.core.limits import LIMITS
from trackwire_server.rpc.status import STATUS_TRAILER

DATA = b"0123456789"
MIB = 1024 * 1024


async def make_run(stubs: Stubs, run_id: str = "run1", experiment_id: str = "0") -> str:
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id=run_id, experiment_id=experiment_id))
    return run_id


@pytest.fixture
async def run(stubs: Stubs) -> str:
    return await make_run(stubs)


def header(run_id: str = "run1", **fields: object) -> pb.UploadArtifactRequest:
    values: dict[str, object] = {"upload_id": "u1", "run_id": run_id, "path": "a/b", "size_bytes": len(DATA), **fields}
    return pb.UploadArtifactRequest(header=pb.UploadHeader(**values))  # type: ignore[arg-type]  # fields by name


def data(part: bytes = DATA) -> pb.UploadArtifactRequest:
    return pb.UploadArtifactRequest(data=part)


def finish(of: bytes = DATA) -> pb.UploadArtifactRequest:
    return pb.UploadArtifactRequest(finish=pb.UploadFinish(sha256=hashlib.sha256(of).digest()))


async def send(stubs: Stubs, *requests: pb.UploadArtifactRequest) -> pb.Artifact:
    answer: pb.UploadArtifactResponse = await stubs.artifacts.UploadArtifact(iter(requests))
    return answer.artifact


async def put(stubs: Stubs, run_id: str, path: str, content: bytes = DATA) -> pb.Artifact:
    upload_id = hashlib.sha256(path.encode() + content).hexdigest()
    opening = header(run_id, upload_id=upload_id, path=path, size_bytes=len(content))
    parts = [data(content[start : start + MIB]) for start in range(0, len(content), MIB)]
    return await send(stubs, opening, *parts, finish(content))


async def get(stubs: Stubs, run_id: str, path: str, **wanted: object) -> bytes:
    request = pb.DownloadArtifactRequest(run_id=run_id, path=path, **wanted)  # type: ignore[arg-type]  # by name
    return b"".join([part.data async for part in stubs.artifacts.DownloadArtifact(request)])


async def paths(stubs: Stubs, run_id: str, path: str = "") -> list[str]:
    answer = await stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(run_id=run_id, path=path))
    return [artifact.path for artifact in answer.artifacts]


async def status(stubs: Stubs, run_id: str, upload_id: str = "u1") -> tuple[int, bool]:
    request = pb.GetUploadStatusRequest(run_id=run_id, upload_id=upload_id)
    answer = await stubs.artifacts.GetUploadStatus(request)
    return answer.received_bytes, answer.complete


async def refusal(call: Awaitable[object]) -> tuple[str, str, dict[str, str]]:
    """The code, reason and metadata with which a call was refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    trailers = dict(refused.value.trailing_metadata())
    info = error_details_pb2.ErrorInfo()
    assert Status.FromString(trailers[STATUS_TRAILER]).details[0].Unpack(info)
    return refused.value.code().name, info.reason, dict(info.metadata)


async def test_upload_list_download_delete(stubs: Stubs, run: str) -> None:
    content = bytes(range(256)) * 4096 * 5  # five parts
    artifact = await put(stubs, run, "models/weights.bin", content)
    assert (artifact.path, artifact.size_bytes, artifact.is_dir) == ("models/weights.bin", len(content), False)
    await put(stubs, run, "empty", b"")
    listing = await stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(run_id=run))
    assert [(entry.path, entry.is_dir) for entry in listing.artifacts] == [("empty", False), ("models", True)]
    assert listing.root_uri == "trackwire-artifacts:/0/run1/artifacts"
    assert await paths(stubs, run, "models") == ["models/weights.bin"]
    assert await get(stubs, run, "models/weights.bin") == content
    assert await get(stubs, run, "models/weights.bin", offset=MIB - 1, length=2) == content[MIB - 1 : MIB + 1]
    assert await get(stubs, run, "models/weights.bin", offset=len(content)) == b""
    assert await get(stubs, run, "empty") == b""
    await stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(run_id=run, path="models"))
    assert await paths(stubs, run) == ["empty"]


async def test_listing_is_paged(stubs: Stubs, run: str) -> None:
    for name in ("c", "a", "b"):
        await put(stubs, run, name)
    request = pb.ListArtifactsRequest(run_id=run, page_size=2)
    first = await stubs.artifacts.ListArtifacts(request)
    request.page_token = first.next_page_token
    second = await stubs.artifacts.ListArtifacts(request)
    assert [entry.path for entry in (*first.artifacts, *second.artifacts)] == ["a", "b", "c"]
    assert not second.next_page_token


async def test_listing_what_is_no_folder_is_empty(stubs: Stubs, run: str) -> None:
    await put(stubs, run, "file")
    assert await paths(stubs, run, "file") == await paths(stubs, run, "none") == []


async def test_run_id_of_full_length_has_artifacts(stubs: Stubs) -> None:
    for run_id in ("r" * 256, "r" * 255):
        await make_run(stubs, run_id)
        await put(stubs, run_id, "a", run_id.encode())
    assert await get(stubs, "r" * 256, "a") == b"r" * 256
    assert await paths(stubs, "r" * 255) == ["a"]


async def test_half_closed_stream_is_gone_on_with(stubs: Stubs, run: str) -> None:
    code, reason, metadata = await refusal(send(stubs, header(), data(DATA[:4])))
    assert (code, reason, metadata["offset"]) == ("INVALID_ARGUMENT", "INCOMPLETE_UPLOAD", "4")
    assert await status(stubs, run) == (4, False)
    assert await paths(stubs, run) == []
    await send(stubs, header(offset=4), data(DATA[4:]), finish())
    assert await get(stubs, run, "a/b") == DATA
    assert await status(stubs, run) == (10, True)


async def test_cancelled_stream_is_gone_on_with(stubs: Stubs, run: str) -> None:
    call = stubs.artifacts.UploadArtifact()
    await call.write(header())
    await call.write(data(DATA[:4]))
    await eventually(partial(has_arrived, stubs, run, 4))
    assert (await refusal(send(stubs, header(), data(), finish())))[:2] == ("ABORTED", "UPLOAD_IN_USE")
    call.cancel()
    await eventually(partial(is_free, stubs))
    assert await status(stubs, run) == (4, False)
    await send(stubs, header(offset=4), data(DATA[4:]), finish())
    assert await get(stubs, run, "a/b") == DATA


async def has_arrived(stubs: Stubs, run_id: str, received_bytes: int) -> bool:
    return await status(stubs, run_id) == (received_bytes, False)


async def is_free(stubs: Stubs) -> bool:
    """Whether the server has noticed that the stream before is gone."""
    return (await refusal(send(stubs, header(offset=4))))[1] == "INCOMPLETE_UPLOAD"


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(3_000):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{condition} has not come about in 30 s")


async def test_same_upload_again_is_answered_as_done(stubs: Stubs, run: str) -> None:
    first = await send(stubs, header(), data(), finish())
    assert await send(stubs, header(), data(), finish()) == first
    assert await send(stubs, header(offset=10), finish()) == first


async def test_unknown_upload_has_nothing(stubs: Stubs, run: str) -> None:
    assert await status(stubs, run, "none") == (0, False)


async def test_file_is_replaced_whole(stubs: Stubs, run: str) -> None:
    old, new = b"old" * MIB, b"new" * MIB
    await put(stubs, run, "a", old)
    parts = aiter(stubs.artifacts.DownloadArtifact(pb.DownloadArtifactRequest(run_id=run, path="a")))
    first = await anext(parts)
    await put(stubs, run, "a", new)
    assert first.data + b"".join([part.data async for part in parts]) == old
    assert await get(stubs, run, "a") == new
    resumed = get(stubs, run, "a", offset=len(first.data), version=first.version)
    assert (await refusal(resumed))[:2] == ("ABORTED", "ARTIFACT_CHANGED")


async def test_client_that_leaves_a_download_leaves_no_file_open(stubs: Stubs, run: str) -> None:
    await put(stubs, run, "a", bytes(64 * MIB))
    calls = [stubs.artifacts.DownloadArtifact(pb.DownloadArtifactRequest(run_id=run, path="a")) for _ in range(5)]
    for call in calls:
        await call.read()
        call.cancel()

    async def all_closed() -> bool:
        return not open_artifacts()

    await eventually(all_closed)


def open_artifacts() -> list[str]:
    """The files of runs that this process, the server's, has open."""
    found = (os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir())
    return [path for path in found if "/artifacts/0/" in path]


# Bad input

BAD_PATHS = ["", "..", "a/../../b", "/etc/passwd", "a\0b", "a\\b", "a//b", "a\nb", "%2e%2e/x", "%252e%252e", "x" * 1025]
PATH_CALLS: dict[str, Callable[[Stubs, str], Awaitable[object]]] = {
    "upload": lambda stubs, path: send(stubs, header(path=path), data(), finish()),
    "download": lambda stubs, path: get(stubs, "run1", path),
    "delete": lambda stubs, path: stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(run_id="run1", path=path)),
    "list": lambda stubs, path: stubs.artifacts.ListArtifacts(
        pb.ListArtifactsRequest(run_id="run1", path=path or "..")
    ),
    "upload url": lambda stubs, path: stubs.artifacts.CreateArtifactUploadUrl(
        pb.CreateArtifactUploadUrlRequest(run_id="run1", path=path)
    ),
    "download url": lambda stubs, path: stubs.artifacts.CreateArtifactDownloadUrl(
        pb.CreateArtifactDownloadUrlRequest(run_id="run1", path=path)
    ),
}


@pytest.mark.parametrize("name", PATH_CALLS)
async def test_path_that_could_escape_is_refused_everywhere(stubs: Stubs, run: str, name: str) -> None:
    await put(stubs, run, "kept")
    for path in BAD_PATHS:
        code, _, metadata = await refusal(PATH_CALLS[name](stubs, path))
        assert code == "INVALID_ARGUMENT", path
        assert metadata["field"] == ("header.path" if name == "upload" else "path")
        assert "value" in metadata
    assert await paths(stubs, run) == ["kept"]


def bad_uploads() -> Iterator[tuple[str, list[pb.UploadArtifactRequest], str, str, dict[str, str]]]:
    invalid = "INVALID_ARGUMENT"
    yield "nothing", [], invalid, "REQUIRED", {"field": "header"}
    yield "no header", [data()], invalid, "REQUIRED", {"field": "header"}
    yield "empty message", [pb.UploadArtifactRequest()], invalid, "REQUIRED", {"field": "header"}
    yield "two headers", [header(), header()], invalid, invalid, {"field": "part", "value": "'header'"}
    yield "empty part", [header(), pb.UploadArtifactRequest()], invalid, invalid, {"field": "part"}
    yield "data after the end", [header(), data(), finish(), data()], invalid, invalid, {"field": "part"}
    too_long = [header(size_bytes=5 * MIB), data(bytes(4 * MIB + 1))]
    yield "long part", too_long, invalid, "TOO_LONG", {"field": "data", "limit": str(4 * MIB)}
    yield "upload id", [header(upload_id="a b")], invalid, invalid, {"field": "header.upload_id", "value": "'a b'"}
    yield "no run", [header("")], invalid, "REQUIRED", {"field": "header.run_id"}
    yield "unknown run", [header("none")], "NOT_FOUND", "RUN_NOT_FOUND", {"resource_name": "none"}
    limit = {"field": "header.size_bytes", "limit": str(LIMITS.artifact_bytes)}
    yield "negative size", [header(size_bytes=-1)], invalid, invalid, limit
    yield "too large", [header(size_bytes=LIMITS.artifact_bytes + 1)], invalid, invalid, limit
    yield "negative offset", [header(offset=-1)], invalid, invalid, {"field": "header.offset", "value": "-1"}
    offset = {"field": "header.offset", "value": "3", "offset": "0"}
    yield "wrong offset", [header(offset=3), data(DATA[3:]), finish()], "OUT_OF_RANGE", "OFFSET_MISMATCH", offset
    too_many = {"field": "data", "limit": "10"}
    yield "too many bytes", [header(), data(DATA + b"x"), finish()], invalid, "TOO_MANY_BYTES", too_many
    mismatch = {"field": "finish.sha256", "value": hashlib.sha256(b"x").hexdigest()}
    yield "checksum", [header(), data(), finish(b"x")], "ABORTED", "CHECKSUM_MISMATCH", mismatch
    short = pb.UploadArtifactRequest(finish=pb.UploadFinish(sha256=b"short"))
    yield "short checksum", [header(), data(), short], invalid, invalid, {"field": "finish.sha256", "limit": "32"}
    below = {"field": "header.path"}
    yield "file as folder", [header(path="file/x")], "FAILED_PRECONDITION", "ARTIFACT_NOT_FOLDER", below
    yield "folder as file", [header(path="folder")], "FAILED_PRECONDITION", "ARTIFACT_IS_FOLDER", below


@pytest.mark.parametrize("bad", list(bad_uploads()), ids=lambda bad: bad[0])
async def test_bad_upload_is_refused_and_nothing_is_visible(
    stubs: Stubs, run: str, bad: tuple[str, list[pb.UploadArtifactRequest], str, str, dict[str, str]]
) -> None:
    await put(stubs, run, "file")
    await put(stubs, run, "folder/x")
    _, requests, code, reason, expected = bad
    told_code, told_reason, metadata = await refusal(send(stubs, *requests))
    assert (told_code, told_reason) == (code, reason)
    assert expected.items() <= metadata.items()
    assert await paths(stubs, run) == ["file", "folder"]
    assert await get(stubs, run, "file") == DATA


async def test_checksum_mismatch_keeps_nothing(stubs: Stubs, run: str) -> None:
    await refusal(send(stubs, header(), data(), finish(b"x")))
    assert await status(stubs, run) == (0, False)
    await send(stubs, header(), data(), finish())


async def test_other_upload_under_the_same_id_is_refused(stubs: Stubs, run: str) -> None:
    await send(stubs, header(), data(), finish())
    for requests in ([header(path="c"), finish()], [header(size_bytes=3)], [header(), data(bytes(10)), finish(b"x")]):
        assert (await refusal(send(stubs, *requests)))[:2] == ("ALREADY_EXISTS", "UPLOAD_ALREADY_EXISTS")
    assert await paths(stubs, run, "a") == ["a/b"]


async def test_deleted_run_refuses_writes_alone(stubs: Stubs, run: str) -> None:
    await put(stubs, run, "a")
    await stubs.runs.DeleteRun(runs_pb2.DeleteRunRequest(run_id=run))
    for call in ("upload", "delete", "upload url"):
        assert (await refusal(PATH_CALLS[call](stubs, "a")))[:2] == ("FAILED_PRECONDITION", "RUN_DELETED")
    assert await get(stubs, run, "a") == DATA
    assert await paths(stubs, run) == ["a"]


async def test_unknown_run_is_not_found_everywhere(stubs: Stubs) -> None:
    for call in (*(call(stubs, "a") for call in PATH_CALLS.values()), status(stubs, "run1")):
        assert (await refusal(call))[:2] == ("NOT_FOUND", "RUN_NOT_FOUND")


async def test_what_is_not_there_is_not_found(stubs: Stubs, run: str) -> None:
    await put(stubs, run, "folder/x")
    for call in (get(stubs, run, "none"), get(stubs, run, "folder"), PATH_CALLS["delete"](stubs, "none")):
        code, reason, metadata = await refusal(call)
        assert (code, reason, metadata["field"]) == ("NOT_FOUND", "ARTIFACT_NOT_FOUND", "path")


@pytest.mark.parametrize(
    ("wanted", "code", "reason"),
    [
        ({"offset": 11}, "OUT_OF_RANGE", "OFFSET_PAST_END"),
        ({"offset": -1}, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ({"length": -1}, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ({"version": "other"}, "ABORTED", "ARTIFACT_CHANGED"),
    ],
    ids=str,
)
async def test_bad_range_is_refused(stubs: Stubs, run: str, wanted: dict[str, object], code: str, reason: str) -> None:
    await put(stubs, run, "a")
    told_code, told_reason, metadata = await refusal(get(stubs, run, "a", **wanted))
    assert (told_code, told_reason) == (code, reason)
    assert metadata["field"] == next(iter(wanted))


async def test_bad_page_is_refused(stubs: Stubs, run: str) -> None:
    too_large = pb.ListArtifactsRequest(run_id=run, page_size=10_001)
    assert (await refusal(stubs.artifacts.ListArtifacts(too_large)))[2]["limit"] == "10000"
    bad_token = pb.ListArtifactsRequest(run_id=run, page_token="bad")
    assert (await refusal(stubs.artifacts.ListArtifacts(bad_token)))[1] == "BAD_PAGE_TOKEN"


async def test_urls_are_not_supported(stubs: Stubs, run: str) -> None:
    for call in ("upload url", "download url"):
        told = await refusal(PATH_CALLS[call](stubs, "a"))
        assert told[:2] == ("FAILED_PRECONDITION", "PRESIGNED_URLS_UNSUPPORTED")


async def test_run_that_keeps_its_artifacts_elsewhere_is_refused_with_the_place(stubs: Stubs) -> None:
    request = experiments_pb2.CreateExperimentRequest(name="far", artifact_location="s3://bucket/far")
    experiment = (await stubs.experiments.CreateExperiment(request)).experiment
    await make_run(stubs, "run1", experiment.experiment_id)
    for call in PATH_CALLS.values():
        code, reason, metadata = await refusal(call(stubs, "a"))
        assert (code, reason) == ("FAILED_PRECONDITION", "ARTIFACTS_ELSEWHERE")
        assert metadata["artifact_uri"] == "s3://bucket/far/run1/artifacts"


@pytest.mark.parametrize("location", ["{folder}/team", "file://{folder}/my%20team"])
async def test_run_in_a_folder_of_the_server_has_its_artifacts_there(
    stubs: Stubs, tmp_path: Path, location: str
) -> None:
    request = experiments_pb2.CreateExperimentRequest(
        name="near", artifact_location=location.format(folder=tmp_path / "shared")
    )
    experiment = (await stubs.experiments.CreateExperiment(request)).experiment
    await make_run(stubs, "run1", experiment.experiment_id)
    assert await paths(stubs, "run1") == []
    assert not (tmp_path / "shared").exists()
    content = bytes(range(256)) * 4096 * 2
    artifact = await put(stubs, "run1", "models/weights.bin", content)
    assert (artifact.path, artifact.size_bytes) == ("models/weights.bin", len(content))
    [found] = (tmp_path / "shared").glob("*/run1/artifacts/models/weights.bin")
    assert found.read_bytes() == content
    # What others put there is the run's as well.
    (found.parent / "note.txt").write_text("by hand")
    assert await paths(stubs, "run1", "models") == ["models/note.txt", "models/weights.bin"]
    listing = await stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(run_id="run1"))
    assert listing.root_uri == f"{request.artifact_location}/run1/artifacts"
    assert await get(stubs, "run1", "models/note.txt") == b"by hand"
    assert await get(stubs, "run1", "models/weights.bin", offset=MIB - 1, length=2) == content[MIB - 1 : MIB + 1]
    await stubs.artifacts.DeleteArtifact(pb.DeleteArtifactRequest(run_id="run1", path="models/weights.bin"))
    assert await paths(stubs, "run1", "models") == ["models/note.txt"]


async def test_upload_into_a_folder_goes_on_where_it_was(stubs: Stubs, tmp_path: Path) -> None:
    request = experiments_pb2.CreateExperimentRequest(name="near", artifact_location=str(tmp_path / "shared"))
    experiment = (await stubs.experiments.CreateExperiment(request)).experiment
    await make_run(stubs, "run1", experiment.experiment_id)
    content = bytes(2 * MIB)
    told = await refusal(send(stubs, header(size_bytes=len(content)), data(bytes(MIB))))
    assert told[1] == "INCOMPLETE_UPLOAD"
    assert await status(stubs, "run1") == (MIB, False)
    assert await paths(stubs, "run1") == []
    await send(stubs, header(size_bytes=len(content), offset=MIB), data(bytes(MIB)), finish(content))
    assert await status(stubs, "run1") == (2 * MIB, True)
    assert await get(stubs, "run1", "a/b") == content


@pytest.mark.parametrize("path", ["../run2/artifacts/x", "a/%2e%2e/x", "/etc/passwd"])
async def test_path_out_of_a_runs_folder_is_refused_there_too(stubs: Stubs, tmp_path: Path, path: str) -> None:
    request = experiments_pb2.CreateExperimentRequest(name="near", artifact_location=str(tmp_path / "shared"))
    experiment = (await stubs.experiments.CreateExperiment(request)).experiment
    await make_run(stubs, "run1", experiment.experiment_id)
    for call in PATH_CALLS.values():
        assert (await refusal(call(stubs, path)))[:2] == ("INVALID_ARGUMENT", "BAD_ARTIFACT_PATH")


@pytest.mark.parametrize("stubs", ["sqlite"], indirect=True)
async def test_servers_own_store_is_no_folder_of_a_run(stubs: Stubs, tmp_path: Path) -> None:
    request = experiments_pb2.CreateExperimentRequest(name="near", artifact_location=str(tmp_path.parent))
    experiment = (await stubs.experiments.CreateExperiment(request)).experiment
    # <data-dir>/artifacts would be this run's.
    await make_run(stubs, tmp_path.name, experiment.experiment_id)
    call = stubs.artifacts.ListArtifacts(pb.ListArtifactsRequest(run_id=tmp_path.name))
    assert (await refusal(call))[1] == "ARTIFACTS_ELSEWHERE"


@contextmanager
def files_end_at(size_bytes: int) -> Iterator[None]:
    """No file of this process grows past a size: write() fails as on a full disk."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("stubs", ["sqlite"], indirect=True)
async def test_full_disk_is_told_and_the_upload_goes_on_once_there_is_room(stubs: Stubs, run: str) -> None:
    content = bytes(8 * MIB)
    requests = [header(size_bytes=len(content)), *[data(bytes(MIB))] * 8, finish(content)]
    with files_end_at(5 * MIB):
        code, reason, _ = await refusal(send(stubs, *requests))
    assert (code, reason) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
    assert await status(stubs, run) == (5 * MIB, False)
    assert await paths(stubs, run) == []
    opening = header(size_bytes=len(content), offset=5 * MIB)
    await send(stubs, opening, *[data(bytes(MIB))] * 3, finish(content))
    assert await get(stubs, run, "a/b") == content


async def test_many_uploads_at_once(stubs: Stubs, run: str) -> None:
    contents = {f"f{number:02}": bytes([number]) * (number * 100_000) for number in range(20)}
    await asyncio.gather(*(put(stubs, run, path, content) for path, content in contents.items()))
    assert await paths(stubs, run) == list(contents)
    for path, content in contents.items():
        assert await get(stubs, run, path) == content


async def test_broken_off_streams_at_random_places_end_in_the_same_file(stubs: Stubs, run: str) -> None:
    content = hashlib.sha256(b"seed").digest() * 100_000
    async with asyncio.timeout(30):
        for cut in range(0, len(content), 700_001):
            received, _ = await status(stubs, run)

            async def parts(start: int = received, end: int = cut) -> AsyncIterator[pb.UploadArtifactRequest]:
                yield header(size_bytes=len(content), offset=start)
                for position in range(start, end, 100_000):
                    yield data(content[position : min(end, position + 100_000)])

            await refusal(stubs.artifacts.UploadArtifact(parts()))
        received, _ = await status(stubs, run)
        rest = [data(content[start : start + MIB]) for start in range(received, len(content), MIB)]
        await send(stubs, header(size_bytes=len(content), offset=received), *rest, finish(content))
    assert await get(stubs, run, "a/b") == content
