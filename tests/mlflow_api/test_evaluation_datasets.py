"""Evaluation datasets by MLflow's REST API."""

import json
import uuid
from typing import Any

import pytest
from tests.mlflow_api.conftest import Rest, answer_of

AT = "/api/3.0/mlflow/datasets"
LARGE = "x" * 10 * 1024 * 1024
DEEP = json.loads("[" * 201 + "]" * 201)


def ask(rest: Rest, method: str, path: str, **fields: Any) -> Any:
    """The answer to a request below AT that must succeed."""
    carried = {"params" if method == "GET" else "json": fields}
    return answer_of(rest.send(method, f"{AT}/{path}", **carried))


def create(rest: Rest, **fields: Any) -> Any:
    tags = {"tags": json.dumps(fields.pop("tags"))} if "tags" in fields else {}
    return ask(rest, "POST", "create", **{"name": f"questions {uuid.uuid4().hex}", **fields, **tags})["dataset"]


def upsert(rest: Rest, dataset_id: str, *records: object, **fields: Any) -> tuple[int, int]:
    answer = ask(rest, "POST", f"{dataset_id}/records", records=json.dumps(records), **fields)
    return answer["inserted_count"], answer["updated_count"]


def listed(rest: Rest, dataset_id: str, **fields: Any) -> Any:
    return json.loads(ask(rest, "GET", f"{dataset_id}/records", **fields)["records"])


def names(rest: Rest, **fields: Any) -> list[str]:
    return [dataset["name"] for dataset in ask(rest, "POST", "search", **fields)["datasets"]]


@pytest.fixture
def dataset_id(rest: Rest) -> str:
    return str(create(rest)["dataset_id"])


def test_life_of_a_dataset(rest: Rest) -> None:
    experiment_id = rest.experiment()
    made = create(rest, name="qa", experiment_ids=[experiment_id], tags={"team": "red", "mlflow.user": "ada", "n": 1})
    dataset_id = made["dataset_id"]
    assert dataset_id.startswith("d-")
    assert made == {
        "dataset_id": dataset_id,
        "name": "qa",
        "tags": made["tags"],
        "digest": made["digest"],
        "created_time": made["created_time"],
        "last_update_time": made["created_time"],
        "created_by": "ada",
        "last_updated_by": "ada",
        "experiment_ids": [experiment_id],
    }
    assert json.loads(made["tags"]) == {"team": "red", "mlflow.user": "ada", "n": "1"}
    ask(rest, "PATCH", f"{dataset_id}/tags", tags=json.dumps({"team": None, "n": True, "more": ""}))
    ask(rest, "PATCH", f"{dataset_id}/tags", tags="{}")
    for _ in range(2):
        assert ask(rest, "DELETE", f"{dataset_id}/tags/mlflow.user") == {}
    found = ask(rest, "GET", dataset_id)["dataset"]
    # A tag that is null is passed over.
    assert json.loads(found["tags"]) == {"team": "red", "n": "True", "more": ""}
    assert found["digest"] == made["digest"]
    assert upsert(rest, dataset_id, {"inputs": {"q": 1}}) == (1, 0)
    found = ask(rest, "GET", dataset_id)["dataset"]
    assert json.loads(found["profile"]) == {"num_records": 1}
    assert json.loads(found["schema"]) == {
        "inputs": {"q": "integer"},
        "outputs": {},
        "expectations": {},
        "version": "1.0",
    }
    for _ in range(2):
        assert ask(rest, "DELETE", dataset_id) == {}
    status, code, message = rest.refused("GET", f"{AT}/{dataset_id}")
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert message == f"Evaluation dataset with id '{dataset_id}' not found"


