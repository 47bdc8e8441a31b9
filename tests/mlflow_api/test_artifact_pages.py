"""The paths of MLflow's pages: uploads, files of runs and of models."""

import pytest
import requests
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest, answer_of
from tests.mlflow_api.proxied import ALPHABET, UPLOAD, names, put

from trackwire import Client


@pytest.mark.parametrize("name", ["run_id", "run_uuid"])
def test_page_uploads_a_small_file(rest: Rest, name: str) -> None:
    run_id = rest.run()
    assert answer_of(rest.send("POST", UPLOAD, params={name: run_id, "path": "notes/a.txt"}, data="hello")) == {}
    assert rest.send("GET", "/get-artifact", params={name: run_id, "path": "notes/a.txt"}).text == "hello"


@pytest.mark.parametrize(
    ("fields", "data", "words"),
    [
        ({"path": "f"}, b"x", "Request must specify run_uuid."),
        ({"run_id": "{run}"}, b"x", "Request must specify path."),
        ({"run_id": "{run}", "path": ""}, b"x", "Request must specify path."),
        ({"run_id": "{run}", "path": "."}, b"x", "Invalid path"),
        ({"run_id": "{run}", "path": "f"}, b"", "Request must specify data."),
        (
            {"run_id": "{run}", "path": "f"},
            bytes(10 * 1024 * 1024 + 1),
            "Artifact size is too large. Max size is 10MB.",
        ),
    ],
)
def test_page_is_told_what_its_upload_lacks(rest: Rest, fields: dict[str, str], data: bytes, words: str) -> None:
    run_id = rest.run()
    params = {name: value.format(run=run_id) for name, value in fields.items()}
    found = rest.refused("POST", UPLOAD, params=params, data=data)
    assert found == (400, "INVALID_PARAMETER_VALUE", words)
    assert names(rest, run_id) == []


def test_largest_upload_of_a_page_is_stored(rest: Rest) -> None:
    run_id = rest.run()
    params = {"run_id": run_id, "path": "f"}
    assert answer_of(rest.send("POST", UPLOAD, params=params, data=bytes(10 * 1024 * 1024))) == {}


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/get-artifact", {"path": "f"}, "Missing value for required parameter 'run_id'."),
        ("/get-artifact", {"run_id": "{run}"}, "Missing value for required parameter 'path'."),
        ("artifacts/list", {"path": "f"}, "Missing value for required parameter 'run_id'."),
        ("/model-versions/get-artifact", {"version": "1", "path": "f"}, "Missing value for required parameter 'name'."),
        ("/model-versions/get-artifact", {"name": "m", "path": "f"}, "Missing value for required parameter 'version'."),
        ("/model-versions/get-artifact", {"name": "m", "version": "1"}, "Missing value for required parameter 'path'."),
        (
            "/model-versions/get-artifact",
            {"name": "m", "version": "one", "path": "f"},
            "Invalid value \"one\" for parameter 'version' supplied",
        ),
    ],
)
def test_field_that_is_missing_is_named(rest: Rest, path: str, fields: dict[str, str], words: str) -> None:
    run_id = rest.run()
    params = {name: value.format(run=run_id) for name, value in fields.items()}
    status, code, message = rest.refused("GET", path, params=params)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message


@pytest.fixture(scope="module")
def model(rest: Rest, mlflow_server: ServerProcess) -> str:
    """The name of a registered model."""
    with Client(mlflow_server.address) as client:
        client.create_registered_model("m")
    return "m"


@pytest.mark.parametrize(
    "source",
    [
        "runs:/{run}/model",
        "runs:/{run}/model/",
        "mlflow-artifacts:/0/{run}/artifacts/model",
        "mlflow-artifacts:/0/{run}/artifacts/model/.",
        "trackwire-artifacts:/0/{run}/artifacts/model",
    ],
)
def test_file_of_a_models_version_is_found_by_its_source(
    rest: Rest, mlflow_server: ServerProcess, model: str, source: str
) -> None:
    run_id = rest.run()
    put(rest, run_id, "model/MLmodel", b"flavors: {}")
    with Client(mlflow_server.address) as client:
        version = client.create_model_version(model, source.format(run=run_id)).version
    wanted = {"name": model, "version": version, "path": "MLmodel"}
    response = rest.send("GET", "/model-versions/get-artifact", params=wanted)
    assert (response.status_code, response.content) == (200, b"flavors: {}")
    status, code, _ = rest.refused("GET", "/model-versions/get-artifact", params={**wanted, "path": "other"})
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert rest.refused("GET", "/model-versions/get-artifact", params={**wanted, "version": 10_000})[0] == 404


@pytest.mark.parametrize("source", ["s3://bucket/model", "mlflow-artifacts://elsewhere/0/{run}/artifacts/model"])
def test_model_elsewhere_is_told_where(rest: Rest, mlflow_server: ServerProcess, model: str, source: str) -> None:
    place_of_it = source.format(run=rest.run())
    with Client(mlflow_server.address) as client:
        version = client.create_model_version(model, place_of_it).version
    wanted = {"name": model, "version": version, "path": "MLmodel"}
    status, code, words = rest.refused("GET", "/model-versions/get-artifact", params=wanted)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert place_of_it in words


def test_slash_too_many_leads_to_the_path(rest: Rest) -> None:
    run_id = rest.run()
    put(rest, run_id, "f")
    assert rest.send("GET", "//get-artifact", params={"run_id": run_id, "path": "f"}).content == ALPHABET
    response = requests.get(f"{rest.url}//elsewhere.example/x", timeout=30, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (308, "/elsewhere.example/x")
