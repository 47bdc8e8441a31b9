"""The quickstart's program, whole, on a data directory of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.conftest import ROOT, ServerProcess

from trackwire import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("--epochs", "2")` starts it as a terminal would: in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def start_program(*arguments: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-u", "-m", "examples.digits", *arguments],
            cwd=ROOT,
            env={**os.environ, "TRACKWIRE_DATA_DIR": str(tmp_path / "data"), "TRACKWIRE_PORT": "0", "COLUMNS": "100"},
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
    assert "digits@champion is version 1" in first
    assert "digits@champion is version 2" in second
    assert not psutil.pid_exists(server_pid(first))
    assert not psutil.pid_exists(server_pid(second))


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
