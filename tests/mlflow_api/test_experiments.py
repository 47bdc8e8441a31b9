"""Experiments by MLflow's REST API."""

import uuid

import pytest
from tests.mlflow_api.conftest import Rest


def test_life_of_an_experiment(rest: Rest) -> None:
    name = f"experiment {uuid.uuid4().hex}"
    made = rest.post("experiments/create", name=name, tags=[{"key": "team", "value": "vision"}])
    experiment_id = made["experiment_id"]
    found = rest.get("experiments/get", experiment_id=experiment_id)["experiment"]
    assert found["creation_time"] == found["last_update_time"] > 0
    assert found == {
        "experiment_id": experiment_id,
        "name": name,
        "artifact_location": f"mlflow-artifacts:/{experiment_id}",
        "lifecycle_stage": "active",
        "creation_time": found["creation_time"],
        "last_update_time": found["last_update_time"],
        "tags": [{"key": "team", "value": "vision"}],
    }
    assert rest.get("experiments/get-by-name", experiment_name=name)["experiment"] == found

    rest.post("experiments/update", experiment_id=experiment_id, new_name=f"{name}, renamed")
    rest.post("experiments/set-experiment-tag", experiment_id=experiment_id, key="team", value="")
    rest.post("experiments/set-experiment-tag", experiment_id=experiment_id, key="note", value="x")
    rest.post("experiments/delete-experiment-tag", experiment_id=experiment_id, key="note")
    found = rest.get("experiments/get", experiment_id=experiment_id)["experiment"]
    assert found["name"] == f"{name}, renamed"
    assert found["tags"] == [{"key": "team", "value": ""}]

    run_id = rest.run(experiment_id=experiment_id)
    rest.post("experiments/delete", experiment_id=experiment_id)
    assert rest.get("experiments/get", experiment_id=experiment_id)["experiment"]["lifecycle_stage"] == "deleted"
    assert rest.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "deleted"
    rest.post("experiments/restore", experiment_id=experiment_id)
    assert rest.get("experiments/get", experiment_id=experiment_id)["experiment"]["lifecycle_stage"] == "active"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_search_pages_in_order(rest: Rest, method: str) -> None:
    group = uuid.uuid4().hex
    names = [f"{group} {number}" for number in range(5)]
    for name in names:
        rest.post("experiments/create", name=name)
    found: list[str] = []
    token = ""
    while True:
        fields = {"max_results": 2, "filter": f"name LIKE '{group}%'", "order_by": ["name ASC"], "page_token": token}
        page = (
            rest.post("experiments/search", **fields) if method == "POST" else rest.get("experiments/search", **fields)
        )
        found += [experiment["name"] for experiment in page["experiments"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert found == names


def test_negation_finds_only_what_has_the_tag(rest: Rest) -> None:
    group = uuid.uuid4().hex
    for name, tags in (("a", {"k": "v"}), ("b", {"k": "w"}), ("c", {})):
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        rest.post("experiments/create", name=f"{group} {name}", tags=listed)

    def names(filter_string: str) -> list[str]:
        fields = {"filter": f"name LIKE '{group}%' AND {filter_string}", "max_results": 10, "order_by": ["name"]}
        found = rest.post("experiments/search", **fields)["experiments"]
        return [each["name"].removeprefix(f"{group} ") for each in found]

    assert names("tag.k != 'v'") == ["b"]
    assert names("NOT tag.k = 'v'") == ["b", "c"]
    assert names("tag.k IS NULL") == ["c"]
    assert names("tag.`mlflow.prompt.is_prompt` != 'true'") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("path", "fields", "status", "code", "words"),
    [
        ("create", {}, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'."),
        ("create", {"name": ""}, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'name'."),
        ("create", {"name": 123}, 400, "INVALID_PARAMETER_VALUE", "Invalid value 123 for parameter 'name'"),
        (
            "create",
            {"name": "x", "tags": "5"},
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid value \"5\" for parameter 'tags'",
        ),
        ("create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS", "experiment 'Default' exists already"),
        (
            "create",
            {"name": "x" * 501},
            400,
            "INVALID_PARAMETER_VALUE",
            "for parameter 'name' supplied: has 501 characters",
        ),
        ("search", {}, 400, "INVALID_PARAMETER_VALUE", "Invalid value 0 for parameter 'max_results' supplied"),
        (
            "search",
            {"max_results": 50_001},
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid value 50001 for parameter 'max_results' supplied: must be from 1 to 50,000",
        ),
        ("search", {"max_results": 1, "filter": "nme = 'x'"}, 400, "INVALID_PARAMETER_VALUE", "did you mean 'name'?"),
        (
            "search",
            {"max_results": 1, "view_type": "NONE"},
            400,
            "INVALID_PARAMETER_VALUE",
            "must be one of ACTIVE_ONLY",
        ),
        ("search", {"max_results": 1, "page_token": "x"}, 400, "INVALID_PARAMETER_VALUE", "for parameter 'page_token'"),
        (
            "update",
            {"experiment_id": "999999", "new_name": "x"},
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "No Experiment with id=999999",
        ),
        (
            "delete",
            {"experiment_id": "x"},
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid value \"x\" for parameter 'experiment_id'",
        ),
    ],
)
def test_bad_requests_are_told_as_mlflow_tells_them(
    rest: Rest, path: str, fields: dict[str, object], status: int, code: str, words: str
) -> None:
    found = rest.refused("POST", f"experiments/{path}", json=fields)
    assert found[:2] == (status, code)
    assert words in found[2]
