"""Two servers on one PostgreSQL: it is killed, and they are, while they are written to and tailed."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
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
    settled_everywhere,
    tell,
)
from tests.faults.traffic import Address, Connection, Tail, Writer, connected, until
from tests.postgres import KilledDatabase, database_to_kill

from trackwire.v1.metrics_pb2_grpc import MetricServiceStub

RUN_IDS = ("a", "b", "c", "d")
WRITERS = 8
REPLICAS = 2
KILLS_OF_POSTGRES = 10
KILLS_OF_REPLICAS = 20
POSTGRES = "postgresql"
REPLICA = "replica"
# Under way again after each kill: so many requests more are acknowledged.
REQUESTS_BETWEEN = 40

MakeServer = Callable[..., ServerProcess]


class AnyReplica(Connection):
    """A stub of one of the servers, another one at each call."""

    def __init__(self, connections: Sequence[Connection], chance: random.Random):
        self._each = connections
        self._chance = chance

    async def stub(self) -> MetricServiceStub:
        """Of one that is there, if any is."""
        there = [each for each in self._each if each.is_known] or self._each
        return await self._chance.choice(there).stub()


@dataclass(slots=True)
class Fleet:
    """The servers and their database, and what became of them."""

    make_server: MakeServer
    database: KilledDatabase
    folder: Path
    addresses: Sequence[Address]
    servers: dict[int, ServerProcess] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    async def start(self, number: int) -> None:
        """One of the servers, which compacts all the time."""
        server = self.make_server(
            data_dir=self.folder / f"replica-{number}",
            TRACKWIRE_STORE_URI=self.database.uri,
            TRACKWIRE_COMPACTION_ROWS="8",
            TRACKWIRE_TAIL_RETENTION_SECONDS="3600",
        )
        self.servers[number] = server
        self.addresses[number].set(await asyncio.to_thread(server.start))

    async def kill(self, what: str, chance: random.Random) -> None:
        """Kills the database or one of the servers, and starts it again."""
        if what == POSTGRES:
            await asyncio.to_thread(self.database.kill)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await self.database.start()
        else:
            number = self.kills[REPLICA] % REPLICAS
            self.addresses[number].lose()
            server = self.servers[number]
            assert await asyncio.to_thread(server.stop, signal.SIGKILL) == -signal.SIGKILL, server.log_text()
            await self.start(number)
        self.kills[what] += 1

    async def stop(self) -> None:
        """By the book; nothing went wrong that was not foreseen."""
        for server in self.servers.values():
            assert await asyncio.to_thread(server.stop) == 0, server.log_text()
            assert "Traceback" not in server.log_text()


@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_what_replicas_acknowledge_is_there_once_after_kills_of_them_and_of_postgresql(
    make_server_process: MakeServer, tmp_path: Path
) -> None:
    seed = int(os.environ.get("TRACKWIRE_TEST_SEED", "") or random.randrange(2**32))
    print(f"TRACKWIRE_TEST_SEED={seed}")
    chance = random.Random(seed)
    addresses = [Address() for _ in range(REPLICAS)]
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(database_to_kill())
        fleet = Fleet(make_server_process, database, tmp_path, addresses)
        await asyncio.gather(*(fleet.start(number) for number in range(REPLICAS)))
        await create_runs(addresses[0].current, RUN_IDS)
        each = [await stack.enter_async_context(connected(address)) for address in addresses]
        any_of_them = AnyReplica(each, chance)
        writers = [
            Writer(at, RUN_IDS[at % len(RUN_IDS)], any_of_them, random.Random(chance.random())) for at in range(WRITERS)
        ]
        tails = [Tail(RUN_IDS, connection) for connection in each]
        async with running(*tails):
            async with running(*writers):
                for what in deaths(chance):
                    await under_way(writers)
                    await fleet.kill(what, chance)
                await under_way(writers)
            stored = await settled_everywhere(each, tails, RUN_IDS)
        tell(str(dict(fleet.kills)), writers, tails)
        check_stored(stored, writers)
        for address in addresses:
            await check_summaries(address.current, stored)
        await fleet.stop()
        await check_tables(database.uri, tails)
    assert fleet.kills == {POSTGRES: KILLS_OF_POSTGRES, REPLICA: KILLS_OF_REPLICAS}


def deaths(chance: random.Random) -> list[str]:
    """What is killed, shuffled."""
    listed = [POSTGRES] * KILLS_OF_POSTGRES + [REPLICA] * KILLS_OF_REPLICAS
    chance.shuffle(listed)
    return listed


async def under_way(writers: Sequence[Writer]) -> None:
    """Waits until requests are acknowledged again."""
    before = sum(writer.acknowledged for writer in writers)
    enough = before + REQUESTS_BETWEEN
    assert await until(lambda: sum(writer.acknowledged for writer in writers) >= enough, seconds=90), (
        "nothing is acknowledged any more"
    )
