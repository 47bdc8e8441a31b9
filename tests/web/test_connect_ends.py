"""How calls over HTTP end: the client goes away, its time is over, it reads nothing, or the server stops."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import grpc
import pytest
import requests
from structlog.testing import LogCapture
from tests.conftest import ServerProcess, StartServer
from tests.web.connected import Refusal, connected, enveloped

from trackwire.v1 import metrics_pb2
from trackwire_server.rpc.server import Door, RpcServer, ServerOptions
from trackwire_server.web.server import HttpServer

MakeServer = Callable[..., ServerProcess]
SERVICE = "trackwire.v1.MetricService"
PART = b"x" * 256 * 1024
# Far more than the sockets and the server itself hold between them.
PARTS = 1_000
SUMMARIES, READ, TAIL = "GetMetricSummaries", "ReadMetrics", "TailMetrics"


@dataclass
class Slow:
    """A MetricService in which nothing ends before it is let."""

    release: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    parts: int = 0

    async def summarize(self, _request: object, _context: object) -> metrics_pb2.GetMetricSummariesResponse:
        self.begun.set()
        try:
            await self.release.wait()
            return metrics_pb2.GetMetricSummariesResponse(next_page_token="done")
        finally:
            self.let_go.set()

    async def read(self, _request: object, _context: object) -> AsyncIterator[bytes]:
        self.begun.set()
        try:
            for _ in range(PARTS):
                self.parts += 1
                yield PART
        finally:
            self.let_go.set()

    async def tail(self, _request: object, _context: object) -> AsyncIterator[bytes]:
        try:
            yield b""
            self.begun.set()
            await self.release.wait()
        finally:
            self.let_go.set()

    def add_to(self, server: grpc.aio.Server) -> None:
        plain = metrics_pb2.GetMetricSummariesRequest.FromString
        handlers = {
            SUMMARIES: grpc.unary_unary_rpc_method_handler(
                self.summarize, plain, metrics_pb2.GetMetricSummariesResponse.SerializeToString
            ),
            READ: grpc.unary_stream_rpc_method_handler(self.read),
            TAIL: grpc.unary_stream_rpc_method_handler(self.tail),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


@dataclass(frozen=True)
class Slowly:
    """A server with that service, and its port of HTTP."""

    service: Slow
    server: RpcServer
    http: HttpServer

    async def call(self, rpc: str, **headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Sends an empty request."""
        host, _, port = self.http.url.removeprefix("http://").partition(":")
        # Little is read ahead of the test.
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**16)
        kind, body = ("proto", b"") if rpc == SUMMARIES else ("connect+proto", enveloped(b""))
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"POST /{SERVICE}/{rpc} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/{kind}\r\n{named}"
        writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return reader, writer


@asynccontextmanager
async def slow_server(start_server: StartServer, options: ServerOptions) -> AsyncIterator[Slowly]:
    service = Slow()
    server, _ = await start_server(Door(SERVICE, service.add_to), options=options)
    http = HttpServer.bind(server.over_connect(), "127.0.0.1", 0)
    await http.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(http.stop, 1)
        yield Slowly(service, server, http)


@pytest.fixture
async def slowly(start_server: StartServer) -> AsyncIterator[Slowly]:
    async with slow_server(start_server, ServerOptions(port=0)) as opened:
        yield opened


@pytest.fixture
async def slowly_one_by_one(start_server: StartServer) -> AsyncIterator[Slowly]:
    async with slow_server(start_server, ServerOptions(port=0, concurrent_calls_max=1)) as opened:
        yield opened


def outcomes(log_capture: LogCapture) -> list[str]:
    return [entry["code"] for entry in log_capture.entries if entry["event"] == "call"]


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize("rpc", [SUMMARIES, READ, TAIL])
async def test_client_that_goes_away_ends_its_call_at_once(slowly: Slowly, rpc: str, log_capture: LogCapture) -> None:
    _, writer = await slowly.call(rpc)
    await asyncio.wait_for(slowly.service.begun.wait(), 30)
    await hang_up(writer)
    await asyncio.wait_for(slowly.service.let_go.wait(), 30)
    assert await happens(lambda: outcomes(log_capture) == ["CANCELLED"])


@pytest.mark.parametrize("rpc", [SUMMARIES, TAIL])
async def test_call_ends_when_its_time_is_over(slowly: Slowly, rpc: str) -> None:
    reader, writer = await slowly.call(rpc, connect_timeout_ms="200")
    answer = await asyncio.wait_for(reader.read(), 30)
    assert b'"code": "deadline_exceeded"' in answer
    assert slowly.service.let_go.is_set()
    assert (b" 504 " in answer) == (rpc == SUMMARIES)
    await hang_up(writer)


