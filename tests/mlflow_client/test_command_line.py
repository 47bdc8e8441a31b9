"""MLflow's own command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from tests.conftest import ROOT


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


Command = Callable[..., str]


@pytest.fixture
def command(uri: str, tmp_path: Path) -> Command:
    """`command("runs", "list", …)` gives what `mlflow runs list …` prints."""
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": path}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mlflow", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_experiments(command: Command, client: MlflowClient, model_name: str, tmp_path: Path) -> None:
    assert "Created experiment" in command("experiments", "create", "-n", model_name)
    made = client.get_experiment_by_name(model_name)
    assert made is not None
    assert model_name in command("experiments", "search")
    run = client.create_run(made.experiment_id, run_name="first")
    client.log_metric(run.info.run_id, "loss", 0.5)
    command("experiments", "csv", "-x", made.experiment_id, "-o", str(tmp_path / "runs.csv"))
    table = pd.read_csv(tmp_path / "runs.csv")
    assert (table["run_id"][0], table["metrics.loss"][0]) == (run.info.run_id, 0.5)
    command("experiments", "delete", "-x", made.experiment_id)
    assert model_name not in command("experiments", "search")


@pytest.mark.slow
def test_runs(command: Command, client: MlflowClient, experiment_id: str, run_id: str) -> None:
    client.log_param(run_id, "lr", 0.1)
    assert run_id in command("runs", "list", "--experiment-id", experiment_id)
    described = json.loads(command("runs", "describe", "--run-id", run_id))
    assert (described["info"]["run_id"], described["data"]["params"]) == (run_id, {"lr": "0.1"})
    command("runs", "delete", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    command("runs", "restore", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


@pytest.mark.slow
def test_artifacts(command: Command, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("said")
    command("artifacts", "log-artifact", "-l", str(tmp_path / "a.txt"), "-r", run_id, "-a", "in")
    assert "in/a.txt" in command("artifacts", "list", "-r", run_id, "-a", "in")
    there = command("artifacts", "download", "-r", run_id, "-a", "in", "-d", str(tmp_path / "down")).strip()
    assert (Path(there) / "a.txt").read_text() == "said"


@pytest.mark.slow
def test_evaluation_datasets(command: Command, client: MlflowClient, experiment_id: str) -> None:
    made = client.create_dataset("qa one", experiment_id)
    client.create_dataset("other", experiment_id)
    listed = command("datasets", "list", "--experiment-id", experiment_id, "--filter-string", "name LIKE 'qa%'")
    assert made.dataset_id in listed
    assert "other" not in listed
