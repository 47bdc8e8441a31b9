"""The model registry by MLflow's REST API: its shapes, and its words for what is wrong."""

import uuid
from typing import Any

import pytest
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest

from trackwire import MlflowClient
from trackwire.client import Client
from trackwire.queries.artifact_uris import ArtifactPlace, place_of_uri

INVALID, MISSING, TAKEN = (
    (400, "INVALID_PARAMETER_VALUE"),
    (404, "RESOURCE_DOES_NOT_EXIST"),
    (400, "RESOURCE_ALREADY_EXISTS"),
)
SOURCE = "s3://bucket/model"


@pytest.fixture
def name(rest: Rest) -> str:
    """A registered model with one version."""
    name = f"model {uuid.uuid4().hex}"
    rest.post("registered-models/create", name=name)
    rest.post("model-versions/create", name=name, source=SOURCE)
    return name


def sent(rest: Rest, method: str, path: str, **fields: object) -> Any:
    """The answer to a request that must succeed."""
    response = rest.send(method, path, json=fields)
    assert response.status_code == 200, response.text
    return response.json()


def model_of(rest: Rest, name: str) -> Any:
    return rest.get("registered-models/get", name=name)["registered_model"]


def version_of(rest: Rest, name: str, version: int = 1) -> Any:
    return rest.get("model-versions/get", name=name, version=version)["model_version"]


def numbers(answer: Any) -> list[str]:
    return [version["version"] for version in answer["model_versions"]]


def test_life_of_a_registered_model(rest: Rest) -> None:
    name = f"digits {uuid.uuid4().hex}"
    tags = [{"key": "team", "value": "vision"}, {"key": "another key", "value": ""}]
    made = rest.post("registered-models/create", name=name, description="of digits", tags=tags)["registered_model"]
    assert made == {
        "name": name,
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
        "description": "of digits",
        "latest_versions": [],
        "tags": tags,
        "aliases": [],
    }
    assert model_of(rest, name) | {"tags": tags} == made
    updated = sent(rest, "PATCH", "registered-models/update", name=name, description="")["registered_model"]
    assert updated["description"] == ""
    sent(rest, "PATCH", "registered-models/update", name=name, description="kept")
    assert sent(rest, "PATCH", "registered-models/update", name=name)["registered_model"]["description"] == "kept"
    rest.post("registered-models/set-tag", name=name, key="team", value="sound")
    assert sent(rest, "DELETE", "registered-models/delete-tag", name=name, key="another key") == {}
    assert sent(rest, "DELETE", "registered-models/delete-tag", name=name, key="another key") == {}
    assert model_of(rest, name)["tags"] == [{"key": "team", "value": "sound"}]
    new_name = f"{name}, renamed"
    assert rest.post("registered-models/rename", name=name, new_name=new_name)["registered_model"]["name"] == new_name
    assert rest.refused("GET", "registered-models/get", params={"name": name})[:2] == MISSING
    assert sent(rest, "DELETE", "registered-models/delete", name=new_name) == {}
    assert rest.refused("DELETE", "registered-models/delete", json={"name": new_name})[:2] == MISSING


def test_life_of_a_version(rest: Rest, name: str) -> None:
    run_id = rest.run()
    made = rest.post(
        "model-versions/create",
        name=name,
        source=f"runs:/{run_id}/model",
        run_id=run_id,
        run_link="https://elsewhere/r",
        description="second",
        tags=[{"key": "k", "value": "v"}],
        model_id="m-1",
    )["model_version"]
    assert made == {
        "name": name,
        "version": "2",
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
        "user_id": "",
        "current_stage": "None",
        "description": "second",
        "source": f"runs:/{run_id}/model",
        "run_id": run_id,
        "status": "READY",
        "status_message": "",
        "tags": [{"key": "k", "value": "v"}],
        "run_link": "https://elsewhere/r",
        "aliases": [],
        "model_id": "m-1",
    }
    assert version_of(rest, name, 2) == made
    assert "model_id" not in version_of(rest, name)
    described = sent(rest, "PATCH", "model-versions/update", name=name, version="2", description="best")
    assert described["model_version"]["description"] == "best"
    rest.post("model-versions/set-tag", name=name, version="2", key="empty", value="")
    for _ in range(2):
        assert sent(rest, "DELETE", "model-versions/delete-tag", name=name, version="2", key="k") == {}
    assert version_of(rest, name, 2)["tags"] == [{"key": "empty", "value": ""}]
    assert sent(rest, "DELETE", "model-versions/delete", name=name, version="2") == {}
    assert rest.refused("DELETE", "model-versions/delete", json={"name": name, "version": "2"})[:2] == MISSING
    assert rest.post("model-versions/create", name=name, source=SOURCE)["model_version"]["version"] == "3"


