"""Measures what several servers on one PostgreSQL take, and FastTrackML on the same one: JSON lines, medians.

`replicas`: four clients that send as many points to one server and to two, in turns, each into a run of its own or all
into one. `fasttrackml`: four clients that log batches of 1,000 points, to this server by its own client and to
FastTrackML by bare HTTP with bodies made beforehand, on two databases of the same PostgreSQL, in turns. Every point is
counted in the end. FastTrackML is installed into a folder of its own, .cache/bench-fasttrackml.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from benchmarking import ROOT, databases, free_port, median, report, run_together, running_server
from ingest import Row, columns, drain

from trackwire import Client

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

CLIENTS = 4
REPLICAS = 2
OF_ONE_AT_LEAST = 0.9
TIMES_FASTTRACKML_AT_LEAST = 20
FASTTRACKML = "fasttrackml==0.6.0"
FOLDER = ROOT / ".cache" / "bench-fasttrackml"
# Of a batch: as many keys as a training has, and the steps of a moment.
BATCH = Row(clients=CLIENTS, keys=100, steps=10, requests=1_000, at_least={})
START_SECONDS_MAX = 60
Fresh = Callable[[], AbstractContextManager[Sequence[str]]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_postgresql", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs that a median is of (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of requests (1)")
    parser.add_argument("--only", choices=("replicas", "fasttrackml"), help="this part alone")
    arguments = parser.parse_args()
    with databases("postgresql") as fresh:
        if arguments.only != "fasttrackml":
            for shared in (False, True):
                measure_replicas(fresh, arguments.repeats, int(250 * arguments.scale), shared=shared)
        if arguments.only != "replicas":
            measure_fasttrackml(fresh, arguments.repeats, int(BATCH.requests * arguments.scale))


def measure_replicas(fresh: Fresh, repeats: int, requests: int, *, shared: bool) -> None:
    row = Row(clients=CLIENTS, keys=100, steps=100, requests=requests, at_least={})
    rates: dict[int, list[float]] = {1: [], REPLICAS: []}
    for _ in range(repeats):
        for replicas in rates:
            rates[replicas].append(ingest_rate(fresh, row, replicas, shared=shared))
    ratio = round(median(rates[REPLICAS]) / median(rates[1]), 2)
    report(
        benchmark="postgresql",
        row=f"{CLIENTS} clients, {row.keys} keys x {row.steps} steps, {'one run' if shared else 'a run each'}",
        unit="points/s",
        one_server=round(median(rates[1])),
        two_servers=round(median(rates[REPLICAS])),
        runs={str(replicas): [round(rate) for rate in each] for replicas, each in rates.items()},
        ratio=ratio,
        at_least=OF_ONE_AT_LEAST,
        met=ratio >= OF_ONE_AT_LEAST,
    )


def ingest_rate(fresh: Fresh, row: Row, replicas: int, *, shared: bool) -> float:
    """Points a second of clients that are spread over so many servers on a fresh database."""
    with ExitStack() as stack:
        options = stack.enter_context(fresh())
        servers = [stack.enter_context(running_server(*options)) for _ in range(replicas)]
        runs = sorted({run_of(number, shared=shared) for number in range(row.clients)})
        with Client(servers[0].address) as client:
            for run_id in runs:
                client.create_run(run_id=run_id)
        work = [(row, servers[number % replicas].address, number, shared) for number in range(row.clients)]
        seconds = run_together(ingest, work)
        with Client(servers[-1].address) as client:
            # Points of a run that goes on wait longer to be compacted.
            for run_id in runs:
                client.update_run(run_id, status="FINISHED")
            drain(servers[0])
            require(sum(len(series) for series in client.read_metrics(runs).series), row.points)
    return row.rate(seconds)


def run_of(number: int, *, shared: bool) -> str:
    return "shared" if shared else f"run-{number}"


def ingest(row: Row, address: str, number: int, shared: bool, ready: "Barrier") -> None:
    """One client process."""
    with Client(address) as client, client.metric_writer(run_of(number, shared=shared)) as writer:
        ready.wait(60)
        for request in range(row.requests):
            writer.add(columns(row, number, request))
        writer.flush()
        ready.wait(600)


def measure_fasttrackml(fresh: Fresh, repeats: int, requests: int) -> None:
    row = replace(BATCH, requests=requests)
    # It is slower: as many batches would take minutes.
    its_row = replace(BATCH, requests=max(1, requests // 20))
    command = installed()
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(ingest_rate(fresh, row, 1, shared=False))
        with fresh() as options, fasttrackml(command, options[-1]) as port:
            theirs.append(fasttrackml_rate(port, its_row))
    times = round(median(ours) / median(theirs), 1)
    report(
        benchmark="postgresql",
        row=f"batches of {row.keys * row.steps:,} points, {CLIENTS} clients",
        unit="points/s",
        trackwire=round(median(ours)),
        fasttrackml=round(median(theirs)),
        runs={"trackwire": [round(rate) for rate in ours], "fasttrackml": [round(rate) for rate in theirs]},
        times_fasttrackml=times,
        at_least=TIMES_FASTTRACKML_AT_LEAST,
        met=times >= TIMES_FASTTRACKML_AT_LEAST,
    )


def installed() -> Path:
    """FastTrackML's program."""
    program = FOLDER / "bin" / "fml"
    if not program.exists():
        print(f"installing {FASTTRACKML} into {FOLDER}", file=sys.stderr)
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", FASTTRACKML]
        subprocess.run(pip, check=True, stdout=sys.stderr)
    return program


