"""Programs as MLflow's documentation shows them: but for what `mlflow` is, nothing in them knows of Trackwire."""

from pathlib import Path
from typing import Any

import pytest
from tests.client.queries.test_tables import log_table

import trackwire as mlflow
from trackwire.client import Client

pytestmark = pytest.mark.usefixtures("online")


def shown(experiment: Any) -> list[str]:
    return [
        f"Name: {experiment.name}",
        f"Experiment_id: {experiment.experiment_id}",
        f"Artifact Location: {experiment.artifact_location}",
        f"Tags: {experiment.tags}",
        f"Lifecycle_stage: {experiment.lifecycle_stage}",
    ]


def test_default_experiment_by_id_and_by_name() -> None:
    for experiment in (mlflow.get_experiment("0"), mlflow.get_experiment_by_name("Default")):
        assert shown(experiment) == [
            "Name: Default",
            "Experiment_id: 0",
            "Artifact Location: trackwire-artifacts:/0",
            "Tags: {}",
            "Lifecycle_stage: active",
        ]


def test_experiment_is_set_shown_tagged_and_deleted() -> None:
    mlflow.set_experiment("Social NLP Experiments")
    experiment = mlflow.get_experiment_by_name("Social NLP Experiments")
    mlflow.set_experiment_tags({"engineering": "ML Platform", "release.candidate": "RC1"})
    mlflow.set_experiment_tag("release.version", "2.2.0")
    experiment = mlflow.get_experiment(experiment.experiment_id)
    assert shown(experiment)[3] == (
        "Tags: {'engineering': 'ML Platform', 'release.candidate': 'RC1', 'release.version': '2.2.0'}"
    )
    mlflow.delete_experiment(experiment.experiment_id)
    assert shown(mlflow.get_experiment(experiment.experiment_id))[4] == "Lifecycle_stage: deleted"


def test_experiments_are_searched_by_name_and_tag() -> None:
    for name, tags in (("a", None), ("b", None), ("ab", {"k": "v"}), ("bb", {"k": "V"})):
        mlflow.create_experiment(name, tags=tags)

    def names(filter_string: str, **arguments: Any) -> list[str]:
        found = mlflow.search_experiments(filter_string=filter_string, **arguments)
        return [experiment.name for experiment in found]

    assert names("name = 'a'") == ["a"]
    assert names("name LIKE 'a%'") == ["ab", "a"]
    assert names("tags.k = 'v'") == ["ab"]
    assert names("tags.k ILIKE 'v'") == ["bb", "ab"]
    assert names("name LIKE 'a%' AND tags.k = 'v'") == ["ab"]
    assert names("name LIKE '_' OR name LIKE '__'", order_by=["name DESC"]) == ["bb", "b", "ab", "a"]


def test_best_run_is_found_in_the_frame(client: Client, experiment_id: str) -> None:
    for loss, release in ((1.55, "1.1.0-RC"), (2.50, "1.2.0-GA")):
        run_id = client.create_run(experiment_id, tags={"s.release": release}).run_id
        client.log_metric(run_id, "m", loss)
    df = mlflow.search_runs([experiment_id], order_by=["metrics.m DESC"])
    assert df[["metrics.m", "tags.s.release"]].to_numpy().tolist() == [[2.50, "1.2.0-GA"], [1.55, "1.1.0-RC"]]
    df = mlflow.search_runs([experiment_id], filter_string="tags.s.release ILIKE '%rc%'")
    assert df[["metrics.m", "tags.s.release"]].to_numpy().tolist() == [[1.55, "1.1.0-RC"]]
    best = mlflow.search_runs(order_by=["metrics.m ASC"], max_results=1).iloc[0]
    assert mlflow.get_run(best.run_id).data.metrics["m"] == 1.55
    assert df.loc[df["metrics.m"].idxmin(), "run_id"] == best["run_id"]


def test_children_are_found_by_their_parent(client: Client, experiment_id: str) -> None:
    parent = client.create_run(experiment_id, run_name="PARENT_RUN")
    child = client.create_run(experiment_id, run_name="CHILD_RUN", parent_run_id=parent.run_id, params={"child": "yes"})
    results = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.run_id}'")
    columns = ["run_id", "params.child", "tags.mlflow.runName"]
    assert results[columns].to_numpy().tolist() == [[child.run_id, "yes", "CHILD_RUN"]]
    assert mlflow.get_parent_run(child.run_id).info.run_name == "PARENT_RUN"


def test_run_is_deleted_and_looked_at(client: Client, experiment_id: str) -> None:
    run_id = client.create_run(experiment_id).run_id
    mlflow.delete_run(run_id)
    assert mlflow.get_run(run_id).info.lifecycle_stage == "deleted"
    found = mlflow.search_runs(run_view_type=mlflow.entities.ViewType.DELETED_ONLY, output_format="list")
    assert [run.info.run_id for run in found] == [run_id]


def test_table_of_answers_is_loaded(client: Client, experiment_id: str, tmp_path: Path) -> None:
    answers = {"inputs": ["What is MLflow?", "What is Databricks?"], "outputs": ["…", "…"], "toxicity": [0.0, 0.0]}
    run_id = log_table(client, experiment_id, tmp_path, answers, "qabot_eval_results.json")
    loaded_table = mlflow.load_table(
        artifact_file="qabot_eval_results.json", run_ids=[run_id], extra_columns=["run_id"]
    )
    assert loaded_table.to_dict("list") == {**answers, "run_id": [run_id] * 2}


def test_model_is_registered_and_found(client: Client, experiment_id: str) -> None:
    run_id = client.create_run(experiment_id).run_id
    client.upload_bytes(run_id, b"flavors: {}", "sklearn-model/MLmodel")
    mv = mlflow.register_model(f"runs:/{run_id}/sklearn-model", "RandomForestRegressionModel")
    assert (f"Name: {mv.name}", f"Version: {mv.version}") == ("Name: RandomForestRegressionModel", "Version: 1")
    for res in mlflow.search_registered_models(filter_string="name LIKE 'RandomForest%'"):
        assert [(each.name, each.run_id, each.version) for each in res.latest_versions] == [(mv.name, run_id, "1")]
