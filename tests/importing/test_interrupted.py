"""An import that is killed in the middle and run again ends as one that was not."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.tracking._tracking_service.utils import _get_store
from tests.conftest import ServerProcess
from tests.importing.comparing import contents
from tests.importing.conftest import Command, environment, import_command
from tests.importing.evaluations import EMPTY, dataset_named
from tests.importing.filling import BEGIN_MS, Filled

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

# mlflow and its libraries warn each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
RUNS, KEYS, POINTS = 2, 4, 20_000
RECORDS = 25_000


@pytest.fixture
def large_store(tmp_path: Path) -> str:
    """A store of files with more points than one request takes."""
    folder = tmp_path / "mlruns"
    client = MlflowClient(str(folder), str(folder))
    experiment_id = client.create_experiment("large")
    for _ in range(RUNS):
        run_id = client.create_run(experiment_id).info.run_id
        for key in range(KEYS):
            # As mlflow writes it, only faster.
            lines = (f"{BEGIN_MS + step} {step / 7} {step}\n" for step in range(POINTS))
            (folder / experiment_id / run_id / "metrics" / f"m{key}").write_text("".join(lines))
        client.set_terminated(run_id)
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_of_the_points_and_run_again_it_is_equal(
    large_store: str, target: ServerProcess, client: Client, import_mlflow: Command, sent: signal.Signals
) -> None:
    command = import_command(target, large_store)
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (points := _points_here(client)):
            assert process.poll() is None, "it ended before it stored a point"
            time.sleep(0.01)
    finally:
        process.send_signal(sent)
        assert process.wait(30) in (-signal.SIGKILL, 130)
    points = _points_here(client)
    assert 0 < points < RUNS * KEYS * POINTS
    assert _statuses(client) != [RUN_STATUS_FINISHED] * RUNS
    done = import_mlflow(large_store)
    assert "verified: equal" in done.stdout, done.stdout
    assert _statuses(client) == [RUN_STATUS_FINISHED] * RUNS
    assert _points_here(client) == RUNS * KEYS * POINTS
    assert contents(target.url) == contents(large_store)


@pytest.fixture
def many_records(own_sqlite_store: Filled) -> str:
    """A store of SQLite whose dataset has more records than one request takes."""
    columns = "dataset_record_id, dataset_id, inputs, outputs, tags, created_time, last_update_time, input_hash"
    dataset_id = dataset_named(_get_store(own_sqlite_store.uri), EMPTY).dataset_id

    def row(number: int) -> tuple[object, ...]:
        inputs, outputs = json.dumps({"q": f"{number} " * 50}), json.dumps({"mlflow_wrapped": number})
        # As mlflow writes it, only faster.
        hashed = hashlib.sha256(inputs.encode()).hexdigest()
        return f"dr-{number:032x}", dataset_id, inputs, outputs, "{}", BEGIN_MS, BEGIN_MS + number, hashed

    insert = f"INSERT INTO evaluation_dataset_records ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    with closing(sqlite3.connect(own_sqlite_store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.executemany(insert, map(row, range(RECORDS)))
        said = "UPDATE evaluation_datasets SET profile = ? WHERE dataset_id = ?"
        connection.execute(said, (json.dumps({"num_records": RECORDS}), dataset_id))
    return own_sqlite_store.uri


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_of_the_records_and_run_again_it_is_equal(
    many_records: str, target: ServerProcess, client: Client, import_mlflow: Command, sent: signal.Signals
) -> None:
    dataset = dataset_named(_get_store(many_records), EMPTY)
    command = import_command(target, many_records)
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _records_here(client):
            assert process.poll() is None, "it ended before it stored a record"
            time.sleep(0.01)
    finally:
        process.send_signal(sent)
        assert process.wait(30) in (-signal.SIGKILL, 130)
    assert 0 < _records_here(client) < RECORDS
    assert client.get_evaluation_dataset(dataset.dataset_id).digest != dataset.digest
    done = import_mlflow(many_records)
    assert "verified: equal" in done.stdout, done.stdout
    assert _records_here(client) == RECORDS
    assert contents(target.url) == contents(many_records)


def _records_here(client: Client) -> int:
    return sum(dataset.record_count for dataset in client.search_evaluation_datasets(filter_string=f"name = '{EMPTY}'"))


def _statuses(client: Client) -> list[int]:
    [experiment] = [each for each in client.search_experiments() if each.name == "large"]
    return [run.status for run in client.search_runs(experiment.experiment_id)]


def _points_here(client: Client) -> int:
    found = [each.experiment_id for each in client.search_experiments() if each.name == "large"]
    if not found:
        return 0
    run_ids = [run.run_id for run in client.search_runs(found)]
    return sum(summary.count for summary in client.get_metric_summaries(run_ids)) if run_ids else 0
