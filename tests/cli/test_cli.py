"""The command line against a real server: what it prints, and how it refuses."""

import csv
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import COMMAND, invoke
from tests.conftest import ROOT, ServerProcess

from trackwire.cli.gc import RUNS_PER_SEARCH
from trackwire.client import Client

Trackwire = Callable[..., str]
Refused = Callable[..., tuple[int, str]]


@pytest.fixture
def run_id(client: Client) -> str:
    """A run with a few points."""
    run_id = client.create_run(
        experiment_name="vision", create_experiment=True, run_name="first", params={"lr": "0.1"}, tags={"team": "red"}
    ).run_id
    for step, loss in enumerate((1.5, float("nan"), 0.1)):
        client.log_metrics(run_id, {"loss": loss, "acc": step / 2}, step=step, time_ms=1_760_000_000_000 + step)
    client.update_run(run_id, status="FINISHED")
    return run_id


def documents(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_experiments(trackwire: Trackwire) -> None:
    experiment_id = trackwire("experiments", "create", "sound", "--tag", "team=red").strip()
    assert "sound" in trackwire("experiments", "list")
    (found,) = documents(trackwire("experiments", "search", "--filter", "name = 'sound'", "--json"))
    assert (found["experiment_id"], found["tags"]) == (experiment_id, {"team": "red"})
    assert "team  red" in trackwire("experiments", "get", "--name", "sound")
    trackwire("experiments", "rename", experiment_id, "noise")
    trackwire("experiments", "delete", experiment_id)
    assert "noise" not in trackwire("experiments", "list")
    assert "noise" in trackwire("experiments", "list", "--view", "deleted_only")
    trackwire("experiments", "restore", experiment_id)
    assert json.loads(trackwire("experiments", "get", experiment_id, "--json"))["name"] == "noise"


def test_experiment_is_named_by_its_id_or_else_by_its_name(trackwire: Trackwire) -> None:
    experiment_id = trackwire("experiments", "create", "demo").strip()
    namesake = trackwire("experiments", "create", experiment_id).strip()
    assert json.loads(trackwire("experiments", "get", experiment_id, "--json"))["name"] == "demo"
    assert json.loads(trackwire("experiments", "get", "--name", experiment_id, "--json"))["experiment_id"] == namesake
    trackwire("experiments", "create", "2024")
    assert json.loads(trackwire("experiments", "get", "2024", "--json"))["name"] == "2024"
    assert trackwire("experiments", "delete", "demo").startswith(f"experiment {experiment_id} is deleted; ")
    assert trackwire("experiments", "restore", "demo") == f"experiment {experiment_id} is active\n"
    assert trackwire("experiments", "rename", "demo", "show") == f"experiment {experiment_id} is now 'show'\n"


@pytest.mark.parametrize("noun", ["runs", "experiments", "models"])
def test_examples_of_the_help_work(noun: str, trackwire: Trackwire) -> None:
    words = " ".join(trackwire(noun, "list", "--help").split())
    (filter_string,) = re.findall(r'--filter TEXT Such as "(.*?)"\.', words)
    (order_by,) = re.findall(r"--order-by TEXT Such as '(.*?)';", words)
    trackwire(noun, "list", "--filter", filter_string, "--order-by", order_by)


@pytest.mark.parametrize("is_by_id", [True, False])
def test_experiment_as_csv(trackwire: Trackwire, client: Client, run_id: str, is_by_id: bool) -> None:
    experiment = client.get_run(run_id).experiment_id if is_by_id else "vision"
    rows = list(csv.DictReader(trackwire("experiments", "csv", experiment).splitlines()))
    row = next(row for row in rows if row["run_id"] == run_id)
    assert (row["status"], row["metrics.loss"], row["params.lr"], row["tags.team"]) == ("FINISHED", "0.1", "0.1", "red")


def test_runs(trackwire: Trackwire, run_id: str) -> None:
    listed = trackwire("runs", "list", "--experiment-name", "vision", "--limit", "1")
    assert listed.splitlines()[0].split() == ["RUN", "ID", "NAME", "STATUS", "STARTED", "TOOK", "METRICS"]
    assert run_id in listed
    found = documents(
        trackwire("runs", "search", "--experiment-name", "vision", "--filter", f"run_id = '{run_id}'", "--json")
    )
    assert [run["run_id"] for run in found] == [run_id]
    described = trackwire("runs", "describe", run_id)
    assert "FINISHED" in described
    assert "lr  0.1" in described
    trackwire("runs", "delete", run_id)
    assert "FINISHED (deleted)" in trackwire("runs", "get", run_id)
    trackwire("runs", "restore", run_id)


def test_metrics_as_summaries_and_csv(trackwire: Trackwire, run_id: str) -> None:
    summary = next(
        found for found in documents(trackwire("metrics", "summaries", run_id, "--json")) if found["key"] == "loss"
    )
    assert (summary["count"], summary["nan_count"], summary["last_value"]) == ("3", "1", 0.1)
    assert "loss" in trackwire("metrics", "summaries", run_id)
    rows = list(csv.DictReader(trackwire("metrics", "export", run_id, "--key", "loss").splitlines()))
    assert rows[0] == {
        "run_id": run_id,
        "key": "loss",
        "rank": "",
        "step": "0",
        "time_ms": "1760000000000",
        "value": "1.5",
    }
    assert [row["value"] for row in rows] == ["1.5", "nan", "0.1"]


def test_metrics_as_npz_and_parquet(trackwire: Trackwire, refused: Refused, run_id: str, tmp_path: Path) -> None:
    trackwire("metrics", "export", run_id, "-o", tmp_path / "points.npz", "--min-step", "1")
    with np.load(tmp_path / "points.npz") as columns:
        assert {name: columns[name].dtype.kind for name in columns} == {
            "run_id": "U",
            "key": "U",
            "rank": "i",
            "step": "i",
            "time_ms": "i",
            "value": "f",
        }
        assert sorted(zip(columns["key"].tolist(), columns["step"].tolist(), strict=True)) == [
            ("acc", 1),
            ("acc", 2),
            ("loss", 1),
            ("loss", 2),
        ]
    status, words = refused("metrics", "export", run_id, "--format", "npz")
    assert (status, "needs --output" in words) == (2, True)
    if importlib.util.find_spec("pyarrow") is None:
        status, words = refused("metrics", "export", run_id, "-o", tmp_path / "points.parquet")
        assert (status, words) == (1, "trackwire: Parquet needs pyarrow: pip install 'trackwire[parquet]'\n")
    else:
        trackwire("metrics", "export", run_id, "-o", tmp_path / "points.parquet")


@pytest.fixture
def tail(live: ServerProcess, run_id: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "TRACKWIRE_TRACKING_URI": live.address}
    command = [*COMMAND, "metrics", "tail", run_id, "--key", "loss", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_tail_prints_points_as_they_come_until_it_is_interrupted(
    tail: subprocess.Popen[str], client: Client, run_id: str
) -> None:
    assert tail.stdout is not None
    assert "resume_token" in json.loads(tail.stdout.readline())
    client.log_metric(run_id, "loss", float("inf"), step=9, time_ms=5)
    assert json.loads(tail.stdout.readline()) == {
        "run_id": run_id,
        "key": "loss",
        "rank": None,
        "step": "9",
        "time_ms": "5",
        "value": "Infinity",
    }
    tail.send_signal(signal.SIGINT)
    assert tail.wait(60) == 130


def test_artifacts(trackwire: Trackwire, refused: Refused, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "a.txt").write_text("a")
    trackwire("artifacts", "upload", run_id, tmp_path / "up" / "a.txt")
    trackwire("artifacts", "upload", run_id, tmp_path / "up", "folder")
    assert [line.split()[0] for line in trackwire("artifacts", "list", run_id).splitlines()] == [
        "PATH",
        "a.txt",
        "folder/",
    ]
    trackwire("artifacts", "download", run_id, "folder", tmp_path / "down")
    assert (tmp_path / "down" / "a.txt").read_text() == "a"
    assert refused("artifacts", "delete", run_id, "folder", answer="n\n")[0] == 1
    trackwire("artifacts", "delete", run_id, "folder", "--yes")
    (left,) = documents(trackwire("artifacts", "list", run_id, "--json"))
    assert (left["path"], left["size_bytes"]) == ("a.txt", "1")


def test_models(trackwire: Trackwire, refused: Refused, run_id: str) -> None:
    trackwire("models", "create", "digits", "--description", "d")
    source = f"runs:/{run_id}/model"
    assert trackwire("models", "create-version", "digits", source, "--run-id", run_id) == "digits version 1\n"
    trackwire("models", "alias", "digits", "champion", "1")
    trackwire("models", "stage", "digits", "1", "production", "--archive-existing")
    (found,) = documents(trackwire("models", "versions", "digits", "--json"))
    assert (found["version"], found["current_stage"], found["aliases"]) == ("1", "MODEL_STAGE_PRODUCTION", ["champion"])
    assert "champion=1" in trackwire("models", "list")
    trackwire("models", "alias", "digits", "champion", "--delete")
    trackwire("models", "rename", "digits", "numbers")
    assert "Production" in trackwire("models", "get", "numbers")
    assert refused("models", "delete", "numbers", answer="n\n")[0] == 1
    trackwire("models", "delete", "numbers", "1", "--yes")
    trackwire("models", "delete", "numbers", "--yes")
    status, words = refused("models", "versions", "numbers")
    assert (status, "does not exist" in words) == (1, True)


def test_versions_are_filtered_and_ordered(trackwire: Trackwire, refused: Refused, client: Client) -> None:
    for name in ("it's", "other"):
        client.create_registered_model(name)
        for source in ("s3://a", "s3://b", "s3://a"):
            client.create_model_version(name, source)

    def found(*options: str) -> list[object]:
        return [
            version["version"] for version in documents(trackwire("models", "versions", "it's", "--json", *options))
        ]

    assert found() == ["3", "2", "1"]
    assert found("--filter", "source_path = 's3://a'") == ["3", "1"]
    assert found("--filter", "version = 1 OR version = 2", "--order-by", "version_number") == ["1", "2"]
    words = " ".join(trackwire("models", "versions", "--help").split())
    assert found("--filter", "current_stage = 'Production'", "--order-by", "creation_timestamp DESC") == []
    assert "Such as \"current_stage = 'Production'\"." in words
    assert "did you mean 'source'?" in refused("models", "versions", "it's", "--filter", "sorce = 'a'")[1]


def test_gc_tells_first_and_removes_when_told(trackwire: Trackwire, refused: Refused, run_id: str) -> None:
    trackwire("runs", "delete", run_id)
    would = trackwire("gc", "--run-id", run_id, "--dry-run").splitlines()[-1]
    assert would == "1 run, 0 experiments, 0 logged models, 0 unfinished uploads, 0 B of artifacts would be removed"
    assert refused("gc", "--run-id", run_id, answer="n\n")[0] == 1
    assert "would be removed" in trackwire("gc", "--run-id", run_id, answer="y\n")
    assert refused("runs", "get", run_id)[0] == 1
    assert json.loads(trackwire("gc", "--yes", "--json"))["run_ids"] == []


def test_gc_names_where_it_leaves_artifacts(trackwire: Trackwire, client: Client) -> None:
    experiment = client.create_experiment("far", artifact_location="s3://bucket/far")
    run = client.create_run(experiment_id=experiment.experiment_id)
    client.delete_run(run.run_id)
    lines = trackwire("gc", "--run-id", run.run_id, "--yes").splitlines()
    assert lines[:2] == [f"run {run.run_id}", f"left alone, as the server doesn't reach it: {run.artifact_uri}"]


def test_gc_names_what_uploads_have_left(trackwire: Trackwire, live: ServerProcess) -> None:
    left, fresh = (live.data_dir / "artifacts" / ".partial" / (digit * 64) for digit in "ab")
    for path in (left, fresh):
        path.write_bytes(b"bytes")
    os.utime(left, (0, 0))
    told = [f"left by an upload: {left.as_uri()}"]
    assert trackwire("gc", "--dry-run").splitlines()[-2:-1] == told
    assert trackwire("gc", "--yes").splitlines()[-2:-1] == told
    assert (left.exists(), fresh.exists()) == (False, True)


def test_gc_names_the_versions_that_came_from_a_run(trackwire: Trackwire, client: Client, live: ServerProcess) -> None:
    runs = sorted(f"{number:03}{'r' * 253}" for number in range(RUNS_PER_SEARCH + 1))
    client.create_registered_model("demo")
    for run_id in runs:
        client.create_run(run_id=run_id)
        client.delete_run(run_id)
    for run_id in (runs[0], runs[-1], runs[-1]):
        client.create_model_version("demo", "s3://a", run_id=run_id)
    client.set_registered_model_alias("demo", "champion", 2)
    arguments = ("gc", *(word for run_id in runs for word in ("--run-id", run_id)))
    told = [f"run {runs[0]}: version 1 of 'demo' came from it", f"run {runs[1]}"]
    last = f"run {runs[-1]}: version 2 of 'demo' (champion), version 3 of 'demo' came from it"
    lines = trackwire(*arguments, "--dry-run").splitlines()
    assert (lines[:2], lines[-2]) == (told, last)
    done = invoke(*arguments, "--dry-run", "--json", address=live.address)
    assert done.stderr.splitlines() == [f"trackwire: {told[0]}", f"trackwire: {last}"]
    lines = trackwire(*arguments, "--yes").splitlines()
    assert (lines[:2], lines[-2]) == (told, last)


def test_doctor_tells_health_and_fails_where_there_is_no_server(trackwire: Trackwire, live: ServerProcess) -> None:
    report = json.loads(trackwire("doctor", "--json"))
    assert (report["healthy"], report["health"], report["address"]) == (True, "SERVING", live.address)
    assert report["latency_ms"] > 0
    assert "all is well" in trackwire("doctor")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client"), "TRACKWIRE_TRACKING_URI": "127.0.0.1:1"}
    done = subprocess.run([*COMMAND, "doctor", "--json"], env=environment, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["healthy"]) == (1, False)
    assert "no Trackwire server answers at 127.0.0.1:1" in report["problem"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("runs", "get", "nope"), 1, "trackwire: run 'nope' does not exist"),
        (("runs", "list", "--experiment-id", "999"), 1, "no experiment has the id or the name '999'"),
        (("experiments", "get", "gone"), 1, "no experiment has the id or the name 'gone'"),
        (("--server", "host:99999", "runs", "list"), 1, "'host:99999': the port must be 1 to 65535"),
        (("--server", "127.0.0.1:1", "runs", "list"), 1, "no Trackwire server answers at 127.0.0.1:1"),
        (("--server", "5051", "doctor"), 2, "'5051': did you mean 127.0.0.1:5051?"),
        (("--timeout", "0", "doctor"), 2, "'--timeout': 0.0: must be a number of seconds greater than 0"),
        (("--timeout", "-1", "doctor"), 2, "-1.0: must be a number of seconds greater than 0"),
        (("--timeout", "nan", "doctor"), 2, "nan: must be a number of seconds greater than 0"),
        (("--timeout", "inf", "doctor"), 2, "inf: must be a number of seconds greater than 0"),
        (("runs", "list", "--limit", "abc"), 2, "'abc': must be a whole number, 1 to 1,000,000,000"),
        (("runs", "list", "--limit", "0"), 2, "'0': must be a whole number, 1 to 1,000,000,000"),
        (("nonsense",), 2, "No such command"),
        (("metrics", "show"), 2, "No such command 'show'. Did you mean 'summaries'?"),
        (("experiments", "get"), 2, "either EXPERIMENT or --name"),
        (("experiments", "create", "x", "--tag", "y"), 2, "'y': must be key=value"),
        (("models", "alias", "m", "a"), 2, "either VERSION or --delete"),
        (("metrics", "export", "nope", "-o", "/nowhere/x.csv"), 1, "/nowhere/x.csv: there is no folder /nowhere"),
    ],
)
def test_mistakes_are_one_clear_line(arguments: tuple[str, ...], status: int, words: str, refused: Refused) -> None:
    came, said = refused(*arguments)
    assert (came, words in said) == (status, True), said
    assert status == 2 or len(said.splitlines()) == 1


