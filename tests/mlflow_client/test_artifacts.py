"""Artifacts of runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository

from trackwire.mlflow_plugin.artifact_repository import TrackwireArtifactRepository

mpl.use("agg")

# What is the plugin's alone.
by_grpc = pytest.mark.parametrize("scheme", ["grpc"])


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files at several depths."""
    root = tmp_path / "out"
    for name in ("a.txt", "sub/b.txt", "sub/deep/c d.txt", "sub/empty.bin"):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("" if "empty" in name else name)
    return root


def paths_of(client: MlflowClient, run_id: str, path: str | None = None) -> list[str]:
    return [entry.path for entry in client.list_artifacts(run_id, path)]


# MLflow selects the columns of a table as pandas 2 would have it.
@pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")
@pytest.mark.usefixtures("experiment_id")
def test_dicts_texts_figures_images_and_tables(client: MlflowClient) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    with mlflow.start_run() as run:
        mlflow.log_dict({"a": [1, 2]}, "config/a.json")
        mlflow.log_dict({"a": [1, 2]}, "config/a.yaml")
        mlflow.log_text("said", "note.txt")
        mlflow.log_figure(figure, "plots/figure.png")
        mlflow.log_image(np.zeros((4, 4, 3), np.uint8), "pictures/black.png")
        mlflow.log_image(np.zeros((4, 4, 3), np.uint8), key="series", step=3, synchronous=True)
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table({"x": [3], "y": ["c"]}, "table.json")
    plt.close(figure)
    uri = run.info.artifact_uri
    assert mlflow.artifacts.load_dict(f"{uri}/config/a.json") == {"a": [1, 2]}
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt") == "said"
    assert mlflow.artifacts.load_image(f"{uri}/pictures/black.png").size == (4, 4)
    assert paths_of(client, run.info.run_id, "config") == ["config/a.json", "config/a.yaml"]
    assert paths_of(client, run.info.run_id, "plots") == ["plots/figure.png"]
    assert len(paths_of(client, run.info.run_id, "images")) == 2
    expected = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "c"]})
    pd.testing.assert_frame_equal(mlflow.load_table("table.json", [run.info.run_id]), expected, check_dtype=False)


@pytest.mark.usefixtures("experiment_id")
def test_pictures_of_steps_are_logged_in_the_background(client: MlflowClient) -> None:
    with mlflow.start_run() as run:
        for step in range(3):
            mlflow.log_image(np.full((4, 4, 3), step, np.uint8), key="series", step=step)
        mlflow.flush_artifact_async_logging()
    assert len(paths_of(client, run.info.run_id, "images")) == 6


def test_folder_comes_back_as_it_was(client: MlflowClient, run_id: str, folder: Path, tmp_path: Path) -> None:
    client.log_artifacts(run_id, folder, "kept")
    listed = [(entry.path, entry.is_dir, entry.file_size) for entry in client.list_artifacts(run_id, "kept")]
    assert listed == [("kept/a.txt", False, 5), ("kept/sub", True, None)]
    there = Path(client.download_artifacts(run_id, "kept", str(tmp_path)))
    assert there == tmp_path / "kept"
    for file in (path for path in folder.rglob("*") if path.is_file()):
        assert (there / file.relative_to(folder)).read_bytes() == file.read_bytes()
    everything = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path / "all")))
    assert (everything / "kept/sub/deep/c d.txt").read_text() == "sub/deep/c d.txt"


def test_file_is_logged_listed_and_downloaded(client: MlflowClient, run_id: str, folder: Path, tmp_path: Path) -> None:
    client.log_artifact(run_id, folder / "a.txt")
    client.log_artifact(run_id, str(folder / "a.txt"), "in/there")
    client.log_artifact(run_id, folder / "sub")
    assert paths_of(client, run_id) == ["a.txt", "in", "sub"]
    assert paths_of(client, run_id, "in") == ["in/there"]
    assert paths_of(client, run_id, "a.txt") == []
    assert paths_of(client, run_id, "nowhere") == []
    assert Path(client.download_artifacts(run_id, "in/there/a.txt", str(tmp_path))).read_text() == "a.txt"


