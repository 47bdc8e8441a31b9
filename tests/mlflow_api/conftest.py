"""One server for the tests of a module, and MLflow's REST API at its HTTP port."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from tests.conftest import ServerProcess


@dataclass(frozen=True, slots=True)
class Rest:
    """Calls the API as a program without MLflow's client would."""

    url: str
    prefix: str = "/api/2.0/mlflow/"

    def send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """One request below the API's prefix, or at a whole path."""
        place = path if path.startswith("/") else self.prefix + path
        return requests.request(method, self.url + place, timeout=30, **arguments)

    def post(self, path: str, /, **fields: Any) -> Any:
        """The answer to a POST that must succeed."""
        return answer_of(self.send("POST", path, json=fields))

    def get(self, path: str, /, **fields: Any) -> Any:
        """The answer to a GET that must succeed."""
        return answer_of(self.send("GET", path, params=fields))

    def refused(self, method: str, path: str, **arguments: Any) -> tuple[int, str, str]:
        """Status, error code and words of a request that must fail."""
        response = self.send(method, path, **arguments)
        error = response.json()
        return response.status_code, error["error_code"], error["message"]

    def experiment(self) -> str:
        """The id of a new experiment."""
        return str(self.post("experiments/create", name=f"experiment {uuid.uuid4().hex}")["experiment_id"])

    def run(self, **fields: Any) -> str:
        """The id of a new run; without `experiment_id` in the Default experiment."""
        return str(self.post("runs/create", **fields)["run"]["info"]["run_id"])


def answer_of(response: requests.Response) -> Any:
    """The JSON of an answer that is no error."""
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with an HTTP port."""
    server = ServerProcess(tmp_path_factory.mktemp("mlflow") / "data", http_port="0")
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def rest(mlflow_server: ServerProcess) -> Rest:
    """MLflow's API of that server."""
    return Rest(mlflow_server.url)
