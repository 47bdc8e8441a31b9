"""Logged models, and what is logged, registered and loaded as one."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


# Types in MLflow's own code, and in ours, say less than it wants, once it is imported.
quiet = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def doubler() -> Any:
    """A model of Python code, which travels with its class."""

    class Doubler(mlflow.pyfunc.PythonModel):
        def predict(self, model_input: list[int]) -> list[int]:
            return [2 * each for each in model_input]

    return Doubler()


@pytest.fixture
def model_id(client: MlflowClient, experiment_id: str) -> str:
    return client.create_logged_model(experiment_id, "mine").model_id


def test_model_goes_through_its_life(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    made = client.create_logged_model(
        experiment_id, "digits", run_id, tags={"team": "red"}, params={"depth": "3"}, model_type="agent"
    )
    assert made.model_id.startswith("m-")
    assert (made.name, made.model_type, made.source_run_id) == ("digits", "agent", run_id)
    assert (made.status, made.tags, made.params, made.metrics) == (
        LoggedModelStatus.PENDING,
        {"team": "red"},
        {"depth": "3"},
        [],
    )
    finalized = client.finalize_logged_model(made.model_id, "READY")
    assert finalized.status == LoggedModelStatus.READY
    client.set_logged_model_tags(made.model_id, {"team": "blue", "more": 1})
    client.delete_logged_model_tag(made.model_id, "more")
    client.log_model_params(made.model_id, {"width": "4"})
    found = client.get_logged_model(made.model_id)
    assert (found.tags, found.params) == ({"team": "blue"}, {"depth": "3", "width": "4"})
    assert found.last_updated_timestamp >= found.creation_timestamp == made.creation_timestamp > 0
    client.delete_logged_model(made.model_id)
    with pytest.raises(MlflowException) as told:
        client.get_logged_model(made.model_id)
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_name_and_type_may_be_left_out(client: MlflowClient, experiment_id: str) -> None:
    made = client.create_logged_model(experiment_id)
    assert made.name
    assert not made.model_type
    assert client.finalize_logged_model(made.model_id, LoggedModelStatus.FAILED).status == LoggedModelStatus.FAILED


def test_many_params_are_all_kept(client: MlflowClient, experiment_id: str) -> None:
    params = {f"p{number:04}": str(number) for number in range(1_500)}
    made = client.create_logged_model(experiment_id, params=params)
    assert made.params == params
    assert client.get_logged_model(made.model_id).params == params


def test_param_never_changes(client: MlflowClient, model_id: str) -> None:
    client.log_model_params(model_id, {"depth": "3"})
    client.log_model_params(model_id, {"depth": "3"})
    with pytest.raises(MlflowException, match="depth") as told:
        client.log_model_params(model_id, {"depth": "4"})
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_missing_tag_is_told(client: MlflowClient, model_id: str) -> None:
    with pytest.raises(MlflowException) as told:
        client.delete_logged_model_tag(model_id, "none")
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_metrics_of_a_model_come_back_with_it(client: MlflowClient, model_id: str, run_id: str) -> None:
    client.log_metric(run_id, "acc", 0.5, step=1, timestamp=1_000, model_id=model_id)
    client.log_metric(
        run_id, "acc", 0.75, step=2, timestamp=2_000, model_id=model_id, dataset_name="test", dataset_digest="d1"
    )
    metrics = client.get_logged_model(model_id).metrics
    assert metrics is not None
    assert [(each.key, each.value, each.step, each.dataset_name, each.run_id) for each in metrics] == [
        ("acc", 0.5, 1, None, run_id),
        ("acc", 0.75, 2, "test", run_id),
    ]
    assert {each.model_id for each in metrics} == {model_id}


def test_searches_filter_order_and_page(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    for number, name in enumerate(("ada", "bob", "cid")):
        made = client.create_logged_model(experiment_id, name, tags={"team": name} if number else None)
        for digest in ("d1", "d2"):
            value = number if digest == "d1" else -number
            client.log_metric(run_id, "acc", value, model_id=made.model_id, dataset_name="test", dataset_digest=digest)

    def found(filter_string: str | None = None, **options: object) -> list[str]:
        options.setdefault("order_by", [{"field_name": "name"}])
        return [model.name for model in client.search_logged_models([experiment_id], filter_string, **options)]

    assert found() == ["ada", "bob", "cid"]
    assert found(order_by=[{"field_name": "creation_timestamp", "ascending": False}]) == ["cid", "bob", "ada"]
    assert found("name LIKE '%d%'") == ["ada", "cid"]
    assert found("tags.team = 'bob'") == ["bob"]
    assert found("tags.team != 'bob'") == ["cid"]
    assert found("metrics.acc >= 1") == ["bob", "cid"]
    test = [{"dataset_name": "test", "dataset_digest": "d2"}]
    assert found("metrics.acc >= 1", datasets=test) == []
    assert found("metrics.acc <= -1", datasets=test) == ["bob", "cid"]
    for digest, expected in (("d1", ["ada", "bob", "cid"]), ("d2", ["cid", "bob", "ada"])):
        term = {"field_name": "metrics.acc", "dataset_name": "test", "dataset_digest": digest}
        assert found(order_by=[term]) == expected
    page = client.search_logged_models([experiment_id], max_results=2, order_by=[{"field_name": "name"}])
    rest = client.search_logged_models(
        [experiment_id], max_results=2, order_by=[{"field_name": "name"}], page_token=page.token
    )
    assert [model.name for model in [*page, *rest]] == ["ada", "bob", "cid"]
    assert not rest.token


def test_files_of_a_model(client: MlflowClient, model_id: str, tmp_path: Path) -> None:
    for name in ("a.txt", "sub/b.txt"):
        file = tmp_path / "out" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    client.log_model_artifacts(model_id, str(tmp_path / "out"))
    client.log_model_artifact(model_id, str(tmp_path / "out" / "sub" / "b.txt"))
    assert [entry.path for entry in client.list_logged_model_artifacts(model_id)] == ["a.txt", "b.txt", "sub"]
    assert [entry.path for entry in client.list_logged_model_artifacts(model_id, "sub")] == ["sub/b.txt"]
    client.finalize_logged_model(model_id, "READY")
    there = mlflow.artifacts.download_artifacts(f"models:/{model_id}", dst_path=str(tmp_path / "in"))
    assert Path(there, "sub", "b.txt").read_text() == "sub/b.txt"
    location = client.get_logged_model(model_id).artifact_location
    repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(location)
    repository.delete_artifacts("sub")
    assert [entry.path for entry in client.list_logged_model_artifacts(model_id)] == ["a.txt", "b.txt"]


@quiet
def test_model_is_logged_registered_and_loaded(
    client: MlflowClient, scheme: str, experiment_id: str, model_name: str, doubler: Any
) -> None:
    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model(name="doubler", python_model=doubler, pip_requirements=[], params={"factor": 2})
        mlflow.log_metric("acc", 1.0, model_id=info.model_id)
    logged = client.get_logged_model(info.model_id)
    assert (logged.status, logged.source_run_id) == (LoggedModelStatus.READY, run.info.run_id)
    assert logged.params == {"factor": "2"}
    assert [model.model_id for model in client.get_run(run.info.run_id).outputs.model_outputs] == [info.model_id]
    assert mlflow.last_logged_model().model_id == info.model_id
    assert mlflow.pyfunc.load_model(info.model_uri).predict([1, 2]) == [2, 4]
    assert mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/doubler").predict([3]) == [6]

    version = mlflow.register_model(f"models:/{info.model_id}", model_name)
    # MLflow's client over HTTP does not read the model's id from the answer.
    model_id = info.model_id if scheme == "grpc" else None
    assert (version.version, version.model_id, version.run_id) == ("1", model_id, run.info.run_id)
    assert mlflow.pyfunc.load_model(f"models:/{model_name}/1").predict([4]) == [8]
    copy = client.copy_model_version(f"models:/{model_name}/1", f"{model_name}-copy")
    assert (copy.model_id, copy.run_id) == (model_id, run.info.run_id)
    assert mlflow.pyfunc.load_model(f"models:/{model_name}-copy/1").predict([5]) == [10]
    assert model_name in client.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    assert [found.model_id for found in mlflow.search_logged_models([experiment_id], output_format="list")] == [
        info.model_id
    ]


@quiet
@pytest.mark.usefixtures("experiment_id")
def test_model_is_registered_as_it_is_logged(client: MlflowClient, model_name: str, doubler: Any) -> None:
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name="doubler", python_model=doubler, pip_requirements=[], registered_model_name=model_name
        )
    assert model_name in client.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    assert mlflow.pyfunc.load_model(f"models:/{model_name}/latest").predict([1]) == [2]


@quiet
def test_models_of_older_clients_are_noted_in_a_tag(client: MlflowClient, run_id: str) -> None:
    for path in ("first", "second"):
        client._record_logged_model(run_id, Model(artifact_path=path, run_id=run_id, flavors={"python_function": {}}))
    noted = client.get_run(run_id).data.tags["mlflow.log-model.history"]
    assert [model["artifact_path"] for model in json.loads(noted)] == ["first", "second"]


@pytest.mark.parametrize("tag", ['{"artifact_path": "m"}', "mine"])
def test_what_somebody_put_in_the_place_of_the_list_of_models_is_kept(
    client: MlflowClient, run_id: str, tag: str
) -> None:
    client.set_tag(run_id, "mlflow.log-model.history", tag)
    with pytest.raises(MlflowException, match="is no list of models: delete it first") as told:
        client._record_logged_model(run_id, Model("m", run_id))
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.get_run(run_id).data.tags["mlflow.log-model.history"] == tag
    client.delete_tag(run_id, "mlflow.log-model.history")
    client._record_logged_model(run_id, Model("m", run_id))
    client._record_logged_model(run_id, Model("n", run_id))
    noted = json.loads(client.get_run(run_id).data.tags["mlflow.log-model.history"])
    assert [model["artifact_path"] for model in noted] == ["m", "n"]
