"""The command line as a user runs it: a process, against a real server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.client.live_server import live_server
from tests.client.shipper.shipping import Shipper
from tests.conftest import ROOT, ServerProcess

from trackwire.client import Client

Invoke = Callable[..., subprocess.CompletedProcess[str]]
# What a shell starts in the background ignores Ctrl-C, and so would all that it starts: tests mean to be heard.
_HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
COMMAND = (sys.executable, "-c", f"{_HEAR}import sys; from trackwire.cli import main; sys.exit(main())")


def invoke(*arguments: str | Path, address: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `trackwire …` and waits for it."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
    environment = {**os.environ, "PYTHONPATH": path, "TRACKWIRE_TRACKING_URI": address, "COLUMNS": "120"}
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, env=environment, input=answer, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server for all tests of a module."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def client(live: ServerProcess) -> Iterator[Client]:
    with Client(live.address) as client:
        yield client


@pytest.fixture
def trackwire(live: ServerProcess) -> Callable[..., str]:
    """`trackwire("runs", "list")`: what it prints; it must do well."""

    def run(*arguments: str | Path, answer: str = "") -> str:
        done = invoke(*arguments, address=live.address, answer=answer)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def refused(live: ServerProcess) -> Callable[..., tuple[int, str]]:
    """`refused("runs", "get", "x")`: exit status and the words on stderr."""

    def run(*arguments: str | Path, answer: str = "", address: str | None = None) -> tuple[int, str]:
        done = invoke(*arguments, address=address or live.address, answer=answer)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    return run


@pytest.fixture
def said(live: ServerProcess) -> Callable[..., tuple[str, str]]:
    """`said("runs", "list")`: stdout, and what is on stderr beside; it must do well."""

    def run(*arguments: str | Path) -> tuple[str, str]:
        done = invoke(*arguments, address=live.address)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool of the working directory."""
    folder = tmp_path / ".trackwire" / "spool"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shipper(spool: Path) -> Iterator[Shipper]:
    shipper = Shipper(spool)
    yield shipper
    shipper.kill_all()
