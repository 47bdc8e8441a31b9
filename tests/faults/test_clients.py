"""Clients that vanish, flood or read slowly: the server keeps its tasks, its memory and what others sent."""

import asyncio
import hashlib
import re
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from structlog.typing import FilteringBoundLogger
from tests.conftest import CHANNEL_OPTIONS, NOW_MS, ROOT, ServerProcess, Stubs
from tests.faults.traffic import stored_points, until
from tests.faults.wires import wire_to
from tests.rpc.refusals import refusal_in

from trackwire.v1 import artifacts_pb2, metrics_pb2, runs_pb2
from trackwire_server import app
from trackwire_server.config import Config

CODE = grpc.StatusCode
MIB = 1024 * 1024
TAILS = 200
# What a Python process's allocator may keep after a burst.
SLACK_BYTES = 64 * MIB

MakeServer = Callable[..., ServerProcess]


@dataclass(frozen=True, slots=True)
class Watched:
    """A server in a process of its own, and what it costs."""

    server: ServerProcess
    process: psutil.Process

    @classmethod
    def of(cls, server: ServerProcess) -> "Watched":
        assert server.process is not None
        return cls(server, psutil.Process(server.process.pid))

    @property
    def rss_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    @property
    def open_files(self) -> Counter[str]:
        """What its file descriptors stand for, by path or kind; the store's connections, opened when wanted, aside."""
        found: Counter[str] = Counter()
        for fd in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                found[re.sub(r":\[\d+\]$", "", str(fd.readlink()))] += 1
        return Counter({name: count for name, count in found.items() if "/trackwire.db" not in name})

    @property
    def wal_bytes(self) -> int:
        return (self.server.data_dir / "trackwire.db-wal").stat().st_size


@pytest.fixture
def watched(server_process: ServerProcess) -> Watched:
    return Watched.of(server_process)


@asynccontextmanager
async def client(address: str) -> AsyncIterator[Stubs]:
    """A client with a connection of its own: channels to one address share theirs."""
    alone = ("grpc.use_local_subchannel_pool", 1)
    async with grpc.aio.insecure_channel(address, options=[*CHANNEL_OPTIONS, alone]) as channel:
        yield Stubs.over(channel)


async def create_run(stubs: Stubs, run_id: str) -> None:
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id=run_id))


def noise(run_id: str, sequence: int, points: int, writer: str = "w") -> metrics_pb2.IngestMetricsRequest:
    """A stamped request, each value of its own."""
    return metrics_pb2.IngestMetricsRequest(
        run_id=run_id,
        writer=metrics_pb2.WriterStamp(writer_id=writer, sequence=sequence, previous_sequence=sequence - 1),
        keys=["noise"],
        counts=[points],
        steps=range(sequence * points, (sequence + 1) * points),
        times_ms=[NOW_MS] * points,
        values=np.random.default_rng((sequence, *writer.encode())).random(points),
    )


async def test_tails_that_are_cancelled_leave_no_task_behind(
    tmp_path: Path, log: FilteringBoundLogger, no_task_is_left: None
) -> None:
    async with AsyncExitStack() as stack:
        config = Config.read({"data_dir": str(tmp_path), "port": "0", "http_port": "off"}, {})
        served = await app.start(config, stack, log)
        async with client(served.address) as stubs:
            await create_run(stubs, "a")
            before = len(asyncio.all_tasks())
            for _ in range(3):
                tails = [stubs.metrics.TailMetrics(metrics_pb2.TailMetricsRequest(run_ids=["a"])) for _ in range(TAILS)]
                await asyncio.gather(*(tail.read() for tail in tails))
                assert len(asyncio.all_tasks()) > before + TAILS
                for tail in tails:
                    tail.cancel()
                assert await until(lambda: len(asyncio.all_tasks()) <= before, seconds=30)
            assert not served.services.metrics._arrivals._waiting


@pytest.mark.slow
async def test_tails_whose_clients_are_killed_cost_nothing_afterwards(watched: Watched) -> None:
    program = (
        "import grpc, sys, time; from trackwire.v1 import metrics_pb2 as pb, metrics_pb2_grpc as rpc\n"
        "stub = rpc.MetricServiceStub(grpc.insecure_channel(sys.argv[1]))\n"
        f"tails = [stub.TailMetrics(pb.TailMetricsRequest(run_ids=['a'])) for _ in range({TAILS})]\n"
        "[next(tail) for tail in tails]; print('tailing', flush=True); time.sleep(60)"
    )
    async with client(watched.server.address) as stubs:
        await create_run(stubs, "a")
        await stubs.metrics.IngestMetrics(noise("a", 1, 10))
        files, rss_bytes = watched.open_files, []
        for sequence in range(2, 5):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                program,
                watched.server.address,
                cwd=ROOT / "client",
                stdout=subprocess.PIPE,
            )
            assert process.stdout is not None
            assert await asyncio.wait_for(process.stdout.readline(), 60) == b"tailing\n"
            assert not watched.open_files <= files
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
            await stubs.metrics.IngestMetrics(noise("a", sequence, 10))
            # A tail looks for itself once a second, and then finds its client gone.
            assert await until(lambda: watched.open_files <= files, seconds=30), watched.open_files - files
            await asyncio.sleep(1.5)
            rss_bytes.append(watched.rss_bytes)
        assert rss_bytes[-1] < rss_bytes[0] + SLACK_BYTES / 2, rss_bytes


