"""Datasets, inputs and outputs by MLflow's REST API."""

from typing import Any

import pytest
from tests.mlflow_api.conftest import Rest

DATASET = {"name": "digits", "digest": "abc", "source_type": "local", "source": "{}", "schema": "{}", "profile": "{}"}


def dataset_input(context: str = "", **fields: str) -> dict[str, Any]:
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    return {"dataset": {**DATASET, **fields}, "tags": tags}


def run_of(rest: Rest, run_id: str) -> Any:
    return rest.get("runs/get", run_id=run_id)["run"]


def test_inputs_and_outputs_come_back(rest: Rest) -> None:
    run_id = rest.run()
    train, test = dataset_input("training"), dataset_input("test", digest="def")
    rest.post("runs/log-inputs", run_id=run_id, datasets=[train], models=[{"model_id": "m-1"}])
    rest.post("runs/log-inputs", run_id=run_id, datasets=[dataset_input("again"), test])
    rest.post("runs/outputs", run_id=run_id, models=[{"model_id": "m-2", "step": 7}])
    run = run_of(rest, run_id)
    # What was there stays as it is.
    assert run["inputs"] == {"dataset_inputs": [train, test], "model_inputs": [{"model_id": "m-1"}]}
    assert run["outputs"] == {"model_outputs": [{"model_id": "m-2", "step": 7}]}


def test_runs_are_found_by_their_datasets(rest: Rest) -> None:
    experiment_id = rest.experiment()
    with_it, without = rest.run(experiment_id=experiment_id), rest.run(experiment_id=experiment_id)
    rest.post("runs/log-inputs", run_id=with_it, datasets=[dataset_input("training")])

    def found(filter_string: str) -> list[str]:
        page = rest.post("runs/search", experiment_ids=[experiment_id], filter=filter_string)
        return [run["info"]["run_id"] for run in page["runs"]]

    assert found("dataset.name = 'digits' AND datasets.context = 'training'") == [with_it]
    assert found("dataset.digest LIKE 'x%'") == []
    assert set(found("")) == {with_it, without}


def test_datasets_of_experiments_are_listed(rest: Rest) -> None:
    experiment_id = rest.experiment()
    for context in ("training", "training", ""):
        rest.post("runs/log-inputs", run_id=rest.run(experiment_id=experiment_id), datasets=[dataset_input(context)])
    found = rest.post("experiments/search-datasets", experiment_ids=[experiment_id])["dataset_summaries"]
    known = {"experiment_id": experiment_id, "name": "digits", "digest": "abc"}
    assert sorted(found, key=str) == sorted([known, {**known, "context": "training"}], key=str)


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("runs/log-inputs", {"datasets": [dataset_input()]}, "Missing value for required parameter 'run_id'"),
        ("runs/log-inputs", {"run_id": "r", "datasets": [{}]}, "required parameter 'datasets[0].dataset'"),
        ("runs/log-inputs", {"run_id": "r", "datasets": [dataset_input(name="")]}, "'datasets[0].dataset.name'"),
        ("runs/log-inputs", {"run_id": "r", "datasets": [dataset_input(name="x" * 501)]}, "at most 500 are allowed"),
        ("runs/log-inputs", {"run_id": "r", "datasets": [dataset_input(digest="x" * 37)]}, "at most 36 are allowed"),
        ("runs/log-inputs", {"run_id": "r", "models": [{}]}, "required parameter 'models[0].model_id'"),
        ("runs/outputs", {"run_id": "r", "models": [{"model_id": "m", "step": "x"}]}, "parameter 'models[0].step'"),
        ("runs/outputs", {"run_id": "r"}, "Missing value for required parameter 'models'"),
        ("experiments/search-datasets", {}, "must specify at least one experiment_id"),
        ("experiments/search-datasets", {"experiment_ids": ["0"] * 21}, "cannot specify more than 20"),
    ],
)
def test_bad_requests_name_what_is_wrong(rest: Rest, path: str, fields: dict[str, object], words: str) -> None:
    status, code, message = rest.refused("POST", path, json=fields)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message
