"""A run's handle: gathers, sends by itself, and tells what it could not keep."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.client.scripted_server import MetricStore, ScriptedServer, abort
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.errors import DeadlineExceededError, FailedPreconditionError, InvalidArgumentError
from trackwire.run import Run
from trackwire.v1.metrics_pb2 import IngestMetricsRequest
from trackwire.v1.runs_pb2 import (
    RUN_STATUS_FAILED,
    RUN_STATUS_FINISHED,
    RUN_STATUS_KILLED,
    RUN_STATUS_RUNNING,
    CreateRunResponse,
    UpdateRunRequest,
    UpdateRunResponse,
)


@pytest.fixture
def started(scripted: ScriptedServer, scripted_client: Client) -> Callable[..., Run]:
    """Starts runs on a server that knows little more than ingest."""
    scripted.on_message("CreateRun", CreateRunResponse(run={"run_id": "r"}, created=True))
    scripted.on_message("UpdateRun", UpdateRunResponse(run={"run_id": "r"}))
    return scripted_client.start_run


def test_what_a_run_logs_is_on_the_server(client: Client, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"w")
    with client.start_run("digits", "first", params={"lr": 0.1}, tags={"team": "red"}) as run:
        for step in range(3):
            run.log_metrics({"loss": 1 / (step + 1), "acc": np.float32(0.5)}, step)
        run.log_param("depth", 3)
        run.log_params({"width": 4})
        run.set_tag("a", 1)
        run.set_tags({"b": 2})
        run.log_artifact(tmp_path / "weights.bin")
        run.log_artifacts(tmp_path, "all")
        run.log_bytes(b"text", "notes/a.txt")
        assert client.get_run(run.run_id).status == RUN_STATUS_RUNNING
    assert (run.points_acknowledged, run.points_rejected) == (6, 0)
    found = client.get_run(run.run_id)
    assert found.status == RUN_STATUS_FINISHED
    assert found.end_time_ms >= found.start_time_ms
    assert dict(found.params) == {"lr": "0.1", "depth": "3", "width": "4"}
    assert client.get_experiment(found.experiment_id).name == "digits"
    series = {part.key: part for part in client.read_metrics(run.run_id).series}
    assert series["loss"].steps.tolist() == [0, 1, 2]
    assert series["acc"].values.tolist() == [0.5] * 3
    assert client.read_artifact(run.run_id, "all/weights.bin") == b"w"


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("nan"), RUN_STATUS_FAILED), (KeyboardInterrupt(), RUN_STATUS_KILLED)]
)
def test_how_a_run_ends_is_told(client: Client, error: BaseException, status: int) -> None:
    run = client.start_run()

    def train() -> None:
        with run:
            run.log_metric("loss", 1.0)
            raise error

    with pytest.raises(type(error)):
        train()
    assert client.get_run(run.run_id).status == status
    assert run.points_acknowledged == 1


def test_ranks_share_a_run_and_rank_0_ends_it(client: Client) -> None:
    with client.start_run(run_id="job-1", rank=0) as first:
        with client.start_run(run_id="job-1", rank=1, params={"lr": 1}) as second:
            first.log_metric("loss", 1.0)
            second.log_metric("loss", 2.0)
        assert client.get_run("job-1").status == RUN_STATUS_RUNNING
    assert client.get_run("job-1").status == RUN_STATUS_FINISHED
    assert {(part.rank, part.values[0]) for part in client.read_metrics("job-1").series} == {(0, 1.0), (1, 2.0)}
    with pytest.raises(InvalidArgumentError, match="rank: 1: needs the run_id"):
        client.start_run(rank=1)


def test_run_that_is_asked_to_stop_hears_it(client: Client) -> None:
    with client.start_run(heartbeat_interval_seconds=0.05) as run:
        assert not run.should_stop()
        client.request_run_stop(run.run_id)
        deadline = time.monotonic() + 10
        while not run.should_stop() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert run.should_stop()


def test_points_of_a_deleted_run_are_reported_and_counted(client: Client) -> None:
    run = client.start_run()
    run.log_metric("loss", 1.0)
    run.flush()
    client.delete_run(run.run_id)
    run.log_metric("loss", 2.0)
    with pytest.raises(FailedPreconditionError, match="deleted"):
        run.flush()
    assert (run.points_acknowledged, run.points_rejected) == (1, 1)
    client.restore_run(run.run_id)
    run.log_metric("loss", 3.0)
    run.end()
    (loss,) = client.read_metrics(run.run_id).series
    assert loss.values.tolist() == [1.0, 3.0]


def test_server_that_is_killed_and_started_again_has_every_point_once(
    make_server_process: Callable[..., ServerProcess],
) -> None:
    server = make_server_process()
    address = server.start()
    with Client(address, timeout_seconds=10) as client, client.start_run(flush_interval_seconds=0.01) as run:
        for step in range(2_000):
            run.log_metric("loss", step, step)
            if step == 1_000:
                server.stop(9)
                port = address.rpartition(":")[2]
                server = make_server_process("--port", port, data_dir=server.data_dir)
                restart = threading.Thread(target=server.start)
                restart.start()
            time.sleep(0.0005)
        restart.join()
        run.flush()
        (loss,) = client.read_metrics(run.run_id).series
        assert loss.values.tolist() == list(range(2_000))


def test_steps_go_on_by_themselves_key_by_key(started: Callable[..., Run], metric_store: MetricStore) -> None:
    with started() as run:
        for value in (1, 2):
            run.log_metric("a", value)
        run.log_metric("b", 1)
        run.log_metric("a", 3, step=10)
        run.log_metric("a", 4)
    steps = _points(metric_store)
    assert [step for key, step, _value in steps if key == "a"] == [0, 1, 10, 11]
    assert [step for key, step, _value in steps if key == "b"] == [0]


def test_values_are_numbers_or_say_what_they_are(started: Callable[..., Run], metric_store: MetricStore) -> None:
    with started() as run:
        good = [1, 2.5, True, np.float32(0.5), np.int8(3), np.array(4.0), np.float64("nan")]
        for value in good:
            run.log_metric("x", value)
        for bad in ("1", None, [1.0], np.array([1.0]), 1j, object()):
            with pytest.raises(TypeError, match=r"metrics\['y'\]: must be a number, not"):
                run.log_metrics({"x": 9, "y": bad})
        with pytest.raises(InvalidArgumentError, match="largest float64"):
            run.log_metric("x", 10**400)
    values = [value for _key, _step, value in _points(metric_store)]
    assert values[:6] == [1, 2.5, 1, 0.5, 3, 4]
    assert len(values) == 7


@pytest.mark.parametrize("key", ["", "x" * 251, "a\nb", "a\0b", "../a", "/a", "a//b", "."])
def test_bad_key_is_told_where_it_is_logged(key: str, started: Callable[..., Run], metric_store: MetricStore) -> None:
    with started() as run:
        with pytest.raises(InvalidArgumentError, match=r"^key: "):
            run.log_metrics({"good": 1.0, key: 1.0})
        run.log_metric("good", 2.0)
    assert _points(metric_store) == [("good", 0, 2.0)]


def test_bad_steps_are_told_where_they_are_logged(started: Callable[..., Run], metric_store: MetricStore) -> None:
    with started() as run:
        with pytest.raises(InvalidArgumentError, match=f"step: {2**63}"):
            run.log_metric("x", 1, step=2**63)
        with pytest.raises(TypeError, match=r"step: 1\.5: must be an int, not float"):
            run.log_metric("x", 1, step=1.5)
        run.log_metric("x", 1, step=np.int64(7))
    assert _points(metric_store) == [("x", 7, 1.0)]


def test_ended_run_takes_no_more(
    started: Callable[..., Run], scripted: ScriptedServer, metric_store: MetricStore
) -> None:
    run = started()
    run.end("KILLED")
    run.end()
    with pytest.raises(FailedPreconditionError, match="ended"):
        run.log_metric("x", 1)
    (request,) = scripted.requests_of("UpdateRun")
    assert UpdateRunRequest.FromString(request).status == RUN_STATUS_KILLED


def test_run_whose_points_are_refused_has_failed(started: Callable[..., Run], scripted: ScriptedServer) -> None:
    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        abort(context, grpc.StatusCode.FAILED_PRECONDITION, "the run is deleted")
        return b""

    scripted.on("IngestMetrics", refuse)
    run = started()
    run.log_metric("x", 1)
    with pytest.raises(FailedPreconditionError, match="the run is deleted"):
        run.end()
    (request,) = scripted.requests_of("UpdateRun")
    assert UpdateRunRequest.FromString(request).status == RUN_STATUS_FAILED


def test_ctrl_c_while_a_run_waits_for_its_points_kills_it(
    started: Callable[..., Run], scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started()

    def interrupt(_timeout_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run._writer, "flush", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.end()
    (request,) = scripted.requests_of("UpdateRun")
    assert UpdateRunRequest.FromString(request).status == RUN_STATUS_KILLED


def test_server_that_is_gone_at_the_end_leaves_the_count_of_points_to_be_seen(
    server_process: ServerProcess,
) -> None:
    with Client(server_process.address) as client:
        run = client.start_run()
        server_process.stop(signal.SIGKILL)
        for step in range(49):
            run.log_metric("loss", 1.0, step)
        with pytest.raises(DeadlineExceededError, match="49 points of run") as raised:
            run.end(timeout_seconds=1)
        assert [note for note in raised.value.__notes__ if note.startswith("its status is not FAILED either")]


def test_many_threads_lose_nothing(started: Callable[..., Run], metric_store: MetricStore) -> None:
    with started() as run:
        threads = [
            threading.Thread(target=lambda name=name: [run.log_metric(name, step) for step in range(5_000)])
            for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert run.points_acknowledged == 20_000
    by_key = {name: [value for key, _step, value in _points(metric_store) if key == name] for name in "abcd"}
    assert all(values == list(range(5_000)) for values in by_key.values())


def _points(store: MetricStore) -> list[tuple[str, int, float]]:
    return [point for request in store.stored for point in _points_of(request)]


def _points_of(request: IngestMetricsRequest) -> list[tuple[str, int, float]]:
    keys = [key for key, count in zip(request.keys, request.counts, strict=True) for _ in range(count)]
    return list(zip(keys, request.steps, request.values, strict=True))
