"""Runs by MLflow's REST API: its shapes, and its words for what is wrong."""

import json

import pytest
from tests.mlflow_api.conftest import Rest


def test_life_of_a_run(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = rest.post(
        "runs/create",
        experiment_id=experiment_id,
        user_id="ada",
        run_name="first",
        start_time=1_700_000_000_000,
        tags=[{"key": "team", "value": "vision"}],
    )["run"]
    run_id = made["info"]["run_id"]
    assert made["info"] == {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": "first",
        "experiment_id": experiment_id,
        "user_id": "ada",
        "status": "RUNNING",
        "start_time": 1_700_000_000_000,
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    assert {"key": "team", "value": "vision"} in made["data"]["tags"]

    rest.post("runs/log-parameter", run_id=run_id, key="lr", value="0.1")
    rest.post("runs/log-metric", run_uuid=run_id, key="loss", value=0.5, timestamp="12", step=3)
    rest.post("runs/set-tag", run_id=run_id, key="team", value="")
    rest.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_700_000_001_000)
    run = rest.get("runs/get", run_id=run_id)["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["end_time"] == 1_700_000_001_000
    assert run["data"]["params"] == [{"key": "lr", "value": "0.1"}]
    assert run["data"]["metrics"] == [{"key": "loss", "value": 0.5, "timestamp": 12, "step": 3}]
    assert {"key": "team", "value": ""} in run["data"]["tags"]

    rest.post("runs/delete-tag", run_id=run_id, key="team")
    assert "team" not in [tag["key"] for tag in rest.get("runs/get", run_id=run_id)["run"]["data"]["tags"]]
    rest.post("runs/delete", run_id=run_id)
    assert rest.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "deleted"
    rest.post("runs/restore", run_id=run_id)
    assert rest.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "active"


def test_both_prefixes_answer_alike(rest: Rest) -> None:
    run_id = rest.run()
    found = rest.send("GET", "/ajax-api/2.0/mlflow/runs/get", params={"run_id": run_id})
    assert found.json() == rest.get("runs/get", run_id=run_id)


def test_search_pages_through_runs(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = [rest.run(experiment_id=experiment_id, start_time=at) for at in range(5)]
    found: list[str] = []
    token = ""
    while True:
        page = rest.post("runs/search", experiment_ids=[experiment_id], max_results=2, page_token=token)
        found += [run["info"]["run_id"] for run in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert found == made[::-1]


def test_search_by_view_and_filter(rest: Rest) -> None:
    experiment_id = rest.experiment()
    kept, deleted = rest.run(experiment_id=experiment_id), rest.run(experiment_id=experiment_id)
    rest.post("runs/log-metric", run_id=kept, key="loss", value=0.25, timestamp=1)
    rest.post("runs/delete", run_id=deleted)

    def ids(**fields: object) -> list[str]:
        page = rest.post("runs/search", experiment_ids=[experiment_id], **fields)
        return [run["info"]["run_id"] for run in page["runs"]]

    assert ids() == [kept]
    assert ids(run_view_type="DELETED_ONLY") == ids(run_view_type=2) == [deleted]
    assert sorted(ids(run_view_type="ALL")) == sorted([kept, deleted])
    assert ids(filter="metrics.loss < 0.3") == [kept]
    assert ids(filter="metrics.loss > 0.3") == []


@pytest.mark.parametrize(
    ("path", "fields", "status", "code", "words"),
    [
        ("runs/get", {}, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'."),
        ("runs/get", {"run_id": "nobody"}, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=nobody not found"),
    ],
)
def test_bad_reads_are_told_as_mlflow_tells_them(
    rest: Rest, path: str, fields: dict[str, str], status: int, code: str, words: str
) -> None:
    found = rest.refused("GET", path, params=fields)
    assert found[:2] == (status, code)
    assert words in found[2]


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (
            "runs/update",
            {"status": "XX"},
            "Invalid value \"XX\" for parameter 'status' supplied: must be one of RUNNING",
        ),
        ("runs/log-metric", {"key": "m", "value": 1.0}, "Missing value for required parameter 'timestamp'."),
        ("runs/log-metric", {"key": 31, "value": 1.0, "timestamp": 1}, "Invalid value 31 for parameter 'key' supplied"),
        (
            "runs/log-metric",
            {"key": "../m", "value": 1.0, "timestamp": 1},
            "for parameter 'key' supplied: must be a clean",
        ),
        ("runs/log-metric", {"key": "m", "value": "x", "timestamp": 1}, "Invalid value \"x\" for parameter 'value'"),
        ("runs/log-metric", {"key": "m", "value": True, "timestamp": 1}, "Invalid value true for parameter 'value'"),
        ("runs/log-metric", {"key": "m", "value": 1.0, "timestamp": -1}, "Invalid value -1 for parameter 'timestamp'"),
        (
            "runs/log-metric",
            {"key": "m", "value": 1.0, "timestamp": 1, "step": 2**63},
            "Invalid value 9223372036854775808 for parameter 'step'",
        ),
        ("runs/set-tag", {"key": None, "value": "v"}, "Missing value for required parameter 'key'."),
        ("runs/log-batch", {"metrics": "foo"}, "Invalid value \"foo\" for parameter 'metrics' supplied"),
        (
            "runs/log-batch",
            {"metrics": [{"key": "m", "value": 1.0, "timestamp": 1}, {"key": "m", "value": 1.0}]},
            "Missing value for required parameter 'metrics[1].timestamp'",
        ),
        (
            "runs/log-batch",
            {"metrics": [{"key": "/m", "value": 1.0, "timestamp": 1}]},
            "for parameter 'metrics[0].key' supplied",
        ),
        (
            "runs/log-batch",
            {"metrics": [{"key": "m", "value": 1.0, "timestamp": 1}] * 1_001},
            "Invalid value 1001 for parameter 'metrics' supplied: at most 1,000 are allowed in one batch",
        ),
        (
            "runs/log-batch",
            {"params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]},
            "Duplicate parameter keys",
        ),
    ],
)
def test_bad_writes_name_the_field_and_store_nothing(
    rest: Rest, path: str, fields: dict[str, object], words: str
) -> None:
    run_id = rest.run()
    before = rest.get("runs/get", run_id=run_id)
    status, code, message = rest.refused("POST", path, json={"run_id": run_id, **fields})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message
    assert rest.get("runs/get", run_id=run_id) == before


@pytest.mark.parametrize("view", ["NONE", 4, "²"])
def test_bad_view_is_named(rest: Rest, view: object) -> None:
    status, code, message = rest.refused("POST", "runs/search", json={"experiment_ids": ["0"], "run_view_type": view})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "for parameter 'run_view_type' supplied: must be one of ACTIVE_ONLY, DELETED_ONLY, ALL" in message


def test_batch_with_one_bad_part_stores_none_of_it(rest: Rest) -> None:
    run_id = rest.run()
    before = rest.get("runs/get", run_id=run_id)
    metric = {"key": "m", "value": 1.0, "timestamp": 1}
    for bad in (
        {"tags": [{"key": "", "value": "x"}]},
        {"tags": [{"key": "mlflow.runName", "value": ""}]},
        {"tags": [{"key": "mlflow.parentRunId", "value": run_id}]},
        {"params": [{"key": "..", "value": "x"}]},
    ):
        batch = {"run_id": run_id, "metrics": [metric], "params": [{"key": "p", "value": "1"}], **bad}
        assert rest.refused("POST", "runs/log-batch", json=batch)[0] == 400
        assert rest.get("runs/get", run_id=run_id) == before


def test_param_never_changes(rest: Rest) -> None:
    run_id = rest.run()
    for _ in range(2):
        rest.post("runs/log-parameter", run_id=run_id, key="lr", value="1")
    status, code, message = rest.refused(
        "POST", "runs/log-parameter", json={"run_id": run_id, "key": "lr", "value": "2"}
    )
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "'1'" in message
    assert "'2'" in message
    assert "'lr'" in message


def test_deleted_run_refuses_points(rest: Rest) -> None:
    run_id = rest.run()
    rest.post("runs/delete", run_id=run_id)
    point = {"run_id": run_id, "key": "m", "value": 1.0, "timestamp": 1}
    status, code, message = rest.refused("POST", "runs/log-metric", json=point)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "deleted" in message


def test_models_of_a_run_are_listed_in_its_tag(rest: Rest) -> None:
    run_id = rest.run()
    models = [
        {"artifact_path": path, "flavors": {}, "utc_time_created": "2026-01-01 00:00:00", "run_id": run_id}
        for path in ("a", "b")
    ]
    for model in models:
        rest.post("runs/log-model", run_id=run_id, model_json=json.dumps(model))
    tags = {tag["key"]: tag["value"] for tag in rest.get("runs/get", run_id=run_id)["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == models


@pytest.mark.parametrize(
    ("model_json", "words"),
    [
        ("", "Missing value for required parameter 'model_json'"),
        ("{", "is not a valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"flavors": {}}', "missing mandatory fields: artifact_path, utc_time_created, run_id"),
    ],
)
def test_bad_models_are_refused(rest: Rest, model_json: str, words: str) -> None:
    fields = {"run_id": rest.run(), "model_json": model_json}
    status, code, message = rest.refused("POST", "runs/log-model", json=fields)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message


def test_tag_that_is_no_list_of_models_is_left_alone(rest: Rest) -> None:
    run_id = rest.run(tags=[{"key": "mlflow.log-model.history", "value": "mine"}])
    model = {"artifact_path": "a", "flavors": {}, "utc_time_created": "", "run_id": run_id}
    fields = {"run_id": run_id, "model_json": json.dumps(model)}
    assert "is no list of models" in rest.refused("POST", "runs/log-model", json=fields)[2]