def test_records_come_back_in_mlflows_shape(rest: Rest, dataset_id: str) -> None:
    said = {
        "inputs": {"q": "Größe?", "n": 1.5},
        "outputs": ["a", None],
        "expectations": {"answer": "b"},
        "tags": {"mlflow.user": "ada", "n": 1},
        "source": {"source_type": "trace", "source_data": {"trace_id": "tr-1"}},
    }
    assert upsert(rest, dataset_id, said, {"inputs": {"q": 2}}, {"inputs": {"q": 3}, "outputs": None}) == (3, 0)
    first, second, third = listed(rest, dataset_id)
    assert first == {
        **said,
        "dataset_record_id": first["dataset_record_id"],
        "dataset_id": dataset_id,
        "source": {"source_type": "TRACE", "source_data": {"trace_id": "tr-1"}},
        "source_type": "TRACE",
        "source_id": "tr-1",
        "created_time": first["created_time"],
        "last_update_time": first["created_time"],
        "created_by": "ada",
        "last_updated_by": "ada",
    }
    assert first["dataset_record_id"].startswith("dr-")
    assert (second["outputs"], second["tags"], "source" in second, "expectations" in second) == ({}, {}, False, False)
    assert "outputs" not in third


def test_record_of_the_same_inputs_is_merged(rest: Rest, dataset_id: str) -> None:
    first = {"inputs": {"a": 1, "b": 2}, "outputs": "old", "expectations": {"x": 1, "y": 1}, "tags": {"t": "1"}}
    assert upsert(rest, dataset_id, first, updated_by="ada") == (1, 0)
    digest = ask(rest, "GET", dataset_id)["dataset"]["digest"]
    again = {"inputs": {"b": 2, "a": 1}, "expectations": {"y": 2}, "tags": {"u": "2"}}
    assert upsert(rest, dataset_id, again, {"inputs": {"a": 1}}, updated_by="bob") == (1, 1)
    merged, _ = listed(rest, dataset_id)
    assert (merged["outputs"], merged["expectations"], merged["tags"]) == (
        "old",
        {"x": 1, "y": 2},
        {"t": "1", "u": "2"},
    )
    assert (merged["created_by"], merged["last_updated_by"]) == ("ada", "bob")
    assert ask(rest, "GET", dataset_id)["dataset"]["digest"] != digest


def test_numbers_that_are_no_json_come_back_as_python_writes_them(rest: Rest, dataset_id: str) -> None:
    assert upsert(rest, dataset_id, {"inputs": {"q": float("nan"), "r": [float("inf"), -float("inf")]}}) == (1, 0)
    [record] = listed(rest, dataset_id)
    assert str(record["inputs"]) == "{'q': nan, 'r': [inf, -inf]}"


def test_records_are_paged_and_deleted(rest: Rest, dataset_id: str) -> None:
    assert upsert(rest, dataset_id, *({"inputs": {"q": at}} for at in range(5))) == (5, 0)
    seen, token = [], {}
    while True:
        page = ask(rest, "GET", f"{dataset_id}/records", max_results=2, **token)
        seen += json.loads(page["records"])
        if "next_page_token" not in page:
            break
        token = {"page_token": page["next_page_token"]}
    assert [record["inputs"]["q"] for record in seen] == list(range(5))
    assert len(listed(rest, dataset_id, max_results=2_000_000_000)) == 5
    gone = [seen[1]["dataset_record_id"], "dr-none"]
    for expected in (1, 0):
        answer = ask(rest, "DELETE", f"{dataset_id}/records", dataset_record_ids=gone)
        assert answer == {"deleted_count": expected}
    assert ask(rest, "DELETE", f"{dataset_id}/records") == {"deleted_count": 0}
    assert [record["inputs"]["q"] for record in listed(rest, dataset_id)] == [0, 2, 3, 4]
    assert upsert(rest, dataset_id) == (0, 0)


def test_experiments_come_and_go(rest: Rest) -> None:
    one, two = rest.experiment(), rest.experiment()
    dataset_id = create(rest, experiment_ids=[one])["dataset_id"]
    added = ask(rest, "POST", f"{dataset_id}/add-experiments", experiment_ids=[two, one])
    assert added["dataset"]["experiment_ids"] == [one, two]
    assert ask(rest, "GET", f"{dataset_id}/experiment-ids") == {"experiment_ids": [one, two]}
    left = ask(rest, "POST", f"{dataset_id}/remove-experiments", experiment_ids=[one, "999999"])
    assert left["dataset"]["experiment_ids"] == [two]


