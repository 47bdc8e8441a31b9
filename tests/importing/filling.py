"""A store of MLflow's with one of everything, made by mlflow's own client."""

import math
import tempfile
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)
from mlflow.store.tracking.file_store import FileStore
from mlflow.tracking._tracking_service.utils import _get_store
from tests.importing.evaluations import evaluate

BEGIN_MS = 1_700_000_000_000
STATUSES = ("FINISHED", "FAILED", "KILLED")
NAN, INFINITY = math.nan, math.inf


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made: an experiment with three runs, of which the last is deleted."""

    uri: str
    experiment_id: str
    run_ids: tuple[str, ...]
    model_ids: tuple[str, ...]


def fill(uri: str, place: str | None = None) -> Filled:
    """Fills the store at a URI; its experiments keep files below `place`."""
    # mlflow makes a database where it is started.
    with tempfile.TemporaryDirectory() as folder, chdir(folder), tracking_at(uri) as client:
        experiment_id = client.create_experiment("vision", f"{place}/vision" if place else None, {"team": "red"})
        made = [_log_run(client, experiment_id, number, status) for number, status in enumerate(STATUSES)]
        client.delete_run(made[-1][0])
        gone = client.create_experiment("gone", f"{place}/gone" if place else None)
        run = client.create_run(gone)
        client.log_metric(run.info.run_id, "loss", 1.0)
        client.set_terminated(run.info.run_id)
        if not isinstance(_get_store(), FileStore):
            evaluate(experiment_id, gone, made[0][0])
        client.delete_experiment(gone)
        client.log_metric(client.create_run("0", tags={"still": "open"}).info.run_id, "loss", 1.0)
        _register(client, *made[0])
        return Filled(uri, experiment_id, tuple(run_id for run_id, _ in made), tuple(model_id for _, model_id in made))


@contextmanager
def tracking_at(uri: str) -> Iterator[MlflowClient]:
    """A client; sources of versions are looked up at the tracking URI of the process."""
    before, threads = mlflow.get_tracking_uri(), set(threading.enumerate())
    mlflow.set_tracking_uri(uri)
    try:
        yield MlflowClient(uri, uri)
        # A prompt is tagged in the background, and its versions' models are looked up.
        for thread in threading.enumerate():
            if thread not in threads and thread.name.startswith("link_prompt"):
                thread.join(60)
                assert not thread.is_alive()
    finally:
        mlflow.set_tracking_uri(before)


def _log_run(client: MlflowClient, experiment_id: str, number: int, status: str) -> tuple[str, str]:
    run_id = client.create_run(experiment_id, run_name=f"run {number}", tags={"number": str(number)}).info.run_id
    model = client.create_logged_model(
        experiment_id,
        name=f"net-{number}",
        source_run_id=run_id,
        tags={"team": "red"},
        params={"depth": "3"},
        model_type="agent",
    )
    losses = [Metric("loss", math.sin(step), BEGIN_MS + step, step) for step in range(300)]
    odd = [Metric("odd", value, BEGIN_MS, step) for step, value in ((-5, NAN), (0, -0.0), (2**40, INFINITY))]
    ties = [Metric("ties", value, BEGIN_MS, 7) for value in (2.0, 3.0, 1.0)]
    params, tags = [Param("lr", "0.1"), Param("n", str(number))], [RunTag("a", "ä\n")]
    client.log_batch(run_id, metrics=[*losses, *odd, *ties], params=params, tags=tags)
    of_model = [Metric("f1", step / 10, BEGIN_MS + step, step, model_id=model.model_id) for step in range(20)]
    client.log_batch(run_id, metrics=of_model)
    dataset = Dataset(name="digits", digest="d1", source_type="local", source="/data", schema="{}", profile=None)
    context = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run_id, [DatasetInput(dataset, context)], models=[LoggedModelInput(model.model_id)])
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 3)])
    _log_files(client, run_id, model.model_id)
    client.finalize_logged_model(model.model_id, "READY" if number else "FAILED")
    client.set_terminated(run_id, status)
    return run_id, model.model_id


def _log_files(client: MlflowClient, run_id: str, model_id: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        (files / "deep" / "er").mkdir(parents=True)
        (files / "notes.txt").write_text(f"of {run_id}")
        (files / "deep" / "er" / "weights.bin").write_bytes(bytes(100_000))
        (files / "deep" / "empty").write_bytes(b"")
        client.log_artifacts(run_id, folder, "files")
        client.log_model_artifacts(model_id, folder)


def _register(client: MlflowClient, run_id: str, model_id: str) -> None:
    client.create_registered_model("digits", tags={"team": "red"}, description="of hands")
    files = f"{client.get_run(run_id).info.artifact_uri}/files"
    client.create_model_version("digits", files, run_id=run_id, tags={"a": "b"}, description="the first")
    client.create_model_version("digits", f"models:/{model_id}", run_id=run_id, model_id=model_id)
    client.create_model_version("digits", "s3://elsewhere/model")
    client.create_model_version("digits", "s3://elsewhere/gone")
    client.delete_model_version("digits", "4")
    client.set_registered_model_alias("digits", "champion", "2")
    client.register_prompt("greeting", "hello {{name}}")
