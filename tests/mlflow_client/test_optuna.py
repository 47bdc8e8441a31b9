"""Optuna logs its trials as runs by its MLflowCallback."""

import mlflow
import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna_integration import MLflowCallback

# Optuna says of its callback that it is experimental, and that it goes with version 6.
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore:MLflowCallback has")


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


def runs_of(client: MlflowClient, experiment_name: str) -> list[Run]:
    found = client.get_experiment_by_name(experiment_name)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["start_time ASC", "run_name ASC"]))


def test_each_trial_is_a_run(uri: str, client: MlflowClient, model_name: str) -> None:
    callback = MLflowCallback(tracking_uri=uri, metric_name="score")
    study = optuna.create_study(study_name=model_name, direction="maximize", sampler=optuna.samplers.RandomSampler(0))

    def objective(trial: optuna.Trial) -> float:
        depth = trial.suggest_int("depth", 1, 5)
        kind = trial.suggest_categorical("kind", ["a", "b"])
        trial.set_user_attr("note", f"of depth {depth}")
        if trial.number == 3:
            raise optuna.TrialPruned
        return depth * trial.suggest_float("rate", 0, 1) + (kind == "b")

    study.optimize(objective, n_trials=5, callbacks=[callback])

    runs = runs_of(client, model_name)
    assert [run.info.run_name for run in runs] == ["0", "1", "2", "3", "4"]
    for run, trial in zip(runs, study.trials, strict=True):
        assert run.info.status == "FINISHED"
        assert run.data.params == {key: str(value) for key, value in trial.params.items()}
        assert run.data.metrics == ({} if trial.value is None else {"score": pytest.approx(trial.value)})
        assert run.data.tags["note"] == f"of depth {trial.params['depth']}"
        assert run.data.tags["direction"] == "MAXIMIZE"
        assert run.data.tags["state"].endswith(trial.state.name)
    best = client.search_runs([runs[0].info.experiment_id], order_by=["metrics.score DESC"], max_results=1)[0]
    assert best.info.run_name == str(study.best_trial.number)


def test_trials_are_nested_and_log_by_themselves(uri: str, client: MlflowClient, experiment_id: str) -> None:
    callback = MLflowCallback(
        tracking_uri=uri,
        metric_name=["loss", "size"],
        create_experiment=False,
        mlflow_kwargs={"nested": True, "experiment_id": experiment_id},
    )
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=optuna.samplers.RandomSampler(0))

    @callback.track_in_mlflow()
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
        for step in range(3):
            mlflow.log_metric("progress", rate / (step + 1), step=step)
        mlflow.log_text(f"trial {trial.number}", "notes/trial.txt")
        return rate, rate * 2

    with mlflow.start_run(run_name="study") as parent:
        study.optimize(objective, n_trials=3, callbacks=[callback])

    children = client.search_runs(
        [experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", order_by=["start_time ASC"]
    )
    assert [run.info.run_name for run in children] == ["0", "1", "2"]
    for run, trial in zip(children, study.trials, strict=True):
        assert trial.values == pytest.approx([run.data.metrics["loss"], run.data.metrics["size"]])
        history = client.get_metric_history(run.info.run_id, "progress")
        assert [point.value for point in history] == pytest.approx([trial.params["rate"] / n for n in (1, 2, 3)])
        assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/trial.txt") == f"trial {trial.number}"
