"""Runs whose files become versions of models, and code that a page shows, run as it stands there."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.client.offline_training import without_server

from trackwire import Client


def logged_run(client: Client, name: str = "trained", **params: str) -> str:
    """A run with params, a metric and a file `model.txt`; its id."""
    run_id = client.create_run(run_name=name).run_id
    client.log_params(run_id, params or {"learning_rate": "0.1"})
    client.log_metrics(run_id, {"accuracy": 0.95}, step=3)
    client.upload_bytes(run_id, b"weights", "model.txt")
    client.update_run(run_id, status="FINISHED")
    return run_id


def versions_made(client: Client, name: str, count: int) -> list[str]:
    """A registered model with this many versions, each of a run of its own; the runs' ids."""
    client.create_registered_model(name)
    run_ids = [logged_run(client, f"{name}-{number + 1}") for number in range(count)]
    for run_id in run_ids:
        client.create_model_version(name, f"runs:/{run_id}/model.txt", run_id=run_id, user_id="ada")
    return run_ids


def run_python(code: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What code prints that a page shows."""
    return _run([sys.executable, "-c", code], folder, environment)


def run_shell(code: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What a shell prints for commands that a page shows."""
    # Where `trackwire` is installed it may be that of another tree.
    command = f'trackwire() {{ {sys.executable} -m trackwire "$@"; }}\n{code}'
    return _run(["/bin/sh", "-ec", command], folder, environment)


def _run(command: list[str], folder: Path, environment: Mapping[str, str] | None) -> str:
    said = without_server() | {"TRACKWIRE_SHIPPER_IDLE_SECONDS": "0"} | dict(environment or {})
    done = subprocess.run(command, cwd=folder, env=said, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