def test_error_of_a_filter_or_an_order_points_at_its_place(refused: Refused) -> None:
    status, words = refused("runs", "search", "--filter", "metrics.x >> 1")
    first, text, caret = words.splitlines()
    assert (status, text, caret) == (1, "  metrics.x >> 1", "             ^")
    assert first.startswith("trackwire: ")
    assert "(column 12)" in first
    _, words = refused("experiments", "list", "--order-by", "team")
    assert "did you mean tags.team?" in words
    assert words.endswith("\n  team\n  ^\n")


def test_server_is_the_server_s_own_program(trackwire: Trackwire) -> None:
    assert "--data-dir" in trackwire("server", "--help")
    assert trackwire("--version").startswith("trackwire ")
    assert "Usage: trackwire" in trackwire("--help")


def test_without_the_server_extra_it_says_what_to_install() -> None:
    # As on a machine without it: here it is installed.
    code = "import sys; sys.modules['trackwire_server'] = None; from trackwire.cli import main; "
    code += "sys.exit(main(['server']))"
    environment = {"PYTHONPATH": str(ROOT / "client"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'trackwire[server]'" in done.stderr


def test_module_is_the_command_line(live: ServerProcess) -> None:
    environment = {"PYTHONPATH": str(ROOT / "client"), "PATH": "", "TRACKWIRE_TRACKING_URI": live.address}
    command = [sys.executable, "-m", "trackwire", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "all is well" in done.stdout


def test_help_does_not_wait_for_grpc() -> None:
    code = "import sys; from trackwire.cli import main; main(['--help']); print('grpc' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "client"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
