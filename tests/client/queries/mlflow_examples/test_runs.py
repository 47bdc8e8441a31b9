"""MLflow's examples of runs, in which only the imports are changed; and beside them what differs."""

import math

import numpy as np
import pytest

import trackwire as mlflow
from trackwire import MlflowClient
from trackwire.entities import Dataset

pytestmark = pytest.mark.usefixtures("online")

QUICKSTART = """
import trackwire as mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
params = {"solver": "lbfgs", "max_iter": 1000, "random_state": 8888}
lr = LogisticRegression(**params)
lr.fit(X_train, y_train)
accuracy = accuracy_score(y_test, lr.predict(X_test))

mlflow.set_tracking_uri("ADDRESS")
mlflow.set_experiment("MLflow Quickstart")
with mlflow.start_run():
    mlflow.log_params(params)
    mlflow.log_metric("accuracy", accuracy)
    mlflow.set_tag("Training Info", "Basic LR model for iris data")

best = mlflow.search_runs(order_by=["metrics.accuracy DESC"], max_results=1).iloc[0]
print(best["status"], best["params.solver"], best["metrics.accuracy"] == accuracy, best["tags.Training Info"])
"""


def test_quickstart_runs_as_a_script_of_its_own(online: str, fresh_python) -> None:
    pytest.importorskip("sklearn")
    printed = fresh_python(QUICKSTART.replace("ADDRESS", online))
    assert printed == "FINISHED lbfgs True Basic LR model for iris data"


def test_experiment_that_is_set_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = mlflow.set_experiment("Social NLP Experiments")
    print(f"Experiment_id: {int(experiment.experiment_id) > 0}")
    print(f"Artifact Location: {experiment.artifact_location.endswith(experiment.experiment_id)}")
    print(f"Tags: {experiment.tags}")
    print(f"Lifecycle_stage: {experiment.lifecycle_stage}")
    assert capsys.readouterr().out == (
        "Experiment_id: True\nArtifact Location: True\nTags: {}\nLifecycle_stage: active\n"
    )
    assert (experiment.name, experiment.creation_time > 0) == ("Social NLP Experiments", True)
    assert experiment.last_update_time >= experiment.creation_time
    with mlflow.start_run() as run:
        assert run.info.experiment_id == experiment.experiment_id
    by_id = mlflow.set_experiment(experiment_id=experiment.experiment_id)
    assert by_id.name == "Social NLP Experiments"


def test_nested_runs_and_a_late_child(capsys: pytest.CaptureFixture[str]) -> None:
    experiment_id = mlflow.create_experiment("experiment1")
    with mlflow.start_run(
        run_name="PARENT_RUN",
        experiment_id=experiment_id,
        tags={"version": "v1", "priority": "P1"},
        description="parent",
    ) as parent_run:
        mlflow.log_param("parent", "yes")
        with mlflow.start_run(
            run_name="CHILD_RUN", experiment_id=experiment_id, description="child", nested=True
        ) as child_run:
            mlflow.log_param("child", "yes")
    print("description: {}".format(parent_run.data.tags.get("mlflow.note.content")))
    print("version tag value: {}".format(parent_run.data.tags.get("version")))
    print("priority tag value: {}".format(parent_run.data.tags.get("priority")))
    assert capsys.readouterr().out == "description: parent\nversion tag value: v1\npriority tag value: P1\n"

    query = f"tags.mlflow.parentRunId = '{parent_run.info.run_id}'"
    results = mlflow.search_runs(experiment_ids=[experiment_id], filter_string=query)
    found = results[["run_id", "params.child", "tags.mlflow.runName"]].to_numpy().tolist()
    assert found == [[child_run.info.run_id, "yes", "CHILD_RUN"]]

    with mlflow.start_run(
        run_name="NEW_CHILD_RUN",
        experiment_id=experiment_id,
        description="new child",
        parent_run_id=parent_run.info.run_id,
    ) as child_run:
        mlflow.log_param("new-child", "yes")
    assert mlflow.get_parent_run(child_run.info.run_id).info.run_name == "PARENT_RUN"
    assert len(mlflow.search_runs([experiment_id], filter_string=query)) == 2


def test_run_starts_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    mlflow.start_run()
    run = mlflow.active_run()
    print(f"status: {run.info.status}")
    assert mlflow.last_active_run() is run
    mlflow.end_run()
    run = mlflow.get_run(run.info.run_id)
    print(f"status: {run.info.status}")
    print(f"Active run: {mlflow.active_run()}")
    assert capsys.readouterr().out == "status: RUNNING\nstatus: FINISHED\nActive run: None\n"


