"""Servers that are away for a while."""

import threading
import time
from collections.abc import Callable

import pytest
from mlflow import MlflowClient
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.errors import UnavailableError
from trackwire.mlflow_plugin.patience import PatientConnection
from trackwire.v1.experiments_pb2 import CreateExperimentRequest, CreateExperimentResponse
from trackwire.v1.runs_pb2 import GetRunRequest, GetRunResponse

MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def restart(make_server_process: MakeServer) -> Callable[[ServerProcess], ServerProcess]:
    """`restart(server)` starts a server that was stopped, at the address that it had."""

    def start(stopped: ServerProcess) -> ServerProcess:
        again = make_server_process("--port", stopped.address.rpartition(":")[2], data_dir=stopped.data_dir)
        again.start()
        return again

    return start


@pytest.mark.slow
def test_training_outlasts_a_restart(
    make_server_process: MakeServer, restart: Callable[[ServerProcess], ServerProcess]
) -> None:
    server = make_server_process("--port", str(free_port()))
    client = MlflowClient(f"grpc://{server.start()}")
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "loss", 1.0, step=0)
    server.stop()
    back = threading.Timer(6, restart, [server])
    began = time.monotonic()
    back.start()
    client.log_metric(run_id, "loss", 0.5, step=1)
    assert time.monotonic() - began > 5
    back.join()
    assert [point.value for point in client.get_metric_history(run_id, "loss")] == [1.0, 0.5]


def test_patience_ends(make_server_process: MakeServer) -> None:
    server = make_server_process()
    address = server.start()
    with Client(address) as client:
        run_id = client.create_run().run_id
    connection = PatientConnection(address, patience_seconds=4)
    connection.call(GetRunRequest(run_id=run_id), GetRunResponse)
    server.stop()
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        connection.call(GetRunRequest(run_id=run_id), GetRunResponse)
    assert time.monotonic() - began < 60
    connection.close()


def test_what_must_not_be_sent_twice_is_not_waited_for(make_server_process: MakeServer) -> None:
    server = make_server_process()
    connection = PatientConnection(server.start())
    connection.call(CreateExperimentRequest(name="first"), CreateExperimentResponse)
    server.stop()
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        connection.call(CreateExperimentRequest(name="second"), CreateExperimentResponse)
    assert time.monotonic() - began < 60
    connection.close()


def test_server_that_never_answered_is_not_waited_for() -> None:
    began = time.monotonic()
    connection = PatientConnection("127.0.0.1:9")
    with pytest.raises(UnavailableError):
        connection.call(GetRunRequest(run_id="r"), GetRunResponse)
    assert time.monotonic() - began < 60
    connection.close()
