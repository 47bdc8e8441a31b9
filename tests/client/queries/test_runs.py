"""Reads of runs, by a real server: what MLflow's users get, under the names that they know."""

import json
import math
from typing import Any

import pytest

import trackwire as mlflow
from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, NotFoundError
from trackwire.v1.metrics_pb2 import MetricPoint, SeriesContext

pytestmark = pytest.mark.usefixtures("online")

NOW_MS = 1_760_000_000_000


def make_run(client: Client, experiment_id: str, **options: Any) -> str:
    return client.create_run(experiment_id, **options).run_id


def ids(runs: list[Any]) -> list[str]:
    return [run.info.run_id for run in runs]


def test_run_has_the_attributes_of_mlflows(client: Client, experiment_id: str) -> None:
    run_id = make_run(
        client,
        experiment_id,
        run_name="first",
        user_id="ada",
        start_time_ms=NOW_MS,
        params={"lr": "0.1"},
        tags={"team": "red"},
    )
    client.log_metric(run_id, "loss", 1.0, step=1)
    client.log_metric(run_id, "loss", 0.5, step=2)
    client.log_metric(run_id, "bad", math.nan)
    run = mlflow.get_run(run_id)
    info = run.info
    assert (info.run_id, info.run_name, info.experiment_id, info.user_id) == (run_id, "first", experiment_id, "ada")
    assert (info.status, info.start_time, info.end_time, info.lifecycle_stage) == ("RUNNING", NOW_MS, None, "active")
    assert info.artifact_uri.endswith(f"/{run_id}/artifacts")
    assert run.data.metrics["loss"] == 0.5
    assert math.isnan(run.data.metrics["bad"])
    assert run.data.params == {"lr": "0.1"}
    assert run.data.tags == {"team": "red", "mlflow.runName": "first"}
    client.update_run(run_id, status="FAILED", end_time_ms=NOW_MS + 5)
    ended = mlflow.get_run(run_id)
    assert (ended.info.status, ended.info.end_time) == ("FAILED", NOW_MS + 5)


def test_run_becomes_dicts(client: Client, experiment_id: str) -> None:
    run_id = make_run(client, experiment_id, params={"a": "b"})
    run = mlflow.get_run(run_id)
    as_dict = json.loads(json.dumps(run.to_dictionary()))
    assert as_dict["info"]["run_id"] == run_id
    assert as_dict["data"]["params"] == {"a": "b"}
    assert dict(run.info)["status"] == "RUNNING"
    with pytest.raises(AttributeError):
        run.info.status = "FINISHED"


