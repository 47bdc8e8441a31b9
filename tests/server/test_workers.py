"""Several processes serve at the same ports, over one PostgreSQL, and one looks after them."""

import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.postgres import fresh_database
from tests.web.connected import connected

from trackwire import Client
from trackwire.v1 import runs_pb2

MakeServer = Callable[..., ServerProcess]
pytestmark = pytest.mark.slow
# That all of so many connections came to one of two workers happens once in 2 ** 39 runs.
CONNECTIONS = 40
EXPERIMENT = runs_pb2.SearchRunDatasetsRequest(experiment_ids=["0"]).SerializeToString()


@pytest.fixture
def store_uri() -> Iterator[str]:
    with fresh_database() as uri:
        yield uri


def workers_of(server: ServerProcess) -> list[psutil.Process]:
    """Its processes, of which none is a spool's shipper here."""
    assert server.process is not None
    return psutil.Process(server.process.pid).children()


def figures(server: ServerProcess) -> str:
    return requests.get(f"{server.url}/metrics", timeout=30).text


def figure(text: str, name: str, **labels: str) -> float:
    """The value of one sample, by the labels that are named."""
    for found, value in re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE):
        if all(f'{label}="{wanted}"' in found for label, wanted in labels.items()):
            return float(value)
    raise AssertionError(f"{name} of {labels} is not in:\n{text}")


def call_once(address: str) -> tuple[str, str]:
    """A call over a connection of its own: the store, and the port that the server says it has."""
    with Client(address) as client:
        info = client.get_server_info()
        return info.store, str(info.grpc.port)


def test_workers_share_the_ports_and_one_that_dies_is_started_again(
    make_server_process: MakeServer, store_uri: str
) -> None:
    server = make_server_process("--workers", "2", "--store-uri", store_uri, "--http-port", "0")
    address = server.start()
    assert " store=postgresql " in server.ready_line
    assert " workers=2" in server.ready_line
    with ThreadPoolExecutor(8) as threads:
        told_by_each = {*threads.map(call_once, [address] * CONNECTIONS)}
        assert told_by_each == {("postgresql", address.rpartition(":")[2])}
        # The same over HTTP, each over a connection of its own.
        asked = threads.map(
            connected(server.url).ask, ["RunService/SearchRunDatasets"] * CONNECTIONS, [EXPERIMENT] * CONNECTIONS
        )
        assert {*asked} == {b""}
    # On a busy machine one may be too late with its own for the other.
    assert until(lambda: figures(server).count("\ntrackwire_server_info{") == 2)
    told = figures(server)
    infos = {"method": "trackwire.v1.AdminService/GetServerInfo", "code": "OK"}
    counts = [figure(told, "trackwire_rpc_duration_seconds_count", worker=worker, **infos) for worker in "01"]
    assert min(counts) > 0
    assert sum(counts) == CONNECTIONS
    over_http = {"method": "trackwire.v1.RunService/SearchRunDatasets", "code": "OK"}
    counts = [figure(told, "trackwire_rpc_duration_seconds_count", worker=worker, **over_http) for worker in "01"]
    assert (min(counts) > 0, sum(counts)) == (True, CONNECTIONS)
    assert [figure(told, "trackwire_worker_up", worker=worker) for worker in "01"] == [1, 1]
    # What all share is told once.
    assert re.search(r"^trackwire_journal_rows 0.0$", told, re.MULTILINE)
    assert len(re.findall("^# TYPE trackwire_rpc_duration_seconds ", told, re.MULTILINE)) == 1

    killed = workers_of(server)[1]
    killed.kill()
    assert until(lambda: "a worker has ended and is started again" in server.log_text())
    assert call_once(address)[0] == "postgresql"
    assert until(lambda: "the worker is ready again" in server.log_text())
    assert until(lambda: figure(figures(server), "trackwire_worker_up", worker="1") == 1)

    alive = workers_of(server)
    assert len(alive) == 2
    assert server.stop() == 0
    assert not any(worker.is_running() for worker in alive)
    assert not (server.data_dir / "server.json").exists()


def test_workers_end_with_their_supervisor_however_it_ends(make_server_process: MakeServer, store_uri: str) -> None:
    server = make_server_process("--workers", "2", "--store-uri", store_uri)
    server.start()
    alive = workers_of(server)
    assert len(alive) == 2
    second = make_server_process("--store-uri", store_uri, data_dir=server.data_dir)
    assert second.launch().wait(60) == 1
    assert f"another server uses this data directory: pid {server.process.pid}" in second.log_text()  # type: ignore[union-attr]
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    assert psutil.wait_procs(alive, timeout=60)[1] == []
    assert server.log_text().count("the supervisor of this worker is gone: stopping") == 2


def test_second_signal_ends_all_at_once(make_server_process: MakeServer, store_uri: str) -> None:
    server = make_server_process("--workers", "2", "--store-uri", store_uri, "--readiness-grace-seconds", "600")
    server.start()
    alive = workers_of(server)
    assert server.process is not None
    server.process.terminate()
    assert until(lambda: server.log_text().count("not ready any more") == 2)
    assert server.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert psutil.wait_procs(alive, timeout=60)[1] == []


def test_store_that_can_not_be_reached_is_told_once(make_server_process: MakeServer) -> None:
    server = make_server_process("--workers", "3", "--store-uri", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert server.launch().wait(60) == 1
    lines = [line for line in server.log_text().splitlines() if line.startswith("trackwire server: ")]
    assert len(lines) == 1
    assert "127.0.0.1:1/nowhere" in lines[0]
    assert not (server.data_dir / "server.json").exists()
