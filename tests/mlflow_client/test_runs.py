"""Experiments and runs."""

import time

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.mark.usefixtures("experiment_id")
def test_quickstart() -> None:
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"depth": 3, "optimizer": "adam"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"accuracy": 0.5, "f1": 0.25}, step=7)
        mlflow.set_tag("team", "red")
        mlflow.set_tags({"stage": "draft", "owner": "ann"})
    found = mlflow.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "first"
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"lr": "0.1", "depth": "3", "optimizer": "adam"}
    assert found.data.metrics == {"loss": 0.2, "accuracy": 0.5, "f1": 0.25}
    assert {key: found.data.tags[key] for key in ("team", "stage", "owner")} == {
        "team": "red",
        "stage": "draft",
        "owner": "ann",
    }
    assert mlflow.last_active_run().info.run_id == run.info.run_id


def test_nested_runs_name_their_parent(experiment_id: str) -> None:
    with mlflow.start_run() as outer:
        for depth in (1, 2):
            with mlflow.start_run(nested=True):
                mlflow.log_param("depth", depth)
    children = mlflow.search_runs(
        [experiment_id], f"tags.`mlflow.parentRunId` = '{outer.info.run_id}'", order_by=["params.depth"]
    )
    assert list(children["params.depth"]) == ["1", "2"]
    assert mlflow.get_parent_run(children["run_id"][0]).info.run_id == outer.info.run_id


@pytest.mark.usefixtures("experiment_id")
def test_run_is_resumed() -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1.0, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 0.5, step=1)
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"loss": 0.5})


@pytest.mark.usefixtures("experiment_id")
def test_run_that_raises_is_failed() -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        _ = 1 / 0
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_run_is_changed(client: MlflowClient, run_id: str) -> None:
    client.update_run(run_id, status="SCHEDULED", name="renamed")
    found = client.get_run(run_id)
    assert (found.info.status, found.info.run_name) == ("SCHEDULED", "renamed")
    assert found.data.tags["mlflow.runName"] == "renamed"
    client.set_tag(run_id, "mlflow.runName", "again")
    assert client.get_run(run_id).info.run_name == "again"
    client.set_terminated(run_id, "KILLED", end_time=5_000_000_000_000)
    found = client.get_run(run_id)
    assert (found.info.status, found.info.end_time) == ("KILLED", 5_000_000_000_000)


def test_run_is_made_as_it_is_said(client: MlflowClient, experiment_id: str) -> None:
    made = client.create_run(
        experiment_id, start_time=1_700_000_000_000, tags={"mlflow.user": "ann", "n": "1"}, run_name="named"
    )
    found = client.get_run(made.info.run_id)
    assert found.info == made.info
    assert (found.info.user_id, found.info.start_time, found.info.end_time) == ("ann", 1_700_000_000_000, None)
    assert found.data.tags == {"mlflow.user": "ann", "mlflow.runName": "named", "n": "1"}


def test_run_is_deleted_and_restored(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert list(client.search_runs([experiment_id])) == []
    [deleted] = client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
    assert deleted.info.run_id == run_id
    client.restore_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


def test_tag_is_deleted(client: MlflowClient, run_id: str) -> None:
    client.set_tag(run_id, "team", "red")
    client.delete_tag(run_id, "team")
    assert "team" not in client.get_run(run_id).data.tags


def test_batch_is_durable_when_it_returns(client: MlflowClient, run_id: str) -> None:
    now_ms = int(time.time() * 1000)
    metrics = [Metric(f"m{number % 10}", number / 10, now_ms, number // 10) for number in range(2_500)]
    params = [Param(f"p{number}", str(number)) for number in range(150)]
    client.log_batch(run_id, metrics, params, [RunTag("team", "red")])
    found = client.get_run(run_id).data
    assert len(found.params) == 150
    assert found.metrics == {f"m{number}": (2_490 + number) / 10 for number in range(10)}
    assert found.tags["team"] == "red"
    assert len(client.get_metric_history(run_id, "m3")) == 250


def test_long_values_are_kept_whole(client: MlflowClient, run_id: str) -> None:
    client.log_param(run_id, "text", "x" * 60_000)
    client.set_tag(run_id, "note", "y" * 60_000)
    found = client.get_run(run_id).data
    assert (found.params["text"], found.tags["note"]) == ("x" * 60_000, "y" * 60_000)


def test_what_is_logged_in_the_background_arrives(client: MlflowClient, run_id: str) -> None:
    logged = [client.log_metric(run_id, "loss", step, step=step, synchronous=False) for step in range(50)]
    logged.append(client.log_param(run_id, "lr", 0.1, synchronous=False))
    for each in logged:
        each.wait()
    assert [point.step for point in client.get_metric_history(run_id, "loss")] == list(range(50))
    assert client.get_run(run_id).data.params == {"lr": "0.1"}


def test_experiment_is_found_changed_and_deleted(client: MlflowClient, model_name: str) -> None:
    made = client.create_experiment(model_name, artifact_location="s3://bucket/place", tags={"team": "red"})
    found = client.get_experiment(made)
    assert (found.name, found.artifact_location, found.tags) == (model_name, "s3://bucket/place", {"team": "red"})
    client.rename_experiment(made, f"{model_name}-2")
    client.set_experiment_tag(made, "owner", "ann")
    client.delete_experiment_tag(made, "team")
    found = client.get_experiment_by_name(f"{model_name}-2")
    assert (found.experiment_id, found.tags) == (made, {"owner": "ann"})
    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"


def test_experiment_that_is_missing_is_none(client: MlflowClient) -> None:
    assert client.get_experiment_by_name("no such experiment") is None


def test_experiments_of_runs_may_be_numbers(client: MlflowClient, experiment_id: str) -> None:
    assert client.get_experiment(int(experiment_id)).experiment_id == experiment_id
    assert client.create_run(int(experiment_id)).info.experiment_id == experiment_id
