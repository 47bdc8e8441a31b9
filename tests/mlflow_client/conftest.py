"""MLflow's own client at a real server: by grpc://, where it finds the plugin by the installed distribution, and by http://.

What says nothing of the scheme runs by grpc://; a module that runs by both makes `scheme` anew.
"""

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

# It would tell its makers of every call.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pytest
from tests.conftest import ServerProcess

# MLflow's variables that choose for it.
CHOICES = ("TRACKING_URI", "REGISTRY_URI", "RUN_ID", "EXPERIMENT_NAME", "EXPERIMENT_ID", "ACTIVE_MODEL_ID")


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The plugin is found by what is installed, which an editable installation does not keep up to date by itself."""
    names = {point.name for point in entry_points(group="mlflow.tracking_store")}
    assert "grpc" in names, "the installed trackwire is older than its pyproject.toml: run scripts/venv dev"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server for all tests of a module."""
    server = ServerProcess(tmp_path_factory.mktemp("live") / "data", http_port="0")
    server.start()
    yield server
    assert server.stop() == 0, server.log_text()


@pytest.fixture
def scheme() -> str:
    """How the server is spoken to."""
    return "grpc"


@pytest.fixture
def uri(live: ServerProcess, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tracking URI, which is set; nothing of MLflow's outlives the test."""
    for name in CHOICES:
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    uri = f"grpc://{live.address}" if scheme == "grpc" else live.url
    mlflow.set_tracking_uri(uri)
    yield uri
    while mlflow.active_run() is not None:
        mlflow.end_run("KILLED")
    # MLflow leaves the choices of this process in the environment, for its children.
    for name in CHOICES:
        os.environ.pop(f"MLFLOW_{name}", None)
    mlflow.set_tracking_uri("")


@pytest.fixture
def experiment_id(uri: str, request: pytest.FixtureRequest) -> str:
    """An experiment of the test's own, which is the chosen one."""
    return mlflow.set_experiment(f"{request.node.name} {os.urandom(4).hex()}").experiment_id


@pytest.fixture
def client(uri: str) -> mlflow.MlflowClient:
    return mlflow.MlflowClient()


@pytest.fixture
def run_id(experiment_id: str) -> str:
    """A run that goes on."""
    return mlflow.MlflowClient().create_run(experiment_id).info.run_id


@pytest.fixture
def model_name(uri: str) -> str:
    """A name that no model has."""
    return f"model-{os.urandom(4).hex()}"
