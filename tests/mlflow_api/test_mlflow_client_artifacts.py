"""Artifacts by MLflow's own client over HTTP, as trainings log and read them."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import pandas as pd
import pytest
import requests
from matplotlib.figure import Figure
from mlflow.artifacts import download_artifacts, load_dict, load_image, load_text
from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from PIL import Image
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest

MIB = 1024 * 1024
LARGE_BYTES = 64 * MIB
# What waits to be written and what is being written, and the allocator's slack; far from the file's size.
GROWTH_BYTES_MAX = 32 * MIB


@pytest.fixture(autouse=True)
def tracking(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow's client tracks to the server, tells nobody, and does not try for minutes what fails."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(rest.url)
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def client(rest: Rest) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(rest.url)


@pytest.fixture
def run_id(client: mlflow.MlflowClient) -> str:
    return str(client.create_run("0").info.run_id)


@pytest.fixture
def repository(client: mlflow.MlflowClient, run_id: str) -> ArtifactRepository:
    """What the client reaches the run's artifacts by."""
    return get_artifact_repository(client.get_run(run_id).info.artifact_uri, tracking_uri=client.tracking_uri)


def uri(client: mlflow.MlflowClient, run_id: str, path: str) -> str:
    return f"{client.get_run(run_id).info.artifact_uri}/{path}"


def test_files_and_folders_come_back(
    client: mlflow.MlflowClient, run_id: str, repository: ArtifactRepository, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "a.txt").write_text("a")
    (source / "below" / "b with ü.bin").write_bytes(bytes(range(256)))
    (source / "empty").touch()
    client.log_artifact(run_id, str(source / "a.txt"))
    client.log_artifacts(run_id, str(source), "all")

    assert client.list_artifacts(run_id) == [FileInfo("a.txt", False, 1), FileInfo("all", True, None)]
    assert repository.list_artifacts("all") == [
        FileInfo("all/a.txt", False, 1),
        FileInfo("all/below", True, None),
        FileInfo("all/empty", False, 0),
    ]
    assert repository.list_artifacts("a.txt") == []

    target = Path(download_artifacts(artifact_uri=uri(client, run_id, "all"), dst_path=str(tmp_path)))
    found = {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}
    assert found == {"a.txt": b"a", "below/b with ü.bin": bytes(range(256)), "empty": b""}


def test_values_come_back(client: mlflow.MlflowClient, run_id: str) -> None:
    client.log_text(run_id, "first line\nzweite Zeile: ü", "notes/text.txt")
    client.log_dict(run_id, {"layers": [1, 2], "lr": 0.1}, "config.json")
    client.log_dict(run_id, {"layers": [1, 2]}, "config.yaml")
    assert load_text(uri(client, run_id, "notes/text.txt")) == "first line\nzweite Zeile: ü"
    assert load_dict(uri(client, run_id, "config.json")) == {"layers": [1, 2], "lr": 0.1}
    assert load_text(uri(client, run_id, "config.yaml")) == "layers:\n- 1\n- 2\n"


def test_pictures_come_back(client: mlflow.MlflowClient, run_id: str, repository: ArtifactRepository) -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    client.log_figure(run_id, figure, "plots/loss.png")
    client.log_image(run_id, Image.new("RGB", (3, 2), "red"), "red.png")
    assert load_image(uri(client, run_id, "plots/loss.png")).size == (640, 480)
    assert load_image(uri(client, run_id, "red.png")).convert("RGB").getpixel((2, 1)) == (255, 0, 0)
    client.log_image(run_id, Image.new("RGB", (3, 2), "red"), key="sample", step=7)
    assert len(repository.list_artifacts("images")) == 2


# MLflow's own, about the next release of pandas.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_table_grows_by_each_log(client: mlflow.MlflowClient, run_id: str) -> None:
    client.log_table(run_id, {"prompt": ["a", "b"], "score": [1.0, 0.5]}, "scores.json")
    client.log_table(run_id, pd.DataFrame({"prompt": ["c"], "score": [0.25]}), "scores.json")
    table = load_dict(uri(client, run_id, "scores.json"))
    assert table == {"columns": ["prompt", "score"], "data": [["a", 1.0], ["b", 0.5], ["c", 0.25]]}