def test_stages_in_any_case(rest: Rest, name: str) -> None:
    for _ in range(2):
        rest.post("model-versions/create", name=name, source=SOURCE)
    move = {"name": name, "archive_existing_versions": False}
    moved = rest.post("model-versions/transition-stage", **move, version="1", stage="PRODUCTION")["model_version"]
    assert moved["current_stage"] == "Production"
    rest.post(
        "model-versions/transition-stage",
        **(move | {"archive_existing_versions": True}),
        version="2",
        stage="production",
    )
    assert version_of(rest, name)["current_stage"] == "Archived"
    latest = "registered-models/get-latest-versions"
    assert numbers(rest.post(latest, name=name)) == numbers(rest.get(latest, name=name)) == ["1", "2", "3"]
    assert numbers(rest.post(latest, name=name, stages=["production", "Staging"])) == ["2"]
    assert numbers(rest.get(latest, name=name, stages=["None", "Archived"])) == ["1", "3"]


def test_aliases(rest: Rest, name: str) -> None:
    at = "registered-models/alias"
    rest.post("model-versions/create", name=name, source=SOURCE)
    assert rest.post(at, name=name, alias="champion", version="1") == {}
    assert rest.get(at, name=name, alias="champion")["model_version"] == version_of(rest, name)
    assert version_of(rest, name)["aliases"] == ["champion"]
    assert model_of(rest, name)["aliases"] == [{"alias": "champion", "version": "1"}]
    assert rest.get(at, name=name, alias="Latest")["model_version"]["version"] == "2"
    for _ in range(2):
        assert sent(rest, "DELETE", at, name=name, alias="champion") == {}
    status, code, words = rest.refused("GET", at, params={"name": name, "alias": "champion"})
    assert ((status, code), words) == (INVALID, "Registered model alias champion not found.")


def test_searches_page(rest: Rest) -> None:
    prefix = uuid.uuid4().hex
    for number in range(5):
        rest.post("registered-models/create", name=f"{prefix} {number}")
        rest.post("model-versions/create", name=f"{prefix} {number}", source=SOURCE)
    for noun, order in (("registered_models", "name DESC"), ("model_versions", "name DESC")):
        found: list[str] = []
        token = ""
        for size in (2, 2, 1):
            fields: dict[str, Any] = {"filter": f"name LIKE '{prefix}%'", "order_by": [order], "max_results": 2}
            page = rest.get(f"{noun.replace('_', '-')}/search", **fields, page_token=token)
            assert len(page[noun]) == size
            found += [each["name"] for each in page[noun]]
            token = page.get("next_page_token", "")
        assert found == [f"{prefix} {number}" for number in (4, 3, 2, 1, 0)]
        assert token == ""


def test_copy_is_of_one_version_and_outlives_it(rest: Rest, name: str) -> None:
    copy = f"{name} copy"
    rest.post("registered-models/create", name=copy)
    for source in (f"models:/{name}/1", f"models:/{name}/latest"):
        made = rest.post("model-versions/create", name=copy, source=source)["model_version"]
        assert made["source"] == f"models:/{name}/1"
    rest.post("model-versions/create", name=copy, source=f"models:/{copy}/2")
    sent(rest, "DELETE", "registered-models/delete", name=name)
    for version in (1, 2, 3):
        answer = rest.get("model-versions/get-download-uri", name=copy, version=version)
        assert answer == {"artifact_uri": SOURCE}


