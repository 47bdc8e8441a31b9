"""Servers, clients of them, and working directories without either."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.live_server import live_server
from tests.client.looped import LoopedClient
from tests.client.scripted_server import MetricStore, ScriptedServer
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.fluent import active, choices


@pytest.fixture(scope="module", params=[Client, LoopedClient], ids=["blocking", "asyncio"])
def client_type(request: pytest.FixtureRequest) -> type[Client]:
    """For what both clients do: Client, and AsyncClient behind the same face."""
    return request.param


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def scripted_client(scripted: ScriptedServer) -> Iterator[Client]:
    with Client(scripted.address, timeout_seconds=5) as client:
        yield client


@pytest.fixture
def metric_store(scripted: ScriptedServer) -> MetricStore:
    store = MetricStore()
    scripted.on("IngestMetrics", store)
    return store


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server for all tests of a module."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def client(live: ServerProcess) -> Iterator[Client]:
    with Client(live.address) as client:
        yield client


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory without a server; its spool."""
    for name in ("TRACKING_URI", "RUN_ID", "EXPERIMENT_NAME", "EXPERIMENT_ID"):
        for prefix in ("TRACKWIRE_", "MLFLOW_"):
            monkeypatch.delenv(prefix + name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choices, "_tracking_uri", None)
    monkeypatch.setattr(choices, "_experiment", None)
    monkeypatch.setattr(active, "_run_id_is_used", False)
    yield tmp_path / ".trackwire" / "spool"
    while active.active_run() is not None:
        active.end_run("KILLED")
