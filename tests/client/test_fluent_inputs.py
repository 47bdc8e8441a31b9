"""What a run is given: through the spool, without a server and with one, as records of a kind of their own."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.client.offline_training import without_server
from tests.client.spooled import KIND, points_of, run_records, tags_of
from tests.client.training import spool_of, train, training_folder
from tests.conftest import ServerProcess

import trackwire
from trackwire.client import Client
from trackwire.client.runs import Returning
from trackwire.entities import LoggedModelInput
from trackwire.v1.run_inputs_pb2 import Dataset, DatasetInput, ModelInput
from trackwire.v1.runs_pb2 import LogRunInputsRequest

TRAINING = """
import numpy as np
import trackwire
from trackwire.entities import LoggedModelInput

dataset = trackwire.data.from_numpy(np.arange(6), source="s3://bucket/digits", name="digits")
with trackwire.start_run(run_id="%s"):
    trackwire.log_metric("loss", 0.5, 0)
    trackwire.log_input(dataset, context="training", tags={"split": "a"})
    trackwire.log_input(dataset, context="evaluation")
    trackwire.log_inputs(models=[LoggedModelInput("m-1")])
    trackwire.log_param("lr", 0.1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


def test_inputs_are_records_of_the_spool_in_the_order_of_what_was_said(spool: Path) -> None:
    dataset = trackwire.data.from_numpy(np.arange(6), source="data.csv", name="digits", digest="d1")
    with trackwire.start_run() as run:
        trackwire.log_param("before", 1)
        trackwire.log_input(dataset, context="training", tags={"tags.split": "a", "number": 3})
        trackwire.log_inputs([dataset, None], [None, None], models=[LoggedModelInput("m-1"), None])
        trackwire.log_param("behind", 1)
    records = run_records(spool, run.info.run_id)
    said = [record for record in records if record.kind in (KIND.LOG_PARAMS, KIND.LOG_INPUTS)]
    assert [record.kind for record in said] == [KIND.LOG_PARAMS, *[KIND.LOG_INPUTS] * 3, KIND.LOG_PARAMS]
    stated = Dataset(
        name="digits",
        digest="d1",
        source_type="local",
        source="data.csv",
        profile='{"features": {"shape": [6], "size": 6}}',
    )
    tags = {"mlflow.data.context": "training", "tags.split": "a", "number": "3"}
    assert [LogRunInputsRequest.FromString(record.payload) for record in said[1:4]] == [
        LogRunInputsRequest(run_id=run.info.run_id, datasets=[DatasetInput(dataset=stated, tags=tags)]),
        LogRunInputsRequest(run_id=run.info.run_id, datasets=[DatasetInput(dataset=stated)]),
        LogRunInputsRequest(run_id=run.info.run_id, models=[ModelInput(model_id="m-1")]),
    ]
    assert points_of(records) == []
    assert not any("input" in key for key in tags_of(records))


def test_wrong_inputs_say_nothing_at_all(spool: Path) -> None:
    good = trackwire.data.from_numpy(np.arange(6))
    with trackwire.start_run() as run:
        with pytest.raises(TypeError, match=r"dataset: must be one of trackwire\.data, not a int"):
            trackwire.log_inputs([good, 5])
        with pytest.raises(trackwire.MlflowException, match=r"dataset\.digest: .* at most 36"):
            trackwire.log_inputs([good, trackwire.data.from_numpy(np.arange(6), digest="d" * 37)])
        with pytest.raises(trackwire.MlflowException, match=r"dataset\.name: .* must not contain NUL"):
            trackwire.log_input(trackwire.data.from_numpy(np.arange(6), name="a\0b"))
        with pytest.raises(trackwire.MlflowException, match="tags: 1,001 of a dataset: at most 1,000"):
            trackwire.log_input(good, tags={str(at): at for at in range(1_001)})
        with pytest.raises(trackwire.MlflowException, match=r"dataset: 'dataset': has 48,000,\d+ bytes, at most"):
            trackwire.log_input(replace(good, profile="€" * 16_000_000))
    assert not [record for record in run_records(spool, run.info.run_id) if record.kind is KIND.LOG_INPUTS]


def test_run_that_has_ended_takes_no_inputs(spool: Path) -> None:
    with trackwire.start_run() as run:
        pass
    with pytest.raises(trackwire.TrackwireError, match="has ended"):
        run.log_inputs([{"model_id": "m"}])


def test_inputs_of_a_training_reach_its_server(live: ServerProcess, folder: Path) -> None:
    _, said = train(folder, TRAINING % "online", live.address)
    assert not said
    check_what_arrived(live, "online")


def test_inputs_of_a_training_without_server_arrive_by_a_sync(live: ServerProcess, folder: Path) -> None:
    train(folder, TRAINING % "offline")
    assert any(record.kind is KIND.LOG_INPUTS for record in run_records(spool_of(folder), "offline"))
    subprocess.run(
        [sys.executable, "-m", "trackwire", "sync", "--to", live.address],
        cwd=folder,
        env=without_server(),
        timeout=60,
        check=True,
        capture_output=True,
    )
    check_what_arrived(live, "offline")


def check_what_arrived(live: ServerProcess, run_id: str) -> None:
    """By our own client, and by a filter."""
    with Client(live.address) as client:
        run = client.get_run(run_id)
        [found] = client.search_runs("0", f"dataset.name = 'digits' AND run_id = '{run_id}'", returning=Returning())
        assert not list(client.search_runs("0", "dataset.context = 'evaluation'"))
    [given] = run.inputs.datasets
    assert (given.dataset.name, given.dataset.source, given.dataset.source_type) == (
        "digits",
        "s3://bucket/digits",
        "s3",
    )
    assert given.dataset.profile
    assert dict(given.tags) == {"mlflow.data.context": "training", "split": "a"}
    assert [each.model_id for each in run.inputs.models] == ["m-1"]
    assert dict(run.params) == {"lr": "0.1"}
    assert [(metric.key, metric.count) for metric in run.metrics] == [("loss", 1)]
    assert [each.dataset.digest for each in found.inputs.datasets] == [given.dataset.digest]
