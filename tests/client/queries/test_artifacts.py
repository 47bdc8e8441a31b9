"""Artifacts under MLflow's names and by its URIs."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import trackwire as mlflow
from trackwire.client import Client
from trackwire.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError

pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def run_id(client: Client, experiment_id: str) -> str:
    """A run with note.txt, model/model.pkl and model/data/part.bin."""
    run_id = client.create_run(experiment_id).run_id
    client.upload_bytes(run_id, "größer".encode(), "note.txt")
    client.upload_bytes(run_id, b"model", "model/model.pkl")
    client.upload_bytes(run_id, b"part", "model/data/part.bin")
    return run_id


def test_file_lies_where_mlflow_puts_it(run_id: str, tmp_path: Path) -> None:
    by_run = mlflow.download_artifacts(run_id=run_id, artifact_path="model/data/part.bin", dst_path=tmp_path / "run")
    assert by_run == str(tmp_path / "run" / "model" / "data" / "part.bin")
    by_uri = mlflow.download_artifacts(f"runs:/{run_id}/model/data/part.bin", dst_path=str(tmp_path / "new" / "uri"))
    assert by_uri == str(tmp_path / "new" / "uri" / "part.bin")
    assert Path(by_run).read_bytes() == Path(by_uri).read_bytes() == b"part"


def test_folder_is_fetched_whole(run_id: str, tmp_path: Path) -> None:
    for artifact in ("model", "model/"):
        folder = Path(mlflow.download_artifacts(run_id=run_id, artifact_path=artifact, dst_path=tmp_path))
        assert folder == tmp_path / "model"
        assert (folder / "data" / "part.bin").read_bytes() == b"part"
    below = Path(mlflow.download_artifacts(f"runs:/{run_id}/model/data/", dst_path=tmp_path))
    assert (below, (below / "part.bin").read_bytes()) == (tmp_path / "data", b"part")


@pytest.mark.parametrize("uri", ["runs:/{run_id}", "runs:/{run_id}/", "{artifact_uri}"])
def test_run_is_fetched_whole(uri: str, run_id: str, tmp_path: Path) -> None:
    named = uri.format(run_id=run_id, artifact_uri=mlflow.get_run(run_id).info.artifact_uri)
    folder = Path(mlflow.download_artifacts(named, dst_path=tmp_path / "all"))
    assert folder == tmp_path / "all"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"note.txt", "model/model.pkl", "model/data/part.bin"}


def test_without_a_place_it_lies_in_a_new_folder(run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    first = Path(mlflow.download_artifacts(run_id=run_id, artifact_path="note.txt"))
    second = Path(mlflow.download_artifacts(run_id=run_id, artifact_path="note.txt"))
    assert first.read_text() == second.read_text() == "größer"
    assert first.parent != second.parent
    with pytest.raises(NotFoundError):
        mlflow.download_artifacts(run_id=run_id, artifact_path="nothing.txt")
    assert set(temporary.iterdir()) == {first.parent, second.parent}


def test_server_may_be_named(run_id: str, online: str, tmp_path: Path) -> None:
    mlflow.set_tracking_uri("")
    arguments: dict[str, Any] = {"run_id": run_id, "artifact_path": "note.txt", "tracking_uri": f"grpc://{online}"}
    assert Path(mlflow.download_artifacts(**arguments, dst_path=tmp_path)).read_text() == "größer"
    assert [each.path for each in mlflow.list_artifacts(run_id=run_id, tracking_uri=online)] == ["model", "note.txt"]


def test_artifacts_are_listed(run_id: str) -> None:
    root = [(each.path, each.is_dir, each.file_size) for each in mlflow.list_artifacts(run_id=run_id)]
    assert root == [("model", True, None), ("note.txt", False, 7 + 1)]
    in_folder = ["model/data", "model/model.pkl"]
    assert [each.path for each in mlflow.list_artifacts(run_id=run_id, artifact_path="model")] == in_folder
    assert [each.path for each in mlflow.list_artifacts(f"runs:/{run_id}/model")] == in_folder
    # As in MLflow: below the URI's last part.
    assert [each.path for each in mlflow.list_artifacts(f"runs:/{run_id}/model/data")] == ["data/part.bin"]
    assert [each.path for each in mlflow.list_artifacts(f"runs:/{run_id}")] == ["model", "note.txt"]
    assert mlflow.list_artifacts(run_id=run_id, artifact_path="note.txt") == []
    assert mlflow.list_artifacts(run_id=run_id, artifact_path="nowhere") == []


def test_files_are_read_right_away(client: Client, run_id: str, tmp_path: Path) -> None:
    assert mlflow.load_text(f"runs:/{run_id}/note.txt") == "größer"
    client.upload_bytes(run_id, b'{"a": [1, 2]}', "config.json")
    assert mlflow.load_dict(f"runs:/{run_id}/config.json") == {"a": [1, 2]}
    with pytest.raises(InvalidArgumentError, match=r"note\.txt': is no JSON"):
        mlflow.load_dict(f"runs:/{run_id}/note.txt")
    Image.new("RGB", (3, 2), "red").save(tmp_path / "image.png")
    client.upload_artifact(run_id, tmp_path / "image.png")
    with mlflow.load_image(f"runs:/{run_id}/image.png") as image:
        assert image.size == (3, 2)


def test_models_lie_where_their_source_says(client: Client, run_id: str, tmp_path: Path) -> None:
    name = f"artifacts of {run_id}"
    version = mlflow.register_model(f"runs:/{run_id}/model", name)
    mlflow.set_registered_model_alias(name, "champion", version.version)
    client.transition_model_version_stage(name, 1, stage="Production")
    for uri in (
        f"models:/{name}/1",
        f"models:/{name}/latest",
        f"models:/{name}@champion",
        f"models:/{name}/production",
    ):
        folder = tmp_path / uri.replace("/", "_")
        assert mlflow.download_artifacts(uri, dst_path=folder) == str(folder)
        assert (folder / "model.pkl").read_bytes() == b"model"
        below = mlflow.download_artifacts(f"{uri}/data/part.bin", dst_path=folder / "one")
        assert below == str(folder / "one" / "data" / "part.bin")
    with pytest.raises(NotFoundError, match="Staging"):
        mlflow.download_artifacts(f"models:/{name}/Staging", dst_path=tmp_path)
    with pytest.raises(InvalidArgumentError, match="stage: 'Retired'"):
        mlflow.download_artifacts(f"models:/{name}/Retired", dst_path=tmp_path)
    with pytest.raises(NotFoundError, match="7"):
        mlflow.download_artifacts(f"models:/{name}/7", dst_path=tmp_path)


def test_model_that_lies_elsewhere_says_so(client: Client, tmp_path: Path) -> None:
    client.create_registered_model("in a bucket")
    client.create_model_version("in a bucket", "s3://bucket/model")
    with pytest.raises(FailedPreconditionError, match="s3://bucket/model") as caught:
        mlflow.download_artifacts("models:/in a bucket/1", dst_path=tmp_path)
    assert caught.value.reason == "ARTIFACTS_ELSEWHERE"


def test_runs_own_uri_is_understood(client: Client, run_id: str) -> None:
    client.upload_bytes(run_id, b"x", "a/artifacts/x.txt")
    uri = f"{mlflow.get_run(run_id).info.artifact_uri}/a/artifacts/x.txt"
    assert mlflow.load_text(uri) == "x"
    assert [each.path for each in mlflow.list_artifacts(uri.removesuffix("/x.txt"))] == ["artifacts/x.txt"]


def test_version_of_a_logged_model_is_fetched_as_any_other(client: Client, experiment_id: str, tmp_path: Path) -> None:
    run_id = client.create_run(experiment_id).run_id
    model = client.create_logged_model(experiment_id, name="of a run", source_run_id=run_id)
    (tmp_path / "weights").write_bytes(b"w")
    client.upload_logged_model_artifact(model.model_id, tmp_path / "weights", "data/weights")
    client.update_logged_model(model.model_id, status="READY")
    name = f"of a logged model {experiment_id}"
    version = mlflow.register_model(f"models:/{model.model_id}", name)
    assert (version.version, version.run_id) == ("1", run_id)
    for number, uri in enumerate((f"models:/{name}/1", f"models:/{model.model_id}", model.artifact_uri)):
        folder = Path(mlflow.download_artifacts(uri, dst_path=tmp_path / str(number)))
        assert (folder / "data" / "weights").read_bytes() == b"w"
        assert [each.path for each in mlflow.list_artifacts(f"{uri}/data")] == ["data/weights"]
        assert mlflow.load_text(f"{uri}/data/weights") == "w"
    with pytest.raises(NotFoundError, match="has no artifact 'gone'"):
        mlflow.register_model(f"models:/{model.model_id}/gone", name)


def test_run_that_keeps_its_artifacts_elsewhere_says_so(client: Client, tmp_path: Path) -> None:
    elsewhere = client.create_experiment("bucket of runs", artifact_location="s3://bucket/runs").experiment_id
    run_id = client.create_run(elsewhere).run_id
    with pytest.raises(FailedPreconditionError, match="s3://bucket/runs"):
        mlflow.download_artifacts(run_id=run_id, artifact_path="x", dst_path=tmp_path)


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/key", "runs:", "runs://host/path", "models:/", "models:/m", "mlflow-artifacts:/0", "", "note.txt"],
)
def test_uri_of_another_kind_is_refused(uri: str) -> None:
    for call in (mlflow.download_artifacts, mlflow.list_artifacts, mlflow.load_text):
        with pytest.raises(InvalidArgumentError, match=r"artifact_uri: .*must be runs:/<run_id>/<path>"):
            call(uri)


@pytest.mark.parametrize("path", ["../outside", "a/../../outside", "/etc/outside"])
def test_path_out_of_the_folder_is_refused(path: str, run_id: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"artifact_path: .*must"):
        mlflow.download_artifacts(run_id=run_id, artifact_path=path, dst_path=tmp_path / "inside")
    if ".." in path:
        with pytest.raises(InvalidArgumentError, match=r'must not contain "\.\."'):
            mlflow.download_artifacts(f"runs:/{run_id}/{path}", dst_path=tmp_path / "inside")
    assert not (tmp_path / "outside").exists()


def test_arguments_that_do_not_go_together_are_refused(run_id: str) -> None:
    for call in (mlflow.download_artifacts, mlflow.list_artifacts):
        with pytest.raises(InvalidArgumentError, match="exactly one"):
            call()
        with pytest.raises(InvalidArgumentError, match="exactly one"):
            call(artifact_uri=f"runs:/{run_id}", run_id=run_id)
        with pytest.raises(InvalidArgumentError, match="artifact_path"):
            call(artifact_uri=f"runs:/{run_id}", artifact_path="note.txt")
        with pytest.raises(NotFoundError, match="nowhere"):
            call(run_id="nowhere")
