"""The server is killed over and over while it is written to and tailed. What it acknowledged is there, once."""

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from sqlalchemy import text
from tests.conftest import ServerProcess
from tests.faults.traffic import (
    IN_FLIGHT,
    KEYS,
    Address,
    Connection,
    Point,
    Tail,
    Writer,
    connected,
    points_of_request,
    request_of,
    stored_points,
    until,
)
from tests.stores.conftest import MARIADB, fresh_uri

from trackwire.v1 import metrics_pb2, runs_pb2, runs_pb2_grpc
from trackwire.v1.metrics_pb2_grpc import MetricServiceStub
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.journal import decode_journal

RUN_IDS = ("a", "b")
WRITERS = 4
RANDOM = "random"
FAILPOINTS = ("ingest.before_commit", "ingest.after_commit", "compaction.before_commit", "compaction.after_commit")
KILLS_OF_EACH_FAILPOINT = 4
KILLS_AT_RANDOM = 7
# Beside the kills: a stop is told to wait so many seconds for the calls under way.
STOPS = {"stop": 10, "stop at once": 0}
STOPS_OF_EACH_KIND = 2
# A failpoint that isn't reached by then counts as a kill at a random moment.
LIFE_SECONDS_MAX = 10.0

MakeServer = Callable[..., ServerProcess]


@dataclass(slots=True)
class Lives:
    """One data directory and the servers that lived and died on it."""

    make_server: MakeServer
    address: Address
    store: tuple[str, ...] = ()
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)

    async def start(self, **environment: str) -> ServerProcess:
        """A server that compacts all the time."""
        kept = {"TRACKWIRE_COMPACTION_ROWS": "8", "TRACKWIRE_TAIL_RETENTION_SECONDS": "600"}
        server = self.make_server(*self.store, **kept, **environment)
        self.address.set(await asyncio.to_thread(server.start))
        return server

    async def live_and_die(self, end: str, chance: random.Random) -> None:
        """One life: ended at a failpoint or at a random moment."""
        failpoint = "" if end == RANDOM else f"{end}:{chance.randint(1, 40 if end.startswith('ingest') else 4)}"
        server = await self.start(TRACKWIRE_FAILPOINT=failpoint)
        assert server.process is not None
        process, seconds = server.process, chance.uniform(0.1, 0.8) if end == RANDOM else LIFE_SECONDS_MAX
        ended_itself = await until(lambda: process.poll() is not None, seconds=seconds)
        self.kill(server, end if ended_itself else RANDOM)

    async def live_and_stop(self, end: str, chance: random.Random) -> None:
        """One life that is ended by the book, while requests and compaction are under way."""
        server = await self.start(TRACKWIRE_DRAIN_SECONDS=str(STOPS[end]))
        await asyncio.sleep(chance.uniform(0.2, 0.8))
        assert await asyncio.to_thread(server.stop) == 0, server.log_text()
        self.address.lose()
        self.stops[end] += 1

    def kill(self, server: ServerProcess, kind: str) -> None:
        """Kills a server, if it hasn't killed itself at a failpoint."""
        self.address.lose()
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL, server.log_text()
        self.kills[kind] += 1