def test_copy_has_its_files_at_the_other_door(rest: Rest, mlflow_server: ServerProcess, name: str) -> None:
    run_id = rest.run()
    copy = f"{name} copy"
    rest.post("registered-models/create", name=copy)
    rest.post("model-versions/create", name=name, source=f"runs:/{run_id}/model", model_id="m-1")
    rest.post("model-versions/create", name=copy, source=f"models:/{name}/2")
    with Client(mlflow_server.address) as client:
        found = client.get_model_version(copy, 1)
        assert (found.source, found.storage_location) == (f"models:/{name}/2", f"runs:/{run_id}/model")
        assert (found.run_id, found.model_id) == (run_id, "m-1")
        assert place_of_uri(client, f"models:/{copy}/1/weights") == ArtifactPlace("model/weights", "weights", run_id)
        again = client.create_model_version(name, f"models:/{copy}/latest", model_id="m-1")
        assert again.storage_location == f"runs:/{run_id}/model"
    theirs = MlflowClient(mlflow_server.address)
    assert theirs.get_model_version_download_uri(copy, "1") == f"runs:/{run_id}/model"
    assert theirs.copy_model_version(f"models:/{copy}/1", name).source == f"runs:/{run_id}/model"


def test_source_in_the_servers_own_store_is_one_place_to_all_doors(rest: Rest, name: str) -> None:
    run_id = rest.run()
    source = rest.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"] + "/model"
    made = rest.post("model-versions/create", name=name, source=source, run_id=run_id)["model_version"]
    assert made["source"] == source == f"mlflow-artifacts:/0/{run_id}/artifacts/model"
    assert rest.get("model-versions/get-download-uri", name=name, version="2") == {"artifact_uri": source}
    elsewhere = "mlflow-artifacts://host:5000/model"
    assert rest.post("model-versions/create", name=name, source=elsewhere)["model_version"]["source"] == elsewhere
    theirs = [
        found["source"] for found in rest.get("model-versions/search", filter=f"name = '{name}'")["model_versions"]
    ]
    assert theirs == [elsewhere, source, SOURCE]


def test_prompts_are_found_only_by_their_tag(rest: Rest, name: str) -> None:
    prompt = f"{name} prompt"
    flag = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    rest.post("registered-models/create", name=prompt, tags=flag)
    rest.post("model-versions/create", name=prompt, source="dummy-source", tags=flag)
    status, code, words = rest.refused(
        "POST", "model-versions/create", json={"name": prompt, "source": SOURCE, "tags": flag}
    )
    assert (status, code) == INVALID
    assert "a prompt has no files" in words
    for noun in ("registered_models", "model_versions"):
        for tag, found in (
            ("", [name]),
            (" AND tag.`mlflow.prompt.is_prompt` != 'true'", [name]),
            (" AND tag.`mlflow.prompt.is_prompt` = 'true'", [prompt]),
        ):
            page = rest.get(f"{noun.replace('_', '-')}/search", filter=f"name LIKE '{name}%'{tag}")
            assert [each["name"] for each in page[noun]] == found