async def test_calls_beyond_the_limit_are_told_to_come_later(slowly_one_by_one: Slowly) -> None:
    service = slowly_one_by_one.service
    first, writer = await slowly_one_by_one.call(SUMMARIES)
    await asyncio.wait_for(service.begun.wait(), 30)
    for rpc in (SUMMARIES, TAIL):
        reader, other = await slowly_one_by_one.call(rpc)
        answer = await asyncio.wait_for(reader.read(), 30)
        assert b'"code": "resource_exhausted"' in answer
        assert b"google.rpc.RetryInfo" in answer
        await hang_up(other)
    service.release.set()
    assert b"done" in await asyncio.wait_for(first.read(), 30)
    again, other = await slowly_one_by_one.call(SUMMARIES)
    assert b"done" in await asyncio.wait_for(again.read(), 30)
    for each in (writer, other):
        await hang_up(each)


async def test_handler_is_no_more_than_a_few_answers_ahead_of_who_reads_them(slowly: Slowly) -> None:
    reader, writer = await slowly.call(READ)
    await asyncio.wait_for(slowly.service.begun.wait(), 30)
    before = -1
    # Until nothing more fits into the sockets.
    while slowly.service.parts != before:
        before = slowly.service.parts
        await asyncio.sleep(0.3)
    assert before < PARTS / 5
    size = 0
    while part := await asyncio.wait_for(reader.read(2**20), 30):
        size += len(part)
    assert slowly.service.parts == PARTS
    assert size > PARTS * len(PART)
    await hang_up(writer)


async def test_stop_lets_calls_under_way_end(slowly: Slowly) -> None:
    reader, writer = await slowly.call(SUMMARIES)
    await asyncio.wait_for(slowly.service.begun.wait(), 30)
    stopping = asyncio.create_task(slowly.server.stop(30))
    # Past the moment in which new calls are held.
    tail, other = await slowly.call(TAIL)
    assert b'"code": "unavailable"' in await asyncio.wait_for(tail.read(), 30)
    assert not stopping.done()
    slowly.service.release.set()
    assert b"done" in await asyncio.wait_for(reader.read(), 30)
    await asyncio.wait_for(stopping, 30)
    for each in (writer, other):
        await hang_up(each)


@pytest.mark.parametrize("rpc", [SUMMARIES, READ])
async def test_stop_ends_what_does_not_end_in_time(slowly: Slowly, rpc: str, log_capture: LogCapture) -> None:
    reader, writer = await slowly.call(rpc)
    await asyncio.wait_for(slowly.service.begun.wait(), 30)
    await slowly.server.stop(0.2)
    assert slowly.service.let_go.is_set()
    assert outcomes(log_capture) == ["UNAVAILABLE"]
    answer = await asyncio.wait_for(reader.read(), 30)
    assert b'"code": "unavailable"' in answer
    assert b"the server is stopping: call again" in answer
    await hang_up(writer)


async def test_stop_waits_no_longer_than_it_is_told_for_a_client_that_reads_nothing(slowly: Slowly) -> None:
    _, writer = await slowly.call(READ)
    await asyncio.wait_for(slowly.service.begun.wait(), 30)
    await asyncio.wait_for(slowly.server.stop(0.2), 30)
    assert slowly.service.let_go.is_set()
    await asyncio.wait_for(slowly.http.stop(1), 30)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(f"/{SERVICE}")]
    await hang_up(writer)


async def happens(condition: Callable[[], bool]) -> bool:
    """Waits for a condition; whether it came true in time."""
    for _ in range(1_000):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return False


def test_signal_ends_a_tail_with_the_word_to_come_back(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--drain-seconds", "60")
    server.start()
    http = connected(server.url)
    http.ask_json("RunService/CreateRun", {"experimentId": "0", "runId": "r"})
    stream = http.stream("MetricService/TailMetrics", b'{"runIds": ["r"]}', "json")
    answers = iter(stream)
    assert json.loads(next(answers))["resumeToken"]
    assert server.process is not None
    server.process.terminate()
    assert list(answers) == []
    assert stream.refusal is not None
    assert (stream.refusal.code, stream.refusal.reason) == ("unavailable", "SERVER_STOPPING")
    # The drain is for calls under way: there is none any more.
    assert server.process.wait(30) == 0
    assert "Traceback" not in server.log_text()


def test_callers_see_nothing_but_unavailable_while_a_server_stops(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    http = connected(server.url)
    answered, told = threading.Event(), []

    def call_until_refused() -> None:
        while True:
            try:
                answer = http.ask("ExperimentService/SearchExperiments")
            except requests.ConnectionError:
                # Clients of Connect say unavailable, too, where nobody listens.
                return
            if isinstance(answer, Refusal):
                told.append(answer)
                return
            answered.set()

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(call_until_refused) for _ in range(8)]
        assert answered.wait(30)
        assert server.stop() == 0
        for call in calls:
            call.result(30)
    # On a slow machine all may have found nobody.
    assert {(refusal.code, refusal.reason) for refusal in told} <= {("unavailable", "SERVER_STOPPING")}
    assert "Traceback" not in server.log_text()
