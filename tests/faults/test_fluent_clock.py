"""The machine's clock is set back two hours in the middle of a training: nothing waits, and nothing is out of order."""

import re
from pathlib import Path

import pytest
from tests.client.training import ended, line_of, spool_of, start, wait_until, wait_until_delivered
from tests.conftest import ROOT, ServerProcess

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

# Set back once a file is there, and then for good. Of the training alone: in its shipper the half of gRPC that is no
# Python would keep the old time, which no change of a machine's clock does. That takes a library that fakes it for all.
SET_BACK = """
import os, sys, time
_time, _time_ns, _is_back = time.time, time.time_ns, False

def _seconds_back():
    global _is_back
    _is_back = _is_back or os.path.exists(os.environ["CLOCK_IS_SET_BACK"])
    return 7_200 if _is_back else 0

if "trackwire.shipper" not in sys.orig_argv:
    time.time = lambda: _time() - _seconds_back()
    time.time_ns = lambda: _time_ns() - _seconds_back() * 1_000_000_000
elif "FAKETIME_TIMESTAMP_FILE" in os.environ:
    # It makes time.sleep fail by EINVAL: https://github.com/wolfcw/libfaketime/issues/426
    import threading
    _never = threading.Lock()
    _never.acquire()
    time.sleep = lambda seconds: _never.acquire(timeout=seconds) and None
"""

FAKETIME = sorted(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"))
NO_FAKETIME = "libfaketime is not installed: apt-get install faketime"

TRAINING = """
import os, sys, threading, time
import trackwire

# For the processes that it starts.
os.environ.update(SHIPPER)

told = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
begun = time.time()
with trackwire.start_run(run_id="clock") as run:
    print("running", flush=True)
    step = 0
    while not told.is_set():
        run.log_metric("stepped", float(step), step)
        run.log_metric("counted", float(step))
        step += 1
        told.wait(0.001)
    assert run.flush(30)
    assert time.time() < begun - 3_600
    run.log_metric("stepped", float(step), step)
print(step)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "fakes_shipper", [False, pytest.param(True, marks=pytest.mark.skipif(not FAKETIME, reason=NO_FAKETIME))]
)
def test_clock_that_is_set_back_moves_no_point_and_stops_no_heartbeat(
    server_process: ServerProcess, folder: Path, fakes_shipper: bool
) -> None:
    (folder / "sitecustomize.py").write_text(SET_BACK)
    sign, shift = folder / "set-back", folder / "shift"
    shift.write_text("+0\n")
    faked = (
        {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(shift),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        if fakes_shipper
        else {}
    )
    variables = {"PYTHONPATH": f"{folder}:{ROOT / 'client'}", "CLOCK_IS_SET_BACK": str(sign)}
    with (
        start(folder, TRAINING.replace("SHIPPER", repr(faked)), server_process.address, variables) as process,
        Client(server_process.address) as client,
    ):
        assert line_of(process) == "running"
        wait_until(lambda: heartbeat_ms(client) > 0)
        # At once: what reads it half written takes no time at all for the time.
        (folder / "shift.new").write_text("-2h\n")
        (folder / "shift.new").replace(shift)
        sign.touch()
        first = heartbeat_ms(client)
        # One every ten seconds; the first behind the change may have been under way.
        wait_until(lambda: heartbeat_ms(client) > first)
        second = heartbeat_ms(client)
        wait_until(lambda: heartbeat_ms(client) > second)
        out, err = ended(process, answer="end\n")
        assert err == ""
        wait_until_delivered(folder)
        series = {each.key: each for each in client.read_metrics("clock").series}
        run = client.get_run("clock")
    log_times = re.findall(r"^time=(\S+)", (spool_of(folder) / "shipper.log").read_text(), re.MULTILINE)
    assert (log_times != sorted(log_times)) is fakes_shipper
    steps = int(out)
    assert series["stepped"].steps.tolist() == series["stepped"].values.tolist() == list(range(steps + 1))
    assert series["counted"].steps.tolist() == series["counted"].values.tolist() == list(range(steps))
    times_ms = series["stepped"].times_ms.tolist()
    assert times_ms == sorted(times_ms)
    assert run.end_time_ms is not None
    assert run.start_time_ms <= times_ms[0] + 1_000
    assert times_ms[-1] <= run.end_time_ms + 1_000
    assert run.status == RUN_STATUS_FINISHED


def heartbeat_ms(client: Client) -> int:
    found = [run for run in client.search_runs("0") if run.run_id == "clock"]
    return found[0].heartbeat_time_ms if found else 0