@contextmanager
def fasttrackml(program: Path, store_uri: str) -> Iterator[int]:
    """FastTrackML on a database; its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        command = [str(program), "server", "--listen-address", f"127.0.0.1:{port}", "--database-uri", store_uri]
        with (Path(folder) / "output").open("wb") as output:
            process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + START_SECONDS_MAX
            while not is_answered(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"FastTrackML does not answer:\n{(Path(folder) / 'output').read_text()}")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(60)


def is_answered(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def fasttrackml_rate(port: int, row: Row) -> float:
    run_ids = [posted(port, "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"] for _ in range(row.clients)]
    seconds = run_together(log_batches, [(row, port, number, run_id) for number, run_id in enumerate(run_ids)])
    for run_id in run_ids:
        key = "metric/0"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run_id}&metric_key={key}")
        require(len(json.load(connection.getresponse())["metrics"]), row.steps * row.requests)
        connection.close()
    return row.rate(seconds)


def log_batches(row: Row, port: int, number: int, run_id: str, ready: "Barrier") -> None:
    """One client process, whose bodies are ready."""
    bodies = [json.dumps(batch(row, number, request, run_id)).encode() for request in range(row.requests)]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    ready.wait(60)
    for body in bodies:
        connection.request("POST", "/api/2.0/mlflow/runs/log-batch", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(text.decode())
    ready.wait(600)


def batch(row: Row, number: int, request: int, run_id: str) -> dict[str, object]:
    points = columns(row, number, request)
    names = np.repeat(np.asarray(points.keys), row.steps)
    each_column = (names, points.values, points.times_ms, points.steps)
    rows = zip(*(np.asarray(column).tolist() for column in each_column), strict=True)
    metrics = [dict(zip(("key", "value", "timestamp", "step"), each, strict=True)) for each in rows]
    return {"run_id": run_id, "metrics": metrics}


def posted(port: int, path: str, body: dict[str, object]) -> dict[str, dict[str, dict[str, str]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(body), {"Content-Type": "application/json"})
    answer: dict[str, dict[str, dict[str, str]]] = json.load(connection.getresponse())
    connection.close()
    return answer


def require(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"{found:,} of {wanted:,} points are there")


if __name__ == "__main__":
    main()
