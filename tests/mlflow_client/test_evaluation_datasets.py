"""Evaluation datasets by MLflow's own functions and entities."""

import json
import math
import os

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import DatasetRecordSource, DatasetRecordSourceType
from mlflow.exceptions import MlflowException
from mlflow.genai import datasets
from mlflow.genai.datasets import EvaluationDataset
from mlflow.tracking._tracking_service.utils import _get_store


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
def name() -> str:
    """That no dataset has."""
    return f"questions {os.urandom(4).hex()}"


@pytest.fixture
def dataset(experiment_id: str, name: str) -> EvaluationDataset:
    """Empty, in an experiment of the test's own."""
    return datasets.create_dataset(name, experiment_id, {"team": "red"})


RECORDS = [
    {"inputs": {"q": "one"}, "expectations": {"answer": 1}, "tags": {"level": "easy"}},
    {"inputs": {"q": "two"}},
]


def test_dataset_goes_through_its_life(dataset: EvaluationDataset, experiment_id: str, name: str) -> None:
    assert dataset.dataset_id.startswith("d-")
    assert (dataset.name, dataset.experiment_ids, dataset.tags["team"]) == (name, [experiment_id], "red")
    # MLflow's client adds the user.
    assert dataset.created_by == dataset.tags["mlflow.user"] == dataset.last_updated_by
    assert (dataset.schema, dataset.profile) == (None, None)
    assert dataset.to_df().empty
    datasets.set_dataset_tags(dataset.dataset_id, {"team": "blue", "left": None, "n": 1})
    datasets.delete_dataset_tag(dataset.dataset_id, "mlflow.user")
    datasets.delete_dataset_tag(dataset.dataset_id, "mlflow.user")
    for found in (datasets.get_dataset(dataset_id=dataset.dataset_id), datasets.get_dataset(name=name)):
        assert (found.tags, found.digest) == ({"team": "blue", "n": "1"}, dataset.digest)
        assert found.last_update_time == found.created_time == dataset.created_time > 0
    datasets.delete_dataset(dataset_id=dataset.dataset_id)
    datasets.delete_dataset(dataset_id=dataset.dataset_id)
    with pytest.raises(MlflowException) as told:
        datasets.get_dataset(dataset_id=dataset.dataset_id)
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_records_are_merged_and_come_back_as_a_frame(dataset: EvaluationDataset) -> None:
    dataset.merge_records(RECORDS)
    dataset.merge_records([{"inputs": {"q": "one"}, "expectations": {"why": "so"}, "outputs": "1"}])
    frame = dataset.to_df()
    assert list(frame["inputs"]) == [{"q": "one"}, {"q": "two"}]
    assert list(frame["expectations"]) == [{"answer": 1, "why": "so"}, None]
    assert list(frame["outputs"]) == ["1", {}]
    assert frame["tags"][0]["level"] == "easy"
    # What MLflow's client concludes of records that don't say it.
    assert list(frame["source_type"]) == ["HUMAN", "CODE"]
    assert all(record_id.startswith("dr-") for record_id in frame["dataset_record_id"])
    found = datasets.get_dataset(dataset_id=dataset.dataset_id)
    assert json.loads(found.profile) == {"num_records": 2}
    assert json.loads(found.schema) == {
        "inputs": {"q": "string"},
        "outputs": "string",
        "expectations": {"answer": "integer", "why": "string"},
        "version": "1.0",
    }
    assert found.digest != dataset.digest
    assert found.last_update_time > found.created_time


def test_values_come_back_as_they_were_given(dataset: EvaluationDataset) -> None:
    inputs = {"größe": [1, 2.5, True, None, {"a": []}], "big": 10**30, "inf": math.inf, "half": "\ud800"}
    source = {"source_type": "DOCUMENT", "source_data": {"source_id": "page 3", "n": [1]}}
    dataset.merge_records([{"inputs": inputs, "outputs": [], "source": source, "tags": {"n": 1}}])
    [record] = _get_store()._load_dataset_records(dataset.dataset_id)[0]
    assert record.inputs == inputs
    assert (record.outputs, record.tags["n"], record.expectations) == ([], 1, None)
    assert record.source == DatasetRecordSource(DatasetRecordSourceType.DOCUMENT, source["source_data"])
    assert (record.source_id, record.source_type) == ("page 3", "DOCUMENT")
    assert record.created_by == record.last_updated_by == dataset.created_by
    assert record.dataset_id == dataset.dataset_id
    assert record.created_time == record.last_update_time > 0


def test_frames_are_merged(dataset: EvaluationDataset) -> None:
    dataset.merge_records(pd.DataFrame({"inputs": [{"q": at} for at in range(3)], "expectations": [{"a": 1}] * 3}))
    assert len(dataset.to_df()) == 3


def test_records_are_deleted_by_id(dataset: EvaluationDataset) -> None:
    dataset.merge_records(RECORDS)
    first, second = dataset.to_df()["dataset_record_id"]
    assert dataset.delete_records([first, "dr-none"]) == 1
    assert dataset.delete_records([first]) == 0
    assert dataset.delete_records([]) == 0
    assert list(dataset.to_df()["dataset_record_id"]) == [second]


def test_many_records_are_merged_at_once_and_read_in_pages(dataset: EvaluationDataset) -> None:
    store = _get_store()
    records = [{"inputs": {"q": at}} for at in range(12_345)]
    assert store.upsert_dataset_records(dataset.dataset_id, records) == {"inserted": 12_345, "updated": 0}
    assert store.upsert_dataset_records(dataset.dataset_id, records[:3]) == {"inserted": 0, "updated": 3}
    assert store.upsert_dataset_records(dataset.dataset_id, []) == {"inserted": 0, "updated": 0}
    found, token = store._load_dataset_records(dataset.dataset_id)
    assert ([record.inputs["q"] for record in found], token) == (list(range(12_345)), None)
    first, token = store._load_dataset_records(dataset.dataset_id, max_results=2)
    rest, _ = store._load_dataset_records(dataset.dataset_id, max_results=2, page_token=token)
    assert [record.inputs["q"] for record in [*first, *rest]] == [0, 1, 2, 3]


