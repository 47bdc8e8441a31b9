"""The fluent API without a server: all that is said lies in the spool, in order, and nothing else happens."""

import errno
import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.client.spooled import KIND, points_of, run_records, statuses, tags_of
from tests.conftest import ROOT

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.fluent import active, choices, recorder
from trackwire.fluent.waiting import Patience
from trackwire.spool.segments import SegmentWriter
from trackwire.spool.stream import open_streams
from trackwire.v1.metrics_pb2 import IngestMetricsRequest
from trackwire.v1.runs_pb2 import (
    RUN_STATUS_FAILED,
    RUN_STATUS_FINISHED,
    RUN_STATUS_KILLED,
    RUN_STATUS_RUNNING,
    CreateRunRequest,
    LogParamsRequest,
)


def test_what_a_run_says_lies_in_the_spool_in_order(spool: Path) -> None:
    choices.set_experiment("digits")
    with active.start_run(run_name="first", tags={"team": "red"}, description="why") as run:
        run.log_params({"lr": 0.1, "layers": [1, 2]})
        for step in range(3):
            run.log_metric("loss", 1.0 / (step + 1), step)
            run.log_metrics({"acc": step, "loss/val": 0.5}, step)
        run.set_tags({"state": "trained"})
        assert run.flush()
    records = run_records(spool, run.info.run_id)
    assert [record.sequence for record in records] == list(range(1, len(records) + 1))
    kinds = [record.kind for record in records]
    assert kinds[0] is KIND.CREATE_RUN
    assert kinds[-2:] == [KIND.UPDATE_RUN, KIND.END]
    made = CreateRunRequest.FromString(records[0].payload)
    assert (made.run_id, made.run_name, made.experiment_name) == (run.info.run_id, "first", "digits")
    assert made.create_experiment
    assert dict(made.tags) == {"team": "red", "mlflow.note.content": "why"}
    [params] = [LogParamsRequest.FromString(r.payload) for r in records if r.kind is KIND.LOG_PARAMS]
    assert dict(params.params) == {"lr": "0.1", "layers": "[1, 2]"}
    assert tags_of(records)["state"] == "trained"
    expected = [("loss", 0, 1.0), ("loss", 1, 0.5), ("loss", 2, 1 / 3)]
    assert [point for point in points_of(records) if point[0] == "loss"] == expected
    assert len(points_of(records)) == 9
    assert statuses(records) == [RUN_STATUS_FINISHED]


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("nan"), RUN_STATUS_FAILED), (KeyboardInterrupt(), RUN_STATUS_KILLED)]
)
def test_exception_leaves_a_run_with_all_that_was_logged(spool: Path, error: BaseException, status: int) -> None:
    run = active.start_run()

    def train() -> None:
        with run:
            run.log_metric("loss", 1.0, 0)
            raise error

    with pytest.raises(type(error)):
        train()
    records = run_records(spool, run.info.run_id)
    assert points_of(records) == [("loss", 0, 1.0)]
    assert statuses(records) == [status]
    assert active.active_run() is None
    assert active.last_active_run() is run


def test_second_run_must_be_nested_and_knows_its_parent(spool: Path) -> None:
    with active.start_run() as parent:
        with pytest.raises(FailedPreconditionError, match=f"run '{parent.info.run_id}' is active already"):
            active.start_run()
        with active.start_run(nested=True) as child:
            assert active.active_run() is child
        assert active.active_run() is parent
    made = CreateRunRequest.FromString(run_records(spool, child.info.run_id)[0].payload)
    assert made.parent_run_id == parent.info.run_id


def test_end_run_ends_the_run_around_one_that_has_ended(spool: Path) -> None:
    for _ in range(2):
        parent = active.start_run()
        with active.start_run(nested=True):
            pass
        active.end_run("FAILED")
        assert parent.info.status == "FAILED"
        assert active.active_run() is None
    active.end_run()


def test_run_that_nobody_names_has_a_name_at_once(spool: Path) -> None:
    names = set()
    for _ in range(8):
        with active.start_run() as run:
            pass
        made = CreateRunRequest.FromString(run_records(spool, run.info.run_id)[0].payload)
        assert made.run_name == run.info.run_name
        assert re.fullmatch(r"[a-z]+-[a-z]+-\d{3}", run.info.run_name)
        names.add(run.info.run_name)
    assert len(names) > 1
    with active.start_run(tags={"mlflow.runName": "by tag"}) as run:
        assert run.info.run_name == "by tag"
    with active.start_run(run_id=run.info.run_id) as again:
        assert again.info.run_name == ""


