"""Sampling of the machine beside a run: by argument, call or variable; in a thread that ends with the run."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.offline_training import without_server
from tests.client.spooled import KIND, points_of, run_records
from tests.conftest import ServerProcess

import trackwire
from trackwire.errors import InvalidArgumentError
from trackwire.fluent import sampler, sampling
from trackwire.v1.metrics_pb2 import IngestMetricsRequest

TIMEOUT_SECONDS = 60


@pytest.fixture(autouse=True)
def nothing_was_said(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sampling, "_said", sampling._Said())
    monkeypatch.setattr(sampler, "FIRST_SAMPLE_SECONDS", 0.0)
    for name in ("ENABLE_SYSTEM_METRICS_LOGGING", "SYSTEM_METRICS_SAMPLING_INTERVAL"):
        for prefix in ("TRACKWIRE_", "MLFLOW_"):
            monkeypatch.delenv(prefix + name, raising=False)
    yield
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while any(thread.name == "trackwire-sampler" for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a sampler outlives its run"
        time.sleep(0.01)


def sampled(spool: Path, run_id: str) -> dict[str, list[int]]:
    """The steps of what was sampled, by its key."""
    found: dict[str, list[int]] = {}
    for key, step, _ in points_of(run_records(spool, run_id)):
        if key.startswith("system/"):
            found.setdefault(key, []).append(step)
    return found


def wait_for_samples(run: trackwire.ActiveRun, spool: Path, count: int = 1) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while max(map(len, sampled(spool, run.info.run_id).values()), default=0) < count:
        assert time.monotonic() < deadline
        assert run.flush()
        time.sleep(0.01)


def test_run_samples_its_machine_at_steps_of_its_own(spool: Path) -> None:
    trackwire.set_system_metrics_sampling_interval(0.1)
    with trackwire.start_run(log_system_metrics=True) as run:
        trackwire.log_metric("loss", 1.0, 1_000)
        wait_for_samples(run, spool, 3)
    found = sampled(spool, run.info.run_id)
    assert {"system/cpu_utilization_percentage", "system/process_memory_usage_megabytes"} <= set(found)
    assert all(steps == list(range(len(steps))) for steps in found.values())


def test_nobody_samples_who_has_not_asked(spool: Path) -> None:
    assert sampling.sampling_interval(None) is None
    with trackwire.start_run():
        assert "trackwire-sampler" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("prefix", ["TRACKWIRE_", "MLFLOW_"])
def test_argument_comes_before_the_call_and_the_call_before_the_variable(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setenv(f"{prefix}ENABLE_SYSTEM_METRICS_LOGGING", "True")
    assert sampling.sampling_interval(None) == 10.0
    monkeypatch.setenv(f"{prefix}SYSTEM_METRICS_SAMPLING_INTERVAL", "2.5")
    assert sampling.sampling_interval(None) == 2.5
    trackwire.set_system_metrics_sampling_interval(5)
    assert sampling.sampling_interval(None) == 5
    trackwire.set_system_metrics_sampling_interval(None)
    assert sampling.sampling_interval(None) == 2.5
    trackwire.disable_system_metrics_logging()
    assert sampling.sampling_interval(None) is None
    assert sampling.sampling_interval(True) == 2.5
    trackwire.enable_system_metrics_logging()
    assert sampling.sampling_interval(None) == 2.5
    assert sampling.sampling_interval(False) is None
    monkeypatch.setenv(f"{prefix}ENABLE_SYSTEM_METRICS_LOGGING", "0")
    monkeypatch.setattr(sampling, "_said", sampling._Said())
    assert sampling.sampling_interval(None) is None


def test_bad_values_are_refused_by_name(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (0, 0.09, -1, float("nan"), float("inf"), "soon"):
        with pytest.raises(InvalidArgumentError, match=r"interval: .*: must be a number of seconds, 0\.1 or more"):
            trackwire.set_system_metrics_sampling_interval(value)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InvalidArgumentError, match="log_system_metrics: 'yes': must be True, False or None"):
        trackwire.start_run(log_system_metrics="yes")  # type: ignore[arg-type]
    monkeypatch.setenv("TRACKWIRE_ENABLE_SYSTEM_METRICS_LOGGING", "yes")
    with pytest.raises(InvalidArgumentError, match="TRACKWIRE_ENABLE_SYSTEM_METRICS_LOGGING: 'yes': must be one of"):
        trackwire.start_run()
    monkeypatch.setenv("TRACKWIRE_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "often")
    with pytest.raises(InvalidArgumentError, match="MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL: 'often': must be a"):
        trackwire.start_run()
    assert not spool.exists()


def test_without_psutil_who_asks_is_told_what_to_install(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    missing = r"needs psutil: pip install 'trackwire\[system\]'"
    with pytest.raises(ModuleNotFoundError, match=f"enable_system_metrics_logging {missing}"):
        trackwire.enable_system_metrics_logging()
    with pytest.raises(ModuleNotFoundError, match=f"log_system_metrics {missing}"):
        trackwire.start_run(log_system_metrics=True)
    assert trackwire.active_run() is None


def test_without_psutil_a_variable_is_a_warning_and_the_training_goes_on(
    spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    for number in range(2):
        with trackwire.start_run(run_id=f"run-{number}", mode="offline"):
            trackwire.log_metric("loss", 1.0, 0)
        assert points_of(run_records(spool, f"run-{number}")) == [("loss", 0, 1.0)]
    [told] = caplog.records
    assert "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING asks for system metrics, which need psutil" in told.message


def test_disabled_run_samples_nothing(spool: Path) -> None:
    with trackwire.start_run(log_system_metrics=True, mode="disabled"):
        assert "trackwire-sampler" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(("local_rank", "machine"), [("0", True), ("1", False)])
def test_rank_logs_its_own_share_under_its_rank(
    spool: Path, monkeypatch: pytest.MonkeyPatch, local_rank: str, machine: bool
) -> None:
    launcher = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": local_rank, "TRACKWIRE_RUN_ID": "job"}
    for name, value in launcher.items():
        monkeypatch.setenv(name, value)
    with trackwire.start_run(log_system_metrics=True) as run:
        wait_for_samples(run, spool)
    records = [record for record in run_records(spool, "job") if record.kind is KIND.INGEST]
    requests = [IngestMetricsRequest.FromString(record.payload) for record in records]
    assert {context.rank for request in requests for context in request.contexts} == {5}
    found = sampled(spool, "job")
    assert "system/process_memory_usage_megabytes" in found
    assert ("system/cpu_utilization_percentage" in found) is machine


FORK = """
import os, sys, threading, time, trackwire
from trackwire.fluent import sampler
sampler.FIRST_SAMPLE_SECONDS = 0.0
trackwire.set_system_metrics_sampling_interval(0.1)
run = trackwire.start_run(run_id="r", mode="offline", log_system_metrics=True)
# Its first record makes the run, and its second one can only be a sample.
while run._recorder._stream is None or run._recorder._stream.last_sequence < 2:
    time.sleep(0.01)
