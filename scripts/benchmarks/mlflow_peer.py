"""MLflow's own server, to be measured beside ours: a pinned version in an environment of its own below .cache."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarking import ROOT, free_port

MLFLOW = "mlflow==3.17.2"
FOLDER = ROOT / ".cache" / "bench-mlflow"
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
START_SECONDS_MAX = 60
END_SECONDS_MAX = 10
CALM_SECONDS_MAX = 120


@dataclass(frozen=True)
class Backend:
    """A running server: where clients find it, by which name it is shown."""

    name: str
    uri: str
    http: str
    pid: int

    def megabytes(self) -> float:
        """The memory that it and its children hold; what several of them share counts once (PSS)."""
        return sum(_proportional_kilobytes(pid) for pid in _family(self.pid)) / 1024

    def wait_until_calm(self) -> None:
        """Until it does next to nothing by itself: MLflow's starts a dozen processes after it has begun to answer."""
        deadline = time.monotonic() + CALM_SECONDS_MAX
        before = _busy_seconds(self.pid)
        while time.monotonic() < deadline:
            time.sleep(2)
            now = _busy_seconds(self.pid)
            if now - before < 0.2:
                return
            before = now


@contextmanager
def mlflow_server(python: Path, *options: str, folder: Path | None = None) -> Iterator[Backend]:
    """With `mlflow.db`, an SQLite store, in a folder; one that is removed at the end, unless one is given."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as own:
        place = str(folder or own)
        command = [str(python.with_name("mlflow")), "server", "--port", str(port), *options]
        store = ["--backend-store-uri", f"sqlite:///{place}/mlflow.db"]
        with served([*command, *store], port, place, QUIET) as pid:
            url = f"http://127.0.0.1:{port}"
            yield Backend("mlflow", url, url, pid)


@contextmanager
def served(command: Sequence[str], port: int, folder: str, environment: dict[str, str]) -> Iterator[int]:
    """A server's process, once it answers."""
    # A tree is compiled when it is first run, as an installed package has been; where that is forbidden, at each start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with (Path(folder) / "output").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env={**inherited, **environment}, start_new_session=True
        )
    try:
        wait_until_healthy(process, port)
        yield process.pid
    finally:
        # Its workers too, of which none is to run beside what is measured next.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        wait_until_gone(process.pid)


def wait_until_gone(group: int) -> None:
    """As long as its processes take; those that have ended, but that nobody asks how, are not waited for for ever."""
    deadline = time.monotonic() + END_SECONDS_MAX
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)


def wait_until_healthy(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.005)
    raise SystemExit("the server does not answer")


def posted(backend: Backend, path: str, **fields: object) -> Any:
    request = urllib.request.Request(
        f"{backend.http}/api/2.0/mlflow/{path}", json.dumps(fields).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def environment() -> Path:
    """The interpreter of an environment with MLflow, and with this tree's client as its plugin."""
    python, installed = FOLDER / "bin" / "python", FOLDER / "installed"
    # Entry points are those of the installation.
    wanted_now = f"{MLFLOW} {hashlib.sha256((ROOT / 'pyproject.toml').read_bytes()).hexdigest()}"
    if not installed.exists() or installed.read_text() != wanted_now:
        print(f"installing {MLFLOW} into {FOLDER}", file=sys.stderr)
        venv.create(FOLDER, with_pip=True, clear=True)
        wanted = [MLFLOW, "uvloop", "--editable", str(ROOT)]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True, stdout=sys.stderr)
        installed.write_text(wanted_now)
    return python


def _family(pid: int) -> list[int]:
    # Any of its threads may have started one.
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for found in lists for child in found.read_text().split()]
    return [pid, *(grandchild for child in children for grandchild in _family(int(child)))]


def _busy_seconds(pid: int) -> float:
    ticks = 0
    for each in _family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            # Its name comes before, in brackets, and may hold spaces.
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _proportional_kilobytes(pid: int) -> int:
    # A process that ends meanwhile, as such that only looked something up for a server do, holds nothing.
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