@asynccontextmanager
async def running(*works: Writer | Tail) -> AsyncIterator[None]:
    """Lets writers and tails go on as long as the block lasts."""
    tasks = [asyncio.create_task(work.run()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def create_runs(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = runs_pb2_grpc.RunServiceStub(channel)
        for run_id in RUN_IDS:
            await stub.CreateRun(runs_pb2.CreateRunRequest(run_id=run_id))


def ends(chance: random.Random) -> list[str]:
    """How each life ends, shuffled; the last one at a random moment, when requests are under way."""
    listed = [*FAILPOINTS * KILLS_OF_EACH_FAILPOINT, *[RANDOM] * KILLS_AT_RANDOM, *list(STOPS) * STOPS_OF_EACH_KIND]
    chance.shuffle(listed)
    return [*listed, RANDOM]


@pytest.fixture(params=["sqlite", MARIADB])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the servers keep everything."""
    with fresh_uri(request.param, tmp_path) as uri:
        yield uri


@pytest.mark.slow
@pytest.mark.timeout(360)
async def test_what_is_acknowledged_is_there_once_after_every_kind_of_kill(
    make_server_process: MakeServer, store_uri: str
) -> None:
    seed = int(os.environ.get("TRACKWIRE_TEST_SEED", "") or random.randrange(2**32))
    print(f"TRACKWIRE_TEST_SEED={seed}")
    chance = random.Random(seed)
    lives = Lives(make_server_process, Address(), ("--store-uri", store_uri))
    server = await lives.start()
    await create_runs(lives.address.current)
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(lives.address)) for _ in range(WRITERS + 1)]
        writers = [
            Writer(at, RUN_IDS[at % 2], connections[at], random.Random(chance.random())) for at in range(WRITERS)
        ]
        tail = Tail(RUN_IDS, connections[-1])
        async with running(tail):
            assert await until(lambda: tail.token != "", seconds=30)
            async with running(*writers):
                lives.kill(server, RANDOM)
                for end in ends(chance):
                    await (lives.live_and_stop if end in STOPS else lives.live_and_die)(end, chance)
            server = await lives.start()
            stored = await settled(connections[0], tail)
    tell(lives, writers, tail)
    check_stored(stored, writers)
    await check_summaries(lives.address.current, stored)
    assert server.stop() == 0, server.log_text()
    assert "Traceback" not in server.log_text()
    if store_uri.startswith("sqlite"):
        check_file(Path(store_uri.removeprefix("sqlite:///")))
    await check_tables(store_uri, tail)
    assert lives.kills.total() >= 20
    assert all(lives.kills[kind] for kind in (RANDOM, *FAILPOINTS)), lives.kills
    assert tail.resumed >= 20


async def settled(connection: Connection, tail: Tail) -> dict[str, list[Point]]:
    """What is stored, once the tail has seen as much."""
    stored = await stored_points(await connection.stub(), RUN_IDS)
    wanted = sum(map(len, stored.values()))
    assert await until(lambda: sum(map(len, tail.seen.values())) >= wanted, seconds=60), "the tail missed points"
    await asyncio.sleep(0.5)  # what comes twice would come now
    return stored


def tell(lives: Lives, writers: Sequence[Writer], tail: Tail) -> None:
    """Prints what happened, for whoever reads the run."""
    print(
        f"kills: {lives.kills.total()}, {dict(lives.kills)}; {dict(lives.stops)}; the tail resumed {tail.resumed} times"
    )
    for writer in writers:
        print(
            f"writer {writer.number}: {IN_FLIGHT} in flight, {writer.acknowledged} requests acknowledged,"
            f" {writer.resent} times one was sent again, refused {writer.refusals}"
        )


def check_stored(stored: dict[str, list[Point]], writers: Sequence[Writer]) -> None:
    """Each acknowledged point is there once; of each other request all of them or none."""
    for run_id, points in stored.items():
        assert len(set(points)) == len(points), f"run {run_id!r} has points twice"
    for writer in writers:
        mine = {point for point in stored[writer.run_id] if request_of(point[2])[0] == writer.number}
        there = {request_of(value)[1] for _, _, value in mine}
        assert mine == {point for sequence in there for point in points_of_request(writer.number, sequence)}
        assert there == set(range(1, len(there) + 1)), "a request is there whose predecessor is not"
        assert len(there) >= writer.acknowledged > 0, "an acknowledged request is missing"
        assert writer.resent > 0
        assert writer.refusals["ABORTED"] > 0
        assert there <= writer.sent


async def check_summaries(address: str, stored: dict[str, list[Point]]) -> None:
    """Summaries say what the points say."""
    async with grpc.aio.insecure_channel(address) as channel:
        request = metrics_pb2.GetMetricSummariesRequest(run_ids=RUN_IDS)
        answer = await MetricServiceStub(channel).GetMetricSummaries(request)
    found = {
        (each.run_id, each.key): (each.count, each.min_value, each.max_value, each.first_step, each.last_step)
        for each in answer.summaries
    }
    last = {(each.run_id, each.key): each.last_value for each in answer.summaries}
    assert len(found) == len(answer.summaries) == len(RUN_IDS) * len(KEYS)
    for run_id, key in found:
        points = [(step, value) for of, step, value in stored[run_id] if of == key]
        steps, values = zip(*points, strict=True)
        assert found[run_id, key] == (len(points), min(values), max(values), steps[0], steps[-1])
        assert last[run_id, key] == values[-1]


def check_file(path: Path) -> None:
    """The file is whole."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


async def check_tables(store_uri: str, tail: Tail) -> None:
    """Points were compacted, and the tail saw each commit once, in the order of arrival."""
    database = await Database.open(store_uri)
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM metric_chunks")) > 0
        heads = (await connection.execute(text("SELECT compacted_arrival, pruned_arrival FROM run_heads"))).all()
        journal = await connection.execute(
            text("SELECT run_id, payload FROM metric_journal JOIN runs USING (run_no) ORDER BY run_no, arrival")
        )
    await database.close()
    assert all(compacted > 0 and pruned == 0 for compacted, pruned in heads), heads
    arrived: dict[str, list[float]] = {run_id: [] for run_id in RUN_IDS}
    for run_id, payload in journal:
        arrived[run_id] += decode_journal(payload).points.values.tolist()
    assert {run_id: [value for _, value in seen] for run_id, seen in tail.seen.items()} == arrived
