"""Issues by MLflow's REST API."""

import json
from typing import Any

import pytest
from tests.mlflow_api.conftest import Rest, answer_of

ISSUES = "/api/3.0/mlflow/issues"
GOOD = {"experiment_id": "0", "name": "slow", "description": "Answers take a minute."}


def create(rest: Rest, experiment_id: str = "0", **fields: Any) -> Any:
    return rest.post(ISSUES, **{**GOOD, "experiment_id": experiment_id, **fields})["issue"]


def update(rest: Rest, issue_id: str, **fields: Any) -> Any:
    return answer_of(rest.send("PATCH", f"{ISSUES}/{issue_id}", json=fields))["issue"]


def names(rest: Rest, experiment_id: str, **fields: Any) -> list[str]:
    found = rest.post(f"{ISSUES}/search", experiment_id=experiment_id, **fields)
    return [issue["name"] for issue in found["issues"]]


def test_life_of_an_issue(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = create(
        rest,
        experiment_id,
        severity="high",
        root_causes=["no cache"],
        categories=["latency", "cost"],
        source_run_id="some-run",
        created_by="ada",
        last_seen_timestamp=0,
        metadata={"team": "red"},
    )
    assert made["issue_id"].startswith("iss-")
    assert made["created_timestamp"] == made["last_updated_timestamp"] > 0
    assert made == {
        "issue_id": made["issue_id"],
        "experiment_id": experiment_id,
        "name": "slow",
        "description": "Answers take a minute.",
        "status": "pending",
        "severity": "high",
        "root_causes": ["no cache"],
        "categories": ["latency", "cost"],
        "source_run_id": "some-run",
        "created_timestamp": made["created_timestamp"],
        "last_updated_timestamp": made["last_updated_timestamp"],
        "created_by": "ada",
        "last_seen_timestamp": 0,
        "metadata": {"team": "red"},
    }
    assert rest.get(f"{ISSUES}/{made['issue_id']}")["issue"] == made
    changed = update(
        rest,
        made["issue_id"],
        name="slower",
        description="",
        status="resolved",
        severity="low",
        categories=["safety"],
        last_seen_timestamp="7",
        last_updated_by="bob",
        metadata={"a": "b"},
        delete_metadata_keys=["team"],
    )
    assert changed == {
        **made,
        "name": "slower",
        "status": "resolved",
        "severity": "low",
        "categories": ["safety"],
        "last_seen_timestamp": 7,
        "last_updated_by": "bob",
        "metadata": {"a": "b"},
        "last_updated_timestamp": changed["last_updated_timestamp"],
    }
    assert update(rest, made["issue_id"]) == changed


def test_what_nobody_said_is_left_out(rest: Rest) -> None:
    made = create(rest)
    assert set(made) == {
        "issue_id",
        "experiment_id",
        "name",
        "description",
        "status",
        "created_timestamp",
        "last_updated_timestamp",
    }


def test_id_may_be_chosen_once(rest: Rest) -> None:
    issue_id = f"iss-{rest.run()}"
    assert create(rest, issue_id=issue_id)["issue_id"] == issue_id
    status, code, message = rest.refused("POST", ISSUES, json={**GOOD, "issue_id": issue_id})
    assert (status, code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert issue_id in message


def test_issues_are_searched(rest: Rest) -> None:
    experiment_id = rest.experiment()
    create(rest, experiment_id, name="Slow answers", severity="low", categories=["latency"])
    create(rest, experiment_id, name="it's wrong", severity="high", status="resolved", categories=["Safety", "cost"])
    create(rest, experiment_id, name="odd")
    worst_first = ["it's wrong", "Slow answers", "odd"]
    assert names(rest, experiment_id) == worst_first
    assert names(rest, experiment_id, filter_string="status = 'pending'") == ["Slow answers", "odd"]
    assert names(rest, experiment_id, filter_string="status = 'pending' AND source_run_id != 'x'") == []
    assert names(rest, experiment_id, name="slow") == ["Slow answers"]
    assert names(rest, experiment_id, name="it's") == ["it's wrong"]
    assert names(rest, experiment_id, statuses=["resolved", "rejected"]) == ["it's wrong"]
    assert names(rest, experiment_id, severities=["low", "high"]) == ["it's wrong", "Slow answers"]
    assert names(rest, experiment_id, categories=["safety", "LATENCY"]) == ["it's wrong", "Slow answers"]
    either = "severity IS NULL OR name = 'Slow answers'"
    assert names(rest, experiment_id, filter_string=either, statuses=["pending"], severities=["low"]) == [
        "Slow answers"
    ]
    assert names(rest, experiment_id, order_by=["name DESC"]) == ["odd", "it's wrong", "Slow answers"]
    assert names(rest, experiment_id, order_by=["created_timestamp"], view="full") == [
        "Slow answers",
        "it's wrong",
        "odd",
    ]
    page = rest.post(f"{ISSUES}/search", experiment_id=experiment_id, max_results=2, include_total_count=True)
    assert ([issue["name"] for issue in page["issues"]], page["total_count"]) == (worst_first[:2], 3)
    rest_of_it = rest.post(
        f"{ISSUES}/search", experiment_id=experiment_id, max_results=2, page_token=page["next_page_token"]
    )
    assert [issue["name"] for issue in rest_of_it["issues"]] == worst_first[2:]
    assert (rest_of_it["next_page_token"], "total_count" in rest_of_it) == ("", False)
    assert {issue["experiment_id"] for issue in rest.post(f"{ISSUES}/search")["issues"]} >= {experiment_id}


def test_no_trace_belongs_to_an_issue(rest: Rest) -> None:
    experiment_id = rest.experiment()
    create(rest, experiment_id)
    search = f"{ISSUES}/search"
    [counted] = rest.post(search, experiment_id=experiment_id, include_trace_count=True)["issues"]
    [issue] = rest.post(search, experiment_id=experiment_id, include_trace_count=False)["issues"]
    assert counted == {**issue, "trace_count": 0}


BAD_NEW: list[tuple[dict[str, Any], int, str]] = [
    ({"experiment_id": ""}, 400, "Missing value for required parameter 'experiment_id'"),
    ({"name": ""}, 400, "Missing value for required parameter 'name'"),
    ({"description": ""}, 400, "Missing value for required parameter 'description'"),
    ({"experiment_id": "999999"}, 404, "No Experiment with id=999999 exists"),
    ({"experiment_id": "x"}, 400, "parameter 'experiment_id' supplied: must be a decimal number"),
    ({"name": "n" * 251}, 400, "for parameter 'name' supplied: has 251 characters, at most 250 are allowed"),
    ({"status": "open"}, 400, "\"open\" for parameter 'status' supplied: must be one of pending, rejected, resolved"),
    ({"severity": "HIGH"}, 400, "'severity' supplied: must be one of not_an_issue, low, medium, high"),
    ({"root_causes": ["a", ""]}, 400, "Missing value for required parameter 'root_causes[1]'"),
    ({"categories": ["a"] * 101}, 400, "101 for parameter 'categories' supplied: at most 100 are allowed"),
    ({"source_run_id": "../x"}, 400, "for parameter 'source_run_id'"),
    ({"issue_id": "a b"}, 400, "for parameter 'issue_id'"),
    ({"last_seen_timestamp": -1}, 400, "-1 for parameter 'last_seen_timestamp' supplied: must be Unix milliseconds"),
    ({"last_seen_timestamp": "soon"}, 400, "\"soon\" for parameter 'last_seen_timestamp'"),
    ({"metadata": {"a": 1}}, 400, "{\"a\": 1} for parameter 'metadata' supplied:  Hint: One of its values is wrong"),
    ({"categories": "latency"}, 400, "\"latency\" for parameter 'categories'"),
]


@pytest.mark.parametrize(("fields", "status", "words"), BAD_NEW, ids=[words for _, _, words in BAD_NEW])
def test_bad_issue_is_refused_in_mlflows_words(rest: Rest, fields: dict[str, Any], status: int, words: str) -> None:
    found = rest.refused("POST", ISSUES, json={**GOOD, **fields})
    assert found[0] == status
    assert words in found[2]


BAD: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/iss-nobody", {}, 404, "Issue with ID 'iss-nobody' not found"),
    ("GET", "/a%20b", {}, 400, "for parameter 'issue_id'"),
    ("PATCH", "/iss-nobody", {"status": "resolved"}, 404, "Issue with ID 'iss-nobody' not found"),
    ("PATCH", "/iss-nobody", {"status": "open"}, 400, "must be one of pending, rejected, resolved"),
    (
        "PATCH",
        "/iss-nobody",
        {"categories": ["c" * 251]},
        400,
        "parameter 'categories[0]' supplied: has 251 characters",
    ),
    ("PATCH", "/iss-nobody", {"delete_metadata_keys": ["/"]}, 400, "for parameter 'delete_metadata_keys[0]'"),
    ("PATCH", "/iss-nobody", {"last_seen_timestamp": -1}, 400, "-1 for parameter 'last_seen_timestamp'"),
    (
        "POST",
        "/search",
        {"experiment_id": "x"},
        400,
        "for parameter 'experiment_id' supplied: must be a decimal number",
    ),
    ("POST", "/search", {"filter_string": "traces > 1"}, 400, "\"traces > 1\" for parameter 'filter_string' supplied"),
    ("POST", "/search", {"max_results": 0}, 400, "0 for parameter 'max_results' supplied: must be from 1 to 50,000"),
    ("POST", "/search", {"page_token": "x"}, 400, "for parameter 'page_token'"),
    ("POST", "/search", {"order_by": ["categories"]}, 400, "for parameter 'order_by[0]'"),
    (
        "POST",
        "/search",
        {"statuses": ["pending", "x"]},
        400,
        "\"x\" for parameter 'statuses[1]' supplied: must be one of",
    ),
    (
        "POST",
        "/search",
        {"filter_string": "name = 'a') OR (name = 'b'", "statuses": ["pending"]},
        400,
        "\"name = 'a') OR (name = 'b'\" for parameter 'filter_string' supplied",
    ),
    ("POST", "/search", {"filter_string": "x = 1", "name": "a"}, 400, "(column 1)"),
    ("POST", "/search", {"name": "n" * 251}, 400, "parameter 'name' supplied: has 251 characters, at most 250"),
    ("POST", "/search", {"name": "\0"}, 400, "for parameter 'name' supplied: must not contain the NUL character"),
    ("POST", "/search", {"categories": ["c", "c" * 251]}, 400, "for parameter 'categories[1]' supplied: has 251"),
    ("POST", "/search", {"severities": ["x"]}, 400, "for parameter 'severities[0]'"),
    ("POST", "/search", {"categories": ["c"] * 101}, 400, "101 for parameter 'categories' supplied: at most 100"),
    ("POST", "/search", {"view": "half"}, 400, "\"half\" for parameter 'view' supplied: must be one of basic, full"),
    ("POST", "/search", {"include_trace_count": "perhaps"}, 400, "\"perhaps\" for parameter 'include_trace_count'"),
]


@pytest.mark.parametrize(("method", "path", "fields", "status", "words"), BAD, ids=[each[-1] for each in BAD])
def test_bad_request_is_refused_in_mlflows_words(
    rest: Rest, method: str, path: str, fields: dict[str, Any], status: int, words: str
) -> None:
    found = rest.refused(method, ISSUES + path, json=fields)
    assert found[0] == status
    assert words in found[2]


def test_deleted_experiment_takes_no_issues_and_keeps_its_own(rest: Rest) -> None:
    experiment_id = rest.experiment()
    issue_id = create(rest, experiment_id)["issue_id"]
    rest.post("experiments/delete", experiment_id=experiment_id)
    status, code, message = rest.refused("POST", ISSUES, json={**GOOD, "experiment_id": experiment_id})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert experiment_id in message
    assert names(rest, experiment_id) == ["slow"]
    assert update(rest, issue_id, status="rejected")["status"] == "rejected"


def test_pages_of_mlflow_reach_the_same(rest: Rest) -> None:
    made = create(rest)
    found = rest.get(f"/ajax-api/3.0/mlflow/issues/{made['issue_id']}")["issue"]
    assert json.dumps(found) == json.dumps(made)
