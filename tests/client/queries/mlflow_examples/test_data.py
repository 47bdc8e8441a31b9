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
        # As with MLflow, what a dataset was first given for stays.
        mlflow.log_input(dataset, context="validation")
    first, second = inputs_of(run.info.run_id)
    assert first == ("first", dataset.digest, "data.csv", {"mlflow.data.context": "training"})
    assert second == ("second", dataset2.digest, "", {"my_tag": "tag_value", "mlflow.data.context": "test"})
    found = mlflow.get_run(run.info.run_id)
    assert len(found.to_dictionary()["inputs"]["dataset_inputs"]) == 2
    assert not any("input" in key for key in found.data.tags)
    assert found.inputs.dataset_inputs[0].dataset.profile == dataset.profile
    [searched] = mlflow.search_runs(filter_string="dataset.name = 'second'", output_format="list")
    assert [each.dataset.name for each in searched.inputs.dataset_inputs] == ["first", "second"]
    assert searched.inputs.dataset_inputs[0].dataset.profile is None


def test_models_that_a_run_was_given_and_has_made() -> None:
    with mlflow.start_run() as run:
        mlflow.log_input(model=mlflow.entities.LoggedModelInput("m-1"))
        mlflow.log_inputs(models=[None, mlflow.entities.LoggedModelInput("m-2")])
    run_id = run.info.run_id
    client = mlflow.MlflowClient()
    client.log_inputs(run_id, models=[mlflow.entities.LoggedModelInput("m-3")])
    client.log_outputs(run_id, models=[mlflow.entities.LoggedModelOutput("m-4", step=2)])
    client.log_outputs(run_id, models=[])
    found = mlflow.get_run(run_id)
    assert [each.model_id for each in found.inputs.model_inputs] == ["m-1", "m-2", "m-3"]
    assert found.outputs.model_outputs == [mlflow.entities.LoggedModelOutput("m-4", 2)]
    assert found.to_dictionary()["outputs"] == {"model_outputs": [{"model_id": "m-4", "step": 2}]}


def test_inputs_by_the_client() -> None:
    client = mlflow.MlflowClient()
    run_id = client.create_run("0").info.run_id
    dataset = mlflow.entities.Dataset(
        name="first", digest="abc", source_type="local", source="data.csv", schema='{"x": "long"}'
    )
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
    with pytest.raises(TypeError, match="model: must have a model_id, which a object does not"):
        mlflow.log_input(dataset, model=object())
    for said, error in (
        ({"name": "n" * 501}, r"dataset\.name: .* has 501 characters, at most 500"),
        ({"digest": "d" * 37}, r"dataset\.digest: .* has 37 characters, at most 36"),
        ({"source": "s" * 65_536}, r"dataset\.source: .* at most 65,535"),
    ):
        with pytest.raises(mlflow.MlflowException, match=error):
            mlflow.log_input(mlflow.data.from_numpy(ARRAY, **said))
    with pytest.raises(mlflow.MlflowException, match=r"tags\['k'\]: .* has 501 characters, at most 500"):
        mlflow.log_input(dataset, tags={"k": "v" * 501})
    with pytest.raises(mlflow.MlflowException, match=r"tags: .* has 256 characters, at most 255"):
        mlflow.log_input(dataset, tags={"k" * 256: "v"})
    with pytest.raises(mlflow.MlflowException, match=r"model\.model_id: '': is required"):
        mlflow.log_input(model=mlflow.entities.LoggedModelInput(""))
    with pytest.raises(TypeError, match=r"features: must be a numpy\.ndarray, not list"):
        mlflow.data.from_numpy([1, 2])
    with pytest.raises(TypeError, match=r"df: must be a pandas\.DataFrame"):
        mlflow.data.from_pandas(ARRAY)
    with pytest.raises(ValueError, match="targets: 'z': must be a column of df, which has x"):
        mlflow.data.from_pandas(pd.DataFrame({"x": [1]}), targets="z")
    assert mlflow.active_run() is None


def test_tag_is_no_input(client: Client) -> None:
    run_id = client.create_run(tags={"trackwire.input.a": '{"dataset": {"name": "n", "digest": "d"}}'}).run_id
    assert inputs_of(run_id) == []
