"""Logged models by MLflow's REST API."""

from typing import Any

import pytest
from tests.mlflow_api.conftest import Rest, answer_of


def create(rest: Rest, experiment_id: str, **fields: Any) -> Any:
    return rest.post("logged-models", experiment_id=experiment_id, **fields)["model"]


def change(rest: Rest, method: str, path: str, **fields: Any) -> Any:
    return answer_of(rest.send(method, f"logged-models/{path}", json=fields))


def names(rest: Rest, experiment_id: str, **fields: Any) -> list[str]:
    found = rest.post("logged-models/search", experiment_ids=[experiment_id], **fields)
    return [model["info"]["name"] for model in found["models"]]


def measure(rest: Rest, model_id: str, value: float, **fields: str) -> str:
    run_id = rest.run()
    point = {"key": "acc", "value": value, "timestamp": 1, "step": 2}
    rest.post("runs/log-metric", run_id=run_id, model_id=model_id, **point, **fields)
    return run_id


def test_life_of_a_logged_model(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = create(
        rest,
        experiment_id,
        name="digits",
        model_type="classifier",
        source_run_id="some-run",
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "team", "value": "red"}],
    )
    model_id = made["info"]["model_id"]
    assert model_id.startswith("m-")
    assert made["info"]["creation_timestamp_ms"] == made["info"]["last_updated_timestamp_ms"] > 0
    assert made == {
        "info": {
            "model_id": model_id,
            "experiment_id": experiment_id,
            "name": "digits",
            "creation_timestamp_ms": made["info"]["creation_timestamp_ms"],
            "last_updated_timestamp_ms": made["info"]["last_updated_timestamp_ms"],
            "artifact_uri": f"mlflow-artifacts:/{experiment_id}/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "tags": [{"key": "team", "value": "red"}],
            "model_type": "classifier",
            "source_run_id": "some-run",
        },
        "data": {"params": [{"key": "depth", "value": "3"}], "metrics": []},
    }
    assert rest.get(f"logged-models/{model_id}")["model"] == made

    finalized = change(rest, "PATCH", model_id, status="LOGGED_MODEL_READY")["model"]
    assert finalized["info"]["status"] == "LOGGED_MODEL_READY"
    assert change(rest, "PATCH", model_id, status=3)["model"]["info"]["status"] == "LOGGED_MODEL_UPLOAD_FAILED"
    change(rest, "PATCH", f"{model_id}/tags", tags=[{"key": "team", "value": "blue"}, {"key": "x", "value": ""}])
    change(rest, "DELETE", f"{model_id}/tags/team")
    assert "No tag with key 'team'" in rest.refused("DELETE", f"logged-models/{model_id}/tags/team")[2]
    change(rest, "POST", f"{model_id}/params", params=[{"key": "lr", "value": "0.1"}])
    run_id = measure(rest, model_id, 0.5, dataset_name="digits", dataset_digest="abc")
    found = rest.get(f"logged-models/{model_id}")["model"]
    assert found["info"]["tags"] == [{"key": "x", "value": ""}]
    assert {"key": "lr", "value": "0.1"} in found["data"]["params"]
    assert found["data"]["metrics"] == [
        {
            "key": "acc",
            "value": 0.5,
            "timestamp": 1,
            "step": 2,
            "run_id": run_id,
            "model_id": model_id,
            "dataset_name": "digits",
            "dataset_digest": "abc",
        }
    ]
    change(rest, "DELETE", model_id)
    status, code, message = rest.refused("GET", f"logged-models/{model_id}")
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert "not found" in message


