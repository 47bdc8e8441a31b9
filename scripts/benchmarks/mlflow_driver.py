"""What MLflow's own client does, timed: run by the interpreter of an environment that has MLflow.

`python mlflow_driver.py WORK URI ARGUMENTS` prints "ready", waits for a line, works, and prints JSON: the wall times at
which it began and ended, and what it found.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

BATCH = 1_000
KEYS = 10


def metrics(first_step: int) -> list[Metric]:
    """A batch: the points of ten keys, a hundred steps of each."""
    return [
        Metric(f"metric/{at % KEYS}", at * 1e-3, 1_700_000_000_000 + at, first_step + at // KEYS) for at in range(BATCH)
    ]


def log_batch(client: MlflowClient, run_id: str, batches: str) -> Callable[[], Any]:
    """Batches of a thousand points."""
    made = [metrics(number * BATCH) for number in range(int(batches))]

    def work() -> int:
        for batch in made:
            client.log_batch(run_id, metrics=batch)
        return len(made) * BATCH

    return work


def log_metric(client: MlflowClient, run_id: str, calls: str) -> Callable[[], Any]:
    """One point a call."""

    def work() -> int:
        for step in range(int(calls)):
            client.log_metric(run_id, "loss", 0.5, 1_700_000_000_000 + step, step)
        return int(calls)

    return work


def search_runs(client: MlflowClient, experiment_id: str, calls: str) -> Callable[[], Any]:
    """The best fifty of all runs that match."""

    def work() -> list[float]:
        taken = []
        for _ in range(int(calls)):
            begun = time.perf_counter()
            found = client.search_runs(
                [experiment_id],
                "metrics.loss < 0.5 AND params.optimizer = 'adam'",
                max_results=50,
                order_by=["metrics.loss ASC"],
            )
            taken.append(time.perf_counter() - begun)
            assert len(found) == 50
            assert found[0].data.metrics["loss"] <= found[-1].data.metrics["loss"] < 0.5
        return taken

    return work


def get_metric_history(client: MlflowClient, run_id: str, points: str, calls: str) -> Callable[[], Any]:
    """All points of a series."""

    def work() -> list[float]:
        taken = []
        for _ in range(int(calls)):
            begun = time.perf_counter()
            found = client.get_metric_history(run_id, "loss")
            taken.append(time.perf_counter() - begun)
            assert len(found) == int(points)
            assert found[-1].step == int(points) - 1
        return taken

    return work


def make_runs(client: MlflowClient, experiment_id: str, runs: str) -> Callable[[], Any]:
    """Runs to search among."""

    def work() -> int:
        for number in range(int(runs)):
            run = client.create_run(experiment_id)
            values = [Metric("loss", number / int(runs), 1, 0), Metric("acc", 0.5, 1, 0)]
            params = [Param("optimizer", ("adam", "sgd")[number % 2]), Param("seed", str(number))]
            client.log_batch(run.info.run_id, metrics=values, params=params)
        return int(runs)

    return work


def make_history(client: MlflowClient, run_id: str, points: str) -> Callable[[], Any]:
    """A long series."""

    def work() -> int:
        for first in range(0, int(points), BATCH):
            steps = range(first, first + BATCH)
            client.log_batch(run_id, metrics=[Metric("loss", step * 1e-5, 1 + step, step) for step in steps])
        return int(points)

    return work


WORKS = {
    work.__name__: work for work in (log_batch, log_metric, search_runs, get_metric_history, make_runs, make_history)
}


def main() -> None:
    name, uri, *arguments = sys.argv[1:]
    client = MlflowClient(uri, registry_uri=uri)
    work = WORKS[name](client, *arguments)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.time()
    found = work()
    print(json.dumps({"begun": begun, "ended": time.time(), "found": found}), flush=True)


if __name__ == "__main__":
    main()
