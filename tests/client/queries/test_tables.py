"""Tables of many runs, joined to one."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import trackwire as mlflow
from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, NotFoundError
from trackwire.media.tables import TABLES_TAG, write_table

pytestmark = pytest.mark.usefixtures("online")

FILE = "evaluation/table.json"


def log_table(client: Client, experiment_id: str, folder: Path, data: object, *paths: str, **options: Any) -> str:
    """A run with this table at these paths, listed as MLflow lists it."""
    run_id = client.create_run(experiment_id, **options).run_id
    write_table(data, folder / "table.json")
    for path in paths or (FILE,):
        client.upload_artifact(run_id, folder / "table.json", path)
    listed = [{"path": path, "type": "table"} for path in paths or (FILE,)]
    client.set_tag(run_id, TABLES_TAG, json.dumps(listed))
    return run_id


def test_tables_of_all_runs_are_joined(client: Client, experiment_id: str, tmp_path: Path) -> None:
    first = log_table(client, experiment_id, tmp_path, {"question": ["why?", "how?"], "score": [0.5, None]})
    second = log_table(client, experiment_id, tmp_path, {"question": ["who?"], "seconds": [3]})
    client.create_run(experiment_id)
    log_table(client, experiment_id, tmp_path, {"question": ["other"]}, "other.json")
    frame = mlflow.load_table(FILE, extra_columns=["run_id"])
    assert isinstance(frame, pd.DataFrame)
    assert set(frame.columns) == {"question", "score", "seconds", "run_id"}
    by_question = {row["question"]: row for _, row in frame.iterrows()}
    assert {question: row["run_id"] for question, row in by_question.items()} == {
        "why?": first,
        "how?": first,
        "who?": second,
    }
    assert by_question["why?"]["score"] == 0.5
    assert pd.isna(by_question["how?"]["score"])
    assert pd.isna(by_question["why?"]["seconds"])
    # Newest first, as runs are found.
    assert frame["question"][0] == "who?"


def test_many_tables_stay_in_order(client: Client, experiment_id: str, tmp_path: Path) -> None:
    runs = [log_table(client, experiment_id, tmp_path, {"n": [n]}, start_time_ms=1_000 + n) for n in range(7)]
    assert list(mlflow.load_table(FILE)["n"]) == [6, 5, 4, 3, 2, 1, 0]
    assert sorted(mlflow.load_table(FILE, run_ids=runs[2:4])["n"]) == [2, 3]
    assert list(mlflow.load_table(FILE, run_ids=runs[5])["n"]) == [5]


def test_runs_without_the_table_are_left_out(
    client: Client, experiment_id: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with_table = log_table(client, experiment_id, tmp_path, {"n": [1]})
    without = client.create_run(experiment_id).run_id
    assert list(mlflow.load_table(FILE, run_ids=[with_table, without])["n"]) == [1]
    assert "1 of the runs have no table" in caplog.text
    with pytest.raises(NotFoundError, match=r"artifact_file: 'evaluation/table.json'"):
        mlflow.load_table(FILE, run_ids=[without])
    with pytest.raises(NotFoundError):
        mlflow.load_table(FILE, run_ids=["it's nowhere"])
    with pytest.raises(NotFoundError, match=r"able\.json"):
        mlflow.load_table("able.json")


def test_more_run_ids_than_a_filter_takes(client: Client, experiment_id: str, tmp_path: Path) -> None:
    run_id = log_table(client, experiment_id, tmp_path, {"n": [1]})
    others = [f"{number:032x}" for number in range(1_000)]
    assert list(mlflow.load_table(FILE, run_ids=[*others, run_id])["n"]) == [1]


def test_extra_columns_are_those_of_a_search(client: Client, experiment_id: str, tmp_path: Path) -> None:
    run_id = log_table(
        client, experiment_id, tmp_path, {"n": [1, 2], "status": ["x", "y"]}, start_time_ms=1_000, params={"lr": "0.1"}
    )
    client.log_metric(run_id, "loss", 0.5)
    extra = ["start_time", "end_time", "params.lr", "metrics.loss", "tags.none", "status"]
    frame = mlflow.load_table(FILE, extra_columns=extra)
    assert list(frame.columns) == ["n", "status", *extra[:-1], "status_"]
    row = frame.iloc[1]
    assert row["start_time"] == pd.Timestamp(1_000, unit="ms", tz="UTC")
    assert row["end_time"] is pd.NaT
    assert (row["params.lr"], row["metrics.loss"], row["status"], row["status_"]) == ("0.1", 0.5, "y", "RUNNING")
    assert row["tags.none"] is None
    with pytest.raises(InvalidArgumentError, match="extra_columns: 'colour'"):
        mlflow.load_table(FILE, extra_columns=["colour"])


def test_lists_that_others_wrote_are_read_with_care(client: Client, experiment_id: str, tmp_path: Path) -> None:
    for said in ("no JSON", "7", "[1, {}]", '{"path": "evaluation/table.json"}'):
        client.create_run(experiment_id, tags={TABLES_TAG: said})
    log_table(client, experiment_id, tmp_path, {"n": [1]})
    assert list(mlflow.load_table(FILE)["n"]) == [1]


def test_name_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"artifact_file: 'table\.csv': .* must end in \.json"):
        mlflow.load_table("table.csv")


def test_experiment_that_is_not_made_has_no_tables() -> None:
    mlflow.set_experiment("of no tables")
    with pytest.raises(NotFoundError):
        mlflow.load_table(FILE)
