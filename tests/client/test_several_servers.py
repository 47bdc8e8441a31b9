"""One address may be several servers: calls are spread over those that are ready, a writer keeps to one."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.postgres import fresh_database

from trackwire import Client
from trackwire.client import aio
from trackwire.columns import MetricColumns

MakeServer = Callable[..., ServerProcess]
MEMORY = ("--store-uri", "memory:", "--readiness-grace-seconds", "600")


@pytest.fixture
def servers(make_server_process: MakeServer, tmp_path: Path) -> list[ServerProcess]:
    """Two that share nothing, each known by its folder of artifacts."""
    made = [make_server_process(*MEMORY, data_dir=tmp_path / name) for name in ("a", "b")]
    for server in made:
        server.start()
    return made


def list_of(servers: list[ServerProcess]) -> str:
    return ",".join(server.address for server in servers)


def who_answers(client: Client, calls: int = 10) -> list[str]:
    """The folders of the servers that answer so many calls."""
    return [client.get_server_info().artifacts_uri.split("/")[-2] for _ in range(calls)]


def test_calls_are_spread_over_a_list(servers: list[ServerProcess]) -> None:
    with Client(list_of(servers)) as client:
        assert until(lambda: {*who_answers(client)} == {"a", "b"})
        # Once it is connected to both, they take turns.
        assert sorted(who_answers(client)) == ["a"] * 5 + ["b"] * 5


async def test_calls_of_an_async_client_are_spread_too(servers: list[ServerProcess]) -> None:
    async with aio.AsyncClient(list_of(servers)) as client:
        found: set[str] = set()
        while len(found) < 2:
            found.add((await client.get_server_info()).artifacts_uri)


def test_server_that_is_about_to_stop_gets_no_more_calls_and_one_that_is_killed_fails_none(
    servers: list[ServerProcess],
) -> None:
    with Client(list_of(servers)) as client:
        assert until(lambda: {*who_answers(client)} == {"a", "b"})
        first, second = servers
        assert first.process is not None
        first.process.terminate()
        assert until(lambda: {*who_answers(client)} == {"b"})
        first.process.kill()
        assert {*who_answers(client)} == {"b"}
        assert second.process is not None


def test_name_is_looked_up_for_all_that_it_has(servers: list[ServerProcess]) -> None:
    port = servers[0].address.rpartition(":")[2]
    with Client(f"dns:///localhost:{port}") as client:
        assert client.address == f"dns:localhost:{port}"
        assert {*who_answers(client)} == {"a"}


@pytest.mark.slow
def test_writer_keeps_to_one_server(make_server_process: MakeServer, tmp_path: Path) -> None:
    with fresh_database() as uri:
        made = [
            make_server_process("--store-uri", uri, "--http-port", "0", data_dir=tmp_path / name) for name in ("a", "b")
        ]
        for server in made:
            server.start()
        with Client(list_of(made)) as client:
            run_id = client.create_run("0").run_id
            with client.metric_writer(run_id) as writer:
                for step in range(200):
                    writer.add(MetricColumns(["loss"], [1], [step], [1_000], [step / 2]))
            assert len(client.read_metrics(run_id, "loss").series[0]) == 200
        counts = [ingests(server) for server in made]
        for server in made:
            assert server.stop() == 0
    # Over both, most of what is pipelined would come out of order and be sent again.
    assert sorted(map(bool, counts)) == [False, True]


def ingests(server: ServerProcess) -> list[str]:
    """The codes with which a server has answered IngestMetrics."""
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    pattern = r'^trackwire_rpc_duration_seconds_count\{code="(\w+)",method="\S+IngestMetrics"\}'
    return re.findall(pattern, text, re.MULTILINE)