def test_runs_of_threads_do_not_mix(spool: Path) -> None:
    def train(number: int) -> None:
        with active.start_run(run_id=f"thread-{number}") as run:
            for step in range(200):
                active.run_to_log().log_metric("loss", float(number), step)
            assert active.active_run() is run

    threads = [threading.Thread(target=train, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        expected = [("loss", step, float(number)) for step in range(200)]
        assert points_of(run_records(spool, f"thread-{number}")) == expected


def test_resumed_run_says_that_it_runs_again(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "job-1")
    with active.start_run() as run:
        run.log_metric("loss", 1.0, 0)
    assert run.info.run_id == "job-1"
    assert statuses(run_records(spool, "job-1")) == [RUN_STATUS_RUNNING, RUN_STATUS_FINISHED]


def test_other_ranks_leave_the_end_to_the_first(spool: Path) -> None:
    with active.start_run(run_id="job", rank=3) as run:
        run.log_metric("loss", 1.0, 0)
    records = run_records(spool, "job")
    assert statuses(records) == []
    request = IngestMetricsRequest.FromString(next(r.payload for r in records if r.kind is KIND.INGEST))
    assert [context.rank for context in request.contexts] == [3]


def test_ended_run_takes_no_more(spool: Path) -> None:
    run = active.start_run()
    run.end()
    run.end("FAILED")
    for say in (
        lambda: run.log_metric("loss", 1.0),
        lambda: run.log_metrics({"loss": 1.0}),
        lambda: run.log_params({"lr": 1}),
        lambda: run.delete_tag("a"),
    ):
        with pytest.raises(FailedPreconditionError, match="has ended"):
            say()
    with pytest.raises(InvalidArgumentError, match="status: 'DONE': must be one of FINISHED, FAILED, KILLED"):
        active.start_run().end("DONE")


def test_value_that_is_too_long_is_told_at_the_call(spool: Path) -> None:
    too_long = pytest.raises(InvalidArgumentError, match=r"params\['lr'\]: 'x+': has 65,537 characters, at most 65,536")
    with active.start_run() as run, too_long:
        run.log_params({"lr": "x" * 65_537})
    assert not [record for record in run_records(spool, run.info.run_id) if record.kind is KIND.LOG_PARAMS]


@pytest.mark.parametrize("value", ["a\0b", "half \ud800"])
def test_text_that_no_server_takes_is_told_at_the_call(spool: Path, value: str) -> None:
    refused = pytest.raises(
        InvalidArgumentError, match=r"tags\['note'\]: .*: must not contain NUL or half of a surrogate"
    )
    with active.start_run() as run, refused:
        run.set_tags({"note": value})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"run_id": "a/b"}, r"run_id: 'a/b': must begin with a letter or digit"),
        ({"run_id": "-a"}, r"run_id: '-a': must begin with a letter or digit"),
        ({"run_id": "a" * 257}, r"run_id: .*: has 257 characters, at most 256"),
        ({"rank": -1}, r"rank: '-1': must be 0 to 2147483647, or None where there are no ranks"),
        ({"parent_run_id": "a b"}, r"parent_run_id: 'a b': must begin"),
        ({"run_name": "x" * 251}, r"run_name: .*: has 251 characters, at most 250"),
        ({"run_name": "half \ud800"}, r"run_name: .*: must not contain NUL or half of a surrogate"),
        ({"tags": {"note": "a\0b"}}, r"tags\['note'\]: .*: must not contain NUL"),
        ({"tags": {"a\nb": "x"}}, r"key"),
        ({"description": "half \ud800"}, r"tags\['mlflow.note.content'\]: .*: must not contain NUL"),
    ],
)
def test_run_that_no_server_takes_is_told_at_its_start(spool: Path, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=told):
        active.start_run(**arguments)
    assert active.active_run() is None
    assert not open_streams(spool)


