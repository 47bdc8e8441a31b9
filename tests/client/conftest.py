"""Scripted servers and clients of them."""

from collections.abc import Iterator

import pytest
from tests.client.scripted_server import MetricStore, ScriptedServer

from trackwire.client import Client


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
