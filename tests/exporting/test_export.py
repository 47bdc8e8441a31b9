"""`trackwire export`, read back by pyarrow."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.client.live_server import live_server
from tests.conftest import ServerProcess

from trackwire.cli import main
from trackwire.client import Client
from trackwire.errors import NotFoundError
from trackwire.exporting.exporter import RUNS_AT_ONCE, Wanted, export_tables
from trackwire.exporting.tables import TABLES
from trackwire.v1.metrics_pb2 import MetricPoint, SeriesContext
from trackwire.v1.run_inputs_pb2 import Dataset, DatasetInput

parquet: Any = pytest.importorskip("pyarrow.parquet")

Row = Mapping[str, object]
Export = Callable[..., Path]
RUN = "a" * 32
VALUES = [1.5, math.nan, -math.inf, -0.0, 5e-324]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with one of everything, never changed."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        with Client(server.address) as client:
            _fill(client)
        yield server


def _fill(client: Client) -> None:
    vision = client.create_experiment("vision", tags={"team": "red"}).experiment_id
    client.create_run(vision, run_id=RUN, run_name="otter", params={"lr": "0.1"}, tags={"a": "ä\n"})
    for rank in (None, 3):
        context = None if rank is None else SeriesContext(rank=rank)
        points = [
            MetricPoint(key="loss", value=value, step=at, time_ms=at + 1, context=context)
            for at, value in enumerate(VALUES)
        ]
        client.log_points(RUN, points)
    of_model = SeriesContext(model_id="m-1", dataset_name="digits", dataset_digest="d1")
    client.log_points(RUN, [MetricPoint(key="f1", value=0.5, step=-1, time_ms=1, context=of_model)])
    given = DatasetInput(
        dataset=Dataset(name="digits", digest="d1", schema="{}"), tags={"mlflow.data.context": "training"}
    )
    client.log_inputs(RUN, [given], models=["m-in"])
    client.log_outputs(RUN, {"m-out": 7})
    client.update_run(RUN, status="FINISHED", end_time_ms=1_800_000_000_000)
    other = client.create_run("0", params={"lr": "0.2"}).run_id
    client.log_inputs(other, [given])
    client.delete_run(client.create_run(vision).run_id)
    client.create_logged_model(vision, name="net", params={"depth": "3"}, tags={"x": "y"}, model_type="agent")
    client.create_issue(
        vision,
        "slow",
        "It takes long.",
        severity="HIGH",
        root_causes=["b", "a"],
        categories="cost",
        source_run_id=RUN,
        last_seen_time_ms=7,
        metadata={"k": "v"},
    )
    client.create_issue("0", "bare", "Nobody said more.")
    questions = client.create_evaluation_dataset("qa", experiment_ids=["0", vision], tags={"t": "u"}, created_by="ann")
    client.upsert_evaluation_dataset_records(
        questions.dataset_id,
        [
            {
                "inputs": {"q": "ä"},
                "outputs": [1],
                "expectations": {"a": 2},
                "tags": {"x": 1},
                "source": {"source_type": "TRACE", "source_data": {"trace_id": "tr-1"}},
            },
            {"inputs": {}},
        ],
    )
    client.create_evaluation_dataset("empty")
    client.create_registered_model("digits", description="of hands", tags={"t": "u"})
    client.create_model_version("digits", f"runs:/{RUN}/model", tags={"k": "v"})
    client.set_registered_model_alias("digits", "champion", 1)
    client.create_registered_model("greeting", tags={"mlflow.prompt.is_prompt": "true"})


@pytest.fixture
def export(live: ServerProcess, tmp_path: Path) -> Export:
    """`export("--view", "all")`: the folder that the command has made."""

    def run(*options: str, folder: str = "out") -> Path:
        assert main(["--server", live.address, "export", str(tmp_path / folder), *options]) == 0
        return tmp_path / folder

    return run


def rows(folder: Path, name: str) -> Sequence[Row]:
    found: Sequence[Row] = parquet.read_table(folder / f"{name}.parquet").to_pylist()
    return found


def test_points_are_read_back_bit_by_bit(export: Export) -> None:
    folder = export("--experiment", "vision")
    found = [tuple(row.values()) for row in rows(folder, "metrics")]
    nothing = (None, None, None)
    expected = [
        (RUN, "loss", rank, at, at + 1, value, *nothing) for rank in (None, 3) for at, value in enumerate(VALUES)
    ]
    expected.append((RUN, "f1", None, -1, 1, 0.5, "m-1", "digits", "d1"))
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_every_table_has_its_rows_and_types(export: Export) -> None:
    folder = export()
    assert {file.name for file in folder.iterdir()} == {f"{name}.parquet" for name in TABLES}
    for name, columns in TABLES.items():
        schema = parquet.read_schema(folder / f"{name}.parquet")
        assert {each.name: str(each.type).replace("double", "float64") for each in schema} == dict(columns)
    assert [row["name"] for row in rows(folder, "experiments")] == ["vision", "Default"]
    assert rows(folder, "experiment_tags") == [{"experiment_id": "1", "key": "team", "value": "red"}]
    [run] = [row for row in rows(folder, "runs") if row["run_id"] == RUN]
    assert (run["run_name"], run["status"], run["end_time_ms"]) == ("otter", "FINISHED", 1_800_000_000_000)
    assert (run["lifecycle_stage"], run["parent_run_id"], run["deleted_time_ms"]) == ("active", None, None)
    assert {"run_id": RUN, "key": "lr", "value": "0.1"} in rows(folder, "params")
    assert {"run_id": RUN, "key": "a", "value": "ä\n"} in rows(folder, "tags")
    assert [(row["experiment_id"], row["schema"]) for row in rows(folder, "datasets")] == [("1", "{}"), ("0", "{}")]
    assert {"run_id": RUN, "name": "digits", "digest": "d1", "context": "training"} in rows(folder, "run_datasets")
    assert rows(folder, "run_models") == [
        {"run_id": RUN, "model_id": "m-in", "role": "input", "step": None},
        {"run_id": RUN, "model_id": "m-out", "role": "output", "step": 7},
    ]
    [model] = rows(folder, "logged_models")
    assert (model["name"], model["status"], model["model_type"]) == ("net", "PENDING", "agent")
    assert rows(folder, "logged_model_params") == [{"model_id": model["model_id"], "key": "depth", "value": "3"}]
    assert [row["name"] for row in rows(folder, "registered_models")] == ["digits", "greeting"]
    assert rows(folder, "registered_model_aliases") == [{"name": "digits", "alias": "champion", "version": 1}]
    [version] = rows(folder, "model_versions")
    assert (version["run_id"], version["current_stage"], version["status"]) == (RUN, "None", "READY")
    assert rows(folder, "model_version_tags") == [{"name": "digits", "version": 1, "key": "k", "value": "v"}]


def test_issues_and_evaluation_datasets_have_their_rows(export: Export) -> None:
    folder = export()
    slow, bare = sorted(rows(folder, "issues"), key=lambda row: row["name"] == "bare")
    assert (slow["experiment_id"], slow["status"], slow["severity"], slow["source_run_id"]) == (
        "1", "PENDING", "HIGH", RUN,
    )  # fmt: skip
    assert (slow["description"], slow["last_seen_time_ms"], bare["last_seen_time_ms"]) == ("It takes long.", 7, None)
    assert (bare["experiment_id"], bare["severity"], bare["source_run_id"], bare["created_by"]) == ("0", *[None] * 3)
    assert [row["root_cause"] for row in rows(folder, "issue_root_causes")] == ["b", "a"]
    assert rows(folder, "issue_categories") == [{"issue_id": slow["issue_id"], "category": "cost"}]
    assert rows(folder, "issue_metadata") == [{"issue_id": slow["issue_id"], "key": "k", "value": "v"}]
    empty, questions = sorted(rows(folder, "evaluation_datasets"), key=lambda row: str(row["name"]))
    assert (questions["name"], questions["record_count"], questions["created_by"]) == ("qa", 2, "ann")
    assert (empty["name"], empty["record_count"], empty["schema"], empty["created_by"]) == ("empty", 0, None, None)
    dataset_id = questions["dataset_id"]
    assert rows(folder, "evaluation_dataset_tags") == [{"dataset_id": dataset_id, "key": "t", "value": "u"}]
    linked = [row["experiment_id"] for row in rows(folder, "evaluation_dataset_experiments")]
    assert linked == ["0", "1"]
    said, least = rows(folder, "evaluation_records")
    assert {said["dataset_id"], least["dataset_id"]} == {dataset_id}
    parts = ("inputs", "outputs", "expectations", "tags", "source_type", "source_data")
    assert [said[part] for part in parts] == ['{"q":"ä"}', "[1]", '{"a":2}', '{"x":1}', "TRACE", '{"trace_id":"tr-1"}']
    assert [least[part] for part in parts] == ["{}", "{}", None, "{}", None, None]


def test_one_experiment_and_a_filter_choose_issues_and_datasets(export: Export) -> None:
    folder = export("--experiment", "vision")
    assert [row["name"] for row in rows(folder, "issues")] == ["slow"]
    assert [row["name"] for row in rows(folder, "evaluation_datasets")] == ["qa"]
    folder = export("--filter", "params.lr = '0.2'", folder="filtered")
    for name in ("issues", "evaluation_datasets", "evaluation_records"):
        assert rows(folder, name) == []


def test_compression_is_zstd(export: Export) -> None:
    group = parquet.ParquetFile(export() / "metrics.parquet").metadata.row_group(0)
    assert {group.column(at).compression for at in range(group.num_columns)} == {"ZSTD"}


def test_filter_and_view_choose_runs(export: Export) -> None:
    assert len(rows(export(), "runs")) == 2
    assert len(rows(export("--view", "all", folder="all"), "runs")) == 3
    folder = export("--filter", "params.lr = '0.2'", folder="filtered")
    assert [row["key"] for row in rows(folder, "params")] == ["lr"]
    assert rows(folder, "registered_models") == []


def test_run_that_is_removed_for_good_meanwhile_is_left_out(live: ServerProcess, tmp_path: Path) -> None:
    with Client(live.address) as client:
        experiment_id = client.create_experiment("going").experiment_id
        # More than are read at a time; the one that goes is the oldest, and comes last.
        going, *staying = [client.create_run(experiment_id).run_id for _ in range(RUNS_AT_ONCE + 1)]
        client.log_points(staying[-1], [MetricPoint(key="loss", value=0.5)])

        def remove(_rows: Mapping[str, int]) -> None:
            with suppress(NotFoundError):  # removed before
                client.delete_run(going)
                client.collect_garbage(run_ids=going)

        found = export_tables(client, tmp_path / "out", Wanted([client.get_experiment(experiment_id)]), remove)
        assert found["runs"] == RUNS_AT_ONCE
        client.delete_experiment(experiment_id)
        client.collect_garbage(experiment_ids=experiment_id)
    assert {row["run_id"] for row in rows(tmp_path / "out", "runs")} == set(staying)


def test_folder_is_whole_or_not_there(
    export: Export, live: ServerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "out")
    assert main(["--server", live.address, "export", folder, "--filter", "nonsense ("]) == 1
    assert list(tmp_path.iterdir()) == []
    export()
    assert main(["--server", live.address, "export", folder]) == 1
    assert "out: is there already, and is not an empty folder" in capsys.readouterr().err
    assert main(["--server", live.address, "export", str(tmp_path / "no" / "out")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_points_alone_are_the_same_parquet(live: ServerProcess, tmp_path: Path) -> None:
    output = tmp_path / "points.parquet"
    assert main(["--server", live.address, "metrics", "export", RUN, "--key", "loss", "-o", str(output)]) == 0
    found = parquet.read_table(output)
    assert found.schema.names == ["run_id", "key", "rank", "step", "time_ms", "value"]
    assert sorted(map(repr, found["value"].to_pylist())) == sorted(map(repr, VALUES * 2))