def test_searches_filter_order_and_page(rest: Rest) -> None:
    experiment_id = rest.experiment()
    for name, tags in (("b", {"team": "red"}), ("a", {"team": "blue"}), ("c", {})):
        create(rest, name=name, tags=tags, experiment_ids=[experiment_id])
    of = {"experiment_ids": [experiment_id]}
    assert names(rest, **of, order_by=["name"]) == ["a", "b", "c"]
    assert names(rest, **of, order_by=["created_time ASC"]) == ["b", "a", "c"]
    assert names(rest, **of, filter_string="tags.team = 'red'") == ["b"]
    # As MLflow means it: the tag must be there.
    assert names(rest, **of, filter_string="tags.team != 'red'") == ["a"]
    assert names(rest, **of, filter_string="name IN ('a', 'c')", order_by=["name DESC"]) == ["c", "a"]
    first = ask(rest, "GET", "search", **of, order_by=["name"], max_results=2)
    rest_of_it = ask(rest, "GET", "search", **of, order_by=["name"], page_token=first["next_page_token"])
    assert [dataset["name"] for dataset in [*first["datasets"], *rest_of_it["datasets"]]] == ["a", "b", "c"]
    assert "next_page_token" not in rest_of_it


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "words"),
    [
        ("POST", "create", {}, 400, "Missing value for required parameter 'name'"),
        ("POST", "create", {"name": "n" * 501}, 400, "for parameter 'name' supplied"),
        ("POST", "create", {"name": "n", "tags": "{"}, 400, "for parameter 'tags' supplied: is not JSON"),
        ("POST", "create", {"name": "n", "tags": "[1]"}, 400, "must be a JSON object, not array"),
        ("POST", "create", {"name": "n", "tags": {"a": "b"}}, 400, "parameter 'tags'"),
        ("POST", "create", {"name": "n", "tags": r'{"a": "\udfff"}'}, 400, "parameter 'tags[a]'"),
        (
            "POST",
            "create",
            {"name": "n", "tags": r'{"\ud800": "a"}'},
            400,
            "half of a surrogate pair, and has '\\ud800'",
        ),
        ("POST", "create", {"name": "n", "experiment_ids": ["999999"]}, 404, "No Experiment with id=999999 exists"),
        ("POST", "create", {"name": "n", "experiment_ids": ["x"]}, 400, "parameter 'experiment_ids[0]'"),
        ("GET", "d-nobody", {}, 404, "Evaluation dataset with id 'd-nobody' not found"),
        ("GET", "d-nobody/records", {}, 404, "not found"),
        ("GET", "d-nobody/experiment-ids", {}, 404, "not found"),
        ("GET", "{id}/records", {"max_results": 0}, 400, "parameter 'max_results'"),
        ("GET", "{id}/records", {"page_token": "x"}, 400, "parameter 'page_token'"),
        ("PATCH", "d-nobody/tags", {"tags": '{"a": "b"}'}, 404, "not found"),
        ("PATCH", "d-nobody/tags", {}, 400, "Missing value for required parameter 'tags'"),
        ("POST", "d-nobody/records", {"records": "[]"}, 404, "not found"),
        ("POST", "{id}/records", {}, 400, "Missing value for required parameter 'records'"),
        ("POST", "{id}/records", {"records": []}, 400, "parameter 'records'"),
        ("POST", "{id}/records", {"records": "{}"}, 400, "must be a JSON array of objects"),
        (
            "POST",
            "{id}/records",
            {"records": "[" * 100_000},
            400,
            "'records' supplied: is nested too deeply: at most 200",
        ),
        (
            "POST",
            "create",
            {"name": "n", "tags": json.dumps({"k": DEEP})},
            400,
            "'tags' supplied: is nested too deeply",
        ),
        ("POST", "{id}/records", {"records": json.dumps([{"outputs": DEEP}])}, 400, "parameter 'records[0].outputs'"),
        ("POST", "{id}/records", {"records": "[1]"}, 400, "parameter 'records[0]' supplied: must be a JSON object"),
        ("POST", "{id}/records", {"records": '[{"inputs": []}]'}, 400, "parameter 'records[0].inputs'"),
        ("POST", "{id}/records", {"records": '[{"inputs": null}]'}, 400, "must be a JSON object, not null"),
        ("POST", "{id}/records", {"records": '[{"expectations": 1}]'}, 400, "parameter 'records[0].expectations'"),
        ("POST", "{id}/records", {"records": '[{}, {"tags": "t"}]'}, 400, "parameter 'records[1].tags'"),
        (
            "POST",
            "{id}/records",
            {"records": r'[{"tags": {"mlflow.user": "\ud800"}}]'},
            400,
            "parameter 'records[0].tags[mlflow.user]'",
        ),
        ("POST", "{id}/records", {"records": '[{"source": 1}]'}, 400, "parameter 'records[0].source'"),
        (
            "POST",
            "{id}/records",
            {"records": '[{"source": {"source_type": "DREAM"}}]'},
            400,
            "must be one of UNSPECIFIED, TRACE, HUMAN, DOCUMENT, CODE",
        ),
        (
            "POST",
            "{id}/records",
            {"records": '[{"source": {"source_type": "CODE", "source_data": []}}]'},
            400,
            "parameter 'records[0].source.source_data'",
        ),
        ("DELETE", "{id}/records", {"dataset_record_ids": ["?"]}, 400, "parameter 'dataset_record_ids[0]'"),
        ("DELETE", "{id}/records", {"dataset_record_ids": "dr-1"}, 400, "parameter 'dataset_record_ids'"),
        ("POST", "{id}/add-experiments", {}, 400, "Missing value for required parameter 'experiment_ids'"),
        ("POST", "{id}/add-experiments", {"experiment_ids": ["999999"]}, 404, "No Experiment with id=999999 exists"),
        ("POST", "search", {"max_results": 0}, 400, "parameter 'max_results'"),
        ("POST", "search", {"max_results": 50_001}, 400, "parameter 'max_results'"),
        ("POST", "search", {"filter_string": "x = 1"}, 400, "parameter 'filter_string'"),
        ("POST", "search", {"order_by": ["x"]}, 400, "parameter 'order_by[0]'"),
    ],
)
def test_bad_requests_are_told_as_mlflow_tells_them(
    rest: Rest, dataset_id: str, method: str, path: str, fields: dict[str, object], status: int, words: str
) -> None:
    carried = {"params" if method == "GET" else "json": fields}
    found = rest.refused(method, f"{AT}/{path.replace('{id}', dataset_id)}", **carried)
    assert found[0] == status
    assert words in found[2]
    assert len(found[2]) < 1_000


