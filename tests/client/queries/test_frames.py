"""The DataFrame that a search gives: MLflow's columns, with one type a column whatever is missing."""

import math

import pandas as pd
import pytest

import trackwire as mlflow
from trackwire.client import Client

pytestmark = pytest.mark.usefixtures("online")

NOW_MS = 1_760_000_000_123
INFO = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
UTC_TIMES = "datetime64[ns, UTC]"


def test_frame_has_mlflows_columns_in_their_order(client: Client, experiment_id: str) -> None:
    for number in range(2):
        run = client.create_run(
            experiment_id, params={f"p{number}": "x"}, tags={f"t{number}": "y"}, start_time_ms=NOW_MS + number
        )
        client.log_metric(run.run_id, f"m{number}", number)
    client.update_run(run.run_id, status="FINISHED", end_time_ms=NOW_MS + 1_000)
    frame = mlflow.search_runs()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns[:6]) == INFO
    kinds = [name.partition(".")[0] for name in frame.columns[6:]]
    assert kinds == ["metrics"] * 2 + ["params"] * 2 + ["tags"] * 3
    newest, oldest = frame.iloc[0], frame.iloc[1]
    assert (newest["run_id"], newest["experiment_id"], newest["status"]) == (run.run_id, experiment_id, "FINISHED")
    assert newest["artifact_uri"].endswith("/artifacts")
    assert newest["start_time"] == pd.Timestamp(NOW_MS + 1, unit="ms", tz="UTC")
    assert newest["end_time"] == pd.Timestamp(NOW_MS + 1_000, unit="ms", tz="UTC")
    assert oldest["end_time"] is pd.NaT
    assert (newest["metrics.m1"], newest["params.p1"], newest["tags.t1"]) == (1.0, "x", "y")
    assert math.isnan(newest["metrics.m0"])
    assert newest["params.p0"] is None
    assert newest["tags.t0"] is None


def test_types_are_the_same_whatever_is_missing(client: Client, experiment_id: str) -> None:
    empty = mlflow.search_runs()
    assert list(empty.columns) == INFO
    assert len(empty) == 0
    run = client.create_run(experiment_id, params={"lr": "0.1"})
    client.log_metric(run.run_id, "loss", 1)
    for frame in (empty, mlflow.search_runs(output_format="pandas")):
        assert {str(frame[name].dtype) for name in ("start_time", "end_time")} == {UTC_TIMES}
        assert {str(frame[name].dtype) for name in INFO[:4]} == {"object"}
    assert str(frame["metrics.loss"].dtype) == "float64"
    assert str(frame["params.lr"].dtype) == str(frame["tags.mlflow.runName"].dtype) == "object"


def test_times_beyond_nanoseconds_are_kept(client: Client, experiment_id: str) -> None:
    year_2300_ms = 10_413_792_000_000
    client.create_run(experiment_id, start_time_ms=year_2300_ms)
    frame = mlflow.search_runs()
    assert frame["start_time"][0].year == 2300
    assert str(frame["start_time"].dtype) == "datetime64[ms, UTC]"


@pytest.mark.slow
def test_search_of_more_than_a_page_is_whole(client: Client, experiment_id: str) -> None:
    made = {client.create_run(experiment_id).run_id for _ in range(1_050)}
    frame = mlflow.search_runs()
    assert set(frame["run_id"]) == made
    assert len(mlflow.search_runs(max_results=1_010)) == 1_010