def test_models_are_searched(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = {name: create(rest, experiment_id, name=name)["info"]["model_id"] for name in ("a", "b", "c")}
    measure(rest, made["a"], 0.5, dataset_name="train", dataset_digest="1")
    measure(rest, made["b"], 0.9, dataset_name="train", dataset_digest="1")
    measure(rest, made["b"], 0.1, dataset_name="test", dataset_digest="2")
    assert names(rest, experiment_id) == ["c", "b", "a"]
    assert names(rest, experiment_id, filter="name != 'b'") == ["c", "a"]
    assert names(rest, experiment_id, filter="metrics.acc > 0.4") == ["b", "a"]
    assert names(rest, experiment_id, order_by=[{"field_name": "name"}]) == ["a", "b", "c"]
    assert names(rest, experiment_id, datasets=[{"dataset_name": "test"}]) == ["b"]
    order = {"field_name": "metrics.acc", "ascending": False, "dataset_name": "train", "dataset_digest": "1"}
    assert names(rest, experiment_id, order_by=[order]) == ["b", "a", "c"]
    page = rest.post("logged-models/search", experiment_ids=[experiment_id], max_results=2)
    rest_of_it = names(rest, experiment_id, max_results=2, page_token=page["next_page_token"])
    assert [model["info"]["name"] for model in page["models"]] + rest_of_it == ["c", "b", "a"]


def test_files_of_a_model_go_through_the_proxy(rest: Rest) -> None:
    experiment_id = rest.experiment()
    info = create(rest, experiment_id)["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    proxy = "/api/2.0/mlflow-artifacts/artifacts"
    answer_of(rest.send("PUT", f"{proxy}/{root}/data/MLmodel", data=b"flavors: {}"))
    assert rest.send("GET", f"{proxy}/{root}/data/MLmodel").content == b"flavors: {}"
    assert answer_of(rest.send("GET", proxy, params={"path": root}))["files"] == [{"path": "data", "is_dir": True}]
    listed = rest.get(f"logged-models/{info['model_id']}/artifacts/directories", artifact_directory_path="data")
    assert listed["root_uri"] == info["artifact_uri"]
    assert listed["files"] == [{"path": "data/MLmodel", "is_dir": False, "file_size": 11}]
    pages = f"/ajax-api/2.0/mlflow/logged-models/{info['model_id']}/artifacts/files"
    assert rest.send("GET", pages, params={"artifact_file_path": "data/MLmodel"}).content == b"flavors: {}"
    other = root.replace(experiment_id, "0", 1)
    assert rest.refused("GET", f"{proxy}/{other}/data/MLmodel")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "words"),
    [
        ("POST", "logged-models", {}, 400, "Missing value for required parameter 'experiment_id'"),
        ("POST", "logged-models", {"experiment_id": "999999"}, 404, "No Experiment with id=999999 exists"),
        ("POST", "logged-models", {"experiment_id": "0", "name": "a/b"}, 400, "for parameter 'name' supplied"),
        (
            "POST",
            "logged-models",
            {"experiment_id": "0", "params": [{"key": "a"}, {"key": "a"}]},
            400,
            "Duplicate parameter keys",
        ),
        ("GET", "logged-models/m-nobody", {}, 404, "not found"),
        ("PATCH", "logged-models/m-nobody", {}, 400, "Missing value for required parameter 'status'"),
        ("PATCH", "logged-models/m-nobody", {"status": "X"}, 400, "must be one of LOGGED_MODEL_PENDING"),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "max_results": 0}, 400, "parameter 'max_results'"),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "x = 1"}, 400, "parameter 'filter'"),
        (
            "POST",
            "logged-models/search",
            {"experiment_ids": ["0"], "datasets": [{}]},
            400,
            "'datasets[0].dataset_name'",
        ),
        (
            "POST",
            "logged-models/search",
            {"experiment_ids": ["0"], "datasets": [{"dataset_name": "a"}, {"dataset_name": ""}]},
            400,
            "'datasets[1].dataset_name'",
        ),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "order_by": [{}]}, 400, "'order_by[0].field_name'"),
        (
            "POST",
            "logged-models/search",
            {
                "experiment_ids": ["0"],
                "order_by": [{"field_name": "metrics.a", "dataset_name": "a", "dataset_digest": "d" * 37}],
            },
            400,
            "'order_by[0].dataset_digest' supplied: has 37 characters, at most 36",
        ),
        ("DELETE", "logged-models/m-1/tags/a%5Cb", {}, 400, "for parameter 'tag_key' supplied"),
    ],
)
def test_bad_requests_are_told_as_mlflow_tells_them(
    rest: Rest, method: str, path: str, fields: dict[str, object], status: int, words: str
) -> None:
    found = rest.refused(method, path, json=fields)
    assert found[0] == status
    assert words in found[2]
