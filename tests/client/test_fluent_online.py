"""The fluent API with a server: a training process that opens no socket, and a shipper that delivers."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.client.live_server import live_server
from tests.client.training import (
    TIMEOUT_SECONDS,
    shipper_of,
    shippers_of,
    start,
    train,
    training_folder,
    wait_until,
    wait_until_delivered,
)
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire import Client


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


ALL = """
import json, os, sys
import numpy as np
import trackwire as mlflow
mlflow.set_experiment("digits")
with mlflow.start_run(run_id="r", run_name="first", tags={"team": "red"}) as run:
    mlflow.log_params({"lr": 0.1, "layers": [1, 2]})
    for step in range(3_000):
        mlflow.log_metrics({"loss": 1.0 / (step + 1), "acc": step}, step=step)
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_image(np.zeros((4, 4), np.uint8), "black.png")
    mlflow.set_tag("state", "trained")
    with mlflow.start_run(run_id="child", nested=True):
        mlflow.log_metric("loss", 0.5)
    assert mlflow.flush(30)
    open_files = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    links = [os.readlink(path) for path in open_files if os.path.lexists(path)]
    sockets = [link for link in links if link.startswith("socket:")]
    print(json.dumps({"grpc": "grpc" in sys.modules, "sockets": sockets}))
"""


def test_all_that_is_said_reaches_the_server_and_the_training_opens_no_socket(
    live: ServerProcess, folder: Path
) -> None:
    out, err = train(folder, ALL, live.address)
    assert json.loads(out) == {"grpc": False, "sockets": []}
    assert not err
    with Client(live.address) as client:
        run = client.get_run("r")
        assert run.status == 3
        assert run.run_name == "first"
        assert client.get_experiment(run.experiment_id).name == "digits"
        assert dict(run.params) == {"lr": "0.1", "layers": "[1, 2]"}
        assert run.tags["team"] == "red"
        assert run.tags["state"] == "trained"
        assert run.tags["mlflow.source.name"] == "train.py"
        assert client.get_run("child").parent_run_id == "r"
        assert client.read_artifact("r", "notes/hello.txt") == b"hello"
        assert client.read_artifact("r", "black.png").startswith(b"\x89PNG")
        series = {each.key: each for each in client.read_metrics(["r"]).series}
    assert series["loss"].values.tolist() == [1.0 / (step + 1) for step in range(3_000)]
    assert series["acc"].steps.tolist() == list(range(3_000))
    wait_until_delivered(folder)


def test_what_the_server_refuses_is_told_when_the_run_ends_and_stops_nothing(live: ServerProcess, folder: Path) -> None:
    script = """
import trackwire
with trackwire.start_run(run_id="refused") as run:
    trackwire.log_param("lr", 0.1)
    trackwire.log_param("lr", 0.2)
    trackwire.log_metric("loss", 1.0, 0)
print(len(run.rejections()))
"""
    out, err = train(folder, script, live.address)
    assert out.strip() == "1"
    assert re.search(r"run refused: the server has refused a record \(LOG_PARAMS\): .*'lr'", err)
    with Client(live.address) as client:
        run = client.get_run("refused")
        assert dict(run.params) == {"lr": "0.1"}
        assert run.status == 3
        assert run.metrics[0].count == 1


def test_run_that_cannot_be_made_is_told_of_soon_and_its_records_together(live: ServerProcess, folder: Path) -> None:
    script = """
import logging, os, time, trackwire
told = []
handler = logging.StreamHandler()
handler.emit = lambda record: told.append(record.getMessage())
logging.getLogger("trackwire.fluent").addHandler(handler)
with trackwire.start_run(experiment_id=os.environ["EXPERIMENT_ID"]):
    deadline = time.monotonic() + 50
    while not told and time.monotonic() < deadline:
        trackwire.log_metric("loss", 1.0)
        time.sleep(0.05)
    print(len(told) > 0)
    for step in range(20):
        trackwire.log_metric("loss", 1.0)
        time.sleep(0.15)
print(len(told))
print(*told, sep="\\n")
"""
    with Client(live.address) as client:
        experiment_id = client.create_experiment("gone").experiment_id
        client.delete_experiment(experiment_id)
    out, _ = train(folder, script, live.address, {"EXPERIMENT_ID": experiment_id})
    was_told, lines, *told = out.splitlines()
    assert was_told == "True"
    # At most two of each of its four kinds, of which one was soon: the run, points, tags, its end.
    assert int(lines) <= 8
    assert "refused a record (CREATE_RUN): " in told[0]
    assert re.search(r"\(INGEST\): .* \(and \d+ more\); ", out)


def test_server_that_is_away_for_a_whole_run_holds_nobody_up(
    make_server_process: Callable[..., ServerProcess], folder: Path
) -> None:
    script = """
import time, trackwire
begun = time.monotonic()
run = trackwire.start_run(run_id="away")
for step in range(20_000):
    trackwire.log_metric("loss", float(step), step)
print(time.monotonic() - begun)
assert not run.flush(0.5)
import os
os._exit(0)
"""
    port = free_port()
    out, err = train(folder, script, f"127.0.0.1:{port}")
    # Whoever waited for the server would wait for good.
    assert float(out) < TIMEOUT_SECONDS / 2
    assert "not all of it is durable after 0.5 s" in err
    shipper = shipper_of(folder)
    server = make_server_process("--port", str(port))
    with Client(server.start()) as client:
        wait_until(lambda: arrived(client, "away", 20_000))
        [series] = client.read_metrics(["away"]).series
    assert series.values.tolist() == np.arange(20_000.0).tolist()
    shipper.send_signal(signal.SIGTERM)
    shipper.wait(60)
    assert server.stop() == 0


def test_who_gives_up_a_flush_and_ends_at_once_leaves_a_shipper_behind(folder: Path) -> None:
    script = """
