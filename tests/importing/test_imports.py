"""`trackwire import mlflow` from each kind of source, read back by mlflow's own client."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.conftest import ServerProcess
from tests.importing.comparing import contents
from tests.importing.conftest import Command
from tests.importing.filling import Filled

from trackwire.client import Client

# mlflow and its libraries warn each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
SOURCES = ("folder_store", "sqlite_store", "http_store")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Filled:
    filled = request.getfixturevalue(request.param)
    assert isinstance(filled, Filled)
    return filled


def counted(output: str) -> Mapping[str, Mapping[str, int]]:
    """The counts of --json; all must be equal."""
    document = json.loads(output)
    assert document.pop("equal"), document
    assert document.pop("failures") == []
    assert document.pop("not_asked") == {}
    return document  # type: ignore[no-any-return]  # what is left are counts


def test_all_that_mlflow_keeps_is_read_back_equal(
    source: Filled, target: ServerProcess, import_mlflow: Command, tmp_path: Path
) -> None:
    done = import_mlflow(source.uri)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verified: equal" in done.stdout
    assert {entry.name for entry in tmp_path.iterdir()} == {"target", "target.log"}
    assert contents(target.url) == contents(source.uri)


def test_files_are_copied_byte_by_byte(source: Filled, client: Client, import_mlflow: Command) -> None:
    assert import_mlflow(source.uri).returncode == 0
    run_id, model_id = source.run_ids[0], source.model_ids[0]
    assert client.read_artifact(run_id, "files/notes.txt") == f"of {run_id}".encode()
    assert client.read_artifact(run_id, "files/deep/er/weights.bin") == bytes(100_000)
    assert client.read_artifact(run_id, "files/deep/empty") == b""
    assert client.read_logged_model_artifact(model_id, "notes.txt") == f"of {run_id}".encode()
    assert client.read_artifact(source.run_ids[2], "files/notes.txt")
    versions = {version.version: version for version in client.search_model_versions("name = 'digits'")}
    assert versions[1].source == f"{client.get_run(run_id).artifact_uri}/files"
    assert versions[2].source == f"models:/{model_id}"
    assert versions[2].storage_location == client.get_logged_model(model_id).artifact_uri
    assert versions[3].source == "s3://elsewhere/model"
    assert client.create_model_version("digits", "s3://elsewhere/new").version > 3


def test_second_import_copies_nothing(source: Filled, target: ServerProcess, import_mlflow: Command) -> None:
    first = counted(import_mlflow(source.uri, "--json").stdout)
    before = contents(target.url)
    second = counted(import_mlflow(source.uri, "--json").stdout)
    for kind, counts in second.items():
        assert counts["at_source"] == first[kind]["at_source"] or kind == "files"
        # The run of experiment 0 goes on, and is read again.
        assert counts["copied"] == (1 if kind == "runs" else 0), kind
    assert contents(target.url) == before


def test_files_may_stay_where_they_are(folder_store: Filled, client: Client, import_mlflow: Command) -> None:
    counts = counted(import_mlflow(folder_store.uri, "--no-artifacts", "--json").stdout)
    assert counts["files"] == {"at_source": 0, "copied": 0, "there_already": 0, "failed": 0}
    theirs = MlflowClient(folder_store.uri, folder_store.uri)
    run_id = folder_store.run_ids[0]
    assert client.get_run(run_id).artifact_uri == theirs.get_run(run_id).info.artifact_uri
    # This server reaches the folder, too.
    assert client.read_artifact(run_id, "files/notes.txt") == f"of {run_id}".encode()
    assert client.get_model_version("digits", 1).source == theirs.get_model_version("digits", "1").source
    counts = counted(import_mlflow(folder_store.uri, "--json").stdout)
    assert counts["runs"]["copied"] == counts["runs"]["at_source"]
    assert client.get_run(run_id).artifact_uri.startswith("trackwire-artifacts:/")
    # What was copied stays.
    places = _places(client, folder_store)
    assert counted(import_mlflow(folder_store.uri, "--no-artifacts", "--json").stdout)["runs"]["copied"] == 1
    assert _places(client, folder_store) == places
    assert all("trackwire-artifacts:/" in place for place in places[:-1])


def _places(client: Client, store: Filled) -> list[str]:
    [still_open] = client.search_runs("0")
    return [
        client.get_experiment(store.experiment_id).artifact_location,
        client.get_run(store.run_ids[0]).artifact_uri,
        still_open.artifact_uri,
        client.get_logged_model(store.model_ids[0]).artifact_uri,
        client.get_model_version("digits", 1).source,
        client.get_model_version("digits", 3).source,
    ]


def test_one_experiment_comes_without_the_registry(
    folder_store: Filled, client: Client, import_mlflow: Command
) -> None:
    counts = counted(import_mlflow(folder_store.uri, "--experiment", "gone", "--json").stdout)
    assert (counts["experiments"]["copied"], counts["runs"]["copied"]) == (1, 1)
    assert {experiment.name for experiment in client.search_experiments(view_type="ALL")} == {"gone", "Default"}
    assert list(client.search_registered_models()) == []


def test_dry_run_stores_nothing(folder_store: Filled, client: Client, import_mlflow: Command) -> None:
    done = import_mlflow(folder_store.uri, "--dry-run")
    assert done.returncode == 0
    assert done.stdout.split("\n")[2].split() == ["runs", "5", "0"]
    assert len(list(client.search_experiments(view_type="ALL"))) == 1


def test_new_points_of_a_run_that_went_on_are_added(
    own_folder_store: Filled, client: Client, import_mlflow: Command
) -> None:
    theirs = MlflowClient(own_folder_store.uri, own_folder_store.uri)
    [run] = theirs.search_runs(["0"])
    assert import_mlflow(own_folder_store.uri, "--experiment", "Default").returncode == 0
    theirs.log_metric(run.info.run_id, "loss", 2.0, step=1)
    theirs.set_terminated(run.info.run_id)
    counts = counted(import_mlflow(own_folder_store.uri, "--experiment", "Default", "--json").stdout)
    assert counts["points"] == {"at_source": 2, "copied": 1, "there_already": 1, "failed": 0}
    assert client.get_run(run.info.run_id).end_time_ms == theirs.get_run(run.info.run_id).info.end_time
    assert (
        counted(import_mlflow(own_folder_store.uri, "--experiment", "Default", "--json").stdout)["runs"]["copied"] == 0
    )
