"""What pages are to show, whichever tracker's: an experiment of many runs, one of long runs; both made in ours."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trackwire import Client
from trackwire.columns import MetricColumns

KEYS = 30
LONG_RUNS, LONG_KEYS = 50, 200
FILTER = "metrics.metric_03 > 0.9 AND params.param_02 = 'choice-1'"
FIRST_MS, STEP_MS = 1_790_000_000_000, 11
STEPS_AT_ONCE = 10_000
WRITERS = 16


@dataclass(frozen=True, slots=True)
class Experiments:
    """What a tracker has: the ids of the experiment of so many runs, and of those of long runs by their steps."""

    runs: int
    many: str
    long: Mapping[int, str]


def trial_name(number: int) -> str:
    return f"trial-{number:05}"


def trial(number: int) -> tuple[Mapping[str, str], Mapping[str, float]]:
    """The params and the metrics of one of many runs."""
    chance = np.random.default_rng(number)
    params = {
        f"param_{key:02}": f"choice-{chance.integers(5)}" if key % 2 == 0 else f"{chance.random():.4f}"
        for key in range(KEYS)
    }
    return params, {f"metric_{key:02}": chance.random() for key in range(KEYS)}


def matching(runs: int) -> Iterator[str]:
    """The names of those that FILTER finds, the newest first."""
    for number in reversed(range(runs)):
        params, metrics = trial(number)
        if metrics["metric_03"] > 0.9 and params["param_02"] == "choice-1":
            yield trial_name(number)


def long_name(number: int) -> str:
    return f"long-{number:02}"


def long_series(number: int, steps: int) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """The metrics of one of the long runs, each with its values by step."""
    chance = np.random.default_rng(number)
    decay = np.exp(-np.arange(steps) / steps * 5)
    for key in range(LONG_KEYS):
        yield f"group_{key // 20}/metric_{key:03}", decay + chance.normal(0, 0.05, steps)


def make_many_runs(client: Client, runs: int) -> str:
    """The experiment's id."""
    experiment_id = client.create_experiment("many runs").experiment_id

    def make(number: int) -> None:
        params, metrics = trial(number)
        run_id = client.create_run(experiment_id, run_name=trial_name(number), params=params).run_id
        client.log_metrics(run_id, metrics)
        client.update_run(run_id, status="FINISHED")

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(make, range(runs)))
    return experiment_id


def make_long_runs(client: Client, steps: int) -> str:
    """The experiment's id; its points are compacted."""
    experiment_id = client.create_experiment(f"long runs of {steps:,} steps").experiment_id
    for number in range(LONG_RUNS):
        run_id = client.create_run(experiment_id, run_name=long_name(number)).run_id
        with client.metric_writer(run_id) as writer:
            for key, values in long_series(number, steps):
                for at in range(0, steps, STEPS_AT_ONCE):
                    part = np.arange(at, min(at + STEPS_AT_ONCE, steps))
                    writer.add(MetricColumns([key], [len(part)], part, FIRST_MS + part * STEP_MS, values[part]))
        client.update_run(run_id, status="FINISHED")
    while client.get_server_info().journal_points:
        time.sleep(0.2)
    return experiment_id