def test_large_values_are_refused_and_stored_nowhere(rest: Rest, dataset_id: str) -> None:
    before = ask(rest, "GET", dataset_id)
    for method, path, fields, words in (
        ("POST", "create", {"name": LARGE}, "characters, at most 500"),
        ("POST", "create", {"name": "n", "tags": json.dumps({"k": LARGE})}, "'tags[k]'"),
        ("PATCH", f"{dataset_id}/tags", {"tags": json.dumps({LARGE: "v"})}, "characters, at most 255"),
        ("POST", f"{dataset_id}/records", {"records": json.dumps([{"inputs": {"q": LARGE}}])}, "'records[0]'"),
        ("POST", f"{dataset_id}/records", {"records": json.dumps([{"outputs": LARGE}])}, "a record may have 4,194,304"),
        ("POST", f"{dataset_id}/records", {"records": LARGE}, "is not JSON"),
        ("POST", f"{dataset_id}/records", {"records": "[]", "updated_by": LARGE}, "'updated_by'"),
        ("DELETE", f"{dataset_id}/records", {"dataset_record_ids": [LARGE]}, "'dataset_record_ids[0]'"),
        ("POST", "search", {"filter_string": LARGE}, "'filter_string'"),
    ):
        status, code, message = rest.refused(method, f"{AT}/{path}", json=fields)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE"), path
        assert words in message
        assert len(message) < 1_000
    assert ask(rest, "GET", dataset_id) == before
    assert listed(rest, dataset_id) == []


def test_body_of_ten_megabytes_is_taken(rest: Rest, dataset_id: str) -> None:
    records = [{"inputs": {"q": at}, "outputs": "x" * 200_000} for at in range(50)]
    assert upsert(rest, dataset_id, *records) == (50, 0)
    assert [(record["inputs"], record["outputs"]) for record in listed(rest, dataset_id)] == [
        (record["inputs"], record["outputs"]) for record in records
    ]
