"""What the command line says on stderr to people who would otherwise look at nothing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import invoke
from tests.conftest import ServerProcess

from trackwire.client import Client

Said = Callable[..., tuple[str, str]]
Refused = Callable[..., tuple[int, str]]


@pytest.fixture
def run_id(client: Client) -> str:
    """A run with two metrics and a file."""
    run_id = client.create_run(experiment_name="vision", create_experiment=True).run_id
    client.log_metrics(run_id, {"loss": 1.5, "acc": 0.5}, step=1)
    client.upload_bytes(run_id, b"a", "model/a.txt")
    return run_id


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_keys_that_a_run_does_not_have_are_named(said: Said, run_id: str, form: tuple[str, ...]) -> None:
    arguments = ("metrics", "summaries", run_id, "--key", "loss", "--key", "nosuch", *form)
    printed, words = said(*arguments)
    assert "nosuch" not in printed
    assert words == f"trackwire: run {run_id} has no metric 'nosuch'; it has acc, loss\n"


def test_export_names_missing_keys_and_keeps_to_its_header(said: Said, run_id: str) -> None:
    assert said("metrics", "export", run_id, "--key", "nosuch") == (
        "run_id,key,rank,step,time_ms,value\n",
        f"trackwire: run {run_id} has no metric 'nosuch'; it has acc, loss\n",
    )
    assert said("metrics", "export", run_id, "--key", "loss", "--min-step", "9")[1] == ""


def test_a_key_beyond_the_limit_is_not_called_missing(said: Said, run_id: str) -> None:
    _, words = said("metrics", "summaries", run_id, "--key", "acc", "--key", "loss", "--limit", "1")
    assert "no metric" not in words


def test_ten_names_are_told_and_none_where_there_is_none(said: Said, client: Client) -> None:
    many, none = client.create_run(), client.create_run()
    client.log_metrics(many.run_id, {f"m{index:02}": 1.0 for index in range(12)})
    _, words = said("metrics", "summaries", many.run_id, none.run_id, "--key", "x")
    shown = ", ".join(f"m{index:02}" for index in range(10))
    assert words.splitlines() == [
        f"trackwire: run {many.run_id} has no metric 'x'; it has {shown}, …",
        f"trackwire: run {none.run_id} has no metric 'x'; it has none",
    ]


def test_artifacts_that_are_not_there(said: Said, refused: Refused, client: Client, run_id: str) -> None:
    assert said("artifacts", "list", run_id)[1] == ""
    assert refused("artifacts", "list", run_id, "nosuch", "--json") == (
        1,
        f"trackwire: nothing lies at 'nosuch' of run {run_id}\n",
    )
    assert "'model/a.txt' of run" in said("artifacts", "list", run_id, "model/a.txt")[1]
    bare = client.create_run().run_id
    assert said("artifacts", "list", bare)[1] == f"trackwire: run {bare} has no artifacts\n"


def test_a_failed_export_leaves_nothing(live: ServerProcess, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("before")
    for name in ("kept.csv", "bad.csv", "bad.npz"):
        done = invoke("metrics", "export", "nope", "--output", tmp_path / name, address=live.address)
        assert done.returncode == 1
        assert re.fullmatch(r"trackwire: run 'nope' does not exist \(run_ids\) \(request [0-9a-f-]+\)\n", done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
    assert kept.read_text() == "before"
    done = invoke("metrics", "export", "nope", address=live.address)
    assert (done.returncode, done.stdout) == (1, "")


def test_an_export_replaces_a_file_and_writes_through_links_and_to_devices(
    said: Said, run_id: str, tmp_path: Path
) -> None:
    target = tmp_path / "target.csv"
    target.write_text("before")
    target.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    said("metrics", "export", run_id, "--key", "loss", "-o", link)
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 2
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "target.csv"]
    said("metrics", "export", run_id, "--format", "csv", "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()


def test_long_names_are_shortened_in_tables_alone(said: Said, client: Client) -> None:
    name = "n" * 250
    experiment_id = client.create_experiment(name).experiment_id
    client.create_run(experiment_id, run_name=name)
    client.create_registered_model(name)
    lists = (("runs", "list", "--experiment-id", experiment_id), ("experiments", "list"), ("models", "list"))
    for command in lists:
        printed, _ = said(*command)
        assert f"{'n' * 59}…  " in printed
        assert "n" * 60 not in printed
        assert f'name": "{name}"' in said(*command, "--json")[0]
    short = client.create_run(experiment_id, run_name="m" * 60).run_name
    assert short in said(*lists[0])[0]


def test_nan_is_spelt_one_way(said: Said, client: Client) -> None:
    run_id = client.create_run(experiment_name="nans", create_experiment=True).run_id
    client.log_metrics(run_id, {"loss": float("nan")})
    assert said("metrics", "summaries", run_id)[0].splitlines()[1].split()[-3:] == ["NaN", "NaN", "NaN"]
    assert "loss=NaN" in said("runs", "list", "--experiment-name", "nans")[0]
    assert "NaN step 0" in said("runs", "get", run_id)[0]


def test_json_is_what_the_help_says(said: Said, client: Client) -> None:
    experiment_id = client.create_experiment("lines").experiment_id
    for _ in range(2):
        client.update_run(client.create_run(experiment_id).run_id, status="FINISHED")
    words = " ".join(said("runs", "list", "--help")[0].split())
    assert "of a list JSON Lines: an object a line. Enums are as in the contract: RUN_STATUS_FINISHED." in words
    lines = said("runs", "list", "--experiment-id", experiment_id, "--json")[0].splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["RUN_STATUS_FINISHED", "RUN_STATUS_FINISHED"]


def test_a_version_for_programs_is_as_it_was(said: Said, client: Client) -> None:
    client.create_registered_model("demo")
    assert said("models", "create-version", "demo", "s3://a")[0] == "demo version 1\n"
    made = json.loads(said("models", "create-version", "demo", "s3://a", "--json")[0])
    assert (made["name"], made["version"]) == ("demo", "2")
