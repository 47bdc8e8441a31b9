"""The disk is full, read-only or damaged: every answer says so, nothing is half stored, and the server lives."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
import numpy as np
import pytest
from tests.conftest import CHANNEL_OPTIONS, NOW_MS, ServerProcess, Stubs
from tests.faults.disks import BY_PERMISSION, can_mount, limit_file_size, mounted, read_only, remount
from tests.faults.traffic import stored_points, until
from tests.rpc.refusals import Refusal, refusal, refusal_in
from tests.server.test_lifecycle import refused

from trackwire.v1 import admin_pb2, artifacts_pb2, artifacts_pb2_grpc, metrics_pb2, runs_pb2, runs_pb2_grpc

CODE = grpc.StatusCode
MakeServer = Callable[..., ServerProcess]
# A disk of 12 MiB, or a database of as much. A request brings 240 KB.
DISK_BYTES = 12 * 1024 * 1024
PAGE_BYTES = 4_096
REQUEST_POINTS = 10_000


@dataclass(slots=True)
class FullDisk:
    """A server on little room, until there is more."""

    kind: str
    data_dir: Path
    make_server: MakeServer
    server: ServerProcess | None = None

    def start(self) -> str:
        """Starts a server that compacts all the time; its address."""
        limited = f"sqlite:///{self.data_dir}/trackwire.db?max_page_count={DISK_BYTES // PAGE_BYTES}"
        arguments = ("--store-uri", limited) if self.kind == "pages" else ()
        self.server = self.make_server(*arguments, data_dir=self.data_dir, TRACKWIRE_COMPACTION_ROWS="4")
        return self.server.start()

    def make_room(self) -> str:
        """Where the disk can't grow, the server starts again without the limit; its address."""
        assert self.server is not None
        if self.kind == "tmpfs":
            remount(self.data_dir, f"size={DISK_BYTES * 8}")
            return self.server.address
        assert self.server.stop() == 0
        self.server = self.make_server(data_dir=self.data_dir, TRACKWIRE_COMPACTION_ROWS="4")
        return self.server.start()


@pytest.fixture(params=["tmpfs", "pages"] if can_mount() else ["pages"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "data"
    with mounted(folder, f"size={DISK_BYTES if request.param == 'tmpfs' else DISK_BYTES * 8}"):
        yield request.param, folder


@pytest.fixture
def disk(small_disk: tuple[str, Path], make_server_process: MakeServer) -> FullDisk:
    return FullDisk(*small_disk, make_server_process)


@asynccontextmanager
async def stubs_at(address: str) -> AsyncIterator[Stubs]:
    async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        yield Stubs.over(channel)


def large(run_id: str, sequence: int) -> metrics_pb2.IngestMetricsRequest:
    """Noise, each value of its own."""
    values = np.random.default_rng(sequence).random(REQUEST_POINTS)
    return metrics_pb2.IngestMetricsRequest(
        run_id=run_id,
        writer=metrics_pb2.WriterStamp(writer_id="w", sequence=sequence, previous_sequence=sequence - 1),
        keys=["noise"],
        counts=[REQUEST_POINTS],
        steps=range(sequence * REQUEST_POINTS, (sequence + 1) * REQUEST_POINTS),
        times_ms=[NOW_MS] * REQUEST_POINTS,
        values=values,
    )


def large_values(until_sequence: int) -> list[float]:
    """The values of all requests up to this one."""
    return [value for sequence in range(1, until_sequence + 1) for value in large("a", sequence).values]


async def values_of(stubs: Stubs, run_id: str) -> list[float]:
    return [value for _, _, value in (await stored_points(stubs.metrics, [run_id]))[run_id]]


async def fill(stubs: Stubs) -> tuple[int, Refusal]:
    """Sends until a request is refused: the last one acknowledged, and the refusal."""
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="a"))
    for sequence in range(1, 200):
        try:
            answer = await stubs.metrics.IngestMetrics(large("a", sequence))
        except grpc.aio.AioRpcError as error:
            return sequence - 1, refusal_in(error)
        assert answer.acknowledged_sequence == sequence
    raise AssertionError("the disk was never full")


async def backlog(stubs: Stubs) -> int:
    return int((await stubs.admin.GetServerInfo(admin_pb2.GetServerInfoRequest())).journal_rows)


async def compacted(stubs: Stubs, *, rows_left: int) -> None:
    """Waits until no more journal rows are left."""
    for _ in range(600):
        if await backlog(stubs) <= rows_left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{await backlog(stubs)} journal rows still wait")


