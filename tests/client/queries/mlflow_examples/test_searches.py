"""MLflow's examples of searches and of experiments."""

import pandas as pd
import pytest

import trackwire as mlflow
from trackwire.entities import ViewType

pytestmark = pytest.mark.usefixtures("online")


def test_runs_are_found_by_experiment_filter_and_order() -> None:
    experiment_name = "Social NLP Experiments"
    experiment_id = mlflow.create_experiment(experiment_name)
    with mlflow.start_run(experiment_id=experiment_id):
        mlflow.log_metric("m", 1.55)
        mlflow.set_tag("s.release", "1.1.0-RC")
    with mlflow.start_run(experiment_id=experiment_id):
        mlflow.log_metric("m", 2.50)
        mlflow.set_tag("s.release", "1.2.0-GA")
    columns = ["metrics.m", "tags.s.release"]
    both = [[2.50, "1.2.0-GA"], [1.55, "1.1.0-RC"]]

    df = mlflow.search_runs([experiment_id], order_by=["metrics.m DESC"])
    assert df[columns].to_numpy().tolist() == both
    first = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time", "metrics.m"]
    assert list(df.columns[:7]) == first
    assert isinstance(df["start_time"].dtype, pd.DatetimeTZDtype)

    df = mlflow.search_runs([experiment_id], filter_string="tags.s.release ILIKE '%rc%'")
    assert df[columns].to_numpy().tolist() == both[1:]

    df = mlflow.search_runs(experiment_names=[experiment_name], order_by=["metrics.m DESC"])
    assert df[columns].to_numpy().tolist() == both

    runs = mlflow.search_runs(
        search_all_experiments=True, filter_string="metrics.m > 2", output_format="list", max_results=5
    )
    assert [run.data.metrics["m"] for run in runs] == [2.50]


def test_experiments_are_found() -> None:
    def assert_experiment_names_equal(experiments, expected_names) -> None:
        actual_names = [e.name for e in experiments if e.name in ("a", "b", "ab", "bb")]
        assert actual_names == expected_names

    for name, tags in [("a", None), ("b", None), ("ab", {"k": "v"}), ("bb", {"k": "V"})]:
        mlflow.create_experiment(name, tags=tags)
    assert_experiment_names_equal(mlflow.search_experiments(filter_string="name = 'a'"), ["a"])
    assert_experiment_names_equal(mlflow.search_experiments(filter_string="name LIKE 'a%'"), ["ab", "a"])
    assert_experiment_names_equal(mlflow.search_experiments(filter_string="tags.k ILIKE '%v'"), ["bb", "ab"])
    found = mlflow.search_experiments(filter_string="name LIKE '%b' AND tags.k = 'v'")
    assert_experiment_names_equal(found, ["ab"])
    assert_experiment_names_equal(mlflow.search_experiments(order_by=["name"]), ["a", "ab", "b", "bb"])
    found = mlflow.search_experiments(order_by=["experiment_id DESC"])
    assert_experiment_names_equal(found, ["bb", "ab", "b", "a"])


def test_experiment_is_tagged_while_a_run_goes_on() -> None:
    exp = mlflow.set_experiment("test-delete-tag")
    with mlflow.start_run():
        mlflow.set_experiment_tag("release.version", "1.0")
        mlflow.set_experiment_tags({"engineering": "ML Platform", "release.candidate": "RC1"})
    mlflow.delete_experiment_tag("release.version")
    exp = mlflow.get_experiment(exp.experiment_id)
    assert exp.tags == {"engineering": "ML Platform", "release.candidate": "RC1"}


def test_experiment_is_deleted_and_restored() -> None:
    experiment_id = mlflow.create_experiment("New Experiment")
    mlflow.delete_experiment(experiment_id)
    deleted = mlflow.get_experiment(experiment_id)
    assert (deleted.name, deleted.lifecycle_stage) == ("New Experiment", "deleted")
    assert deleted.name in [each.name for each in mlflow.search_experiments(view_type=ViewType.DELETED_ONLY)]
    mlflow.restore_experiment(experiment_id)
    restored = mlflow.get_experiment(experiment_id)
    assert restored.lifecycle_stage == "active"
    assert restored.last_update_time >= deleted.last_update_time


def test_words_and_numbers_of_constants() -> None:
    assert ViewType.to_string(ViewType.DELETED_ONLY) == "deleted_only"
    assert ViewType.from_string("ALL") == ViewType.ALL
    status = mlflow.entities.RunStatus
    assert status.to_string(status.FINISHED) == "FINISHED"
    assert status.from_string("KILLED") == 5
    assert [each for each in status.all_status() if status.is_terminated(each)] == [3, 4, 5]
    with pytest.raises(mlflow.exceptions.MlflowException, match="status_str: 'DONE': must be one of RUNNING"):
        status.from_string("DONE")
    with pytest.raises(mlflow.exceptions.MlflowException, match=r"status: 9: must be one of 1 \(RUNNING\)"):
        status.to_string(9)