@pytest.mark.parametrize(
    ("method", "path", "fields", "outcome", "words"),
    [
        ("POST", "registered-models/create", {"name": None}, INVALID, "Missing value for required parameter 'name'."),
        ("POST", "registered-models/create", {"name": " "}, INVALID, "Missing value for required parameter 'name'."),
        ("POST", "registered-models/create", {"name": 3}, INVALID, "Invalid value 3 for parameter 'name' supplied"),
        ("POST", "registered-models/create", {"name": "a/b"}, INVALID, "Invalid value \"a/b\" for parameter 'name'"),
        ("POST", "registered-models/create", {"name": "a:b"}, INVALID, "must not contain"),
        ("POST", "registered-models/create", {"name": "x" * 251}, INVALID, "supplied: has 251 characters, at most 250"),
        ("POST", "registered-models/create", {}, TAKEN, "Registered Model (name={name}) already exists."),
        ("POST", "registered-models/create", {"name": "n", "tags": "x"}, INVALID, "for parameter 'tags' supplied"),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"value": "x"}]}, INVALID, "'tags[0].key'"),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"key": "../k"}]}, INVALID, "clean relative path"),
        (
            "POST",
            "registered-models/create",
            {"name": "n", "tags": [{"key": "k", "value": "x" * 100_001}]},
            INVALID,
            "for parameter 'tags[k]' supplied: has 100,001 characters, at most 100,000",
        ),
        ("POST", "registered-models/rename", {}, INVALID, "Missing value for required parameter 'new_name'."),
        ("POST", "registered-models/rename", {"new_name": "a/b"}, INVALID, "for parameter 'new_name' supplied"),
        ("POST", "registered-models/rename", {"name": "no", "new_name": "x"}, MISSING, "with name=no not found"),
        ("PATCH", "registered-models/update", {"name": "no", "description": "x"}, MISSING, "with name=no not found"),
        ("PATCH", "registered-models/update", {"description": "x" * 65_537}, INVALID, "parameter 'description'"),
        ("POST", "registered-models/set-tag", {"key": "k"}, INVALID, "Missing value for required parameter 'value'."),
        ("POST", "registered-models/set-tag", {"value": "v"}, INVALID, "Missing value for required parameter 'key'."),
        ("POST", "registered-models/set-tag", {"name": "no", "key": "k", "value": "v"}, MISSING, "name=no not found"),
        ("DELETE", "registered-models/delete-tag", {}, INVALID, "Missing value for required parameter 'key'."),
        ("POST", "registered-models/alias", {"alias": "a"}, INVALID, "Missing value for required parameter 'version'."),
        ("POST", "registered-models/alias", {"version": "1"}, INVALID, "Missing value for required parameter 'alias'."),
        ("POST", "registered-models/alias", {"alias": "latest", "version": "1"}, INVALID, "is reserved"),
        ("POST", "registered-models/alias", {"alias": "V1", "version": "1"}, INVALID, "is reserved"),
        ("POST", "registered-models/alias", {"alias": "a b", "version": "1"}, INVALID, "may only have letters"),
        ("POST", "registered-models/alias", {"alias": "a", "version": "9"}, MISSING, "version=9) not found"),
        ("POST", "registered-models/get-latest-versions", {"stages": ["Best"]}, INVALID, "'stages[0]' supplied: must"),
        ("POST", "registered-models/get-latest-versions", {"name": "no"}, MISSING, "with name=no not found"),
        ("POST", "model-versions/create", {}, INVALID, "Missing value for required parameter 'source'."),
        ("POST", "model-versions/create", {"name": "no", "source": SOURCE}, MISSING, "with name=no not found"),
        ("POST", "model-versions/create", {"source": SOURCE, "run_id": "r 1"}, INVALID, "for parameter 'run_id'"),
        ("POST", "model-versions/create", {"source": SOURCE, "model_id": "m 1"}, INVALID, "for parameter 'model_id'"),
        ("POST", "model-versions/create", {"source": "/tmp"}, INVALID, "To use a local path as a model version source"),
        (
            "POST",
            "model-versions/create",
            {"source": "file:///tmp", "run_id": "nobody"},
            INVALID,
            'Invalid model version source: "file:///tmp". To use a local path as a model version source',
        ),
        (
            "POST",
            "model-versions/create",
            {"source": "s3://b/../x"},
            INVALID,
            "If supplying a source as an http, https",
        ),
        ("POST", "model-versions/create", {"source": "s3://b/%2e%2e/x"}, INVALID, "If supplying a source"),
        ("POST", "model-versions/create", {"source": "mlflow-artifacts:/a%00"}, INVALID, "If supplying a source"),
        ("POST", "model-versions/create", {"source": "runs:/r1"}, INVALID, "must be runs:/<run_id>/<path>"),
        ("POST", "model-versions/create", {"source": "models:/m-1", "model_id": "m-2"}, INVALID, "differs from 'm-1'"),
        ("POST", "model-versions/create", {"source": "models:/digits"}, INVALID, "or be models:/m-<id>"),
        ("POST", "model-versions/create", {"source": "models:/no/1"}, MISSING, "with name=no not found"),
        ("GET", "model-versions/get", {}, INVALID, "Missing value for required parameter 'version'."),
        ("GET", "model-versions/get", {"version": "x"}, INVALID, "Parameter 'version' must be an integer, got 'x'."),
        (
            "GET",
            "model-versions/get",
            {"version": "1.5"},
            INVALID,
            "Parameter 'version' must be an integer, got '1.5'.",
        ),
        ("GET", "model-versions/get", {"version": "0"}, INVALID, "Invalid value 0 for parameter 'version' supplied"),
        ("GET", "model-versions/get", {"version": "-1"}, INVALID, "Invalid value -1 for parameter 'version' supplied"),
        ("GET", "model-versions/get", {"version": "2147483648"}, INVALID, "must be from 1 to 2,147,483,647"),
        ("GET", "model-versions/get", {"version": "9" * 5_000}, INVALID, "must be an integer"),
        ("GET", "model-versions/get", {"version": "2"}, MISSING, "Model Version (name={name}, version=2) not found"),
        ("GET", "model-versions/get-download-uri", {"version": "2"}, MISSING, "version=2) not found"),
        ("PATCH", "model-versions/update", {"version": "2", "description": "x"}, MISSING, "version=2) not found"),
        ("DELETE", "model-versions/delete", {}, INVALID, "Missing value for required parameter 'version'."),
        ("DELETE", "model-versions/delete-tag", {"version": "1"}, INVALID, "required parameter 'key'."),
        ("POST", "model-versions/set-tag", {"version": "1", "key": "k"}, INVALID, "required parameter 'value'."),
        ("POST", "model-versions/transition-stage", {"version": "1", "stage": "None"}, INVALID, "archive_existing"),
        (
            "POST",
            "model-versions/transition-stage",
            {"version": "1", "archive_existing_versions": False},
            INVALID,
            "Missing value for required parameter 'stage'.",
        ),
        (
            "POST",
            "model-versions/transition-stage",
            {"version": "1", "stage": "Best", "archive_existing_versions": False},
            INVALID,
            "Invalid value \"Best\" for parameter 'stage' supplied: must be one of None, Staging, Production, Archived",
        ),
        (
            "POST",
            "model-versions/transition-stage",
            {"version": "1", "stage": "Archived", "archive_existing_versions": True},
            INVALID,
            "for parameter 'archive_existing_versions' supplied: is only for the stages",
        ),
        (
            "GET",
            "registered-models/search",
            {"max_results": "0"},
            INVALID,
            "Invalid value 0 for parameter 'max_results'",
        ),
        ("GET", "registered-models/search", {"max_results": "1001"}, INVALID, "must be from 1 to 1,000"),
        ("GET", "registered-models/search", {"filter": "colour = 'red'"}, INVALID, "for parameter 'filter' supplied"),
        ("GET", "registered-models/search", {"order_by": ["name", "name"]}, INVALID, "'order_by[1]' supplied"),
        ("GET", "registered-models/search", {"page_token": "x"}, INVALID, "for parameter 'page_token' supplied"),
        ("GET", "model-versions/search", {"max_results": "200001"}, INVALID, "must be from 1 to 200,000"),
        (
            "GET",
            "model-versions/search",
            {"filter": "version_number = 'x'"},
            INVALID,
            "for parameter 'filter' supplied",
        ),
    ],
)
def test_bad_requests_are_told_as_mlflow_tells_them(
    rest: Rest, name: str, method: str, path: str, fields: dict[str, Any], outcome: tuple[int, str], words: str
) -> None:
    before = model_of(rest, name)
    asked = fields if path.endswith("search") else {"name": name, **fields}
    found = rest.refused(method, path, **({"params": asked} if method == "GET" else {"json": asked}))
    assert found[:2] == outcome
    assert words.format(name=name) in found[2]
    assert model_of(rest, name) == before
