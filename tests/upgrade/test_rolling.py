"""Servers of the last release are exchanged for this tree's, one after the other, while they are written to."""

import asyncio
import random
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from tests.conftest import ServerProcess
from tests.docs.documents import ROOT
from tests.faults.checks import check_stored, check_summaries, create_runs, running, settled_everywhere, tell
from tests.faults.test_fluent_kills import end_and_check, training
from tests.faults.test_replicas import AnyReplica, under_way
from tests.faults.traffic import Address, Tail, Writer, connected
from tests.ports import free_port
from tests.postgres import fresh_database
from tests.upgrade.conftest import RUNS
from tests.upgrade.released import SCHEMA, path_to

from trackwire.client import Client
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

RUN_IDS = ("a", "b")
WRITERS = 2
TRAININGS = ("one", "two", "three", "four")
REPLICAS = 2
KILLS = 5

MakeServer = Callable[..., ServerProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(100)]


def upgrade(uri: str) -> "subprocess.Popen[str]":
    """`trackwire db upgrade` of this tree."""
    command = [sys.executable, "-m", "trackwire_server", "db", "upgrade", "--store-uri", uri]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


async def schema_of(uri: str) -> list[tuple[str, ...]]:
    """Each column and each index of a database, of the valid ones."""
    connection = await asyncpg.connect(uri)
    columns = await connection.fetch(
        "SELECT table_name, column_name, data_type, column_default, is_nullable, collation_name"
        " FROM information_schema.columns WHERE table_schema = 'public'"
    )
    indexes = await connection.fetch(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indrelid"
        " WHERE relnamespace = 'public'::regnamespace AND indisvalid"
    )
    await connection.close()
    return sorted(tuple(map(str, row)) for row in [*columns, *indexes])


async def fresh_schema() -> list[tuple[str, ...]]:
    """That of a database which this tree has made."""
    with fresh_database() as uri:
        await (await Database.open(uri)).close()
        return await schema_of(uri)


class Replicas:
    """Servers at ports of their own, each of one tree or the other."""

    def __init__(self, make_server: MakeServer, uri: str, folder: Path):
        self._make = make_server
        self._uri = uri
        self._folder = folder
        self.ports = [free_port() for _ in range(REPLICAS)]
        self.addresses = [Address() for _ in range(REPLICAS)]
        self._servers: dict[int, ServerProcess] = {}

    async def exchange(self, number: int, tree: Path) -> None:
        """Ends one by the book, if it runs, and starts one of a tree in its place."""
        if number in self._servers:
            await self._end(number)
        server = self._make(
            "--port",
            str(self.ports[number]),
            data_dir=self._folder / f"replica-{number}",
            PYTHONPATH=path_to(tree),
            TRACKWIRE_STORE_URI=self._uri,
            TRACKWIRE_COMPACTION_ROWS="8",
        )
        self._servers[number] = server
        self.addresses[number].set(await asyncio.to_thread(server.start))

    async def _end(self, number: int) -> None:
        server = self._servers.pop(number)
        assert await asyncio.to_thread(server.stop) == 0, server.log_text()
        assert "Traceback" not in server.log_text()

    async def end(self) -> None:
        """Ends all of them."""
        for number in range(REPLICAS):
            await self._end(number)


async def test_servers_are_exchanged_while_they_are_written_to(
    make_server_process: MakeServer, released: Path, old_database: str, tmp_path: Path
) -> None:
    chance = random.Random(5)
    replicas = Replicas(make_server_process, old_database, tmp_path)
    async with AsyncExitStack() as stack:
        for number in range(REPLICAS):
            await replicas.exchange(number, released)
        await create_runs(replicas.addresses[0].current, RUN_IDS)
        each = [await stack.enter_async_context(connected(address)) for address in replicas.addresses]
        any_of_them = AnyReplica(each, chance)
        writers = [
            Writer(at, RUN_IDS[at % len(RUN_IDS)], any_of_them, random.Random(chance.random())) for at in range(WRITERS)
        ]
        tails = [Tail(RUN_IDS, connection) for connection in each]
        address = ",".join(f"127.0.0.1:{port}" for port in replicas.ports)
        trainers = stack.enter_context(training(tmp_path, address, TRAININGS))
        async with running(*tails):
            async with running(*writers):
                await under_way(writers)
                told, _ = await asyncio.to_thread(upgrade(old_database).communicate)
                print(told)
                # The older one starts on the newer schema, too: who goes back finds it working.
                for number, tree in ((0, released), (0, ROOT), (1, ROOT), (0, ROOT)):
                    await under_way(writers)
                    await replicas.exchange(number, tree)
                await under_way(writers)
            await asyncio.gather(*(connection.ready() for connection in each))
            stored = await settled_everywhere(each, tails, RUN_IDS)
        tell("upgraded", writers, tails)
        check_stored(stored, writers)
        for each_address in replicas.addresses:
            await check_summaries(each_address.current, stored)
        await asyncio.to_thread(end_and_check, trainers, tmp_path, address)
        with Client(address) as client:
            found = list(client.search_runs("0", "params.param_20 = 'value 40'"))
        await replicas.end()
    assert re.fullmatch(rf".*: schema version {SCHEMA_VERSION}, before it was {SCHEMA}; it took \d+\.\d s\n", told), (
        told
    )
    # The latter tells a writer, which sends in no order on purpose, that a request came before another.
    assert all(set(writer.refusals) <= {"UNAVAILABLE", "ABORTED"} for writer in writers)
    assert len(found) == sum(number * 20 % 5000 == 40 for number in range(1, RUNS + 1))
    assert await schema_of(old_database) == await fresh_schema()


async def test_upgrade_that_is_killed_over_and_over_goes_on_where_it_was(old_database: str) -> None:
    chance = random.Random(6)
    for _ in range(KILLS):
        process = upgrade(old_database)
        try:
            await asyncio.to_thread(process.wait, chance.uniform(0.5, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    last = upgrade(old_database)
    told, _ = await asyncio.to_thread(last.communicate)
    assert last.returncode == 0
    assert f"schema version {SCHEMA_VERSION}" in told
    assert await schema_of(old_database) == await fresh_schema()