@pytest.mark.slow
async def test_full_disk_refuses_ingest_and_nothing_is_half_stored(disk: FullDisk) -> None:
    async with stubs_at(disk.start()) as stubs:
        acknowledged, refused_with = await fill(stubs)
        assert acknowledged > 5
        assert (refused_with.code, refused_with.reason) == (CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL")
        assert refused_with.retry_seconds
        assert "full" in refused_with.message
        # Reads go on, whatever the background work does meanwhile, and refusing has no end.
        assert disk.server is not None
        server = disk.server
        for _ in range(3):
            again = await refusal(stubs.metrics.IngestMetrics(large("a", acknowledged + 1)))
            assert again.reason == "STORAGE_FULL"
            assert await values_of(stubs, "a") == large_values(acknowledged)
        if await backlog(stubs) >= 4:
            assert await until(lambda: "compaction failed and will be tried again" in server.log_text(), seconds=60)
    async with stubs_at(disk.make_room()) as stubs:
        for sequence in range(acknowledged - 1, acknowledged + 6):
            answer = await stubs.metrics.IngestMetrics(large("a", sequence))
            assert answer.stored_points == (0 if sequence <= acknowledged else REQUEST_POINTS)
        await compacted(stubs, rows_left=3)
        assert await values_of(stubs, "a") == large_values(acknowledged + 5)
    assert disk.server.stop() == 0
    with closing(sqlite3.connect(disk.data_dir / "trackwire.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kind", ["tmpfs", "limit"] if can_mount() else ["limit"])
def test_full_disk_refuses_an_upload_that_goes_on_once_there_is_room(
    tmp_path: Path, make_server_process: MakeServer, kind: str
) -> None:
    content = np.random.default_rng(1).bytes(DISK_BYTES * 2)
    folder = tmp_path / "artifacts"
    with mounted(folder, f"size={DISK_BYTES if kind == 'tmpfs' else DISK_BYTES * 8}"):
        server = make_server_process("--artifacts-uri", str(folder))
        # Over a blocking channel: grpc.aio's own may lose the status of a call that ends while it still sends.
        with grpc.insecure_channel(server.start()) as channel:
            assert server.process is not None
            runs_pb2_grpc.RunServiceStub(channel).CreateRun(runs_pb2.CreateRunRequest(run_id="a"))
            stub = artifacts_pb2_grpc.ArtifactServiceStub(channel)
            if kind == "limit":
                limit_file_size(server.process.pid, DISK_BYTES)
            with pytest.raises(grpc.RpcError) as raised:
                stub.UploadArtifact(upload_of(content, 0))
            full = refusal_in(cast("grpc.aio.AioRpcError", raised.value))
            assert (full.code, full.reason) == (CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL")
            assert full.retry_seconds
            assert not stub.ListArtifacts(artifacts_pb2.ListArtifactsRequest(run_id="a")).artifacts
            if kind == "limit":
                limit_file_size(server.process.pid, DISK_BYTES * 3)
            else:
                remount(folder, f"size={DISK_BYTES * 3}")
            asked = artifacts_pb2.GetUploadStatusRequest(run_id="a", upload_id="u")
            arrived = stub.GetUploadStatus(asked).received_bytes
            assert arrived > DISK_BYTES / 2
            stub.UploadArtifact(upload_of(content, arrived))
            parts = stub.DownloadArtifact(artifacts_pb2.DownloadArtifactRequest(run_id="a", path="noise"))
            assert b"".join(part.data for part in parts) == content
        assert server.stop() == 0


def upload_of(content: bytes, offset: int) -> Iterator[artifacts_pb2.UploadArtifactRequest]:
    header = artifacts_pb2.UploadHeader(upload_id="u", run_id="a", path="noise", size_bytes=len(content), offset=offset)
    yield artifacts_pb2.UploadArtifactRequest(header=header)
    for at in range(offset, len(content), 1024 * 1024):
        yield artifacts_pb2.UploadArtifactRequest(data=content[at : at + 1024 * 1024])
    finish = artifacts_pb2.UploadFinish(sha256=hashlib.sha256(content).digest())
    yield artifacts_pb2.UploadArtifactRequest(finish=finish)


def test_disk_that_is_full_at_the_start_is_named(disk: FullDisk) -> None:
    if disk.kind == "tmpfs":
        with (disk.data_dir / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(PAGE_BYTES))
        server = disk.make_server(data_dir=disk.data_dir)
    else:
        limited = f"sqlite:///{disk.data_dir}/trackwire.db?max_page_count=2"
        server = disk.make_server("--store-uri", limited, data_dir=disk.data_dir)
    status, words = refused(server)
    assert status != 0
    assert "full" in words
    assert "Traceback" not in words


def test_data_directory_that_is_read_only_is_named(tmp_path: Path, make_server_process: MakeServer) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with read_only(folder):
        status, words = refused(make_server_process(data_dir=folder, prefix=BY_PERMISSION))
    assert status == 2
    assert f"data_dir: '{folder}'" in words
    assert "Traceback" not in words


def test_database_that_is_read_only_is_named(tmp_path: Path, make_server_process: MakeServer) -> None:
    folder = tmp_path / "stored"
    folder.mkdir()
    uri = f"sqlite:///{folder}/trackwire.db"
    first = make_server_process("--store-uri", uri)
    first.start()
    assert first.stop() == 0
    with read_only(folder):
        status, words = refused(make_server_process("--store-uri", uri, prefix=BY_PERMISSION))
    assert status == 1
    assert f"{folder}/trackwire.db" in words
    assert "Traceback" not in words


def test_database_of_another_program_is_refused_and_left_as_it_is(
    tmp_path: Path, make_server_process: MakeServer
) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE accounts (name TEXT)")
    status, words = refused(make_server_process("--store-uri", f"sqlite:///{path}"))
    assert status == 1
    assert "accounts" in words
    assert "Traceback" not in words
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    assert tables == [("accounts",)]


@dataclass(slots=True)
class Damage:
    """A stopped server's database, into which bytes may be written: runs `a` and `b`, both with the same points."""

    make_server: MakeServer
    data_dir: Path
    values: list[float]

    @property
    def path(self) -> Path:
        return self.data_dir / "trackwire.db"

    def payload(self, table: str) -> bytes:
        """A stored payload of run `a`."""
        of_run = {
            "metric_journal": "SELECT payload FROM metric_journal WHERE run_no = 1 AND arrival = 6",
            "metric_chunks": "SELECT payload FROM metric_chunks WHERE series_no = 1 AND ordinal = 1",
        }
        with closing(sqlite3.connect(self.path)) as database:
            return bytes(database.execute(of_run[table]).fetchone()[0])

    def write(self, place: int, content: bytes) -> None:
        """Overwrites some bytes of the file."""
        with self.path.open("r+b") as file:
            file.seek(place)
            file.write(content)

    def place_of(self, payload: bytes) -> int:
        """Where the file has the middle of a payload."""
        part = payload[1_000:1_064]
        place = self.path.read_bytes().find(part)
        assert place > 0
        return place


async def settle(stubs: Stubs) -> list[float]:
    """Run `a` with chunks and, behind them, journal; run `b` likewise."""
    for run_id in ("a", "b"):
        await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id=run_id))
        for sequence in range(1, 5):
            await stubs.metrics.IngestMetrics(large(run_id, sequence))
    await compacted(stubs, rows_left=0)
    for run_id in ("a", "b"):
        for sequence in (5, 6):
            await stubs.metrics.IngestMetrics(large(run_id, sequence))
    return await values_of(stubs, "a")


@pytest.fixture
async def damage(make_server_process: MakeServer) -> Damage:
    server = make_server_process(TRACKWIRE_COMPACTION_ROWS="4")
    async with stubs_at(server.start()) as stubs:
        values = await settle(stubs)
    assert server.stop() == 0
    assert values == large_values(6)
    assert not (server.data_dir / "trackwire.db-wal").exists()
    return Damage(make_server_process, server.data_dir, values)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["metric_journal", "metric_chunks"])
