"""The same experiments in MLflow: rows written into its database, as its API would take hours for them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import repeat
from pathlib import Path

import numpy as np
from ui_data import FIRST_MS, LONG_RUNS, STEP_MS, long_name, long_series, trial, trial_name

# Rows and indexes of its database together.
BYTES_A_POINT = 290
METRIC = "(key, value, timestamp, step, run_uuid, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
RUN = """
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
                  source_version, lifecycle_stage, artifact_uri, experiment_id)
VALUES (?, ?, 'UNKNOWN', '', '', 'bench', 'FINISHED', ?, ?, '', 'active', ?, ?)
"""


def make_many_runs(database: Path, experiment_id: str, runs: int) -> None:
    """Into an experiment that is there; nobody else may write meanwhile."""
    with writing(database) as connection:
        for number in range(runs):
            run_id = make_run(connection, experiment_id, number, trial_name(number))
            params, metrics = trial(number)
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(key, value, run_id) for key, value in params.items()],
            )
            points = [(key, value, FIRST_MS, 0, run_id) for key, value in metrics.items()]
            for table in ("metrics", "latest_metrics"):
                connection.executemany(f"INSERT INTO {table} {METRIC}", points)


def make_long_runs(database: Path, experiment_id: str, steps: int) -> None:
    """Into an experiment that is there; nobody else may write meanwhile."""
    # All of them are held: 8 bytes a point.
    of_each = [dict(long_series(number, steps)) for number in range(LONG_RUNS)]
    at = np.arange(steps).repeat(LONG_RUNS)
    all_steps, times_ms = at.tolist(), (FIRST_MS + at * STEP_MS).tolist()
    with writing(database) as connection, without_indexes(connection, "metrics"):
        run_ids = [make_run(connection, experiment_id, number, long_name(number)) for number in range(LONG_RUNS)]
        for key in of_each[0]:
            # In the order of the primary key, by time and then by run, each row comes behind the last one.
            values = np.stack([series[key] for series in of_each], axis=1)
            rows = zip(repeat(key), values.ravel().tolist(), times_ms, all_steps, run_ids * steps, strict=False)
            connection.executemany(f"INSERT INTO metrics {METRIC}", rows)
            last = zip(
                repeat(key), values[-1].tolist(), times_ms[-LONG_RUNS:], all_steps[-LONG_RUNS:], run_ids, strict=False
            )
            connection.executemany(f"INSERT INTO latest_metrics {METRIC}", last)


def make_run(connection: sqlite3.Connection, experiment_id: str, number: int, name: str) -> str:
    """Its id; it began a second after the one before."""
    run_id = f"{int(experiment_id):08x}{number:024x}"
    began = FIRST_MS + number * 1_000
    artifact_uri = f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts"
    connection.execute(RUN, (run_id, name, began, began + 900, artifact_uri, experiment_id))
    connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.runName', ?, ?)", (name, run_id))
    return run_id


@contextmanager
def writing(database: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, which only this connection's settings make fast: the database stays as MLflow made it."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as connection:
        for setting in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -500000"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def without_indexes(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    """Those beside the primary key are made anew at the end, which is faster than row by row."""
    found: Sequence[tuple[str, str]] = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, statement in found:
        connection.execute(statement)
