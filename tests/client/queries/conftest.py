"""A process that is told of a server, or of none."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.client.media.conftest import FreshPython
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.fluent import active, choices


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory without a server and without a choice of experiment; its spool."""
    for name in ("TRACKING_URI", "RUN_ID", "EXPERIMENT_NAME", "EXPERIMENT_ID", "MODE", "SPOOL_DIR"):
        for prefix in ("TRACKWIRE_", "MLFLOW_"):
            monkeypatch.delenv(prefix + name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choices, "_tracking_uri", None)
    monkeypatch.setattr(choices, "_experiment", None)
    spool = tmp_path / ".trackwire" / "spool"
    yield spool
    while active.active_run() is not None:
        active.end_run("KILLED")
    end_shippers(spool)


def end_shippers(spool: Path) -> None:
    """Ends what this process has started to ship the spool."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if str(spool) in child.cmdline():
                child.terminate()
                child.wait(20)


@pytest.fixture
def online(offline: Path, live: ServerProcess) -> str:
    """The same with a server; its address."""
    choices.set_tracking_uri(live.address)
    return live.address


@pytest.fixture
def experiment_id(client: Client, request: pytest.FixtureRequest) -> str:
    """An experiment of the test's own, which is the chosen one."""
    name = f"{request.node.name} {os.urandom(4).hex()}"
    made = client.create_experiment(name).experiment_id
    choices.set_experiment(name)
    return made


@pytest.fixture
def fresh_python(tmp_path: Path) -> FreshPython:
    return FreshPython(tmp_path)
