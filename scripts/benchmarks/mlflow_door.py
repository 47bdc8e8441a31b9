"""Measures MLflow's own client against this server and against MLflow's: JSON lines, medians of several repeats.

Both servers keep SQLite, MLflow's with one worker, which is its fastest configuration on small calls. In each row they
take turns, a turn a repeat; what is read is written beforehand, and memory is looked at once, at the end.
`limit` is what the same clients reach against a server that answers at once, `limit_durable` against one that writes
each request to its disk before. The environment with MLflow in it is made below .cache the first time.
"""

import argparse
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarking import ROOT, TREE, free_port, report

MLFLOW = "mlflow==3.17.2"
FOLDER = ROOT / ".cache" / "bench-mlflow"
DRIVER = Path(__file__).with_name("mlflow_driver.py")
INSTANT = Path(__file__).with_name("mlflow_instant.py")
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
START_SECONDS_MAX = 60
END_SECONDS_MAX = 10
CLIENTS = 4
RUNS = 5_000
POINTS = 100_000


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


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_mlflow", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="repeats that a median is of (3)")
    repeats = parser.parse_args().repeats
    python = environment()
    measure_start(python, repeats)
    with ExitStack() as stack:
        ours = stack.enter_context(trackwire_server())
        theirs = stack.enter_context(mlflow_server(python))
        grpc = Backend("grpc", ours.uri, ours.http, ours.pid)
        ours = Backend("http", ours.http, ours.http, ours.pid)
        idle = {backend.name: backend.megabytes() for backend in (ours, theirs)}
        measure_log_batch(python, (ours, grpc, theirs), repeats)
        measure_log_metric(python, (ours, grpc, theirs), repeats)
        measure_history(python, (ours, grpc, theirs), repeats)
        measure_search(python, (ours, grpc, theirs), repeats)
        measure_memory(idle, ours, theirs)


def measure_log_batch(python: Path, backends: Sequence[Backend], repeats: int) -> None:
    rates: dict[str, list[float]] = {backend.name: [] for backend in backends}
    limits = []
    for _ in range(repeats):
        for backend in backends:
            batches = "10" if backend.name == "mlflow" else "40"
            runs = [made_run(backend) for _ in range(CLIENTS)]
            rates[backend.name].append(rate_of(python, backend.uri, [["log_batch", run, batches] for run in runs]))
        with instant_server() as url:
            limits.append(rate_of(python, url, [["log_batch", "run", "40"]] * CLIENTS))
    tell(f"log_batch of 1000, {CLIENTS} clients", "points/s", rates, at_least={"http": 4, "grpc": 8})
    share = median(rates["http"]) / median(limits)
    report(
        benchmark="mlflow",
        row="log_batch by http, of what its client can do",
        limit=round(median(limits)),
        share=round(share, 2),
        at_least=0.6,
        met=share >= 0.6,
    )


def measure_log_metric(python: Path, backends: Sequence[Backend], repeats: int) -> None:
    for clients in (CLIENTS, 1):
        rates: dict[str, list[float]] = {backend.name: [] for backend in backends}
        limits: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(repeats):
            for backend in backends:
                calls = "100" if backend.name == "mlflow" else "500"
                works = [["log_metric", made_run(backend), calls] for _ in range(clients)]
                rates[backend.name].append(rate_of(python, backend.uri, works))
            for is_durable, found in limits.items():
                with instant_server(is_durable=is_durable) as url:
                    found.append(rate_of(python, url, [["log_metric", "run", "500"]] * clients))
        row = f"log_metric, {clients} clients" if clients > 1 else "log_metric, one client, which waits for each answer"
        limit, limit_durable = (round(median(found)) for found in limits.values())
        tell(row, "calls/s", rates, at_least={"http": 5}, limit=limit, limit_durable=limit_durable)


def measure_history(python: Path, backends: Sequence[Backend], repeats: int) -> None:
    runs = {backend.name: made_run(backend) for backend in backends}
    for backend in backends:
        driven(python, backend.uri, [["make_history", runs[backend.name], str(POINTS)]])
    with instant_server() as url:
        instant = Backend("limit", url, url, 0)
        rates = call_rates(
            python,
            (*backends, instant),
            repeats,
            lambda backend: ["get_metric_history", runs.get(backend.name, "run"), str(POINTS), "4"],
        )
    limit = float(f"{median(rates.pop('limit')):.3g}")
    tell(f"get_metric_history of {POINTS:,} points", "calls/s", rates, at_least={"http": 4, "grpc": 20}, limit=limit)