@pytest.mark.parametrize("call", ["upload", "download", "ingest", "read", "tail"])
async def test_client_that_is_gone_in_the_middle_of_a_call_harms_nobody(watched: Watched, call: str) -> None:
    content = np.random.default_rng(1).bytes(24 * MIB)
    async with client(watched.server.address) as stubs:
        await create_run(stubs, "a")
        await stubs.artifacts.UploadArtifact(upload_of(content, "whole"))
        for sequence in (1, 2):
            await stubs.metrics.IngestMetrics(noise("a", sequence, 200_000))
        files = watched.open_files
        for _ in range(3):
            await vanish(watched.server.address, call)
        assert await until(lambda: watched.open_files <= files, seconds=30), watched.open_files - files
        await stubs.metrics.IngestMetrics(noise("a", 3, 10))
        listed = await stubs.artifacts.ListArtifacts(artifacts_pb2.ListArtifactsRequest(run_id="a"))
        assert [artifact.path for artifact in listed.artifacts] == ["whole"]
        stored = (await stored_points(stubs.metrics, ["a"]))["a"]
        # A request that had arrived whole may be stored, though nobody waits for its answer.
        assert len(stored) in ((400_010,) if call != "ingest" else (400_010, 400_010 + 200_000))
        assert len({value for _, _, value in stored}) == len(stored)
    assert "call failed" not in watched.server.log_text()


async def vanish(address: str, call: str) -> None:
    """The connection is reset after some of the call's bytes."""
    async with wire_to(address) as wire, client(wire.address) as stubs:
        doing = asyncio.create_task(CALLS[call](stubs))
        enough = 100 if call == "tail" else 2 * MIB
        assert await until(lambda: wire.passed_bytes > enough, seconds=60), wire.passed_bytes
        await asyncio.sleep(0.05)
        await wire.cut()
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


async def upload_of(content: bytes, path: str) -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
    header = artifacts_pb2.UploadHeader(upload_id=path, run_id="a", path=path, size_bytes=len(content))
    yield artifacts_pb2.UploadArtifactRequest(header=header)
    for at in range(0, len(content), MIB):
        yield artifacts_pb2.UploadArtifactRequest(data=content[at : at + MIB])
    sha256 = hashlib.sha256(content).digest()
    yield artifacts_pb2.UploadArtifactRequest(finish=artifacts_pb2.UploadFinish(sha256=sha256))


async def upload(stubs: Stubs) -> None:
    # A new one each time: one that has begun goes on at its offset, and is refused at 0.
    await stubs.artifacts.UploadArtifact(half_of(upload_of(bytes(24 * MIB), f"part-{uuid.uuid4().hex}")))


async def half_of(
    requests: AsyncIterator[artifacts_pb2.UploadArtifactRequest],
) -> AsyncIterator[artifacts_pb2.UploadArtifactRequest]:
    """The first 12 requests, and then nothing more: a fast disk would have taken all of them before the cut."""
    for _ in range(12):
        yield await anext(requests)
    await asyncio.Event().wait()


async def download(stubs: Stubs) -> None:
    async for _ in stubs.artifacts.DownloadArtifact(artifacts_pb2.DownloadArtifactRequest(run_id="a", path="whole")):
        pass


async def ingest(stubs: Stubs) -> None:
    await stubs.metrics.IngestMetrics(noise("a", 1, 200_000, "gone"))


async def read(stubs: Stubs) -> None:
    async for _ in stubs.metrics.ReadMetrics(metrics_pb2.ReadMetricsRequest(run_ids=["a"])):
        pass


async def tail(stubs: Stubs) -> None:
    async for _ in stubs.metrics.TailMetrics(metrics_pb2.TailMetricsRequest(run_ids=["a"])):
        pass


CALLS = {"upload": upload, "download": download, "ingest": ingest, "read": read, "tail": tail}


