"""Metrics of a model or on a dataset, without a server: series of their own beside the others, in the spool."""

import os
from pathlib import Path

import pytest
from tests.client.spooled import KIND, run_records

import trackwire
from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.fluent import recorder
from trackwire.fluent.run_info import RunInfo
from trackwire.v1.metrics_pb2 import IngestMetricsRequest, SeriesContext

HOLDOUT = trackwire.entities.Dataset("holdout", "abc")


def series_of(spool: Path, run_id: str) -> dict[tuple[str, str, str], list[tuple[int, float]]]:
    """Points by key, model and dataset."""
    found: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for record in run_records(spool, run_id):
        if record.kind is not KIND.INGEST:
            continue
        request = IngestMetricsRequest.FromString(record.payload)
        context = request.contexts[0] if request.contexts else SeriesContext()
        at = 0
        for key, count in zip(request.keys, request.counts, strict=True):
            points = zip(request.steps[at : at + count], request.values[at : at + count], strict=True)
            found.setdefault((key, context.model_id, context.dataset_name), []).extend(points)
            at += count
    return found


def test_series_of_a_model_goes_on_by_itself(spool: Path) -> None:
    with trackwire.start_run(rank=1) as run:
        for value in (1.0, 2.0):
            trackwire.log_metric("loss", value)
            trackwire.log_metric("loss", value + 10, model_id="m-1", dataset=HOLDOUT)
            trackwire.log_metrics({"loss": value + 20}, dataset=HOLDOUT)
    assert series_of(spool, run.info.run_id) == {
        ("loss", "", ""): [(0, 1.0), (1, 2.0)],
        ("loss", "m-1", "holdout"): [(0, 11.0), (1, 12.0)],
        ("loss", "", "holdout"): [(0, 21.0), (1, 22.0)],
    }
    requests = [
        IngestMetricsRequest.FromString(record.payload)
        for record in run_records(spool, run.info.run_id)
        if record.kind is KIND.INGEST
    ]
    assert {context.rank for request in requests for context in request.contexts} == {1}


def test_names_that_are_too_long_are_told_at_the_call(spool: Path) -> None:
    with trackwire.start_run() as run:
        with pytest.raises(InvalidArgumentError, match=r"model_id: 'm+': has 65 characters, at most 64"):
            run_with(model_id="m" * 65)
        with pytest.raises(InvalidArgumentError, match=r"dataset\.name: 'n+': has 501 characters, at most 500"):
            run_with(dataset=trackwire.entities.Dataset("n" * 501, "d"))
        with pytest.raises(InvalidArgumentError, match=r"dataset\.digest: 'd+': has 37 characters, at most 36"):
            run_with(dataset=trackwire.entities.Dataset("n", "d" * 37))
    assert series_of(spool, run.info.run_id) == {}


def run_with(**context: object) -> None:
    trackwire.log_metric("loss", 1.0, **context)


def test_stalled_disk_drops_points_of_every_series(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "BATCH_POINTS", 500)
    monkeypatch.setattr(recorder, "WAITING_POINTS_MAX", 1_000)
    with trackwire.start_run() as run:
        with run._recorder._writing:
            for step in range(5_000):
                run_with(model_id=f"m-{step % 3}", step=step)
        dropped = run._recorder.losses.points
    assert 3_000 < dropped < 5_000
    assert sum(map(len, series_of(spool, run.info.run_id).values())) == 5_000 - dropped


def test_forked_child_begins_its_own_series(spool: Path) -> None:
    with trackwire.start_run() as run:
        # Held, so that what was logged has not been written when the child begins.
        with run._recorder._writing:
            run_with(model_id="m-1", step=0)
            pid = os.fork()
            if pid == 0:
                run_with(model_id="m-1", step=1)
                run.end()
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sorted(series_of(spool, run.info.run_id)["loss", "m-1", ""]) == [(0, 1.0), (1, 1.0)]


def test_what_nobody_was_told_is_empty_without_a_server(spool: Path) -> None:
    chosen = trackwire.set_experiment("by name")
    with trackwire.start_run() as run:
        assert run.info.experiment_id == ""
        with pytest.raises(FailedPreconditionError, match="get_run: no server is configured"):
            _ = run.data
    assert chosen.name == "by name"
    with pytest.raises(FailedPreconditionError, match="set_experiment: no server is configured"):
        _ = chosen.experiment_id
    assert trackwire.set_experiment(experiment_id="7").experiment_id == "7"
    with trackwire.start_run(run_name="named") as run:
        assert (run.info.run_name, run.info.experiment_id) == ("named", "7")


def test_info_that_the_server_does_not_give_is_told_once(spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    trackwire.set_tracking_uri("127.0.0.1:9")
    info = RunInfo("nobody-knows", "", "", user_id="ada", status="RUNNING", start_time=0, is_online=True)
    assert (info.run_name, info.experiment_id, info.run_name) == ("", "", "")
    [told] = caplog.records
    assert "run nobody-knows: its run_name is not known here yet: " in told.message