def measure_search(python: Path, backends: Sequence[Backend], repeats: int) -> None:
    # Two of the backends are one server: they search the same runs.
    experiments: dict[str, str] = {}
    for backend in backends:
        if backend.http not in experiments:
            experiments[backend.http] = posted(backend, "experiments/create", name="search")["experiment_id"]
            part = str(RUNS // CLIENTS)
            driven(python, backend.uri, [["make_runs", experiments[backend.http], part]] * CLIENTS)
    rates = call_rates(python, backends, repeats, lambda backend: ["search_runs", experiments[backend.http], "6"])
    tell(f"search_runs over {RUNS:,} runs, filter and order", "calls/s", rates, at_least={"http": 10})


def measure_start(python: Path, repeats: int) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(repeats):
        for starts, server in ((ours, trackwire_server()), (theirs, mlflow_server(python))):
            begun = time.perf_counter()
            with server:
                starts.append(time.perf_counter() - begun)
    ratio = median(ours) / median(theirs)
    report(
        benchmark="mlflow",
        row="start-up",
        unit="s",
        http=round(median(ours), 2),
        mlflow=round(median(theirs), 2),
        ratio=round(ratio, 3),
        at_most=0.1,
        met=ratio <= 0.1,
    )


def measure_memory(idle: dict[str, float], ours: Backend, theirs: Backend) -> None:
    used = {backend.name: backend.megabytes() for backend in (ours, theirs)}
    ratio = used["http"] / used["mlflow"]
    report(
        benchmark="mlflow",
        row="memory after all this",
        unit="MB",
        **{name: round(value) for name, value in used.items()},
        idle={name: round(value) for name, value in idle.items()},
        ratio=round(ratio, 3),
        at_most=0.1,
        met=ratio <= 0.1,
    )


def tell(row: str, unit: str, rates: dict[str, list[float]], *, at_least: dict[str, float], **more: object) -> None:
    """A row of rates, and how many times MLflow's they are."""
    medians = {name: median(found) for name, found in rates.items()}
    times = {name: round(medians[name] / medians["mlflow"], 1) for name in medians if name != "mlflow"}
    report(
        benchmark="mlflow",
        row=row,
        unit=unit,
        **{name: float(f"{value:.3g}") for name, value in medians.items()},
        times_mlflow=times,
        **more,
        at_least=at_least,
        met=all(times[name] >= least for name, least in at_least.items()),
    )


def call_rates(
    python: Path, backends: Sequence[Backend], repeats: int, work: Callable[[Backend], Sequence[str]]
) -> dict[str, list[float]]:
    """Of each call, how many like it a second would hold; in each turn a new client's first call is not counted."""
    rates: dict[str, list[float]] = {backend.name: [] for backend in backends}
    for _ in range(repeats):
        for backend in backends:
            [answer] = driven(python, backend.uri, [work(backend)])
            rates[backend.name] += [1 / seconds for seconds in answer["found"][1:]]
    return rates


def rate_of(python: Path, uri: str, works: Sequence[Sequence[str]]) -> float:
    """What several clients at once get done a second."""
    answers = driven(python, uri, works)
    seconds: float = max(answer["ended"] for answer in answers) - min(answer["begun"] for answer in answers)
    return float(sum(answer["found"] for answer in answers)) / seconds


def driven(python: Path, uri: str, works: Sequence[Sequence[str]]) -> list[Any]:
    """The answers of drivers that work at the same time."""
    command = [str(python), str(DRIVER)]
    processes = [
        subprocess.Popen(
            [*command, work, uri, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **QUIET},
        )
        for work, *arguments in works
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outs = [process.communicate(timeout=600)[0] for process in processes]
    return [json.loads(out) for out in outs]


def made_run(backend: Backend) -> str:
    return str(posted(backend, "runs/create", experiment_id="0")["run"]["info"]["run_id"])


def posted(backend: Backend, path: str, **fields: object) -> Any:
    request = urllib.request.Request(
        f"{backend.http}/api/2.0/mlflow/{path}", json.dumps(fields).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


@contextmanager
def trackwire_server() -> Iterator[Backend]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        command = [sys.executable, "-m", "trackwire_server", "--data-dir", folder, "--port", "0"]
        path = os.pathsep.join(TREE)
        with served([*command, "--http-port", str(port)], port, folder, {"PYTHONPATH": path}) as pid:
            address = json.loads((Path(folder) / "server.json").read_text())["address"]
            yield Backend("http", f"grpc://{address}", f"http://127.0.0.1:{port}", pid)


@contextmanager
def mlflow_server(python: Path) -> Iterator[Backend]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        command = [str(python.with_name("mlflow")), "server", "--workers", "1", "--port", str(port)]
        store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        with served([*command, *store], port, folder, QUIET) as pid:
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


@contextmanager
def instant_server(*, is_durable: bool = False) -> Iterator[str]:
    """A server that reads a request and answers at once, or when its disk has it."""
    port = free_port()
    flags = ["--durable"] if is_durable else []
    with subprocess.Popen([sys.executable, INSTANT, str(port), *flags]) as process:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


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


def _proportional_kilobytes(pid: int) -> int:
    # A process that ends meanwhile, as such that only looked something up for a server do, holds nothing.
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
