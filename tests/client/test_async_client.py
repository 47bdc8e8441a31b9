"""What AsyncClient alone can do: many calls at once, calls that are cancelled, a loop that goes on meanwhile."""

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from tests.client.scripted_server import Answer, ScriptedServer
from tests.conftest import ROOT, ServerProcess

from trackwire import (
    AsyncClient,
    CancelledError,
    Client,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from trackwire.client import aio
from trackwire.client.transfers import upload
from trackwire.v1.artifacts_pb2 import DownloadArtifactResponse
from trackwire.v1.metrics_pb2 import TailMetricsResponse, WriterStamp
from trackwire.v1.runs_pb2 import GetRunResponse

MIB = 1024 * 1024
# More than a loop could turn that waits for each of a few steps.
TICKS_MIN = 20


@pytest.fixture
async def client(live: ServerProcess, no_task_is_left: None) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(live.address) as client:
        yield client


@pytest.fixture
async def run_id(client: AsyncClient) -> str:
    return (await client.create_run()).run_id


@pytest.fixture
async def scripted_client(scripted: ScriptedServer, no_task_is_left: None) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(scripted.address, timeout_seconds=60) as client:
        yield client


@dataclass
class Held:
    """An answer that does not come until its call is cancelled."""

    begun: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def unary(self, _request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(self.cancelled.set)
        self.begun.set()
        self.cancelled.wait(60)
        return b""

    def after(self, first: Message) -> Answer:
        """A stream of which one message comes."""

        def answer(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            context.add_callback(self.cancelled.set)
            yield first.SerializeToString()
            self.begun.set()
            self.cancelled.wait(60)

        return answer


@pytest.fixture
def held(scripted: ScriptedServer) -> Held:
    held = Held()
    scripted.on("GetRun", held.unary)
    scripted.on("TailMetrics", held.after(TailMetricsResponse(resume_token="one")))
    scripted.on("DownloadArtifact", held.after(DownloadArtifactResponse(data=b"part")))
    return held


async def happens(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 60)


async def test_hundred_calls_go_at_once(client: AsyncClient) -> None:
    runs = await asyncio.gather(*(client.create_run(params={"n": str(n)}) for n in range(100)))
    assert len({run.run_id for run in runs}) == 100
    await asyncio.gather(*(client.log_metric(run.run_id, "n", n) for n, run in enumerate(runs)))
    reads = await asyncio.gather(*(client.read_metrics(run.run_id, "n") for run in runs))
    assert [read.series[0].values.tolist() for read in reads] == [[n] for n in range(100)]


async def test_stamped_call_is_stored_once(client: AsyncClient, run_id: str) -> None:
    stamp = WriterStamp(writer_id="w", sequence=1)
    answers = [await client.ingest_metrics(run_id, ["a"], [1], [0], [1], [0.5], writer=stamp) for _ in range(2)]
    assert [answer.stored_points for answer in answers] == [1, 0]


async def test_cancelled_task_cancels_its_call(scripted_client: AsyncClient, held: Held) -> None:
    task = asyncio.create_task(scripted_client.get_run("r"))
    assert await happens(held.begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await happens(held.cancelled)


async def test_timeout_of_asyncio_cancels_the_call(scripted_client: AsyncClient, held: Held) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await scripted_client.get_run("r")
    assert await happens(held.cancelled)


async def test_iterator_that_is_closed_cancels_its_call(scripted_client: AsyncClient, held: Held) -> None:
    async with aclosing(scripted_client.tail_metrics("r")) as tail:
        assert (await anext(tail)).token == "one"
    assert await happens(held.cancelled)


async def test_cancelled_reader_cancels_its_stream(scripted_client: AsyncClient, held: Held) -> None:
    async def follow() -> None:
        async for _ in scripted_client.tail_metrics("r", reconnect=True):
            pass

    task = asyncio.create_task(follow())
    assert await happens(held.begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await happens(held.cancelled)


async def test_calls_under_way_are_told_that_their_client_was_closed(scripted: ScriptedServer, held: Held) -> None:
    client = AsyncClient(scripted.address)
    waiting = asyncio.create_task(client.get_run("r"))
    assert await happens(held.begun)
    await client.close()
    with pytest.raises(CancelledError, match="closed during the call"):
        await waiting
    with pytest.raises(FailedPreconditionError, match="is closed") as caught:
        await client.get_run("r")
    assert caught.value.reason == "CLIENT_CLOSED"


async def test_stream_under_way_is_told_that_its_client_was_closed(scripted: ScriptedServer, held: Held) -> None:
    client = AsyncClient(scripted.address)
    tail = client.tail_metrics("r")
    await anext(tail)
    waiting = asyncio.create_task(anext(tail))
    assert await happens(held.begun)
    await client.close()
    with pytest.raises(CancelledError, match="closed during the call"):
        await waiting


async def test_client_of_another_loop_says_so(scripted: ScriptedServer, scripted_client: AsyncClient) -> None:
    scripted.on_message("GetRun", GetRunResponse(run={"run_id": "r"}))
    await scripted_client.get_run("r")

    async def call() -> None:
        await scripted_client.get_run("r")

    with pytest.raises(FailedPreconditionError, match="belongs to the event loop of its first call"):
        await asyncio.to_thread(asyncio.run, call())


def test_client_may_be_made_before_the_loop(live: ServerProcess) -> None:
    client = AsyncClient(live.address)

    async def call() -> str:
        async with client:
            return await client.check_health()

    assert asyncio.run(call()) == "SERVING"


async def test_blocking_client_works_beside_a_loop_that_runs(live: ServerProcess, no_task_is_left: None) -> None:
    with Client(live.address) as client:
        run_id = client.create_run(run_name="beside").run_id
        tail = client.tail_metrics(run_id)
        found = client.search_runs("0", "run_name = 'beside'")
        assert next(tail).series == []
        assert next(found).run_id == run_id
        client.upload_bytes(run_id, b"data", "a")
        del found
    with pytest.raises(CancelledError):
        next(tail)


async def test_errors_name_the_field(client: AsyncClient, run_id: str) -> None:
    with pytest.raises(InvalidArgumentError, match="max_results: 0"):
        client.search_runs("0", max_results=0)
    with pytest.raises(InvalidArgumentError) as refused:
        await client.set_tag(run_id, "", "1")
    assert "tags" in str(refused.value)
    with pytest.raises(NotFoundError, match="nowhere"):
        await client.get_run("nowhere")


@pytest.fixture
async def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    with path.open("wb") as file:
        for number in range(64):
            file.write(number.to_bytes(4, "big") * (MIB // 4))
    return path


async def test_loop_goes_on_while_a_file_goes_up_and_comes_down(
    client: AsyncClient, run_id: str, large: Path, tmp_path: Path
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await client.upload_artifact(run_id, large)
    up, ticks = ticks, 0
    back = await client.download_artifact(run_id, "large", tmp_path / "back")
    ticking.cancel()
    assert min(up, ticks) > TICKS_MIN
    assert back.read_bytes() == large.read_bytes()


@dataclass
class SlowDisk:
    """Bytes that are read when the event loop says so: it must not wait for them."""

    ready: threading.Event = field(default_factory=threading.Event)
    reading: threading.Event = field(default_factory=threading.Event)
    ended: bool = False

    def size_bytes(self) -> int:
        return 4

    def parts(self, offset: int) -> Iterator[bytes]:
        try:
            self.reading.set()
            assert self.ready.wait(60)
            yield b"data"[offset:]
        finally:
            self.ended = True


async def test_loop_does_not_wait_for_the_disk(client: AsyncClient, run_id: str) -> None:
    disk = SlowDisk()
    task = asyncio.create_task(upload(client._connection, disk, run_id=run_id, path="a"))
    assert await happens(disk.reading)
    disk.ready.set()
    assert (await task).size_bytes == 4
    assert await client.read_artifact(run_id, "a") == b"data"


async def test_cancelled_upload_has_ended_with_its_file(client: AsyncClient, run_id: str) -> None:
    disk = SlowDisk()
    task = asyncio.create_task(upload(client._connection, disk, run_id=run_id, path="a"))
    assert await happens(disk.reading)
    # Twice, as the end of a loop may: the thread is still waited for.
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    disk.ready.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert disk.ended
    assert [found.path async for found in client.list_artifacts(run_id)] == []


async def test_cancelled_download_leaves_nothing(scripted_client: AsyncClient, held: Held, tmp_path: Path) -> None:
    task = asyncio.create_task(scripted_client.download_artifact("r", "a", tmp_path / "a"))
    assert await happens(held.begun)
    assert [entry.suffix for entry in tmp_path.iterdir()] == [".part"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await happens(held.cancelled)
    assert list(tmp_path.iterdir()) == []


def test_every_method_of_the_client_is_there() -> None:
    wanted = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert wanted - set(dir(AsyncClient)) == {"metric_writer"}


def test_what_type_checkers_read_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "aio.pyi"
    script = ROOT / "scripts" / "generate_async_client"
    subprocess.run([sys.executable, script, fresh], check=True, timeout=60)
    committed = Path(aio.__file__).with_suffix(".pyi")
    assert committed.read_text() == fresh.read_text(), "run scripts/generate_async_client"
