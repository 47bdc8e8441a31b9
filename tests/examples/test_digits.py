"""The quickstart's program, whole, on a data directory of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import ROOT, ServerProcess
from tests.ports import free_port

from trackwire import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("--epochs", "2")` starts it as a terminal would: in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def start_program(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-u", "-m", "examples.digits", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "TRACKWIRE_DATA_DIR": str(tmp_path / "data"),
                "TRACKWIRE_PORT": "0",
                "TRACKWIRE_HTTP_PORT": "0",
                "COLUMNS": "100",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        started.append(program)
        return program

    yield start_program
    for program in started:
        if program.poll() is None:
            # Its end ends all that it started.
            program.terminate()
            program.communicate(timeout=60)


def finished(program: subprocess.Popen[str]) -> str:
    """What it printed, once it has ended well."""
    printed, _ = program.communicate(timeout=90)
    assert program.returncode == 0, printed
    return printed


def server_pid(printed: str) -> int:
    found = re.search(r"pid (\d+)", printed)
    assert found is not None, printed
    return int(found[1])


def test_second_start_adds_runs_and_a_version_and_leaves_no_process(start: Start) -> None:
    first, second = finished(start("--epochs", "2")), finished(start("--epochs", "2"))
    # In each of 4 runs and each of 2 epochs 2 points of each of 89 batches, and 32 more.
    assert "Points  1,680 in 136 series" in first
    assert "digits@champion is version 1\n" in first
    # The same seeds learn the same: nothing is better.
    assert "digits@champion is version 1: it stays, for version 2, of this start, is not better" in second
    assert not psutil.pid_exists(server_pid(first))
    assert not psutil.pid_exists(server_pid(second))


def test_variables_of_other_trainings_are_not_for_it(start: Start, tmp_path: Path) -> None:
    variables = {"TRACKWIRE_MODE": "disabled", "TRACKWIRE_RUN_ID": "abc", "MLFLOW_EXPERIMENT_ID": "0"}
    printed = finished(start("--epochs", "1", **variables))
    assert "digits@champion is version 1\n" in printed
    started = re.search(r"`(.venv/bin/trackwire server .*)`, then try", printed)
    assert started is not None, printed
    assert f" --data-dir {tmp_path / 'data'} --port " in started[1]


def test_deleted_experiment_is_told(start: Start, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    with Client(server.start()) as client:
        experiment_id = client.create_experiment("digits").experiment_id
        client.delete_experiment(experiment_id)
    program = start("--epochs", "1")
    printed, _ = program.communicate(timeout=90)
    assert program.returncode == 1
    assert f"no finished run was found: experiment 'digits' ({experiment_id}) is deleted" in " ".join(printed.split())
    assert "Traceback" not in printed
    assert server.stop() == 0


def test_champion_changes_only_for_a_better_version(start: Start, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    address = server.start()
    champions = []
    with Client(address) as client:
        for epochs in ("1", "4", "1"):
            finished(start("--epochs", epochs))
            champions.append(int(client.get_model_version_by_alias("digits", "champion").version))
        runs = [client.get_run(client.get_model_version("digits", version).run_id) for version in (1, 2, 3)]
    accuracies = [
        next(metric.last_value for metric in run.metrics if metric.key == "validation_accuracy") for run in runs
    ]
    assert accuracies[0] == accuracies[2] < accuracies[1]
    assert champions == [1, 2, 2]
    assert server.stop() == 0


def test_port_is_the_servers_and_another_than_the_running_ones_is_refused(start: Start, tmp_path: Path) -> None:
    port = free_port()
    assert f"127.0.0.1:{port}, pid" in finished(start("--epochs", "1", "--port", str(port)))
    server = ServerProcess(tmp_path / "data")
    address = server.start()
    program = start("--epochs", "1", "--port", "1")
    printed, _ = program.communicate(timeout=60)
    assert program.returncode == 1
    assert "--port: 1: the server of " in printed
    assert address in printed
    assert server.stop() == 0


def test_help_is_printed_without_an_installation(tmp_path: Path) -> None:
    for source in ("scripts/quickstart", "examples/digits/__init__.py", "examples/digits/options.py"):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, tmp_path / source)
    python = tmp_path / "isolated"
    # Without site-packages.
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    python.chmod(0o755)
    program = subprocess.run(
        [tmp_path / "scripts/quickstart", "--help"],
        env={**os.environ, "PYTHON": str(python), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert program.stdout.startswith("usage: scripts/quickstart")
    assert "TRACKWIRE_PORT" in program.stdout
    assert not (tmp_path / ".venv").exists()


def test_running_server_is_used_and_left_alone(start: Start, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data")
    address = server.start()
    printed = finished(start("--epochs", "1"))
    assert f"{address}, pid {server.process.pid if server.process else 0}, was running already" in printed
    with Client(address) as client:
        assert client.check_health() == "SERVING"
        (model,) = client.search_registered_models()
        champion = client.get_model_version_by_alias(model.name, "champion")
        assert {each.path for each in client.list_artifacts(champion.run_id)} == {"confusion_matrix.png", "weights.npz"}
        picture = client.read_artifact(champion.run_id, "confusion_matrix.png")
        assert picture.startswith(b"\x89PNG\r\n")
    assert server.stop() == 0


def test_kept_server_goes_on_until_it_is_told_to_stop(start: Start) -> None:
    printed = finished(start("--epochs", "1", "--keep"))
    pid = server_pid(printed)
    assert f"`kill {pid}` stops it" in printed
    kept = psutil.Process(pid)
    kept.terminate()
    assert kept.wait(20) in (0, None)


def test_ctrl_c_while_it_trains_leaves_nothing_running(start: Start, tmp_path: Path) -> None:
    program = start("--epochs", "100000")
    announced = tmp_path / "data" / "server.json"
    wait_until(announced.exists)
    server = json.loads(announced.read_text())
    with Client(server["address"]) as client:
        wait_until(lambda: len(list(client.search_runs("1"))) == 4, ready=lambda: has_experiment(client))
    family = psutil.Process(program.pid).children(recursive=True)
    assert len(family) >= 5
    # As a terminal does: to the whole group.
    os.killpg(program.pid, signal.SIGINT)
    printed, _ = program.communicate(timeout=60)
    assert program.returncode == 130, printed
    assert "Traceback" not in printed
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, gone
    again = ServerProcess(tmp_path / "data")
    again.start()
    with Client(again.address) as client:
        assert [run.status for run in client.search_runs("1", "status = 'KILLED'")] == [5] * 4
    assert again.stop() == 0


def has_experiment(client: Client) -> bool:
    return any(experiment.experiment_id == "1" for experiment in client.search_experiments())


def wait_until(condition: Callable[[], bool], *, ready: Callable[[], bool] = lambda: True) -> None:
    """Waits, at most half a minute."""
    deadline = time.monotonic() + 30
    while not (ready() and condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
