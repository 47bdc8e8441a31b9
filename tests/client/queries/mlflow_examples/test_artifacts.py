"""MLflow's examples of artifacts."""

import io
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from plotly import graph_objects as go

import trackwire as mlflow

mpl.use("Agg")
import matplotlib.pyplot as plt

pytestmark = pytest.mark.usefixtures("online", "experiment_id")

FEATURES = "rooms, zipcode, median_price, school_rating, transport"
ANSWERS = {
    "inputs": ["What is MLflow?", "What is Databricks?"],
    "outputs": ["MLflow is ...", "Databricks is ..."],
    "toxicity": [0.0, 0.0],
}


def paths_of(run_id: str, folder: str = "") -> list[str]:
    return [each.path for each in mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path=folder)]


def test_file_and_folder_are_logged_and_fetched(tmp_path: Path) -> None:
    data = {"state": "TX", "Available": 25, "Type": "Detached"}
    folder = tmp_path / "states"
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps(data, indent=2))
    (folder / "features.txt").write_text(FEATURES)
    with mlflow.start_run() as run:
        mlflow.log_artifact(folder / "features.txt")
        mlflow.log_artifacts(folder, artifact_path="states")
    assert paths_of(run.info.run_id) == ["features.txt", "states"]
    assert paths_of(run.info.run_id, "states") == ["states/data.json", "states/features.txt"]
    local_path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="states")
    assert Path(local_path, "features.txt").read_text() == FEATURES
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/states/data.json") == data


def test_text_dicts_and_streams() -> None:
    dictionary = {"k": "v"}
    with mlflow.start_run() as run:
        mlflow.log_text("text1", "file1.txt")
        mlflow.log_text("text2", "dir/file2.txt")
        mlflow.log_text("<h1>header</h1>", "index.html")
        mlflow.log_dict(dictionary, "data.json")
        mlflow.log_dict(dictionary, "dir/data.yml")
        mlflow.log_dict(dictionary, "data")
        mlflow.log_dict(dictionary, "data.txt")
        mlflow.log_stream(io.BytesIO(b"binary content"), "binary_file.bin")
        with pytest.raises(TypeError, match="bytes-like"):
            mlflow.log_stream(io.StringIO("text"), "text_file.txt")
    uri = f"runs:/{run.info.run_id}"
    assert mlflow.artifacts.load_text(f"{uri}/dir/file2.txt") == "text2"
    assert mlflow.artifacts.load_text(f"{uri}/index.html") == "<h1>header</h1>"
    for name in ("data.json", "data", "data.txt"):
        assert mlflow.artifacts.load_dict(f"{uri}/{name}") == dictionary
    assert mlflow.artifacts.load_text(f"{uri}/dir/data.yml") == "k: v\n"
    assert mlflow.artifacts.load_text(f"{uri}/binary_file.bin") == "binary content"


def test_stream_is_taken_from_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"head and rest")
    with mlflow.start_run() as run, (tmp_path / "file").open("rb") as file:
        file.read(5)
        mlflow.log_stream(file, "rest")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/rest") == "and rest"


def test_figures() -> None:
    fig, ax = plt.subplots()
    ax.plot([0, 1], [2, 3])
    with mlflow.start_run() as run:
        mlflow.log_figure(fig, "figure.png")
        mlflow.log_figure(go.Figure(go.Scatter(x=[0, 1], y=[2, 3])), "figure.html")
    plt.close(fig)
    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/figure.png").size == (640, 480)
    assert "<html>" in mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/figure.html")


def test_images_of_numpy_and_pillow() -> None:
    array = np.random.default_rng(0).integers(0, 256, size=(100, 100, 3), dtype=np.uint8)
    with mlflow.start_run() as run:
        mlflow.log_image(array, key="dogs", step=3)
        mlflow.log_image(Image.new("RGB", (100, 100)), key="dogs", step=4)
        mlflow.log_image(array, "image.png")
        mlflow.log_image(Image.new("RGB", (10, 20)), "black.png")
    images = paths_of(run.info.run_id, "images")
    assert [sum(f"dogs+step+{step}+" in path for path in images) for step in (3, 4)] == [2, 2]
    assert np.array_equal(np.asarray(mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/image.png")), array)
    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/black.png").size == (10, 20)


def test_image_out_of_what_there_is(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "image.png")
    image = mlflow.Image(str(tmp_path / "image.png"))
    with mlflow.start_run() as run:
        mlflow.log_image(image, key="dogs", step=3)
        mlflow.log_image(image.resize((3, 2)), "small.png")
        mlflow.log_image(mlflow.Image([[1, 2, 3]]), "list.png")
        mlflow.log_image(mlflow.Image(np.zeros((4, 5))), "array.png")
    assert len(paths_of(run.info.run_id, "images")) == 2
    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/small.png").size == (3, 2)
    assert mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/array.png").size == (5, 4)
    loaded = mlflow.Image(mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/list.png"))
    assert loaded.to_list() == [1, 2, 3]
    assert image.resize((2, 1)).to_list() == [(255, 0, 0), (255, 0, 0)]
    loaded.save(tmp_path / "saved.png")
    assert np.array_equal(mlflow.Image(tmp_path / "saved.png").to_array(), [[1, 2, 3]])
    with pytest.raises(TypeError, match="image: must be a path, an array, a list or a PIL"):
        mlflow.Image(5)


def test_tables_of_dicts_and_frames_grow_and_are_loaded() -> None:
    with mlflow.start_run() as run:
        mlflow.log_table(data=ANSWERS, artifact_file="qabot_eval_results.json")
        mlflow.log_table(data=pd.DataFrame.from_dict(ANSWERS), artifact_file="qabot_eval_results.json")
    with mlflow.start_run():
        mlflow.log_table(data=ANSWERS, artifact_file="qabot_eval_results.json")
    loaded_table = mlflow.load_table(
        artifact_file="qabot_eval_results.json", run_ids=[run.info.run_id], extra_columns=["run_id"]
    )
    expected = {key: values * 2 for key, values in ANSWERS.items()}
    assert loaded_table.to_dict("list") == {**expected, "run_id": [run.info.run_id] * 4}
    assert len(mlflow.load_table("qabot_eval_results.json", extra_columns=["run_id", "status"])) == 6


def test_artifact_uri_leads_to_the_artifact(tmp_path: Path) -> None:
    (tmp_path / "features.txt").write_text(FEATURES)
    with mlflow.start_run():
        mlflow.log_artifact(str(tmp_path / "features.txt"), artifact_path="features")
        root = mlflow.get_artifact_uri()
        artifact_uri = mlflow.get_artifact_uri(artifact_path="features/features.txt")
        assert artifact_uri == f"{root}/features/features.txt"
        assert mlflow.artifacts.load_text(artifact_uri) == FEATURES
        assert [each.path for each in mlflow.artifacts.list_artifacts(root)] == ["features"]
