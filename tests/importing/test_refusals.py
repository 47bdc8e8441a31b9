"""What can't be taken over is named, and the rest goes on."""

from pathlib import Path

import pytest
from tests.client.media.conftest import FreshPython, fresh_python  # noqa: F401  # a fixture
from tests.conftest import ServerProcess
from tests.importing.conftest import Command
from tests.importing.filling import Filled

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED, RUN_STATUS_RUNNING

# mlflow and its libraries warn each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
LONG_KEY = "k" * 252


def run_folder(store: Filled, number: int) -> Path:
    return Path(store.uri) / store.experiment_id / store.run_ids[number]


def test_param_and_metric_that_are_refused_are_named_and_the_rest_goes_on(
    own_folder_store: Filled, client: Client, import_mlflow: Command
) -> None:
    run_id = own_folder_store.run_ids[0]
    (run_folder(own_folder_store, 0) / "params" / "long").write_text("x" * 65_537)
    (run_folder(own_folder_store, 0) / "tags" / LONG_KEY).write_text("x")
    (run_folder(own_folder_store, 0) / "metrics" / "late").write_text("999999999999999999 1.0 1\n")
    done = import_mlflow(own_folder_store.uri)
    assert done.returncode == 1
    assert "not equal: 1 failures" in done.stdout
    assert f"run {run_id} is not whole and stays open here" in done.stderr
    for words in ("run.params[long]", "65,536", "has 252 characters", "metric 'late': 1 points", "times_ms"):
        assert words in done.stderr
    run = client.get_run(run_id)
    assert (run.status, run.params["lr"], "long" in run.params) == (RUN_STATUS_RUNNING, "0.1", False)
    assert {summary.key for summary in client.get_metric_summaries(run_id)} == {"loss", "odd", "ties", "f1"}
    assert client.get_run(own_folder_store.run_ids[1]).end_time_ms
    (run_folder(own_folder_store, 0) / "params" / "long").write_text("x")
    (run_folder(own_folder_store, 0) / "tags" / LONG_KEY).unlink()
    (run_folder(own_folder_store, 0) / "metrics" / "late").unlink()
    assert import_mlflow(own_folder_store.uri).returncode == 0
    assert client.get_run(run_id).status == RUN_STATUS_FINISHED


def test_what_has_the_id_or_the_name_here_is_named(
    folder_store: Filled, client: Client, import_mlflow: Command
) -> None:
    ours = client.create_experiment("vision")
    client.create_registered_model("digits")
    done = import_mlflow(folder_store.uri)
    assert done.returncode == 1
    assert f"id '{ours.experiment_id}'" in done.stdout
    assert f"id '{folder_store.experiment_id}'" in done.stdout
    assert "registered model 'digits' exists already: here it is one made at 20" in done.stdout
    assert "3 versions of it are left out" in done.stdout
    assert client.get_experiment_by_name("gone").lifecycle_stage


def test_experiment_whose_id_is_no_number_is_named(own_folder_store: Filled, import_mlflow: Command) -> None:
    folder = Path(own_folder_store.uri) / "abc"
    (Path(own_folder_store.uri) / own_folder_store.experiment_id).rename(folder)
    meta = (folder / "meta.yaml").read_text()
    (folder / "meta.yaml").write_text(meta.replace(own_folder_store.experiment_id, "abc"))
    done = import_mlflow(own_folder_store.uri, "--experiment", "vision")
    assert done.returncode == 1
    assert "experiment.experiment_id: 'abc': must be a decimal number" in done.stdout


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("/no/such/folder", "there is no folder /no/such/folder"),
        ("sqlite:////no/such/mlflow.db", "there is no file /no/such/mlflow.db"),
        ("nonsense://x", "mlflow can't open it"),
    ],
)
def test_source_that_is_none_is_named(uri: str, words: str, import_mlflow: Command) -> None:
    done = import_mlflow(uri)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert not Path("/no/such").exists()


def test_server_that_is_away_is_named(import_mlflow: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for options in ((), ("--dry-run",)):
        done = import_mlflow("http://127.0.0.1:1", *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert "trackwire: http://127.0.0.1:1: mlflow can't read it" in done.stderr


def test_experiment_that_is_not_there_is_named(folder_store: Filled, import_mlflow: Command) -> None:
    done = import_mlflow(folder_store.uri, "--experiment", "no such")
    assert done.returncode == 1
    assert "--experiment: 'no such': not in" in done.stderr


def test_without_mlflow_the_extra_is_named(target: ServerProcess, fresh_python: FreshPython) -> None:  # noqa: F811
    program = f"""
from trackwire.cli import main
import contextlib, io
said = io.StringIO()
with contextlib.redirect_stderr(said):
    status = main(["--server", {target.address!r}, "import", "mlflow", "/tmp"])
print(status, said.getvalue())
"""
    assert "1 trackwire: this needs MLflow's client: pip install 'trackwire[mlflow]'" in fresh_python(
        program, without=("mlflow",)
    )