async def test_calls_that_are_cancelled_while_they_write_leave_the_store_usable(watched: Watched) -> None:
    async with client(watched.server.address) as stubs:
        await create_run(stubs, "a")
        for round_number in range(40):
            calls = [
                stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id=f"r{round_number}-{at}")) for at in range(10)
            ]
            calls.append(stubs.metrics.IngestMetrics(noise("a", round_number + 1, 1_000)))
            calls.append(stubs.runs.GetRun(runs_pb2.GetRunRequest(run_id="a")))
            await asyncio.sleep(round_number / 2_000)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        for sequence in range(1, 41):
            await asyncio.wait_for(stubs.metrics.IngestMetrics(noise("a", sequence, 1_000)), 30)
        stored = (await stored_points(stubs.metrics, ["a"]))["a"]
        assert len(stored) == len({value for _, _, value in stored}) == 40_000
    assert "call failed" not in watched.server.log_text()


@pytest.mark.slow
async def test_slow_reader_holds_no_transaction_and_little_memory(watched: Watched) -> None:
    async with client(watched.server.address) as reader, client(watched.server.address) as writer:
        await create_run(writer, "a")
        for sequence in range(1, 11):
            await writer.metrics.IngestMetrics(noise("a", sequence, 200_000))
        before_bytes = watched.rss_bytes
        slow = reader.metrics.ReadMetrics(metrics_pb2.ReadMetricsRequest(run_ids=["a"]))
        first = await slow.read()
        # Ten times what the log may hold between two checkpoints; a reader's transaction would keep all of it.
        for sequence in range(11, 45):
            await writer.metrics.IngestMetrics(noise("a", sequence, 200_000))
        assert watched.wal_bytes < 96 * MIB, watched.wal_bytes
        held_bytes = watched.rss_bytes - before_bytes
        read = len(first.values)
        while message := await slow.read():
            read += len(message.values)
            if message.tail_token:
                break
        # What it reads is what there was when it began.
        assert read == 10 * 200_000
        assert held_bytes < 320 * MIB


CLIENTS, REQUESTS, FLOOD_POINTS = 24, 12, 60_000


@pytest.mark.slow
async def test_flood_is_refused_in_part_and_nothing_is_lost(watched: Watched) -> None:
    refused: list[float] = []
    peaks: list[int] = []
    runs = [f"run{number}" for number in range(4)]
    async with client(watched.server.address) as stubs:
        for run_id in runs:
            await create_run(stubs, run_id)
        for again in range(1, 4):
            rss_bytes: list[int] = []
            watching = asyncio.create_task(note_memory(watched, rss_bytes))
            await asyncio.gather(*(flood(watched.server.address, number, again, refused) for number in range(CLIENTS)))
            watching.cancel()
            peaks.append(max(rss_bytes))
            request = metrics_pb2.GetMetricSummariesRequest(run_ids=runs)
            summaries = (await stubs.metrics.GetMetricSummaries(request)).summaries
            assert sum(summary.count for summary in summaries) == CLIENTS * REQUESTS * FLOOD_POINTS * again
    print(f"{len(refused)} refused; at the most the server had {[peak // MIB for peak in peaks]} MiB")
    assert refused
    assert all(seconds > 0 for seconds in refused)
    # What it holds depends on what is under way, three times over and in heaps with holes, and is given back.
    assert max(peaks) < 1_536 * MIB
    assert await until(lambda: watched.rss_bytes < 640 * MIB, seconds=30)


async def flood(address: str, number: int, again: int, refused: list[float]) -> None:
    """Three in four clients send all at once, a writer a request; the fourth one after the other."""
    run_id = f"run{number % 4}"
    async with client(address) as stubs:
        if number % 4:
            sends = [noise(run_id, 1, FLOOD_POINTS, f"p{number}-{again}-{at}") for at in range(REQUESTS)]
            await asyncio.gather(*(send_until_stored(stubs, send, refused) for send in sends))
        else:
            for sequence in range(1, REQUESTS + 1):
                await send_until_stored(stubs, noise(run_id, sequence, FLOOD_POINTS, f"w{number}-{again}"), refused)


async def note_memory(watched: Watched, rss_bytes: list[int]) -> None:
    while True:
        rss_bytes.append(watched.rss_bytes)
        await asyncio.sleep(0.05)


async def send_until_stored(stubs: Stubs, request: metrics_pb2.IngestMetricsRequest, refused: list[float]) -> None:
    """Sends again after as long as the server says."""
    while True:
        try:
            await stubs.metrics.IngestMetrics(request)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_in(error)
            if (refusal.code, refusal.reason) != (CODE.RESOURCE_EXHAUSTED, "OVERLOADED") or not refusal.retry_seconds:
                raise
            refused.append(refusal.retry_seconds)
            await asyncio.sleep(refusal.retry_seconds)
        else:
            return
