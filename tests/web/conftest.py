"""One server for the tests of a module that only ask it."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from tests.conftest import CHANNEL_OPTIONS, ServerProcess
from tests.web.connected import Connected, connected

from trackwire import Client
from trackwire.columns import MetricColumns

POINTS = 200_000


@dataclass(frozen=True, slots=True)
class Doors:
    """Both ports of a server, and what is stored behind them: the run "r" with its series "loss"."""

    server: ServerProcess
    http: Connected
    channel: grpc.Channel


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    server = ServerProcess(tmp_path_factory.mktemp("doors") / "data", ["--log-level", "debug"], http_port="0")
    address = server.start()
    steps = list(range(POINTS))
    with Client(address) as client:
        client.create_run("0", run_id="r", run_name="first", tags={"a": "b", "c": "d"})
        client.log_params("r", {"lr": "0.1"})
        client.upload_bytes("r", b"weights" * 100_000, "folder/w.bin")
        with client.metric_writer("r") as writer:
            writer.add(MetricColumns(["loss"], [POINTS], steps, steps, [step / 7 for step in steps]))
    with grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        yield Doors(server, connected(server.url), channel)
    assert server.stop() == 0, server.log_text()
