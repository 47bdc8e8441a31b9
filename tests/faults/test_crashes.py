"""The server is killed over and over while it is written to and tailed. What it acknowledged is there, once."""

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.conftest import ServerProcess
from tests.faults.checks import (
    check_stored,
    check_summaries,
    check_tables,
    create_runs,
    running,
    settled,
    tell,
)
from tests.faults.traffic import Address, Tail, Writer, connected, until
from tests.stores.conftest import MARIADB, fresh_uri

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
    await create_runs(lives.address.current, RUN_IDS)
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
            stored = await settled(connections[0], tail, RUN_IDS)
    tell(f"kills: {lives.kills.total()}, {dict(lives.kills)}; {dict(lives.stops)}", writers, [tail])
    check_stored(stored, writers)
    await check_summaries(lives.address.current, stored)
    assert server.stop() == 0, server.log_text()
    assert "Traceback" not in server.log_text()
    if store_uri.startswith("sqlite"):
        check_file(Path(store_uri.removeprefix("sqlite:///")))
    await check_tables(store_uri, [tail])
    assert lives.kills.total() >= 20
    assert all(lives.kills[kind] for kind in (RANDOM, *FAILPOINTS)), lives.kills
    assert tail.resumed >= 20


def check_file(path: Path) -> None:
    """The file is whole."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
