"""Forks, and processes that load MLflow without asking a Trackwire server."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from tests.conftest import ROOT

from trackwire.mlflow_plugin import connections

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def in_child(work: Callable[[], object]) -> int:
    """The exit status of a forked child that does the work."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    return child.exitcode if child.exitcode is not None else -1


def test_forked_child_logs_by_a_connection_of_its_own(client: MlflowClient, run_id: str, tmp_path: Path) -> None:
    client.log_metric(run_id, "parent", 1.0)
    (tmp_path / "a.txt").write_text("a")
    client.log_artifacts(run_id, tmp_path, "parent")

    def work() -> None:
        client.log_metric(run_id, "child", 2.0)
        client.log_artifacts(run_id, tmp_path, "child")
        Path(client.download_artifacts(run_id, "parent/a.txt")).read_text()

    assert in_child(work) == 0
    client.log_metric(run_id, "after", 3.0)
    assert client.get_run(run_id).data.metrics == {"parent": 1.0, "child": 2.0, "after": 3.0}
    assert [entry.path for entry in client.list_artifacts(run_id)] == ["child", "parent"]


@pytest.mark.usefixtures("experiment_id")
def test_workers_that_are_forked_log_into_the_run() -> None:
    with mlflow.start_run() as run:

        def work(number: int) -> None:
            # MLflow's own active run is not a child's.
            mlflow.log_metric(f"worker-{number}", number, run_id=run.info.run_id)

        assert [in_child(lambda number=number: work(number)) for number in range(3)] == [0, 0, 0]  # type: ignore[misc]
    assert mlflow.get_run(run.info.run_id).data.metrics == {f"worker-{number}": number for number in range(3)}


def test_child_waits_for_no_thread_of_the_parents(uri: str) -> None:
    with connections._making:
        assert in_child(lambda: MlflowClient(uri).get_experiment("0")) == 0


def python(code: str, **environment: str) -> str:
    """What a Python of its own prints."""
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_mlflow_without_us_loads_next_to_nothing_of_us() -> None:
    code = (
        "import sys, mlflow; mlflow.MlflowClient();"
        "print([name for name in sys.modules if name == 'grpc' or name.startswith('trackwire.')])"
    )
    assert python(code, MLFLOW_TRACKING_URI="http://127.0.0.1:9") == "['trackwire.mlflow_plugin']"


def test_environment_is_all_that_a_script_needs(uri: str) -> None:
    code = (
        "import mlflow\n"
        "with mlflow.start_run(run_name='script') as run: mlflow.log_metric('loss', 0.5)\n"
        "print(mlflow.search_runs(['0'], \"run_name = 'script'\")['metrics.loss'][0])"
    )
    assert python(code, MLFLOW_TRACKING_URI=uri) == "0.5"
