"""Writers that send out of order and again, and a tail that comes back: what a server under test has to do with.

Every point that is ever sent has a value of its own, so that what is stored can be compared by value.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from tests.conftest import CHANNEL_OPTIONS, NOW_MS

from trackwire.v1 import metrics_pb2 as pb
from trackwire.v1.metrics_pb2_grpc import MetricServiceStub
from trackwire_server.core.errors import SequenceGap

CODE = grpc.StatusCode
KEYS = ("loss", "accuracy", "lr")
POINTS_PER_SERIES = 4
REQUEST_POINTS = len(KEYS) * POINTS_PER_SERIES
IN_FLIGHT = 6
# Requests that are chosen from: some that are stored already, and some whose predecessors are missing.
_WINDOW = 6
_RESENT = 2
CALL_TIMEOUT_SECONDS = 10.0
# What a server says that is away, stops or is busy; CANCELLED is grpc's own word to what comes while it stops.
PASSING = (CODE.UNAVAILABLE, CODE.CANCELLED, CODE.DEADLINE_EXCEEDED, CODE.RESOURCE_EXHAUSTED)

Point = tuple[str, int, float]


async def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Waits for a condition; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():  # what is waited for happens in other processes
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def value_of(writer: int, sequence: int, at: int) -> float:
    """A value that no other point has."""
    return float(writer * 1_000_000_000 + sequence * 1_000 + at)


def request_of(value: float) -> tuple[int, int]:
    """The writer and the sequence of the request that brought a value."""
    writer, rest = divmod(int(value), 1_000_000_000)
    return writer, rest // 1_000


def points_of_request(writer: int, sequence: int) -> list[Point]:
    """A request's points as key, step and value, in their order; steps of neighbouring requests overlap."""
    return [
        (key, sequence * 3 + (at % 4) * 2, value_of(writer, sequence, of_key * POINTS_PER_SERIES + at))
        for of_key, key in enumerate(KEYS)
        for at in range(POINTS_PER_SERIES)
    ]


def frame(run_id: str, writer: int, sequence: int) -> pb.IngestMetricsRequest:
    """A request; the same one each time it is asked for."""
    points = points_of_request(writer, sequence)
    return pb.IngestMetricsRequest(
        run_id=run_id,
        writer=pb.WriterStamp(writer_id=f"w{writer}", sequence=sequence, previous_sequence=sequence - 1),
        keys=KEYS,
        counts=[POINTS_PER_SERIES] * len(KEYS),
        steps=[step for _, step, _ in points],
        times_ms=[NOW_MS + sequence] * len(points),
        values=[value for _, _, value in points],
    )


@dataclass(slots=True)
class Address:
    """Where the server is at present, if it is anywhere."""

    current: str = ""
    known: asyncio.Event = field(default_factory=asyncio.Event)

    def set(self, address: str) -> None:
        """A server has started."""
        self.current = address
        self.known.set()

    def lose(self) -> None:
        """It is gone."""
        self.known.clear()


class Connection:
    """A stub of whichever server is there; every attempt after a failure waits for one."""

    def __init__(self, address: Address):
        self._address = address
        self._connected = ""
        self._channels: list[grpc.aio.Channel] = []
        self._stub: MetricServiceStub | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a server at present."""
        return self._address.known.is_set()

    async def stub(self) -> MetricServiceStub:
        """A stub of the present server."""
        await self._address.known.wait()
        if self._stub is None or self._connected != self._address.current:
            self._connected = self._address.current
            self._channels.append(grpc.aio.insecure_channel(self._connected, options=CHANNEL_OPTIONS))
            self._stub = MetricServiceStub(self._channels[-1])
        return self._stub

    async def ready(self) -> None:
        """Waits until the present server is reached; a channel is slow to look again at one that came back."""
        await self.stub()
        await self._channels[-1].channel_ready()

    async def close(self) -> None:
        """Closes the channels to all servers that there were."""
        for channel in self._channels:
            await channel.close()


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Connection]:
    """A connection that is closed at the end."""
    connection = Connection(address)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(slots=True)
class Writer:
    """Keeps IN_FLIGHT requests under way, chosen at random around the first that is not acknowledged."""

    number: int
    run_id: str
    connection: Connection
    chance: random.Random
    acknowledged: int = 0
    sent: set[int] = field(default_factory=set)
    resent: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Sends until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.create_task(self._send_on())

    async def _send_on(self) -> None:
        while True:
            first = max(1, self.acknowledged + 1 - _RESENT)
            sequence = self.chance.randrange(first, self.acknowledged + _WINDOW)
            await self.send(sequence)

    async def send(self, sequence: int) -> bool:
        """Sends one request once; True if it was acknowledged."""
        stub = await self.connection.stub()
        self.resent += sequence in self.sent
        self.sent.add(sequence)
        try:
            answer = await stub.IngestMetrics(frame(self.run_id, self.number, sequence), timeout=CALL_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError as error:
            self._note(error)
            await asyncio.sleep(0.02 if error.code() is not CODE.ABORTED else 0)
            return False
        assert answer.acknowledged_sequence >= sequence
        assert answer.stored_points in (0, REQUEST_POINTS)
        self.acknowledged = max(self.acknowledged, answer.acknowledged_sequence)
        return True

    def _note(self, error: grpc.aio.AioRpcError) -> None:
        code = error.code()
        assert code in (CODE.ABORTED, *PASSING), error
        assert code is not CODE.ABORTED or SequenceGap.default_reason in str(error.trailing_metadata()), error
        self.refusals[code.name] = self.refusals.get(code.name, 0) + 1


@dataclass(slots=True)
class Tail:
    """Follows runs across servers; what it saw, per run in the order in which it came."""

    run_ids: tuple[str, ...]
    connection: Connection
    token: str = ""
    seen: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    resumed: int = -1

    async def run(self) -> None:
        """Tails until it is cancelled."""
        while True:
            stub = await self.connection.stub()
            self.resumed += 1
            try:
                request = pb.TailMetricsRequest(run_ids=self.run_ids, resume_token=self.token)
                async for message in stub.TailMetrics(request):
                    self._take(message)
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING:
                    raise
                await asyncio.sleep(0.05)

    def _take(self, message: pb.TailMetricsResponse) -> None:
        for run_id, key, value in named_values(message):
            self.seen.setdefault(run_id, []).append((key, value))
        self.token = message.resume_token


def named_values(message: pb.TailMetricsResponse | pb.ReadMetricsResponse) -> Iterable[tuple[str, str, float]]:
    """Run, key and value of each point of a message."""
    values = iter(message.values)
    for series, count in zip(message.series, message.counts, strict=True):
        for _ in range(count):
            yield series.run_id, series.key, next(values)


async def stored_points(stub: MetricServiceStub, run_ids: Iterable[str]) -> dict[str, list[Point]]:
    """All that a server has of some runs: key, step and value in the order in which it reads them."""
    found: dict[str, list[Point]] = {run_id: [] for run_id in run_ids}
    async for message in stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=list(found))):
        for (run_id, key, value), step in zip(named_values(message), message.steps, strict=True):
            found[run_id].append((key, step, value))
    return found
