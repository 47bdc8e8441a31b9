"""Stores of MLflow's to import from, a server to import to, and the command as a user runs it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# It would tell its makers of every call.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# mlflow asks for this before it opens a store of files.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow
import pytest
from tests.conftest import ROOT, ServerProcess
from tests.importing.filling import Filled, fill

from trackwire.cli import main
from trackwire.client import Client


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture(scope="session")
def folder_store(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A store of files, never changed."""
    return fill(str(tmp_path_factory.mktemp("folder") / "mlruns"))


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A store of SQLite, never changed."""
    pytest.importorskip("alembic", reason="mlflow's own SQLite stores need it")
    folder = tmp_path_factory.mktemp("sqlite")
    return fill(f"sqlite:///{folder}/mlflow.db", f"file://{folder}/files")


@pytest.fixture(scope="session")
def http_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A server that speaks MLflow's HTTP: one of ours."""
    server = ServerProcess(tmp_path_factory.mktemp("http") / "data", http_port="0")
    server.start()
    try:
        yield fill(server.url)
    finally:
        assert server.stop() == 0, server.log_text()


@pytest.fixture
def own_folder_store(folder_store: Filled, tmp_path: Path) -> Filled:
    """A copy of a store of files, for the test to change; its files lie where those of the original do."""
    shutil.copytree(folder_store.uri, tmp_path / "mlruns")
    return Filled(str(tmp_path / "mlruns"), folder_store.experiment_id, folder_store.run_ids, folder_store.model_ids)


@pytest.fixture
def own_sqlite_store(sqlite_store: Filled, tmp_path: Path) -> Filled:
    """A copy of a store of SQLite, for the test to change; its files lie where those of the original do."""
    shutil.copy(sqlite_store.uri.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    return replace(sqlite_store, uri=f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[ServerProcess]:
    """An empty server, with HTTP."""
    server = ServerProcess(tmp_path / "target", http_port="0")
    server.start()
    yield server
    assert server.stop() == 0, server.log_text()


@pytest.fixture
def client(target: ServerProcess) -> Iterator[Client]:
    with Client(target.address) as client:
        yield client


def environment() -> dict[str, str]:
    """For the command: our tree before all else."""
    paths = [str(ROOT / folder) for folder in ("client", "server")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])}


def import_command(target: ServerProcess, uri: str, *options: str) -> list[str]:
    """`trackwire import mlflow`."""
    return [sys.executable, "-m", "trackwire", "--server", target.address, "import", "mlflow", uri, *options]


@pytest.fixture
def import_mlflow(
    target: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Command]:
    """`import_mlflow(uri, "--no-artifacts")`: runs the command, here: loading mlflow takes longer than all else.

    In a folder of the test's own, where mlflow would make an `mlruns` if it ever looked anywhere but at the source.
    """
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri("")

    def run(uri: str, *options: str) -> Done:
        status = main(["--server", target.address, "import", "mlflow", uri, *options])
        assert mlflow.get_tracking_uri() == ""
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    yield run
    mlflow.set_tracking_uri(before)
