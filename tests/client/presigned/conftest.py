"""A server whose artifacts lie at an S3 behind a wire, on which things can go wrong."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests import s3
from tests.client.presigned.signed_calls import SignedCalls
from tests.conftest import ServerProcess
from tests.faults.s3_wire import S3Wire, s3_wire_to

from trackwire.client import Client


@contextmanager
def _wire_in_a_thread(url: str) -> Iterator[S3Wire]:
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever, name="s3-wire")
    running.start()
    opening = s3_wire_to(url)
    try:
        yield asyncio.run_coroutine_threadsafe(opening.__aenter__(), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(opening.__aexit__(None, None, None), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        running.join()
        loop.close()


@pytest.fixture(scope="module")
def s3_wire(s3_endpoint: str) -> Iterator[S3Wire]:
    """All that goes to the S3, from the server and from clients."""
    with _wire_in_a_thread(s3_endpoint) as wire:
        yield wire


@pytest.fixture(scope="module")
def bucket(s3_endpoint: str) -> str:
    return s3.make_bucket(s3_endpoint)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, s3_wire: S3Wire, bucket: str) -> Iterator[ServerProcess]:
    """One for all: each test has a run of its own."""
    settings = ("--artifacts-uri", f"s3://{bucket}/a", "--s3-endpoint-url", s3_wire.url)
    process = ServerProcess(tmp_path_factory.mktemp("server") / "data", settings)
    process.start()
    yield process
    assert process.stop() == 0, process.log_text()


@pytest.fixture
def signed(s3_wire: S3Wire) -> Iterator[SignedCalls]:
    """What goes around the server."""
    calls = SignedCalls()
    s3_wire.fault = calls.pass_by
    yield calls
    s3_wire.fault = None


@pytest.fixture
def client(client_type: type[Client], server: ServerProcess) -> Iterator[Client]:
    with client_type(server.address) as opened:
        yield opened


@pytest.fixture
def run_id(client: Client) -> str:
    return client.create_run().run_id