def test_last_active_run_has_what_was_logged() -> None:
    with mlflow.start_run():
        mlflow.log_param("p", 0)
        mlflow.log_metric("m", 1.5)
    run = mlflow.last_active_run()
    assert (run.data.params, run.data.metrics, run.info.status) == ({"p": "0"}, {"m": 1.5}, "FINISHED")


def test_name_and_experiment_that_the_server_gives_are_read() -> None:
    with mlflow.start_run() as run:
        assert run.info.experiment_id == "0"
        assert run.info.run_name == mlflow.get_run(run.info.run_id).info.run_name != ""
    assert mlflow.search_runs([run.info.experiment_id], filter_string=f"run_id = '{run.info.run_id}'").shape[0] == 1


def test_run_is_resumed_by_its_id() -> None:
    tags = {"engineering": "ML Platform", "engineering_remote": "ML Platform"}
    mlflow.set_experiment("resumed")
    with mlflow.start_run(run_name="first") as run:
        mlflow.set_tags(tags)
        mlflow.log_metric("loss", 1.0, step=0)
    mlflow.set_experiment("another one")
    with mlflow.start_run(run_id=run.info.run_id) as resumed:
        mlflow.delete_tag("engineering_remote")
        mlflow.log_metric("loss", 0.5, step=1)
        assert (resumed.info.run_name, resumed.info.experiment_id) == ("first", run.info.experiment_id)
    stored = mlflow.get_run(run.info.run_id)
    assert stored.data.tags["engineering"] == "ML Platform"
    assert "engineering_remote" not in stored.data.tags
    assert [point.value for point in MlflowClient().get_metric_history(run.info.run_id, "loss")] == [1.0, 0.5]


def test_param_is_given_back() -> None:
    with mlflow.start_run():
        value = mlflow.log_param("learning_rate", 0.01)
        assert value == 0.01
        value = mlflow.log_param("epochs", 3, synchronous=False)
        value.wait()
        assert mlflow.active_run().data.params == {"learning_rate": "0.01", "epochs": "3"}


def test_calls_that_are_not_to_wait_can_be_waited_for() -> None:
    with mlflow.start_run() as run:
        for operations in (
            mlflow.log_metric("mse", 2500.00, synchronous=False),
            mlflow.log_metrics({"mse": 2500.00, "rmse": 50.00}, synchronous=False),
            mlflow.log_params({"learning_rate": 0.01, "n_estimators": 10}, synchronous=False),
            mlflow.set_tag("release.version", "2.2.1", synchronous=False),
            mlflow.set_tags({"release.candidate": "RC1"}, synchronous=False),
        ):
            operations.wait()
        mlflow.flush_async_logging()
        mlflow.flush_artifact_async_logging()
        assert mlflow.log_metric("mse", 1.0, synchronous=True) is None
    stored = mlflow.get_run(run.info.run_id).data
    assert stored.metrics == {"mse": 1.0, "rmse": 50.0}
    assert stored.params == {"learning_rate": "0.01", "n_estimators": "10"}
    assert (stored.tags["release.version"], stored.tags["release.candidate"]) == ("2.2.1", "RC1")


def test_metrics_have_steps_and_timestamps() -> None:
    with mlflow.start_run() as run:
        for epoch in range(3):
            mlflow.log_metric(key="quality", value=2 * epoch, step=epoch)
        mlflow.log_metric("dated", np.float32(0.5), step=7, timestamp=1_700_000_000_000)
        mlflow.log_metrics({"odd": math.nan}, step=1, timestamp=1_700_000_000_001)
    history = MlflowClient().get_metric_history(run.info.run_id, "quality")
    assert [(point.step, point.value) for point in history] == [(0, 0), (1, 2), (2, 4)]
    assert dict(MlflowClient().get_metric_history(run.info.run_id, "dated")[0]) == {
        "key": "dated",
        "value": 0.5,
        "timestamp": 1_700_000_000_000,
        "step": 7,
        "model_id": None,
        "dataset_name": None,
        "dataset_digest": None,
    }


