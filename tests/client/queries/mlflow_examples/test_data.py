"""MLflow's examples of datasets."""

import numpy as np
import pandas as pd
import pytest

import trackwire as mlflow
from trackwire.client import Client

pytestmark = pytest.mark.usefixtures("online")

ARRAY = np.asarray([[1, 2, 3], [4, 5, 6], [7, 8, 9]])


def inputs_of(run_id: str) -> list[tuple[str, str, str, dict[str, str]]]:
    return [
        (
            each.dataset.name,
            each.dataset.digest,
            each.dataset.source,
            {tag.key: tag.value for tag in each.tags},
        )
        for each in mlflow.get_run(run_id).inputs.dataset_inputs
    ]


def test_dataset_of_a_training() -> None:
    dataset = mlflow.data.from_numpy(ARRAY, source="data.csv")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training")
        mlflow.log_input(dataset, context="training")
    expected = ("dataset", dataset.digest, "data.csv", {"mlflow.data.context": "training"})
    assert inputs_of(run.info.run_id) == [expected]


def test_several_datasets_with_contexts_and_tags() -> None:
    dataset = mlflow.data.from_numpy(ARRAY, source="data.csv", name="first")
    dataset2 = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), name="second", targets="y")
    with mlflow.start_run() as run:
        mlflow.log_inputs(
            [dataset, dataset2],
            contexts=["training", "test"],
            tags_list=[None, {"my_tag": "tag_value"}],
            models=None,
        )
        mlflow.log_input(dataset, context="validation")
    first, again, second = sorted(inputs_of(run.info.run_id), key=lambda each: (each[0], str(each[3])))
    assert (first[3], again[3]) == ({"mlflow.data.context": "training"}, {"mlflow.data.context": "validation"})
    assert second == ("second", dataset2.digest, "", {"my_tag": "tag_value", "mlflow.data.context": "test"})
    as_dict = mlflow.get_run(run.info.run_id).to_dictionary()
    assert len(as_dict["inputs"]["dataset_inputs"]) == 3


def test_inputs_by_the_client() -> None:
    client = mlflow.MlflowClient()
    run_id = client.create_run("0").info.run_id
    dataset = mlflow.entities.Dataset(name="first", digest="abc", source_type="local", source="data.csv")
    tags = [mlflow.entities.InputTag("mlflow.data.context", "training")]
    client.log_inputs(run_id, datasets=[mlflow.entities.DatasetInput(dataset, tags)])
    client.log_inputs(run_id)
    assert client.get_run(run_id).inputs.dataset_inputs == [mlflow.entities.DatasetInput(dataset, tags)]


def test_digest_is_that_of_the_data() -> None:
    digests = {
        mlflow.data.from_numpy(ARRAY).digest,
        mlflow.data.from_numpy(ARRAY.T.copy()).digest,
        mlflow.data.from_numpy(ARRAY.astype(np.float32)).digest,
        mlflow.data.from_numpy(ARRAY, targets=ARRAY[:, 0]).digest,
        mlflow.data.from_numpy({"a": ARRAY, "b": ARRAY}).digest,
        mlflow.data.from_numpy(np.array([{"a": 1}], dtype=object)).digest,
        mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2]})).digest,
        mlflow.data.from_pandas(pd.DataFrame({"x": [2, 1]})).digest,
        mlflow.data.from_pandas(pd.DataFrame({"y": [1, 2]})).digest,
        mlflow.data.from_pandas(pd.DataFrame({"x": [[1], [2]]})).digest,
    }
    assert len(digests) == 10
    assert mlflow.data.from_numpy(ARRAY).digest == mlflow.data.from_numpy(ARRAY.copy()).digest
    assert mlflow.data.from_numpy(ARRAY, digest="mine").digest == "mine"


def test_source_says_what_it_is() -> None:
    def source(of: str | None) -> tuple[str, str]:
        dataset = mlflow.data.from_numpy(ARRAY, source=of)
        return dataset.source_type, dataset.source

    assert source("https://example.com/a.csv") == ("https", "https://example.com/a.csv")
    assert source("file:///a.csv") == ("local", "file:///a.csv")
    assert source("a.csv") == ("local", "a.csv")
    assert source(None) == ("unknown", "")


def test_wrong_inputs_are_told_at_the_call() -> None:
    dataset = mlflow.data.from_numpy(ARRAY)
    with pytest.raises(TypeError, match=r"dataset: must be one of trackwire\.data, not a str"):
        mlflow.log_input("data.csv")
    with pytest.raises(mlflow.MlflowException, match="1 datasets, 2 contexts and 1 sets of tags"):
        mlflow.log_inputs([dataset], contexts=["a", "b"])
    with pytest.raises(mlflow.MlflowException, match="models are not kept"):
        mlflow.log_input(dataset, model=object())
    with pytest.raises(TypeError, match=r"features: must be a numpy\.ndarray, not list"):
        mlflow.data.from_numpy([1, 2])
    with pytest.raises(TypeError, match=r"df: must be a pandas\.DataFrame"):
        mlflow.data.from_pandas(ARRAY)
    with pytest.raises(ValueError, match="targets: 'z': must be a column of df, which has x"):
        mlflow.data.from_pandas(pd.DataFrame({"x": [1]}), targets="z")
    assert mlflow.active_run() is None


def test_tag_that_only_looks_like_an_input_is_a_tag(client: Client) -> None:
    tags = {"trackwire.input.a": "no JSON", "trackwire.input.b": "[]", "trackwire.input.c": '{"dataset": {}}'}
    run_id = client.create_run(tags=tags).run_id
    assert inputs_of(run_id) == []