def test_run_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        mlflow.get_run("nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        mlflow.get_parent_run("nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        mlflow.delete_run("nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        mlflow.get_metric_history("nowhere", "loss")


def test_parent_is_found_by_field_and_by_tag(client: Client, experiment_id: str) -> None:
    parent = make_run(client, experiment_id)
    by_field = make_run(client, experiment_id, parent_run_id=parent)
    by_tag = make_run(client, experiment_id, tags={"mlflow.parentRunId": parent})
    assert mlflow.get_parent_run(by_field).info.run_id == parent
    assert mlflow.get_parent_run(by_tag).info.run_id == parent
    assert mlflow.get_parent_run(parent) is None


def test_view_types_are_numbers_or_words(client: Client, experiment_id: str) -> None:
    kept, deleted = make_run(client, experiment_id), make_run(client, experiment_id)
    mlflow.delete_run(deleted)
    assert mlflow.get_run(deleted).info.lifecycle_stage == "deleted"

    def found(view_type: int | str) -> set[str]:
        return set(ids(mlflow.search_runs([experiment_id], run_view_type=view_type, output_format="list")))

    assert found(mlflow.ViewType.ACTIVE_ONLY) == found("ACTIVE_ONLY") == {kept}
    assert found(mlflow.ViewType.DELETED_ONLY) == found("deleted_only") == {deleted}
    assert found(mlflow.ViewType.ALL) == found(3) == {kept, deleted}


@pytest.mark.parametrize("view_type", [0, 4, "SOME", None])
def test_unknown_view_type_is_refused(view_type: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"run_view_type: .*ViewType.ACTIVE_ONLY \(1\)"):
        mlflow.search_runs(run_view_type=view_type)
    with pytest.raises(InvalidArgumentError, match="view_type: "):
        mlflow.search_experiments(view_type=view_type)


def test_unknown_output_format_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="output_format: 'polars': must be 'pandas' or 'list'"):
        mlflow.search_runs(output_format="polars")


def test_filter_order_and_limit_are_the_servers(client: Client, experiment_id: str) -> None:
    runs = [make_run(client, experiment_id, params={"n": str(number)}) for number in range(4)]
    for number, run_id in enumerate(runs):
        client.log_metric(run_id, "loss", number)
    found = mlflow.search_runs(
        [experiment_id], "metrics.loss > 0", order_by=["metrics.loss DESC"], max_results=2, output_format="list"
    )
    assert ids(found) == [runs[3], runs[2]]
    assert ids(mlflow.search_runs(filter_string="params.n = '1'", output_format="list")) == [runs[1]]
    with pytest.raises(InvalidArgumentError, match="max_results: 0"):
        mlflow.search_runs(max_results=0)
    with pytest.raises(InvalidArgumentError, match="column"):
        mlflow.search_runs(filter_string="metrics.loss >")


def test_experiments_are_named_by_id_or_name_or_are_all(
    client: Client, experiment_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    own = make_run(client, experiment_id)
    other_experiment = client.create_experiment(f"other than {experiment_id}")
    other = make_run(client, other_experiment.experiment_id)

    def found(**arguments: Any) -> set[str]:
        return set(ids(mlflow.search_runs(**arguments, output_format="list")))

    assert found() == {own}
    assert found(experiment_ids=[]) == {own}
    assert found(experiment_ids=[int(other_experiment.experiment_id)]) == {other}
    assert found(experiment_ids=other_experiment.experiment_id) == {other}
    assert found(experiment_names=[other_experiment.name]) == {other}
    assert found(search_all_experiments=True) >= {own, other}
    assert found(experiment_names=["nobody's"]) == set()
    assert 'there is no experiment "nobody\'s"' in caplog.text
    with pytest.raises(InvalidArgumentError, match="experiment_ids, experiment_names"):
        found(experiment_ids=["0"], experiment_names=["Default"])
    # As in MLflow, one that is not there has no runs.
    assert found(experiment_ids=["987654"]) == set()


def test_without_a_choice_the_default_experiment_is_searched(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    in_default = make_run(client, "0")
    assert in_default in ids(mlflow.search_runs(output_format="list"))
    elsewhere = client.create_experiment("by variable")
    by_variable = make_run(client, elsewhere.experiment_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", elsewhere.experiment_id)
    assert ids(mlflow.search_runs(output_format="list")) == [by_variable]
    monkeypatch.setenv("TRACKWIRE_EXPERIMENT_NAME", "Default")
    assert in_default in ids(mlflow.search_runs(output_format="list"))
    mlflow.set_experiment(experiment_id=elsewhere.experiment_id)
    assert ids(mlflow.search_runs(output_format="list")) == [by_variable]
    mlflow.set_experiment("not made yet")
    assert mlflow.search_runs(output_format="list") == []


def test_history_has_every_point_by_step(client: Client, experiment_id: str) -> None:
    run_id = make_run(client, experiment_id)
    for step, value in ((2, 0.25), (0, 1.0), (1, math.inf)):
        client.log_metric(run_id, "loss", value, step=step, time_ms=NOW_MS + step)
    client.log_metric(run_id, "other", 7.0)
    history = mlflow.get_metric_history(run_id, "loss")
    assert [(point.step, point.value, point.timestamp) for point in history] == [
        (0, 1.0, NOW_MS),
        (1, math.inf, NOW_MS + 1),
        (2, 0.25, NOW_MS + 2),
    ]
    assert {point.key for point in history} == {"loss"}
    assert mlflow.get_metric_history(run_id, "nothing") == []


def test_history_of_ranks_is_that_of_the_primary_series(client: Client, experiment_id: str) -> None:
    run_id = make_run(client, experiment_id)
    points = [
        MetricPoint(key="loss", value=rank * 10 + step, step=step, context=SeriesContext(rank=rank))
        for rank in (1, 0)
        for step in range(3)
    ]
    client.log_points(run_id, points)
    assert [point.value for point in mlflow.get_metric_history(run_id, "loss")] == [0.0, 1.0, 2.0]
    assert mlflow.get_run(run_id).data.metrics == {"loss": 2.0}