def test_repository_of_a_folder_has_paths_of_its_own(uri: str, client: MlflowClient, run_id: str, folder: Path) -> None:
    client.log_artifacts(run_id, folder, "model")
    root = f"{client.get_run(run_id).info.artifact_uri}/model"
    repository = get_artifact_repository(root, tracking_uri=uri)
    assert [entry.path for entry in repository.list_artifacts()] == ["a.txt", "sub"]
    assert [entry.path for entry in repository.list_artifacts("sub")] == ["sub/b.txt", "sub/deep", "sub/empty.bin"]
    assert Path(repository.download_artifacts("sub/b.txt")).read_text() == "sub/b.txt"
    repository.delete_artifacts("sub")
    assert paths_of(client, run_id, "model") == ["model/a.txt"]
    repository.delete_artifacts()
    assert paths_of(client, run_id, "model") == []


def test_all_of_a_run_is_deleted(uri: str, client: MlflowClient, run_id: str, folder: Path) -> None:
    client.log_artifacts(run_id, folder)
    get_artifact_repository(client.get_run(run_id).info.artifact_uri, tracking_uri=uri).delete_artifacts()
    assert paths_of(client, run_id) == []


def test_many_threads_log_artifacts(client: MlflowClient, run_id: str, folder: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: client.log_artifacts(run_id, folder, f"part/{number:02}"), range(16)))
        texts = list(threads.map(lambda number: client.log_text(run_id, str(number), f"text/{number:02}"), range(16)))
    assert texts == [None] * 16
    assert paths_of(client, run_id, "part") == [f"part/{number:02}" for number in range(16)]
    assert paths_of(client, run_id, "part/15") == ["part/15/a.txt", "part/15/sub"]
    assert len(paths_of(client, run_id, "text")) == 16


@by_grpc
def test_uris_of_mlflows_own_store_go_through_grpc(uri: str, client: MlflowClient, run_id: str) -> None:
    client.log_text(run_id, "said", "d/note.txt")
    proxied = client.get_run(run_id).info.artifact_uri.replace("trackwire-artifacts:", "mlflow-artifacts:")
    assert isinstance(get_artifact_repository(proxied, tracking_uri=uri), TrackwireArtifactRepository)
    assert mlflow.artifacts.load_text(f"{proxied}/d/note.txt") == "said"


@by_grpc
def test_uris_of_mlflows_own_store_stay_mlflows_over_http(uri: str) -> None:
    repository = get_artifact_repository("mlflow-artifacts:/0/r/artifacts", tracking_uri="http://127.0.0.1:9")
    assert isinstance(repository, MlflowArtifactsRepository)


def test_artifacts_outside_of_the_server_are_mlflows(client: MlflowClient, model_name: str, tmp_path: Path) -> None:
    experiment = client.create_experiment(model_name, artifact_location=(tmp_path / "place").as_uri())
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "said", "note.txt")
    assert (tmp_path / "place" / run.info.run_id / "artifacts" / "note.txt").read_text() == "said"


def test_file_that_can_not_be_stored_fails_its_folder(client: MlflowClient, run_id: str, folder: Path) -> None:
    (folder / "broken").symlink_to(folder / "nowhere")
    with pytest.raises(FileNotFoundError):
        client.log_artifacts(run_id, folder)


@by_grpc
@pytest.mark.parametrize("path", ["../up.txt", "/etc/passwd", "a/../../up.txt"])
def test_path_that_leaves_the_run_is_refused(uri: str, client: MlflowClient, run_id: str, path: str) -> None:
    repository = get_artifact_repository(client.get_run(run_id).info.artifact_uri, tracking_uri=uri)
    with pytest.raises(MlflowException, match="path"):
        repository.list_artifacts(path)
    with pytest.raises(MlflowException, match="path"):
        client.log_text(run_id, "text", path)


@by_grpc
def test_server_of_an_artifact_must_be_known(uri: str) -> None:
    mlflow.set_tracking_uri("sqlite:///unused.db")
    with pytest.raises(MlflowException, match=r"grpc://HOST:PORT, and is 'sqlite:"):
        get_artifact_repository("trackwire-artifacts:/0/r/artifacts")
    with pytest.raises(MlflowException, match="must be trackwire-artifacts:/"):
        get_artifact_repository("trackwire-artifacts:/0", tracking_uri=uri)


def test_file_that_is_missing_is_told(client: MlflowClient, run_id: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.log_artifact(run_id, tmp_path / "none.txt")
    with pytest.raises(MlflowException) as told:
        client.download_artifacts(run_id, "none.txt", str(tmp_path))
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"