def test_what_is_deleted_is_gone(
    client: mlflow.MlflowClient, run_id: str, repository: ArtifactRepository, tmp_path: Path
) -> None:
    for path in ("a.txt", "d/b.txt", "d/c.txt", "e.txt"):
        client.log_text(run_id, path, path)
    repository.delete_artifacts("d")
    repository.delete_artifacts("a.txt")
    assert [file.path for file in client.list_artifacts(run_id)] == ["e.txt"]
    with pytest.raises(MlflowException, match=r"d/b\.txt"):
        download_artifacts(artifact_uri=uri(client, run_id, "d/b.txt"), dst_path=str(tmp_path))
    repository.delete_artifacts()
    assert client.list_artifacts(run_id) == []


def test_deleted_run_takes_no_files(client: mlflow.MlflowClient, run_id: str) -> None:
    client.log_text(run_id, "before", "a.txt")
    client.delete_run(run_id)
    with pytest.raises(requests.HTTPError, match="Current state is deleted"):
        client.log_text(run_id, "after", "a.txt")
    assert load_text(uri(client, run_id, "a.txt")) == "before"


def test_client_made_to_upload_in_parts_sends_the_whole(
    client: mlflow.MlflowClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1")
    client.log_text(run_id, "in one piece", "a.txt")
    assert load_text(uri(client, run_id, "a.txt")) == "in one piece"


def test_large_file_passes_through_little_memory(
    client: mlflow.MlflowClient, run_id: str, mlflow_server: ServerProcess, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        for _ in range(LARGE_BYTES // MIB):
            file.write(os.urandom(MIB))
    # What the first call loads is no part of it.
    client.log_text(run_id, "x" * MIB, "small.txt")
    load_text(uri(client, run_id, "small.txt"))
    before = _peak_bytes(mlflow_server)
    client.log_artifact(run_id, str(large))
    uploaded = _peak_bytes(mlflow_server)
    copy = download_artifacts(artifact_uri=uri(client, run_id, "large.bin"), dst_path=str(tmp_path / "copy"))
    downloaded = _peak_bytes(mlflow_server)
    assert _sha256(Path(copy)) == _sha256(large)
    assert uploaded - before < GROWTH_BYTES_MAX
    assert downloaded - uploaded < GROWTH_BYTES_MAX


def test_upload_that_is_cut_is_never_seen(client: mlflow.MlflowClient, run_id: str, rest: Rest, tmp_path: Path) -> None:
    client.log_text(run_id, "before", "a.bin")
    (tmp_path / "a.bin").write_bytes(bytes(8 * MIB))
    with _cutting_after(rest.url, 3 * MIB) as cutting:
        cut = get_artifact_repository(client.get_run(run_id).info.artifact_uri, tracking_uri=cutting.url)
        with pytest.raises(MlflowException):
            cut.log_artifact(str(tmp_path / "a.bin"))
        with pytest.raises(MlflowException):
            cut.log_artifact(str(tmp_path / "a.bin"), "new")
    assert client.list_artifacts(run_id) == [FileInfo("a.bin", False, 6)]
    assert load_text(uri(client, run_id, "a.bin")) == "before"


class _cutting_after:  # noqa: N801  # read as words where it is used
    """A proxy that cuts each connection once so many bytes have gone to the server."""

    def __init__(self, server_url: str, size_bytes: int):
        parts = urlsplit(server_url)
        self._server = (parts.hostname, parts.port)
        self._size_bytes = size_bytes
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "_cutting_after":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, socket.create_connection(self._server) as server:
                passed = 0
                while passed < self._size_bytes and (data := connection.recv(64 * 1024)):
                    server.sendall(data)
                    passed += len(data)


def _peak_bytes(server: ServerProcess) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
