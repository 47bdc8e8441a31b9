"""What MLflow does for scripts/check_import: makes a store, or reads two and compares them. Prints JSON.

import_driver.py make URI EXPERIMENT RUNS POINTS
import_driver.py compare URI URI EXPERIMENT
"""

import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking._tracking_service.utils import _get_store

BATCH = 1_000
RECORDS = 2_000
KEYS = 10
BEGIN_MS = 1_700_000_000_000


def make(uri: str, name: str, runs: int, points: int) -> dict[str, object]:
    """Fills a store: as many points in each run, of ten keys."""
    client = MlflowClient(uri, uri)
    begun = time.perf_counter()
    experiment_id = client.create_experiment(name)
    made = 0
    for number in range(runs):
        run_id = client.create_run(experiment_id, run_name=f"run {number}").info.run_id
        mine = points * (number + 1) // runs - points * number // runs
        client.log_batch(run_id, params=[Param("number", str(number))], tags=[RunTag("kind", "large")])
        for start in range(0, mine, BATCH):
            client.log_batch(run_id, metrics=[point(number, at) for at in range(start, min(start + BATCH, mine))])
        client.set_terminated(run_id)
        made += mine
        if number % 25 == 0:
            print(f"made {made:,} of {points:,} points", file=sys.stderr)
    seconds = time.perf_counter() - begun
    evaluate(uri, experiment_id)
    return {"seconds": round(seconds, 1), "points_per_second": round(made / seconds)}


def evaluate(uri: str, experiment_id: str) -> None:
    """Adds an evaluation dataset and an issue."""
    store = _get_store(uri)
    dataset = store.create_dataset("questions", {"mlflow.user": "ann"}, [experiment_id])
    records = [{"inputs": {"q": f"{number} " * 50}, "outputs": number / 7} for number in range(RECORDS)]
    store.upsert_dataset_records(dataset.dataset_id, records)
    store.create_issue(experiment_id, "slow", "Answers take a minute.", categories=["latency"])


def point(number: int, at: int) -> Metric:
    """A point of a run; every thousandth is NaN, and every thousandth infinite."""
    step = at // KEYS
    value = {7: math.nan, 13: math.inf}.get(at % 1_000, math.sin(number + at / 97) * 10 ** (at % KEYS - 5))
    return Metric(f"m{at % KEYS}", value, BEGIN_MS + 1_000 * step + number, step)


def compare(first: str, second: str, name: str) -> dict[str, object]:
    """Reads every history of both; equal if each has the same points, whatever their order."""
    begun = time.perf_counter()
    both = [MlflowClient(uri, uri) for uri in (first, second)]
    differences: list[str] = []
    points = 0
    experiment = both[0].get_experiment_by_name(name)
    if experiment is None:
        raise SystemExit(f"{first} has no experiment {name!r}")
    experiment_id = experiment.experiment_id
    runs = [every_run(client, experiment_id) for client in both]
    if runs[0] != runs[1]:
        differences += [run_id for run_id in runs[0].keys() | runs[1] if runs[0].get(run_id) != runs[1].get(run_id)]
    there, here = (evaluations(uri, experiment_id) for uri in (first, second))
    differences += [name for name in there.keys() | here if there.get(name) != here.get(name)]
    with ThreadPoolExecutor(2) as pool:
        for number, (run_id, said) in enumerate(runs[0].items()):
            for key in said.keys:
                asked = [pool.submit(history, client, run_id, key) for client in both]
                theirs, ours = (each.result() for each in asked)
                points += len(theirs)
                if theirs != ours:
                    differences.append(f"{run_id} {key}: {len(theirs)} points, {len(ours)} points")
            if number % 25 == 0:
                print(f"compared {points:,} points", file=sys.stderr)
    return {
        "equal": not differences,
        "runs": len(runs[0]),
        "issues_datasets_and_records": len(there),
        "points": points,
        "differences": differences[:10],
        "seconds": round(time.perf_counter() - begun, 1),
    }


@dataclass(frozen=True)
class Told:
    """What a store tells of a run, and the keys of its metrics."""

    fields: tuple[object, ...]
    keys: list[str]


def every_run(client: MlflowClient, experiment_id: str) -> dict[str, Told]:
    found, token = {}, None
    while True:
        page = client.search_runs([experiment_id], max_results=1_000, page_token=token)
        for run in page:
            info = run.info
            times = (info.start_time, info.end_time)
            fields = (info.run_name, info.status, times, run.data.params, run.data.tags)
            found[info.run_id] = Told(fields, sorted(run.data.metrics))
        token = page.token
        if not token:
            return found


def evaluations(uri: str, experiment_id: str) -> dict[str, str]:
    """Issues, evaluation datasets and their records, by id."""
    store = _get_store(uri)
    found = {issue.issue_id: str(issue.to_dictionary()) for issue in store.search_issues(experiment_id)}
    for dataset in store.search_datasets([experiment_id]):
        times = (dataset.created_time, dataset.last_update_time)
        found[dataset.dataset_id] = str((dataset.name, dataset.digest, times, dataset.tags, dataset.created_by))
        # Its public name asks the store of the process.
        records, _ = store._load_dataset_records(dataset.dataset_id)  # noqa: SLF001
        found |= {record.dataset_record_id: json.dumps(record.to_dict(), sort_keys=True) for record in records}
    return found


def history(client: MlflowClient, run_id: str, key: str) -> list[tuple[int, int, str]]:
    return sorted((each.step, each.timestamp, repr(each.value)) for each in client.get_metric_history(run_id, key))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "make":
        uri, name, runs, points = arguments
        print(json.dumps(make(uri, name, int(runs), int(points))))
    else:
        print(json.dumps(compare(*arguments)))