def test_many_large_records_are_taken(dataset: EvaluationDataset, scheme: str) -> None:
    store = _get_store()
    # By HTTP one request brings them all, and 32 MiB are the most that it may have.
    count = 14 if scheme == "grpc" else 6
    records = [{"inputs": {"q": at}, "outputs": "x" * 3_000_000} for at in range(count)]
    assert store.upsert_dataset_records(dataset.dataset_id, records) == {"inserted": count, "updated": 0}
    found, _ = store._load_dataset_records(dataset.dataset_id)
    assert [(record.inputs["q"], len(record.outputs)) for record in found] == [(at, 3_000_000) for at in range(count)]


def test_dataset_is_logged_as_an_input_of_a_run(client: MlflowClient, dataset: EvaluationDataset, run_id: str) -> None:
    with mlflow.start_run(run_id):
        mlflow.log_input(dataset, context="evaluation")
    [given] = client.get_run(run_id).inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == (dataset.name, dataset.digest)
    assert json.loads(given.dataset.source) == {"dataset_id": dataset.dataset_id}


def test_experiments_come_and_go(client: MlflowClient, dataset: EvaluationDataset, experiment_id: str) -> None:
    other = client.create_experiment(f"other {os.urandom(4).hex()}")
    added = datasets.add_dataset_to_experiments(dataset.dataset_id, [other, experiment_id])
    assert added.experiment_ids == [experiment_id, other]
    left = datasets.remove_dataset_from_experiments(dataset.dataset_id, [experiment_id])
    assert left.experiment_ids == [other]
    assert client.remove_dataset_from_experiments(dataset.dataset_id, [other]).experiment_ids == []
    assert datasets.get_dataset(dataset_id=dataset.dataset_id).experiment_ids == []
    assert client.add_dataset_to_experiments(dataset.dataset_id, [other]).experiment_ids == [other]
    with pytest.raises(MlflowException) as told:
        client.add_dataset_to_experiments(dataset.dataset_id, ["999999"])
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_searches_filter_order_and_page(client: MlflowClient, experiment_id: str) -> None:
    for name, tags in (("ada", {"team": "red"}), ("bob", {"team": "blue"}), ("cid", {})):
        client.create_dataset(name, experiment_id, tags)

    def found(filter_string: str | None = None, **options: object) -> list[str]:
        options.setdefault("order_by", ["name ASC"])
        return [each.name for each in datasets.search_datasets(experiment_id, filter_string, **options)]

    assert found() == ["ada", "bob", "cid"]
    assert found(order_by=None) == ["cid", "bob", "ada"]
    assert found(order_by=["last_update_time"], max_results=2) == ["ada", "bob"]
    assert found("name LIKE '%b%'") == ["bob"]
    assert found("name IN ('ada', 'cid')") == ["ada", "cid"]
    assert found("tags.team = 'red'") == ["ada"]
    assert found("tags.team != 'red'") == ["bob"]
    assert found("created_time > 9999999999999") == []
    assert found("created_by = 'nobody'") == []
    page = client.search_datasets([experiment_id], max_results=2, order_by=["name"])
    rest = client.search_datasets([experiment_id], max_results=2, order_by=["name"], page_token=page.token)
    assert [each.name for each in [*page, *rest]] == ["ada", "bob", "cid"]
    assert not rest.token
    with pytest.raises(MlflowException) as told:
        client.search_datasets(filter_string="colour = 'red'")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_what_is_wrong_is_told(client: MlflowClient, dataset: EvaluationDataset) -> None:
    store = _get_store()
    for call, code, words in (
        (lambda: client.create_dataset(""), "INVALID_PARAMETER_VALUE", "name"),
        (lambda: client.create_dataset("n" * 501), "INVALID_PARAMETER_VALUE", "501"),
        (lambda: client.create_dataset("n", ["999999"]), "RESOURCE_DOES_NOT_EXIST", "999999"),
        (lambda: client.set_dataset_tags("d-none", {"a": "b"}), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (lambda: client.set_dataset_tags("d-none", {}), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (lambda: store.upsert_dataset_records("d-none", RECORDS), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (lambda: store.upsert_dataset_records("d-none", []), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (lambda: store.delete_dataset_records("d-none", ["dr-1"]), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (lambda: store.get_dataset_experiment_ids("d-none"), "RESOURCE_DOES_NOT_EXIST", "d-none"),
        (
            lambda: store.upsert_dataset_records(dataset.dataset_id, [{"inputs": {}}, {"inputs": "text"}]),
            "INVALID_PARAMETER_VALUE",
            "records[1].inputs",
        ),
        (
            lambda: store.upsert_dataset_records(dataset.dataset_id, [{"inputs": {"q": "x" * 5_000_000}}]),
            "INVALID_PARAMETER_VALUE",
            "4,194,304",
        ),
        # Over gRPC in two requests.
        (
            lambda: store.upsert_dataset_records(dataset.dataset_id, [{"inputs": {"q": 1}}] * 10_001 + [{"inputs": 1}]),
            "INVALID_PARAMETER_VALUE",
            "records[10001].inputs",
        ),
    ):
        with pytest.raises(MlflowException) as told:
            call()
        assert told.value.error_code == code
        assert words in told.value.message