async def test_flipped_byte_in_stored_points_is_data_loss_and_harms_no_other_run(damage: Damage, table: str) -> None:
    place = damage.place_of(damage.payload(table))
    damage.write(place, bytes([damage.path.read_bytes()[place] ^ 0x10]))
    server = damage.make_server(TRACKWIRE_COMPACTION_ROWS="1")
    async with stubs_at(server.start()) as stubs:
        lost = await refusal(values_of(stubs, "a"))
        assert (lost.code, lost.reason) == (CODE.DATA_LOSS, "STORE_CORRUPT")
        assert "checksum" in lost.message
        await goes_on_in_both_runs(stubs)
        assert await values_of(stubs, "b") == large_values(7)
    assert server.stop() == 0, server.log_text()


@pytest.mark.slow
@pytest.mark.parametrize("page_from_end", [3, 20, 60, 120])
async def test_overwritten_page_never_reads_as_other_numbers(damage: Damage, page_from_end: int) -> None:
    size = damage.path.stat().st_size
    damage.write(size - page_from_end * PAGE_BYTES, b"\xa5" * PAGE_BYTES)
    server = damage.make_server(TRACKWIRE_COMPACTION_ROWS="4")
    async with stubs_at(server.start()) as stubs:
        outcomes = []
        for run_id in ("a", "b"):
            try:
                assert await values_of(stubs, run_id) == damage.values
                outcomes.append("whole")
            except grpc.aio.AioRpcError as error:
                outcomes.append(refusal_in(error).code.name)
        assert sorted(outcomes) == ["DATA_LOSS", "whole"]
        assert (await stubs.admin.GetServerInfo(admin_pb2.GetServerInfoRequest())).store == "sqlite"
    assert server.stop() == 0, server.log_text()


async def goes_on_in_both_runs(stubs: Stubs) -> None:
    """Writing goes on in both runs, and compaction at least in the one that is whole."""
    for run_id in ("a", "b"):
        answer = await stubs.metrics.IngestMetrics(large(run_id, 7))
        assert answer.stored_points == REQUEST_POINTS
    # The damaged one holds up no other.
    await compacted(stubs, rows_left=3)
