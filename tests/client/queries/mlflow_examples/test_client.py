"""MLflow's examples of `MlflowClient`: experiments, runs, metrics, artifacts."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import trackwire as mlflow
from trackwire import MlflowClient
from trackwire.entities import Metric, Param, RunTag, ViewType

pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def client() -> MlflowClient:
    return MlflowClient()


def own_tags(run: mlflow.entities.Run) -> dict[str, str]:
    return {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}


def test_run_of_the_module_is_read(client: MlflowClient) -> None:
    with mlflow.start_run() as run:
        mlflow.log_param("p", 0)
        with mlflow.start_run(nested=True) as child_run:
            child_run_id = child_run.info.run_id
        assert client.get_run(run.info.run_id).data.params == {"p": "0"}
    run = client.get_run(run.info.run_id)
    assert (run.data.params, run.info.status) == ({"p": "0"}, "FINISHED")
    assert client.get_parent_run(child_run_id).info.run_id == run.info.run_id
    assert client.get_parent_run(run.info.run_id) is None


def test_metric_history(client: MlflowClient) -> None:
    run = client.create_run("0")
    for k, v in [("m1", 1.5), ("m2", 2.5)]:
        client.log_metric(run.info.run_id, k, v, step=0)
        client.log_metric(run.info.run_id, k, np.float32(v + 1), step=1, timestamp=1_700_000_000_000)
        history = client.get_metric_history(run.info.run_id, k)
        assert [(m.key, m.value, m.step) for m in history] == [(k, v, 0), (k, v + 1, 1)]
        assert history[1].timestamp == 1_700_000_000_000 < history[0].timestamp
    client.log_metric(run.info.run_id, "m3", 1.0, model_id="m-1", dataset_name="holdout", dataset_digest="abc")
    [point] = client.get_metric_history(run.info.run_id, "m3")
    assert (point.model_id, point.dataset_name, point.dataset_digest) == ("m-1", "holdout", "abc")
    assert client.get_metric_history(run.info.run_id, "nothing") == []
    client.set_terminated(run.info.run_id)


def test_run_is_created_and_changed(client: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    run = client.create_run("0", tags={"engineering": "ML Platform"}, run_name="platform-run-24", start_time=1_000)
    print(f"Run tags: {own_tags(run)}")
    print(f"Experiment id: {run.info.experiment_id}")
    print(f"Run name: {run.info.run_name}")
    print(f"lifecycle_stage: {run.info.lifecycle_stage}")
    print(f"status: {run.info.status}")
    assert capsys.readouterr().out == (
        "Run tags: {'engineering': 'ML Platform'}\n"
        "Experiment id: 0\n"
        "Run name: platform-run-24\n"
        "lifecycle_stage: active\n"
        "status: RUNNING\n"
    )
    assert (run.info.start_time, run.info.end_time) == (1_000, None)
    client.update_run(run.info.run_id, "SCHEDULED", "new_name")
    changed = client.get_run(run.info.run_id).info
    assert (changed.run_name, changed.status) == ("new_name", "SCHEDULED")
    client.set_terminated(run.info.run_id, status="KILLED", end_time=2_000)
    ended = client.get_run(run.info.run_id).info
    assert (ended.status, ended.end_time) == ("KILLED", 2_000)
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    client.restore_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"


def test_user_tag_says_whose_run_it_is(client: MlflowClient) -> None:
    assert client.create_run("0", tags={"mlflow.user": "ada"}).info.user_id == "ada"


def test_params_and_tags(client: MlflowClient) -> None:
    run = client.create_run("0", tags={"t1": 1, "t2": 2})
    run_id = run.info.run_id
    assert client.log_param(run_id, "p", 1) == 1
    client.log_param(run_id, "q", 2, synchronous=False).wait()
    client.set_tag(run_id, "nlp.framework", "Spark NLP")
    client.set_tag(run_id, "late", 3, synchronous=False).wait()
    client.delete_tag(run_id, "t1")
    stored = client.get_run(run_id)
    assert stored.data.params == {"p": "1", "q": "2"}
    assert own_tags(stored) == {"t2": "2", "nlp.framework": "Spark NLP", "late": "3"}
    with pytest.raises(mlflow.MlflowException, match="'p'") as refused:
        client.log_param(run_id, "p", 2)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_batch_of_all_kinds(client: MlflowClient) -> None:
    timestamp = int(time.time() * 1000)
    run = client.create_run("0")
    client.log_batch(
        run.info.run_id,
        metrics=[Metric("m", 1.5, timestamp, 1), Metric("m", 0.5, timestamp, 0), Metric("n", 1, timestamp, 0, "m-1")],
        params=[Param("p", "p")],
        tags=[RunTag("t", "t")],
    )
    client.log_batch(run.info.run_id, synchronous=False).wait()
    client.set_terminated(run.info.run_id)
    run = client.get_run(run.info.run_id)
    assert (run.data.params, run.data.metrics, own_tags(run)) == ({"p": "p"}, {"m": 1.5, "n": 1.0}, {"t": "t"})
    [first, _] = client.get_metric_history(run.info.run_id, "m")
    assert first == Metric("m", 0.5, timestamp, 0)
    assert client.get_metric_history(run.info.run_id, "n")[0].model_id == "m-1"


def test_batch_that_contradicts_itself_or_is_too_large_stores_nothing(client: MlflowClient) -> None:
    run_id = client.create_run("0").info.run_id
    with pytest.raises(mlflow.MlflowException, match=r"params\['p'\]: 'b': is 'a' in the same batch"):
        client.log_batch(run_id, params=[Param("p", "a"), Param("p", "b")], tags=[RunTag("t", "t")])
    with pytest.raises(mlflow.MlflowException, match="tags: has 1,001 entries, at most 1,000 are allowed"):
        client.log_batch(run_id, params=[Param("p", "a")], tags=[RunTag(f"t{n}", "") for n in range(1_001)])
    stored = client.get_run(run_id)
    assert (stored.data.params, own_tags(stored)) == ({}, {})


def test_runs_are_searched_page_by_page(client: MlflowClient) -> None:
    experiment_id = client.create_experiment("paged")
    made = [client.create_run(experiment_id, start_time=1_000 + n).info.run_id for n in range(5)]
    found: list[str] = []
    sizes = []
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=2, page_token=token)
        found += [run.info.run_id for run in page]
        sizes.append(len(page))
        token = page.token
        if token is None:
            break
    assert (found, sizes) == (made[::-1], [2, 2, 1])
    with pytest.raises(mlflow.MlflowException, match="max_results: 0: must be at least 1"):
        client.search_runs([experiment_id], max_results=0)
    experiments = client.search_experiments(max_results=1)
    assert client.search_experiments(max_results=1, page_token=experiments.token)[0] != experiments[0]


def test_deleted_runs_are_searched(client: MlflowClient) -> None:
    experiment_id = mlflow.create_experiment("Social NLP Experiments")
    with mlflow.start_run(experiment_id=experiment_id) as run:
        mlflow.log_metric("m", 1.55)
        mlflow.set_tag("s.release", "1.1.0-RC")
    with mlflow.start_run(experiment_id=experiment_id):
        mlflow.log_metric("m", 2.50)
        mlflow.set_tag("s.release", "1.2.0-GA")
    runs = client.search_runs(experiment_id, order_by=["metrics.m DESC"])
    assert [(r.data.metrics, own_tags(r)) for r in runs] == [
        ({"m": 2.5}, {"s.release": "1.2.0-GA"}),
        ({"m": 1.55}, {"s.release": "1.1.0-RC"}),
    ]
    client.delete_run(run_id=run.info.run_id)
    runs = client.search_runs(
        experiment_id, run_view_type=ViewType.DELETED_ONLY, filter_string="tags.s.release ILIKE '%rc%'"
    )
    assert [(r.info.run_id, r.info.lifecycle_stage) for r in runs] == [(run.info.run_id, "deleted")]


def test_experiments_live(client: MlflowClient) -> None:
    experiment_id = client.create_experiment(
        "First Name", artifact_location=Path.cwd().joinpath("mlruns").as_uri(), tags={"version": "v1", "priority": "P1"}
    )
    client.set_experiment_tag(experiment_id, "nlp.framework", "Spark NLP")
    client.delete_experiment_tag(experiment_id, "priority")
    experiment = client.get_experiment(experiment_id)
    assert experiment.artifact_location == Path.cwd().joinpath("mlruns").as_uri()
    assert experiment.tags == {"version": "v1", "nlp.framework": "Spark NLP"}
    client.rename_experiment(experiment_id, "Second Name")
    assert client.get_experiment_by_name("First Name") is None
    assert client.get_experiment_by_name("Second Name").experiment_id == experiment_id
    client.delete_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "deleted"
    client.restore_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "active"
    found = client.search_experiments(filter_string="name LIKE '%Name' AND tags.version = 'v1'", order_by=["name"])
    assert [each.name for each in found] == ["Second Name"]
    mlflow.set_experiment("set, and asked of a client")
    assert client.get_experiment_by_name("set, and asked of a client").lifecycle_stage == "active"


def test_artifacts_are_logged_listed_and_fetched(client: MlflowClient, tmp_path: Path) -> None:
    run_id = client.create_run(experiment_id="0").info.run_id
    folder = tmp_path / "states"
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps({"state": "TX"}))
    for file, content in [("features", "rooms zipcode, median_price, school_rating, transport"), ("labels", "price")]:
        Path(f"{file}.txt").write_text(content)
        client.log_artifact(run_id, f"{file}.txt")
    client.log_artifact(run_id, folder, "by-name")
    client.log_artifacts(run_id, str(folder), artifact_path="states")
    listed = [(each.path, each.is_dir, each.file_size) for each in client.list_artifacts(run_id)]
    assert listed == [
        ("by-name", True, None),
        ("features.txt", False, 53),
        ("labels.txt", False, 5),
        ("states", True, None),
    ]
    assert [each.path for each in client.list_artifacts(run_id, "by-name/states")] == ["by-name/states/data.json"]
    local_dir = tmp_path / "artifact_downloads"
    local_dir.mkdir()
    local_path = client.download_artifacts(run_id, "states", str(local_dir))
    assert (local_path, os.listdir(local_path)) == (str(local_dir / "states"), ["data.json"])


def test_what_is_no_file_yet_is_logged(client: MlflowClient, tmp_path: Path) -> None:
    run_id = client.create_run(experiment_id="0").info.run_id
    (tmp_path / "stream").write_bytes(b"streamed")
    client.log_text(run_id, "text2", "dir/file2.txt")
    client.log_dict(run_id, {"k": "v"}, "dir/data.yml")
    client.log_image(run_id, np.zeros((10, 20, 3), np.uint8), "image.png")
    client.log_image(run_id, np.zeros((10, 20, 3), np.uint8), key="dogs", step=3)
    with (tmp_path / "stream").open("rb") as stream:
        client.log_stream(run_id, stream, "streamed.bin")
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/dir/file2.txt") == "text2"
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/dir/data.yml") == "k: v\n"
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/streamed.bin") == "streamed"
    assert mlflow.artifacts.load_image(f"runs:/{run_id}/image.png").size == (20, 10)
    assert len(client.list_artifacts(run_id, "images")) == 2
    assert client.get_run(run_id).data.tags["mlflow.loggedImages"] == "True"
    with pytest.raises(mlflow.MlflowException, match="either an artifact_file or a key"):
        client.log_image(run_id, np.zeros((2, 2)))
    with pytest.raises(mlflow.MlflowException, match=r"artifact_path: '\.\./up\.txt'"):
        client.log_text(run_id, "text", "../up.txt")


def test_figure_is_logged(client: MlflowClient) -> None:
    figures = pytest.importorskip("matplotlib.figure")
    run_id = client.create_run(experiment_id="0").info.run_id
    figure = figures.Figure()
    figure.subplots().plot([0, 1], [2, 3])
    client.log_figure(run_id, figure, "figure.png", save_kwargs={"dpi": 50})
    assert mlflow.artifacts.load_image(f"runs:/{run_id}/figure.png").size == (320, 240)


def test_table_grows_and_is_loaded(client: MlflowClient) -> None:
    table_dict = {"inputs": ["What is MLflow?", "What is Databricks?"], "toxicity": [0.0, 0.0]}
    experiment_id = client.create_experiment("tables")
    run = client.create_run(experiment_id=experiment_id)
    client.log_table(run.info.run_id, data=pd.DataFrame.from_dict(table_dict), artifact_file="eval/results.json")
    client.log_table(run.info.run_id, data=table_dict, artifact_file="eval/results.json")
    client.log_table(run.info.run_id, data=table_dict, artifact_file="other.json")
    client.log_table(client.create_run(experiment_id).info.run_id, data=table_dict, artifact_file="eval/results.json")
    loaded_table = client.load_table(
        experiment_id=experiment_id,
        artifact_file="eval/results.json",
        run_ids=[run.info.run_id],
        extra_columns=["run_id"],
    )
    expected = {key: values * 2 for key, values in table_dict.items()}
    assert loaded_table.to_dict("list") == {**expected, "run_id": [run.info.run_id] * 4}
    assert len(client.load_table(experiment_id, "eval/results.json")) == 6
    listed = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"])
    assert [each["path"] for each in listed] == ["eval/results.json", "other.json"]


def test_client_asks_where_it_is_told(online: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackwire.fluent.choices._tracking_uri", None)
    with pytest.raises(mlflow.MlflowException, match=r"MlflowClient\.get_run: no server is configured"):
        MlflowClient().get_run("run")
    there = mlflow.tracking.MlflowClient(tracking_uri=f"grpc://{online}", registry_uri=f"grpc://{online}")
    assert there.tracking_uri == f"grpc://{online}"
    assert there.get_experiment("0").name == "Default"
    assert there.list_artifacts(there.create_run("0").info.run_id) == []
    with pytest.raises(mlflow.MlflowException, match="registry_uri: 'databricks': models are registered on the server"):
        MlflowClient(online, registry_uri="databricks")


def test_training_that_imports_all_of_it_loads_no_grpc(fresh_python) -> None:
    imported = ", ".join(f"trackwire.{name}" for name in ("artifacts", "data", "entities", "exceptions", "tracking"))
    assert fresh_python(f"import {imported}\ntrackwire.MlflowClient\nprint('grpc' in sys.modules)") == "False"