import os, trackwire
run = trackwire.start_run(run_id="given-up")
run.log_metric("loss", 1.0, 0)
assert not run.flush(0)
os._exit(0)
"""
    _, err = train(folder, script, f"127.0.0.1:{free_port()}")
    assert "and it is sent on" in err
    assert shipper_of(folder).is_running()


def arrived(client: Client, run_id: str, points: int) -> bool:
    found = [run for run in client.search_runs("0") if run.run_id == run_id]
    return bool(found) and sum(metric.count for metric in found[0].metrics) == points


def test_trainer_that_is_killed_loses_at_most_the_last_moments(live: ServerProcess, folder: Path) -> None:
    script = """
import time, trackwire
run = trackwire.start_run(run_id="killed")
for step in range(1_000_000):
    trackwire.log_metric("loss", float(step), step)
    if step == 5_000:
        assert run.flush(20)
        print("flushed", flush=True)
    time.sleep(0.0001)
"""
    with start(folder, script, live.address) as process, Client(live.address) as client:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "flushed"
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        # Once the shipper has found the writer dead and delivered the rest, the stream is gone.
        wait_until_delivered(folder)
        [series] = client.read_metrics(["killed"]).series
    assert series.steps.tolist() == list(range(len(series.steps)))
    assert len(series.steps) > 5_001


def test_processes_of_a_job_share_a_run(tmp_path: Path, folder: Path) -> None:
    script = """
import multiprocessing
import trackwire
def work(rank):
    with trackwire.start_run(run_id="job", rank=rank):
        for step in range(500):
            trackwire.log_metric("loss", rank * 1000.0 + step, step)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=work, args=(rank,)) for rank in range(4)]
    for each in ranks: each.start()
    for each in ranks: each.join(); assert each.exitcode == 0
"""
    with live_server(tmp_path) as server:
        train(folder, script, server.address)
        # Its pipes have ended though the shipper lives on: who reads them, as `| tee` does, isn't kept waiting.
        assert shippers_of(folder)
        with Client(server.address) as client:
            found = {each.rank: each for each in client.read_metrics(["job"]).series}
            assert client.get_run("job").status == 3
        assert sorted(found) == [0, 1, 2, 3]
        for rank, series in found.items():
            assert series.values.tolist() == [rank * 1000.0 + step for step in range(500)]


def test_table_goes_on_behind_the_rows_of_another_process(live: ServerProcess, folder: Path) -> None:
    script = """
import trackwire
with trackwire.start_run(run_id="tables"):
    trackwire.log_table({"a": [ROW]}, "ROW.json")
    trackwire.log_table({"a": [ROW]}, "all.json")
"""
    for row in (1, 2):
        train(folder, script.replace("ROW", str(row)), live.address)
    with Client(live.address) as client:
        assert json.loads(client.read_artifact("tables", "all.json"))["data"] == [[1], [2]]
        listed = json.loads(client.get_run("tables").tags["mlflow.loggedArtifacts"])
    assert [table["path"] for table in listed] == ["1.json", "all.json", "2.json"]


LAUNCHERS = {
    "torchrun": {"RANK": "{rank}", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "TORCHELASTIC_RUN_ID": "none"},
    "slurm": {"SLURM_PROCID": "{rank}", "SLURM_NTASKS": "3", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"},
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ranks_of_a_launcher_find_their_runs_by_themselves(tmp_path: Path, folder: Path, launcher: str) -> None:
    script = """
import trackwire
for number in range(2):
    with trackwire.start_run(run_name=f"run {number}"):
        for step in range(100):
            trackwire.log_metric("loss", float(step), step)
        with trackwire.start_run(nested=True):
            trackwire.log_metric("part", 1.0)
"""
    with live_server(tmp_path) as server:
        processes = []
        for rank in range(3):
            variables = {name: value.format(rank=rank) for name, value in LAUNCHERS[launcher].items()}
            processes.append(start(folder, script, server.address, variables))
        for process in processes:
            _, err = process.communicate(timeout=TIMEOUT_SECONDS)
            assert (process.returncode, err) == (0, "")
        with Client(server.address) as client:
            runs = list(client.search_runs("0"))
            assert len(runs) == 4
            assert {run.status for run in runs} == {3}
            for run in runs:
                ranks = [series.rank for series in client.read_metrics([run.run_id]).series]
                assert sorted(rank for rank in ranks if rank is not None) == [0, 1, 2]


def test_run_hears_that_it_should_stop_without_a_socket(live: ServerProcess, folder: Path) -> None:
    script = """
import os, sys, time, trackwire
with trackwire.start_run(run_id="stopped") as run:
    trackwire.log_metric("loss", 1.0)
    assert run.flush(20)
    print("running", flush=True)
    while not run.should_stop():
        time.sleep(0.05)
print("stopped", "grpc" in sys.modules)
"""
    with start(folder, script, live.address) as process, Client(live.address) as client:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "running"
        client.request_run_stop("stopped")
        # A heartbeat is every ten seconds.
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert (out.strip(), err) == ("stopped False", "")
        assert client.get_run("stopped").heartbeat_time_ms
    # Who goes on with it was not meant.
    train(folder, script.replace("while not", "if"), live.address)