def test_experiment_name_that_no_server_takes_is_told(spool: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"experiment_name: .*: has 501 characters, at most 500"):
        choices.set_experiment("x" * 501)
    with pytest.raises(InvalidArgumentError, match="experiment_name: '': is required"):
        choices.set_experiment("")


def test_experiment_id_that_no_server_gives_is_told(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="experiment_id: 'abc': must be a decimal number"):
        choices.set_experiment(experiment_id="abc")
    with pytest.raises(InvalidArgumentError, match="experiment_id: 'abc': must be a decimal number"):
        active.start_run(experiment_id="abc")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "abc")
    with pytest.raises(InvalidArgumentError, match="MLFLOW_EXPERIMENT_ID: 'abc': must be a decimal number"):
        active.start_run()
    assert not open_streams(spool)


def test_run_of_a_thread_that_is_gone_is_still_ended_at_the_exit(spool: Path) -> None:
    started: list[str] = []
    thread = threading.Thread(target=lambda: started.append(active.start_run().info.run_id))
    thread.start()
    thread.join()
    gc.collect()
    active._end_all()
    assert statuses(run_records(spool, started[0])) == [RUN_STATUS_FINISHED]


def test_spool_that_cannot_be_made_is_told_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("where the folder should be")
    monkeypatch.setenv("TRACKWIRE_SPOOL_DIR", str(tmp_path / "file/spool"))
    with active.start_run(mode="offline") as run:
        for step in range(5):
            run.log_metric("loss", 1.0, step)
            assert not run.flush()
    tried, lost = (record.message for record in caplog.records)
    assert f"writing to {tmp_path}/file/spool failed, and is tried again until the run ends: " in tried
    assert lost.startswith(f"run {run.info.run_id}: has ended, and 5 points and 2 other records of it are lost: ")


