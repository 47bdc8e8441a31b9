"""Artifacts as programs without MLflow's client ask for them."""

import http.client
import json
from urllib.parse import urlsplit

from tests.mlflow_api.conftest import Rest, answer_of

PROXY = "/api/2.0/mlflow-artifacts"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"
SERVER_FOLDER = "artifacts"


def place(run_id: str, path: str = "") -> str:
    """A path of the proxy, of a run in the Default experiment."""
    return f"{PROXY}/artifacts/0/{run_id}/artifacts/{path}".rstrip("/")


def put(rest: Rest, run_id: str, path: str, data: bytes = ALPHABET) -> None:
    assert answer_of(rest.send("PUT", place(run_id, path), data=data)) == {}


def names(rest: Rest, run_id: str, path: str = "") -> list[str]:
    files = rest.get("artifacts/list", run_id=run_id, path=path)["files"]
    return [file["path"] for file in files]


def as_it_is(rest: Rest, method: str, target: str, body: bytes | None = None) -> tuple[int, dict[str, str]]:
    """Sends a target that other clients would clean before."""
    connection = http.client.HTTPConnection(urlsplit(rest.url).netloc, timeout=30)
    try:
        connection.request(method, target, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
