"""Every method of both clients against a real server."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.client import test_imports
from tests.client.live_server import live_server
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.client.connection import Connection, rpc_paths
from trackwire.client.runs import Returning
from trackwire.errors import (
    AbortedError,
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
)
from trackwire.v1.artifacts_pb2 import UploadHeader
from trackwire.v1.experiments_pb2 import LIFECYCLE_STAGE_ACTIVE, LIFECYCLE_STAGE_DELETED
from trackwire.v1.issues_pb2 import ISSUE_SEVERITY_HIGH, ISSUE_STATUS_PENDING, ISSUE_STATUS_RESOLVED
from trackwire.v1.logged_models_pb2 import LOGGED_MODEL_STATUS_PENDING, LOGGED_MODEL_STATUS_READY, MetricDataset
from trackwire.v1.metrics_pb2 import MetricPoint, SeriesContext, WriterStamp
from trackwire.v1.model_registry_pb2 import MODEL_STAGE_ARCHIVED, MODEL_STAGE_PRODUCTION
from trackwire.v1.run_inputs_pb2 import Dataset, DatasetInput
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED, RUN_STATUS_RUNNING, RunKey, RunKeyKind

if TYPE_CHECKING:
    from trackwire.client.evaluation_datasets import EvaluationRecord

NOW_MS = 1_760_000_000_000


@pytest.fixture(scope="module")
def live(client_type: type[Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for each kind of client: they make things of the same names."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def client(client_type: type[Client], live: ServerProcess) -> Iterator[Client]:
    with client_type(live.address) as client:
        yield client


def test_experiments_live_as_the_specification_says(client: Client) -> None:
    made = client.create_experiment("vision", tags={"team": "red"})
    assert client.get_experiment(made.experiment_id) == made
    assert client.get_experiment_by_name("vision") == made
    with pytest.raises(AlreadyExistsError, match="vision"):
        client.create_experiment("vision")
    assert client.rename_experiment(made.experiment_id, "sight").name == "sight"
    client.set_experiment_tags(made.experiment_id, {"a": "1", "b": "2"})
    client.set_experiment_tag(made.experiment_id, "a", "3")
    client.delete_experiment_tag(made.experiment_id, "b")
    assert dict(client.get_experiment(made.experiment_id).tags) == {"team": "red", "a": "3"}
    assert [found.name for found in client.search_experiments("tags.team = 'red'", order_by="name")] == ["sight"]
    client.delete_experiment(made.experiment_id)
    assert client.get_experiment(made.experiment_id).lifecycle_stage == LIFECYCLE_STAGE_DELETED
    assert [found.name for found in client.search_experiments(view_type="DELETED_ONLY")] == ["sight"]
    client.restore_experiment(made.experiment_id)
    assert client.get_experiment(made.experiment_id).lifecycle_stage == LIFECYCLE_STAGE_ACTIVE


def test_run_that_is_looked_at_again_shows_what_came_since(client: Client) -> None:
    def shown() -> list[tuple[str, int, float]]:
        found = [client.get_run("again"), *client.search_runs("0", "run_name = 'again'")]
        metrics = [[(each.key, each.count, each.last_value) for each in run.metrics] for run in found]
        assert metrics[0] == metrics[1]
        return metrics[0]

    client.create_run(run_id="again", run_name="again")
    assert shown() == []
    client.log_metric("again", "loss", 0.5, step=1)
    assert shown() == shown() == [("loss", 1, 0.5)]
    client.log_metrics("again", {"loss": 0.25, "accuracy": 1.0}, step=2)
    assert shown() == [("accuracy", 1, 1.0), ("loss", 2, 0.25)]
    # Another run under its id, with as many arrivals.
    client.delete_run("again")
    client.collect_garbage(run_ids=["again"])
    client.create_run(run_id="again", run_name="again")
    for step in (1, 2):
        client.log_metric("again", "loss", 0.125, step=step)
    assert shown() == [("loss", 2, 0.125)]


def test_runs_live_as_the_specification_says(client: Client) -> None:
    run = client.create_run(experiment_name="runs", create_experiment=True, run_name="one", params={"lr": "0.1"})
    assert run.status == RUN_STATUS_RUNNING
    with pytest.raises(AlreadyExistsError):
        client.create_run(run_id=run.run_id)
    assert not client.join_run(run.run_id, tags={"rank": "1"}).created
    client.log_params(run.run_id, {"depth": 3})
    client.log_param(run.run_id, "depth", "3")
    with pytest.raises(FailedPreconditionError, match="depth") as caught:
        client.log_param(run.run_id, "depth", 4)
    assert caught.value.reason == "PARAM_ALREADY_SET"
    client.set_tags(run.run_id, {"a": 1, "b": 2})
    client.set_tag(run.run_id, "a", 5)
    client.delete_tag(run.run_id, "b")
    found = client.get_run(run.run_id)
    assert dict(found.params) == {"lr": "0.1", "depth": "3"}
    assert (found.tags["a"], found.tags["rank"], "b" in found.tags) == ("5", "1", False)
    assert not client.heartbeat_run(run.run_id).stop_requested
    client.request_run_stop(run.run_id)
    assert client.heartbeat_run(run.run_id).stop_requested
    assert client.update_run(run.run_id, status="FINISHED", run_name="two").status == RUN_STATUS_FINISHED
    client.delete_run(run.run_id)
    with pytest.raises(FailedPreconditionError, match="deleted"):
        client.set_tag(run.run_id, "a", 6)
    client.restore_run(run.run_id)
    assert client.get_run(run.run_id).run_name == "two"


def test_inputs_and_outputs_live_as_the_specification_says(client: Client) -> None:
    experiment_id = client.create_experiment("inputs").experiment_id
    run_id = client.create_run(experiment_id).run_id
    train = DatasetInput(
        dataset=Dataset(name="train", digest="d", source="/train", profile="{}"), tags={"mlflow.data.context": "fit"}
    )
    client.log_inputs(run_id, [train], models=["m-1"])
    client.log_inputs(run_id, [DatasetInput(dataset=Dataset(name="test", digest="d"))])
    client.log_outputs(run_id, {"m-2": 7})
    run = client.get_run(run_id)
    assert [each.dataset.name for each in run.inputs.datasets] == ["train", "test"]
    assert run.inputs.datasets[0] == train
    assert [each.model_id for each in run.inputs.models] == ["m-1"]
    assert [(each.model_id, each.step) for each in run.outputs.models] == [("m-2", 7)]
    [found] = client.search_runs(experiment_id)
    assert [each.dataset.profile for each in found.inputs.datasets] == ["", ""]
    [found] = client.search_runs(experiment_id, returning=Returning(datasets="FULL"))
    assert found.inputs.datasets == run.inputs.datasets
    [found] = client.search_runs(experiment_id, returning=Returning(datasets="NONE"))
    assert not found.HasField("inputs")
    with pytest.raises(InvalidArgumentError, match="datasets: 'SOME'"):
        next(iter(client.search_runs(experiment_id, returning=Returning(datasets="SOME"))))  # type: ignore[arg-type]
    summaries = [(each.name, each.digest, each.context) for each in client.search_datasets(experiment_id)]
    assert summaries == [("test", "d", ""), ("train", "d", "fit")]
    assert len(list(client.search_datasets([experiment_id], max_results=1))) == 1
    with pytest.raises(InvalidArgumentError, match=r"datasets\[0\].dataset.digest"):
        client.log_inputs(run_id, [DatasetInput(dataset=Dataset(name="train"))])


def test_keys_of_runs_are_what_they_logged(client: Client) -> None:
    experiment_id = client.create_experiment("keys").experiment_id
    run = client.create_run(experiment_id, params={"lr": "0.1"}, tags={"team": "red"})
    client.log_metric(run.run_id, "loss", 0.5)
    gone = client.create_run(experiment_id, params={"gone": "1"})
    client.delete_run(gone.run_id)

    everything = [("METRIC", "loss"), ("PARAM", "lr"), ("TAG", "mlflow.runName"), ("TAG", "team")]
    assert _keys(client.list_run_keys(experiment_id)) == everything
    assert _keys(client.list_run_keys([experiment_id], max_results=2)) == everything[:2]
    assert _keys(client.list_run_keys(experiment_id, kinds=["TAG", "METRIC"])) == [everything[0], *everything[2:]]
    of_all = client.list_run_keys(experiment_id, kinds="PARAM", view_type="ALL")
    assert _keys(of_all) == [("PARAM", "gone"), ("PARAM", "lr")]
    with pytest.raises(InvalidArgumentError, match="kinds: 'SPAN': must be one of METRIC, PARAM, TAG"):
        list(client.list_run_keys(experiment_id, kinds="SPAN"))  # type: ignore[arg-type]


def _keys(found: Iterable[RunKey]) -> list[tuple[str, str]]:
    return [(RunKeyKind.Name(each.kind).removeprefix("RUN_KEY_KIND_"), each.key) for each in found]


def test_run_search_pages_to_the_end_and_returns_what_was_asked(client: Client) -> None:
    experiment_id = client.create_experiment("many").experiment_id
    for number in range(5):
        run = client.create_run(experiment_id, params={"n": str(number), "x": "y"})
        client.log_metric(run.run_id, "loss", number / 10)
    found = client.search_runs(
        experiment_id,
        "metrics.loss < 0.35",
        order_by=["metrics.loss DESC"],
        returning=Returning(params=["n"], metrics=(), tags=()),
    )
    assert [dict(run.params) for run in found] == [{"n": "3"}, {"n": "2"}, {"n": "1"}, {"n": "0"}]
    assert len(list(client.search_runs([experiment_id], max_results=2))) == 2
    with pytest.raises(InvalidArgumentError, match="column"):
        next(client.search_runs(experiment_id, "metrics.loss >> 3"))
    with pytest.raises(InvalidArgumentError, match="max_results: 0"):
        client.search_runs(experiment_id, max_results=0)


def test_columns_come_back_bit_for_bit(client: Client) -> None:
    run_id = client.create_run().run_id
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.0])
    stamp = WriterStamp(writer_id="w", sequence=1)
    columns = (["a", "b"], [4, 2], [1, 2, 3, 4, 2**63 - 1, -(2**63)], [NOW_MS] * 6, values)
    contexts = {"contexts": [SeriesContext(), SeriesContext(rank=2)], "context_indexes": [0, 1]}
    answer = client.ingest_metrics(run_id, *columns, **contexts, writer=stamp)
    assert (answer.acknowledged_sequence, answer.stored_points) == (1, 6)
    assert client.ingest_metrics(run_id, *columns, **contexts, writer=stamp).stored_points == 0
    read = client.read_metrics(run_id)
    a, b = read.series
    assert a.values.tobytes() == values[:4].tobytes()
    assert (b.key, b.rank, b.steps.tolist()) == ("b", 2, [-(2**63), 2**63 - 1])
    assert b.values.tolist() == [1.0, 5e-324]
    assert [len(part) for batch in client.stream_metrics(run_id, "a", min_step=2) for part in batch.series] == [3]
    with pytest.raises(InvalidArgumentError, match="values"):
        client.ingest_metrics(run_id, ["a"], [2], [1, 2], [NOW_MS] * 2, [1.0])
    with pytest.raises(NotFoundError, match="nowhere"):
        client.ingest_metrics("nowhere", ["a"], [1], [1], [NOW_MS], [1.0])


def test_tail_goes_on_right_behind_a_read(client: Client) -> None:
    run_id = client.create_run().run_id
    client.log_metrics(run_id, {"loss": 1.0, "acc": 0.5}, step=1, time_ms=NOW_MS)
    read = client.read_metrics(run_id)
    client.log_points(run_id, [MetricPoint(key="loss", value=2.0, step=2, time_ms=NOW_MS, context={"rank": 0})])
    tail = client.tail_metrics(run_id, "loss", resume_token=read.tail_token)
    seen = next(batch.series for batch in tail if batch.series)
    tail.close()
    assert [(part.key, part.rank, part.steps.tolist(), part.values.tolist()) for part in seen] == [
        ("loss", 0, [2], [2.0])
    ]
    summaries = {(found.key, found.count) for found in client.get_metric_summaries(run_id)}
    assert summaries == {("loss", 1), ("acc", 1)}
    with pytest.raises((InvalidArgumentError, OutOfRangeError)):
        next(client.tail_metrics(run_id, resume_token="nonsense"))


def test_artifacts_go_up_and_come_down(client: Client, tmp_path: Path) -> None:
    run_id = client.create_run().run_id
    assert client.upload_bytes(run_id, b"data", "folder/a.txt").size_bytes == 4
    assert [(found.path, found.is_dir) for found in client.list_artifacts(run_id)] == [("folder", True)]
    assert client.download_artifact(run_id, "folder/a.txt", tmp_path).read_bytes() == b"data"
    assert client.get_upload_status(run_id, "unknown").received_bytes == 0
    client.delete_artifact(run_id, "folder")
    assert list(client.list_artifacts(run_id)) == []
    with pytest.raises(InvalidArgumentError, match="path"):
        client.upload_bytes(run_id, b"data", "../a.txt")
    for create_url in (client.create_artifact_upload_url, client.create_artifact_download_url):
        with pytest.raises(FailedPreconditionError) as caught:
            create_url(run_id, "a.txt")
        assert caught.value.reason == "PRESIGNED_URLS_UNSUPPORTED"
    header = UploadHeader(upload_id="parts", run_id=run_id, path="a.txt", size_bytes=1)
    with pytest.raises(FailedPreconditionError, match="use UploadArtifact"):
        client.create_artifact_part_url(header, 1, 1, crc32=0)
    with pytest.raises(AbortedError) as gone:
        client.complete_artifact_upload(header, parts_id="id", crc32s=[0], sha256=bytes(32))
    assert gone.value.reason == "PARTS_GONE"


def test_models_live_as_the_specification_says(client: Client) -> None:
    run_id = client.create_run().run_id
    assert client.create_registered_model("digits", tags={"a": "b"}).name == "digits"
    first = client.create_model_version("digits", f"runs:/{run_id}/model", run_id=run_id)
    second = client.create_model_version("digits", "s3://bucket/model", description="newer")
    assert (first.version, second.version) == (1, 2)
    client.set_registered_model_alias("digits", "champion", 1)
    assert client.get_model_version_by_alias("digits", "champion").run_id == run_id
    assert client.get_model_version("digits", 2).description == "newer"
    assert client.update_model_version("digits", 2, description="x").description == "x"
    client.transition_model_version_stage("digits", 1, stage="Production")
    moved = client.transition_model_version_stage("digits", 2, stage="Production", archive_existing_versions=True)
    assert moved.current_stage == MODEL_STAGE_PRODUCTION
    assert client.get_model_version("digits", 1).current_stage == MODEL_STAGE_ARCHIVED
    assert [found.version for found in client.get_latest_versions("digits", ["Production"])] == [2]
    client.set_model_version_tags("digits", 1, {"a": "1", "b": "2"})
    client.set_model_version_tag("digits", 1, key="c", value="3")
    client.delete_model_version_tag("digits", 1, "a")
    assert dict(client.get_model_version("digits", 1).tags) == {"b": "2", "c": "3"}
    assert [found.version for found in client.search_model_versions("name = 'digits'")][-1] in (1, 2)
    client.delete_registered_model_alias("digits", "champion")
    client.delete_model_version("digits", 1)
    client.set_registered_model_tags("digits", {"c": "d"})
    client.set_registered_model_tag("digits", "e", "f")
    client.delete_registered_model_tag("digits", "a")
    assert client.update_registered_model("digits", description="d").description == "d"
    assert client.rename_registered_model("digits", "numbers").name == "numbers"
    assert dict(client.get_registered_model("numbers").tags) == {"c": "d", "e": "f"}
    assert [found.name for found in client.search_registered_models("name LIKE 'num%'")] == ["numbers"]
    client.delete_registered_model("numbers")
    with pytest.raises(NotFoundError, match="numbers"):
        client.get_registered_model("numbers")


def test_logged_models_live_as_the_specification_says(client: Client) -> None:
    experiment_id = client.create_experiment("logged models").experiment_id
    run_id = client.create_run(experiment_id).run_id
    made = client.create_logged_model(experiment_id, name="net", source_run_id=run_id, params={"depth": "3"})
    assert (made.model_id[:2], made.name, made.status) == ("m-", "net", LOGGED_MODEL_STATUS_PENDING)
    assert client.get_logged_model(made.model_id) == made
    assert client.update_logged_model(made.model_id, status="READY").status == LOGGED_MODEL_STATUS_READY
    client.set_logged_model_tags(made.model_id, {"a": "1", "b": "2"})
    client.set_logged_model_tag(made.model_id, "c", "3")
    client.delete_logged_model_tag(made.model_id, "a")
    client.log_logged_model_params(made.model_id, {"depth": "3", "width": "8"})
    with pytest.raises(FailedPreconditionError, match="a param never changes"):
        client.log_logged_model_params(made.model_id, {"depth": "4"})
    context = SeriesContext(model_id=made.model_id, dataset_name="test", dataset_digest="d")
    client.log_points(run_id, [MetricPoint(key="accuracy", value=0.9, step=1, context=context)])
    model = client.get_logged_model(made.model_id)
    assert (dict(model.tags), dict(model.params)) == ({"b": "2", "c": "3"}, {"depth": "3", "width": "8"})
    assert [(metric.key, metric.last_value, metric.run_id) for metric in model.metrics] == [("accuracy", 0.9, run_id)]

    other = client.create_logged_model(experiment_id, status="UPLOAD_FAILED", model_type="agent", tags={"a": "b"})
    test = MetricDataset(name="test")
    by_accuracy = client.search_logged_models(
        experiment_id, order_by="metrics.accuracy DESC", order_by_datasets={0: test}
    )
    assert [found.model_id for found in by_accuracy] == [made.model_id, other.model_id]
    of_test = client.search_logged_models([experiment_id], "metrics.accuracy > 0.5", datasets=[test], max_results=5)
    assert [found.model_id for found in of_test] == [made.model_id]
    page = client.search_logged_models_page(experiment_id, page_size=1)
    assert [found.model_id for found in page.logged_models] == [other.model_id]
    page = client.search_logged_models_page(experiment_id, page_size=1, page_token=page.next_page_token)
    assert ([found.model_id for found in page.logged_models], page.next_page_token) == ([made.model_id], "")
    client.delete_logged_model(made.model_id)
    with pytest.raises(NotFoundError, match=made.model_id):
        client.get_logged_model(made.model_id)


def test_files_of_logged_models_go_up_and_come_down(client: Client, tmp_path: Path) -> None:
    model_id = client.create_logged_model("0").model_id
    (tmp_path / "up" / "data").mkdir(parents=True)
    (tmp_path / "up" / "data" / "weights.bin").write_bytes(b"weights")
    (tmp_path / "MLmodel").write_text("flavors: {}")
    stored = client.upload_logged_model_folder(model_id, tmp_path / "up", "all")
    assert [artifact.path for artifact in stored] == ["all/data/weights.bin"]
    assert client.upload_logged_model_artifact(model_id, tmp_path / "MLmodel").path == "MLmodel"
    assert client.upload_logged_model_artifact(model_id, tmp_path / "MLmodel", "copy").path == "copy"
    listed = client.list_logged_model_artifacts(model_id)
    assert [(entry.path, entry.is_dir) for entry in listed] == [("MLmodel", False), ("all", True), ("copy", False)]
    assert client.read_logged_model_artifact(model_id, "all/data/weights.bin", offset=2, length=3) == b"igh"
    client.delete_logged_model_artifact(model_id, "copy")
    down = client.download_logged_model_artifact(model_id, "", tmp_path / "down")
    assert sorted(path.relative_to(down).as_posix() for path in down.rglob("*") if path.is_file()) == [
        "MLmodel",
        "all/data/weights.bin",
    ]
    client.delete_logged_model(model_id)
    assert model_id in client.collect_garbage().model_ids


def test_issues_live_as_the_specification_says(client: Client) -> None:
    experiment_id = client.create_experiment("issues").experiment_id
    made = client.create_issue(
        experiment_id,
        "slow",
        "Answers take a minute.",
        severity="high",
        root_causes="no cache",
        categories=["latency", "cost"],
        created_by="ada",
        last_seen_time_ms=NOW_MS,
        metadata={"a": "1", "b": "2"},
    )
    assert (made.issue_id[:4], made.name, made.status) == ("iss-", "slow", ISSUE_STATUS_PENDING)
    assert (made.severity, list(made.root_causes), made.last_seen_time_ms) == (
        ISSUE_SEVERITY_HIGH,
        ["no cache"],
        NOW_MS,
    )
    assert client.get_issue(made.issue_id) == made
    changed = client.update_issue(
        made.issue_id, status="RESOLVED", categories=[], metadata={"c": "3"}, deleted_metadata_keys="a"
    )
    assert (changed.status, changed.description) == (ISSUE_STATUS_RESOLVED, made.description)
    assert (list(changed.categories), dict(changed.metadata)) == ([], {"b": "2", "c": "3"})
    other = client.create_issue(experiment_id, "wrong", "One of two answers is.", issue_id=f"mine-{experiment_id}")
    assert [found.issue_id for found in client.search_issues(experiment_id)] == [made.issue_id, other.issue_id]
    assert list(client.search_issues([experiment_id], "status = 'pending'", order_by="name", max_results=5)) == [other]
    assert other in client.search_issues()
    page = client.search_issues_page(experiment_id, page_size=1, include_total_count=True)
    assert ([found.name for found in page.issues], page.total_count) == (["slow"], 2)
    page = client.search_issues_page(experiment_id, page_size=1, page_token=page.next_page_token)
    assert ([found.name for found in page.issues], page.next_page_token) == (["wrong"], "")
    assert not page.HasField("total_count")
    with pytest.raises(AlreadyExistsError, match=other.issue_id):
        client.create_issue(experiment_id, "again", "The same id.", issue_id=other.issue_id)
    with pytest.raises(NotFoundError, match="iss-0"):
        client.get_issue("iss-0")
    with pytest.raises(InvalidArgumentError, match="severity: 'worst': must be one of"):
        client.update_issue(made.issue_id, severity="worst")


def test_evaluation_datasets_live_as_the_specification_says(client: Client) -> None:
    experiment_id = client.create_experiment("evaluations").experiment_id
    made = client.create_evaluation_dataset(
        "questions", experiment_ids=experiment_id, tags={"a": "1"}, created_by="ada"
    )
    assert (made.dataset_id[:2], made.experiment_ids, made.created_by) == ("d-", [experiment_id], "ada")
    assert client.get_evaluation_dataset(made.dataset_id) == made
    client.set_evaluation_dataset_tags(made.dataset_id, {"b": "2"})
    client.delete_evaluation_dataset_tag(made.dataset_id, "a")
    said: EvaluationRecord = {"inputs": {"q": 1}, "outputs": "o", "expectations": {"a": 2}, "tags": {"t": 3}}
    said["source"] = {"source_type": "TRACE", "source_data": {"trace_id": "tr-1"}}
    more: list[EvaluationRecord] = [{"inputs": {"q": 2}, "expectations": None}, {"inputs": {"q": 1}, "outputs": None}]
    stored = client.upsert_evaluation_dataset_records(made.dataset_id, [said, *more], updated_by="bob")
    assert (stored.inserted_count, stored.updated_count) == (2, 1)
    first, second = client.list_evaluation_dataset_records(made.dataset_id)
    assert (first.inputs, first.outputs, first.expectations, first.tags) == ('{"q":1}', "null", '{"a":2}', '{"t":3}')
    assert (first.source.data, first.created_by, second.HasField("source")) == ('{"trace_id":"tr-1"}', "bob", False)
    page = client.list_evaluation_dataset_records_page(made.dataset_id, page_size=1)
    page = client.list_evaluation_dataset_records_page(made.dataset_id, page_size=1, page_token=page.next_page_token)
    assert (list(page.records), page.next_page_token) == ([second], "")
    assert client.delete_evaluation_dataset_records(made.dataset_id, first.record_id) == 1
    with pytest.raises(InvalidArgumentError, match=r"records\[0\].source.source_type: 'DREAM'"):
        client.upsert_evaluation_dataset_records(
            made.dataset_id,
            [{"inputs": {}, "source": {"source_type": "DREAM"}}],  # type: ignore[typeddict-item]  # what is tried
        )
    assert client.add_evaluation_dataset_to_experiments(made.dataset_id, "0").experiment_ids == ["0", experiment_id]
    left = client.remove_evaluation_dataset_from_experiments(made.dataset_id, [experiment_id])
    assert (left.experiment_ids, dict(left.tags), left.record_count) == (["0"], {"b": "2"}, 1)
    other = client.create_evaluation_dataset("answers", experiment_ids=[experiment_id])
    assert [found.name for found in client.search_evaluation_datasets(order_by="name")] == ["answers", "questions"]
    found = client.search_evaluation_datasets_page(experiment_id, "name LIKE '%s'", page_size=5)
    assert list(found.datasets) == [other]
    client.delete_evaluation_dataset(made.dataset_id)
    with pytest.raises(NotFoundError, match=made.dataset_id):
        client.get_evaluation_dataset(made.dataset_id)


def test_collection_may_take_as_long_as_a_stream(client_type: type[Client], live: ServerProcess) -> None:
    with client_type(live.address, timeout_seconds=1e-6) as hasty:
        with pytest.raises(DeadlineExceededError):
            hasty.get_server_info()
        assert list(hasty.collect_garbage().run_ids) == []


def test_server_tells_of_itself_and_collects_garbage(client: Client) -> None:
    assert client.get_server_info().store == "sqlite"
    assert client.check_health() == "SERVING"
    run_id = client.create_run().run_id
    client.delete_run(run_id)
    assert list(client.collect_garbage(run_ids=run_id, dry_run=True).run_ids) == [run_id]
    assert client.get_run(run_id).run_id == run_id
    assert list(client.collect_garbage(run_ids=[run_id]).run_ids) == [run_id]
    with pytest.raises(NotFoundError):
        client.get_run(run_id)


def test_every_rpc_is_reached_by_a_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[str] = set()
    open_channel = Connection._open
    monkeypatch.setattr(Connection, "_open", lambda connection: Watched(open_channel(connection), reached))
    with live_server(tmp_path) as server, Client(server.address) as client:
        test_experiments_live_as_the_specification_says(client)
        test_runs_live_as_the_specification_says(client)
        test_inputs_and_outputs_live_as_the_specification_says(client)
        test_keys_of_runs_are_what_they_logged(client)
        test_run_search_pages_to_the_end_and_returns_what_was_asked(client)
        test_columns_come_back_bit_for_bit(client)
        test_tail_goes_on_right_behind_a_read(client)
        test_artifacts_go_up_and_come_down(client, tmp_path)
        test_models_live_as_the_specification_says(client)
        test_logged_models_live_as_the_specification_says(client)
        test_issues_live_as_the_specification_says(client)
        test_evaluation_datasets_live_as_the_specification_says(client)
        test_imports.test_imports_live_as_the_specification_says(client)
        test_server_tells_of_itself_and_collects_garbage(client)
    assert set(rpc_paths().values()) - reached == set()


class Watched:
    """A channel that notes the paths that are called on it."""

    def __init__(self, channel: object, reached: set[str]) -> None:
        self._channel = channel
        self._reached = reached

    def __getattr__(self, kind: str) -> object:
        make = getattr(self._channel, kind)

        def noting(path: str, **options: object) -> object:
            self._reached.add(path)
            return make(path, **options)

        return noting