def test_run_goes_on_in_a_new_stream_when_its_spool_was_deleted(spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    with active.start_run(mode="offline") as run:
        run.log_metric("loss", 1.0, 0)
        assert run.flush()
        shutil.rmtree(spool)
        run.log_metric("loss", 0.5, 1)
    records = run_records(spool, run.info.run_id)
    assert records[0].kind is KIND.CREATE_RUN
    assert points_of(records) == [("loss", 1, 0.5)]
    assert statuses(records) == [RUN_STATUS_FINISHED]
    assert len([each for each in caplog.records if "was deleted while it was written" in each.message]) == 1


def test_flush_says_when_the_disk_has_not_taken_all(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    with active.start_run(mode="offline") as run:
        run.log_metric("loss", 1.0, 0)
        assert run.flush()
        with monkeypatch.context() as disk:
            disk.setattr(SegmentWriter, "append", is_full)
            run.log_metric("loss", 0.5, 1)
            run.settle(Patience(5))
            assert not run.flush()
        run.log_metric("loss", 0.25, 2)
        assert run.flush()
    assert points_of(run_records(spool, run.info.run_id)) == [("loss", 0, 1.0), ("loss", 2, 0.25)]


def test_tags_past_what_a_request_takes_follow_the_run(spool: Path) -> None:
    many = {f"tag/{number}": str(number) for number in range(2_500)}
    large = {f"large/{number}": "é" * 65_536 for number in range(130)}
    with active.start_run(tags=many) as run:
        run.set_tags(large)
    records = run_records(spool, run.info.run_id)
    assert len(CreateRunRequest.FromString(records[0].payload).tags) == 1_000
    said = tags_of(records)
    assert {key: said.get(key) for key in large} == large
    assert len([key for key in said if key.startswith("tag/")]) == 1_500
    assert max(len(record.payload) for record in records) < 16 * 1024 * 1024


def test_signal_that_logs_while_the_first_call_starts_the_writer_does_not_wait_for_it(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = active.start_run(mode="offline")
    start = threading.Thread.start

    def interrupted_start(thread: threading.Thread) -> None:
        signal.raise_signal(signal.SIGUSR1)
        start(thread)

    before = signal.signal(signal.SIGUSR1, lambda *_: run.log_metric("handler", 1.0, 0))
    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    try:
        run.log_metric("loss", 1.0, 0)
    finally:
        monkeypatch.undo()
        signal.signal(signal.SIGUSR1, before)
    run.end()
    assert points_of(run_records(spool, run.info.run_id)) == [("loss", 0, 1.0), ("handler", 0, 1.0)]


def test_stalled_disk_holds_nobody_up_and_what_is_dropped_is_counted(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BATCH_POINTS", 500)
    monkeypatch.setattr(recorder, "WAITING_POINTS_MAX", 1_000)
    with active.start_run() as run:
        with run._recorder._writing:
            for step in range(5_000):
                run.log_metric("loss", float(step), step)
        dropped = run._recorder.losses.points
    assert 3_000 < dropped < 5_000
    kept = [step for _, step, _ in points_of(run_records(spool, run.info.run_id))]
    assert len(kept) == 5_000 - dropped
    assert kept[-1] == 4_999


def test_folder_as_tracking_uri_is_shown_as_a_uri(spool: Path, tmp_path: Path) -> None:
    choices.set_tracking_uri("./runs")
    assert choices.get_tracking_uri() == (tmp_path / "runs").as_uri()


def test_who_has_named_no_server_is_told_once_where_runs_lie(
    spool: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "_offline_is_told", False)
    active.start_run(mode="offline").end()
    assert not caplog.records
    for _ in range(2):
        active.start_run().end()
    [told] = caplog.records
    assert f"runs are kept in {spool};" in told.message


def test_disabled_mode_writes_nothing(spool: Path) -> None:
    with active.start_run(mode="disabled") as run:
        run.log_metric("loss", 1.0, 0)
        run.log_params({"lr": 1})
        assert run.flush()
    assert not spool.exists()


SCRIPT = """
import os, sys
from trackwire.fluent import active, choices, recorder
run = active.start_run(run_id="r")
for step in range(1000):
    run.log_metric("loss", float(step), step)
{middle}
assert "grpc" not in sys.modules
"""


def run_script(folder: Path, script: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    environment.pop("TRACKWIRE_TRACKING_URI", None)
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, check=True, timeout=60)


def test_interpreter_that_exits_without_end_run_finishes_it(tmp_path: Path) -> None:
    run_script(tmp_path, SCRIPT.format(middle=""))
    records = run_records(tmp_path / ".trackwire" / "spool", "r")
    assert points_of(records) == [("loss", step, float(step)) for step in range(1_000)]
    assert statuses(records) == [RUN_STATUS_RUNNING, RUN_STATUS_FINISHED]


FORK = """
import threading
children = []
for number in range(10):
    pid = os.fork()
    if pid == 0:
        for step in range(100):
            active.run_to_log().log_metric(f"child/{number}", float(step), step)
        run.end()
        os._exit(0)
    children.append(pid)
    run.log_metric("between", 1.0, number)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
"""


def test_forked_children_log_beside_their_parent_and_leave_the_end_to_it(tmp_path: Path) -> None:
    run_script(tmp_path, SCRIPT.format(middle=FORK))
    spool = tmp_path / ".trackwire" / "spool"
    assert len(open_streams(spool)) == 11
    records = run_records(spool, "r")
    points = points_of(records)
    assert len(points) == len(set(points)) == 1_000 + 10 + 10 * 100
    assert statuses(records) == [RUN_STATUS_RUNNING, RUN_STATUS_FINISHED]
    assert not any(place.writer_lives for place in open_streams(spool))


FORK_WHILE_THE_WRITER_LOADS = """
import importlib.abc, os, sys, threading, time
from trackwire.fluent import active, choices
loads = threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "trackwire.grouping":
            loads.set()
            time.sleep(0.5)

sys.meta_path.insert(0, Slow())
run = active.start_run(run_id="r")
run.log_metric("first", 1.0, 0)
assert loads.wait(30)
pid = os.fork()
if pid == 0:
    active.run_to_log().log_metric("child", 1.0, 0)
    run.end()
    os._exit(0)
deadline = time.monotonic() + 30
while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
    if time.monotonic() > deadline:
        os.kill(pid, 9)
        sys.exit("the child hangs")
    time.sleep(0.01)
assert ended[1] == 0
"""


def test_child_forked_while_the_writer_loads_what_it_needs_finds_it_whole(tmp_path: Path) -> None:
    run_script(tmp_path, FORK_WHILE_THE_WRITER_LOADS)
    points = points_of(run_records(tmp_path / ".trackwire" / "spool", "r"))
    assert {key for key, _, _ in points} >= {"first", "child"}