for number in range(5):
    time.sleep(0.05)
    if os.fork() == 0:
        assert threading.active_count() == 1
        trackwire.log_metric("child", 1.0, number)
        run.end()
        os._exit(0)
    _, status = os.wait()
    assert status == 0
with trackwire.start_run(run_id="own", nested=True):
    pass
if os.fork() == 0:
    with trackwire.start_run(run_id="child", nested=True, rank=1, log_system_metrics=True) as own:
        while own._recorder._stream is None or own._recorder._stream.last_sequence < 2:
            time.sleep(0.01)
    os._exit(0)
assert os.wait()[1] == 0
run.end()
assert "grpc" not in sys.modules
"""


def test_forked_child_samples_nothing_but_for_a_run_of_its_own(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORK], cwd=tmp_path, env=without_server(), timeout=60, check=True)
    spool = tmp_path / ".trackwire" / "spool"
    steps = sampled(spool, "r")["system/process_memory_usage_megabytes"]
    assert steps == list(range(len(steps)))
    assert {key for key, _, _ in points_of(run_records(spool, "r"))} > {"child"}
    assert not sampled(spool, "own")
    assert sampled(spool, "child")


def test_training_that_samples_opens_no_socket_and_its_figures_reach_the_server(
    live: ServerProcess, tmp_path: Path
) -> None:
    script = """
import json, os, sys, time, trackwire
with trackwire.start_run(run_id="sampled", rank=1) as run:
    # Its first record makes the run, and its second one can only be a sample.
    while run._recorder._stream is None or run._recorder._stream.last_sequence < 2:
        time.sleep(0.01)
    open_files = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    links = [os.readlink(path) for path in open_files if os.path.lexists(path)]
    print(json.dumps({"grpc": "grpc" in sys.modules, "sockets": [link for link in links if "socket:" in link]}))
"""
    environment = {"TRACKWIRE_TRACKING_URI": live.address, "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "true"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**without_server(), **environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    assert json.loads(done.stdout) == {"grpc": False, "sockets": []}
    assert not done.stderr
    with trackwire.Client(live.address) as client:
        found = {series.key: series for series in client.read_metrics(["sampled"]).series}
    memory = found["system/system_memory_usage_percentage"]
    assert 0 < memory.values[0] < 100
    assert memory.rank == 1
