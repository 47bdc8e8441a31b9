"""What the benchmarks share: a real server in a process of its own, its memory, medians, JSON lines."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = [str(ROOT / "client"), str(ROOT / "server")]
# The tree, not an installed version, is what is measured.
sys.path[:0] = TREE


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    data_dir: Path
    pid: int

    @property
    def database(self) -> Path:
        return self.data_dir / "trackwire.db"

    def peak_megabytes(self) -> float:
        """The most memory that it has held so far (RSS)."""
        return _status_kilobytes(self.pid, "VmHWM") / 1024

    def megabytes(self) -> float:
        """The memory that it holds (RSS)."""
        return _status_kilobytes(self.pid, "VmRSS") / 1024


def _status_kilobytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(field)


@contextmanager
def running_server(*arguments: str, data_dir: Path | None = None) -> Iterator[Server]:
    """`python -m trackwire_server` on a free port; in a folder that is removed at the end, unless one is given."""
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        data = data_dir or Path(folder)
        command = [sys.executable, "-m", "trackwire_server", "--data-dir", str(data), "--port", "0", *arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(TREE)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit(f"the server ended with {process.wait()}")
            address = json.loads((data / "server.json").read_text())["address"]
            try:
                yield Server(address, data, process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def report(**figures: object) -> None:
    """One line of JSON."""
    print(json.dumps(figures), flush=True)


def median(numbers: Sequence[float], digits: int = 1) -> float:
    """The median, rounded."""
    return round(statistics.median(numbers), digits)


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Appends how long the block took."""
    started = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - started)
