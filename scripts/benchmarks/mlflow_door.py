"""Measures MLflow's own client against this server and against MLflow's: JSON lines, medians of several repeats.

Both servers keep SQLite, MLflow's with one worker, which is its fastest configuration on small calls. In each row they
take turns, a turn a repeat; what is read is written beforehand, and memory is looked at once, at the end.
`limit` is what the same clients reach against a server that answers at once, `limit_durable` against one that writes
each request to its disk before. The environment with MLflow in it is made below .cache the first time.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarking import TREE, free_port, report
from mlflow_peer import QUIET, START_SECONDS_MAX, Backend, environment, mlflow_server, posted, served

DRIVER = Path(__file__).with_name("mlflow_driver.py")
INSTANT = Path(__file__).with_name("mlflow_instant.py")
ONE_WORKER = ("--workers", "1")
CLIENTS = 4
RUNS = 5_000
POINTS = 100_000


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
        theirs = stack.enter_context(mlflow_server(python, *ONE_WORKER))
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
        for starts, server in ((ours, trackwire_server()), (theirs, mlflow_server(python, *ONE_WORKER))):
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


if __name__ == "__main__":
    main()
