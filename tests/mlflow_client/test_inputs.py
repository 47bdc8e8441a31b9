"""What runs were given and have made: datasets and models."""

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput
from mlflow.exceptions import MlflowException


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


def dataset_input(name: str, digest: str, context: str | None = None) -> DatasetInput:
    tags = [InputTag("mlflow.data.context", context)] if context else []
    return DatasetInput(Dataset(name, digest, "local", "/data", "columns", "rows"), tags)


# MLflow knows the source of a local file twice over, and asks pandas as of old.
@pytest.mark.filterwarnings(
    "ignore:The specified dataset source can be interpreted", "ignore:Starting with pandas version"
)
@pytest.mark.usefixtures("experiment_id")
def test_logged_datasets_come_back_with_their_run() -> None:
    train = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2]}), source="train.csv", name="train", targets="x")
    test = mlflow.data.from_numpy(np.arange(4), source="test.npy", name="test")
    with mlflow.start_run() as run:
        mlflow.log_input(train, context="training", tags={"fold": "1"})
        mlflow.log_inputs([test], contexts=["testing"], tags_list=[None])
        mlflow.log_input(test, context="testing")
    first, second = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert first.dataset.to_dictionary() == train.to_dict()
    assert {tag.key: tag.value for tag in first.tags} == {"mlflow.data.context": "training", "fold": "1"}
    assert (second.dataset.name, second.dataset.digest) == ("test", test.digest)
    loaded = mlflow.data.get_source(first)
    assert loaded.to_dict() == train.source.to_dict()


def test_models_are_inputs_and_outputs(client: MlflowClient, run_id: str) -> None:
    client.log_inputs(run_id, models=[LoggedModelInput("m-in")])
    client.log_outputs(run_id, [LoggedModelOutput("m-out", 3), LoggedModelOutput("m-other", 0)])
    client.log_outputs(run_id, [LoggedModelOutput("m-out", 3)])
    run = client.get_run(run_id)
    assert [model.model_id for model in run.inputs.model_inputs] == ["m-in"]
    assert [(model.model_id, model.step) for model in run.outputs.model_outputs] == [("m-out", 3), ("m-other", 0)]


def test_runs_are_searched_by_their_datasets(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    client.create_run(experiment_id)
    client.log_inputs(run_id, [dataset_input("train", "d1", "training")])
    for text in ("dataset.name = 'train'", "datasets.digest LIKE 'd%'", "dataset.context = 'training'"):
        (found,) = client.search_runs([experiment_id], text)
        assert (found.info.run_id, found.inputs.dataset_inputs[0].dataset.name) == (run_id, "train")
    assert list(client.search_runs([experiment_id], "dataset.name = 'test'")) == []


# MLflow's client over HTTP never asks for them.
@pytest.mark.parametrize("scheme", ["grpc"])
def test_datasets_of_experiments_are_listed(client: MlflowClient, uri: str, experiment_id: str, run_id: str) -> None:
    client.log_inputs(run_id, [dataset_input("train", "d1", "training"), dataset_input("all", "d2")])
    client.log_inputs(client.create_run(experiment_id).info.run_id, [dataset_input("train", "d1", "training")])
    store = mlflow.tracking._tracking_service.utils._get_store(uri)
    found = [
        (each.experiment_id, each.name, each.digest, each.context) for each in store._search_datasets([experiment_id])
    ]
    assert found == [(experiment_id, "all", "d2", None), (experiment_id, "train", "d1", "training")]


def test_bad_inputs_are_told(client: MlflowClient, run_id: str) -> None:
    with pytest.raises(MlflowException, match="digest") as told:
        client.log_inputs(run_id, [dataset_input("train", "d" * 37)])
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException) as told:
        client.log_inputs("0" * 32, [dataset_input("train", "d1")])
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert client.get_run(run_id).inputs.dataset_inputs == []