def test_calls_name_another_run_by_its_id() -> None:
    with mlflow.start_run() as other:
        pass
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1.0, run_id=other.info.run_id)
        mlflow.log_metrics({"n": 2.0}, run_id=other.info.run_id)
        mlflow.log_params({"p": "x"}, run_id=other.info.run_id)
        mlflow.log_text("hello", "note.txt", run_id=other.info.run_id)
        # What was logged before a read is there.
        stored = mlflow.get_run(other.info.run_id)
        assert (stored.data.metrics, stored.data.params) == ({"m": 1.0, "n": 2.0}, {"p": "x"})
        assert mlflow.artifacts.load_text(f"runs:/{other.info.run_id}/note.txt") == "hello"
        assert run.data.metrics == {}


def test_metrics_of_a_model_on_a_dataset() -> None:
    dataset = Dataset("holdout", "8f2c11d0", "local", "holdout.csv")
    with mlflow.start_run() as run:
        mlflow.log_metric("rmse", 0.5, step=1, model_id="m-1", dataset=dataset)
        mlflow.log_metrics({"mae": 0.25}, step=1, model_id="m-1", dataset=dataset)
        mlflow.log_metric("rmse", 0.75, step=2)
    [point] = MlflowClient().get_metric_history(run.info.run_id, "mae")
    assert (point.model_id, point.dataset_name, point.dataset_digest) == ("m-1", "holdout", dataset.digest)
    # The one without a model is what `metrics.rmse` means.
    assert mlflow.get_run(run.info.run_id).data.metrics == {"mae": 0.25, "rmse": 0.75}
    with pytest.raises(TypeError, match="dataset: must have a name and a digest, which a str does not"):
        mlflow.log_metric("rmse", 0.5, dataset="data.csv")
    mlflow.end_run()


def test_run_is_deleted_and_restored(capsys: pytest.CaptureFixture[str]) -> None:
    with mlflow.start_run() as run:
        mlflow.log_param("p", 0)
    run_id = run.info.run_id
    mlflow.delete_run(run_id)
    print(f"lifecycle_stage: {mlflow.get_run(run_id).info.lifecycle_stage}")
    mlflow.restore_run(run_id)
    print(f"lifecycle_stage: {mlflow.get_run(run_id).info.lifecycle_stage}")
    assert capsys.readouterr().out == "lifecycle_stage: deleted\nlifecycle_stage: active\n"


def test_second_run_must_be_nested() -> None:
    with mlflow.start_run(), pytest.raises(Exception, match=r"is active already.*nested=True"):
        mlflow.start_run()


def test_errors_are_caught_under_mlflows_name() -> None:
    mlflow.create_experiment("taken")
    try:
        mlflow.create_experiment("taken")
    except mlflow.exceptions.MlflowException as error:
        caught = error
    assert caught.error_code == "RESOURCE_ALREADY_EXISTS"
    assert "taken" in caught.message
    with pytest.raises(mlflow.MlflowException) as missing:
        mlflow.get_run("nobodys")
    assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(mlflow.MlflowException) as bad:
        mlflow.search_runs(["0"], filter_string="nonsense")
    assert bad.value.error_code == "INVALID_PARAMETER_VALUE"


def test_autolog_warns_and_the_script_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    mlflow.autolog(disable=True)
    assert not caplog.records
    mlflow.autolog(log_models=False, exclusive=True)
    [told] = caplog.records
    assert told.message.startswith("autolog: nothing is logged by itself")


def test_tracking_uri_is_known(online: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mlflow.is_tracking_uri_set()
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == online
    mlflow.set_registry_uri(f"grpc://{online}")
    with pytest.raises(mlflow.MlflowException, match="registry_uri: 'elsewhere:1': models are registered on"):
        mlflow.set_registry_uri("elsewhere:1")
    monkeypatch.setattr("trackwire.fluent.choices._tracking_uri", None)
    assert not mlflow.is_tracking_uri_set()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", online)
    assert mlflow.is_tracking_uri_set()


def test_doctor_tells_of_the_server_and_of_its_lack(
    online: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mlflow.doctor()
    assert "all is well" in (printed := capsys.readouterr().out)
    assert online in printed
    monkeypatch.setattr("trackwire.fluent.choices._tracking_uri", None)
    mlflow.doctor(mask_envs=True)
    assert "no server is named" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sklearn", "pyfunc", "trace"])
def test_what_is_left_out_says_so(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}': it "):
        getattr(mlflow, name)
    assert not hasattr(mlflow, "no_such_name")
