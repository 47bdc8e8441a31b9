"""An import that is killed in the middle and run again ends as one that was not."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.conftest import ServerProcess
from tests.importing.comparing import contents
from tests.importing.conftest import Command, environment, import_command
from tests.importing.filling import BEGIN_MS

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

# mlflow and its libraries warn each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
RUNS, KEYS, POINTS = 2, 4, 20_000


@pytest.fixture
def large_store(tmp_path: Path) -> str:
    """A store of files with more points than one request takes."""
    folder = tmp_path / "mlruns"
    client = MlflowClient(str(folder), str(folder))
    experiment_id = client.create_experiment("large")
    for _ in range(RUNS):
        run_id = client.create_run(experiment_id).info.run_id
        for key in range(KEYS):
            # As mlflow writes it, only faster.
            lines = (f"{BEGIN_MS + step} {step / 7} {step}\n" for step in range(POINTS))
            (folder / experiment_id / run_id / "metrics" / f"m{key}").write_text("".join(lines))
        client.set_terminated(run_id)
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_of_the_points_and_run_again_it_is_equal(
    large_store: str, target: ServerProcess, client: Client, import_mlflow: Command, sent: signal.Signals
) -> None:
    command = import_command(target, large_store)
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (points := _points_here(client)):
            assert process.poll() is None, "it ended before it stored a point"
            time.sleep(0.01)
    finally:
        process.send_signal(sent)
        assert process.wait(30) in (-signal.SIGKILL, 130)
    points = _points_here(client)
    assert 0 < points < RUNS * KEYS * POINTS
    assert _statuses(client) != [RUN_STATUS_FINISHED] * RUNS
    done = import_mlflow(large_store)
    assert "verified: equal" in done.stdout, done.stdout
    assert _statuses(client) == [RUN_STATUS_FINISHED] * RUNS
    assert _points_here(client) == RUNS * KEYS * POINTS
    assert contents(target.url) == contents(large_store)


def _statuses(client: Client) -> list[int]:
    [experiment] = [each for each in client.search_experiments() if each.name == "large"]
    return [run.status for run in client.search_runs(experiment.experiment_id)]


def _points_here(client: Client) -> int:
    found = [each.experiment_id for each in client.search_experiments() if each.name == "large"]
    if not found:
        return 0
    run_ids = [run.run_id for run in client.search_runs(found)]
    return sum(summary.count for summary in client.get_metric_summaries(run_ids)) if run_ids else 0
