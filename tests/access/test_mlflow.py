"""MLflow's own client at a guarded server: over https:// by its own variables, and over grpcs:// by the plugin."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.access.guarded import Guarded, guarded_server

from trackwire.mlflow_plugin import connections


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One that asks for certificates of clients, too."""
    mutual = guarded_server(tmp_path_factory.mktemp("mutual"), mutual=True)
    mutual.server.start()
    yield mutual
    assert mutual.server.stop() == 0, mutual.server.log_text()


@pytest.fixture(params=["http", "grpc"])
def client(
    request: pytest.FixtureRequest, mutual: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MlflowClient]:
    """A client that trusts the server and shows its certificate, by MLflow's variables; it has no token yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(mutual.authority.path))
    monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", str(mutual.client.both))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = mutual.url if request.param == "http" else mutual.address
    yield MlflowClient(uri)
    if request.param == "grpc":
        _forget(uri)


def _forget(uri: str) -> None:
    # A process has one client for each URI, with the token that it began with.
    for key in [key for key in connections._clients if key[1] == uri]:
        connections._clients.pop(key).close()


def as_token(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)


def as_user(monkeypatch: pytest.MonkeyPatch, name: str, secret: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", secret)


@pytest.mark.parametrize("way", ["token", "user and password"])
def test_mlflow_logs_with_its_own_variables(
    client: MlflowClient, mutual: Guarded, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "token":
        as_token(monkeypatch, mutual.secrets["write"])
    else:
        as_user(monkeypatch, "write", mutual.secrets["write"])
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "loss", 0.5)
    client.log_text(run_id, "said", "note.txt")
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    assert [entry.path for entry in client.list_artifacts(run_id)] == ["note.txt"]
    assert Path(client.download_artifacts(run_id, "note.txt")).read_text() == "said"


def test_mlflow_is_told_that_there_is_no_token(client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="there is no token") as caught:
        client.get_experiment("0")
    assert caught.value.error_code == "UNAUTHENTICATED"


def test_mlflow_is_told_that_its_token_is_not_known(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, "write", "tw_wrong")
    with pytest.raises(MlflowException, match="the token is not known") as caught:
        client.get_experiment("0")
    assert caught.value.error_code == "UNAUTHENTICATED"
    assert "tw_wrong" not in str(caught.value)


def test_mlflow_is_told_what_its_token_lacks(
    client: MlflowClient, mutual: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_token(monkeypatch, mutual.secrets["read"])
    assert client.get_experiment("0").name == "Default"
    with pytest.raises(MlflowException, match="token 'read' has the scope read, and this needs write") as caught:
        client.create_run("0")
    assert caught.value.error_code == "PERMISSION_DENIED"


def test_client_without_a_certificate_is_not_heard(
    client: MlflowClient, mutual: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_token(monkeypatch, mutual.secrets["read"])
    monkeypatch.delenv("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    with pytest.raises(MlflowException):
        client.get_experiment("0")
