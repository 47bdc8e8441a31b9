"""Servers, shippers and trainers are killed while trainings log by the fluent API: all is there, once, in order."""

import mmap
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.client.training import (
    ended,
    line_of,
    shipper_of,
    shippers_of,
    spool_of,
    spooled_values,
    start,
    stored,
    train,
    wait_until,
    wait_until_delivered,
)
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.spool.places import is_locked, shipper_lock
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

if TYPE_CHECKING:
    import subprocess

KILLS = 20
MakeServer = Callable[..., ServerProcess]

# Logs until its input ends, and says how many steps it took.
UNTIL_TOLD = """
import sys, threading
import trackwire

ending = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
step = 0
with trackwire.start_run(run_id=sys.argv[1]):
    print("running", flush=True)
    while not ending.is_set():
        trackwire.log_metric("loss", float(step), step)
        trackwire.log_metrics({"acc": -float(step), "epoch": step // 100}, step)
        if step % 100 == 0:
            trackwire.set_tag("at", step)
        step += 1
        ending.wait(0.002)
print(step)
"""


@contextmanager
def training(
    folder: Path, address: str, run_ids: Sequence[str] = ("run-a", "run-b")
) -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """Trainings by their runs; killed where they outlive the test."""
    trainers = {run_id: start(folder, UNTIL_TOLD, address, arguments=(run_id,)) for run_id in run_ids}
    with ExitStack() as stack:
        for trainer in trainers.values():
            stack.enter_context(trainer)
            stack.callback(trainer.kill)
        for trainer in trainers.values():
            assert line_of(trainer) == "running"
        yield trainers


def end_and_check(trainers: dict[str, "subprocess.Popen[str]"], folder: Path, address: str) -> None:
    steps = {run_id: int(ended(trainer)[0]) for run_id, trainer in trainers.items()}
    wait_until_delivered(folder)
    for run_id, count in steps.items():
        assert count > 1_000
        assert stored(address, run_id) == {
            "loss": [float(step) for step in range(count)],
            "acc": [-float(step) for step in range(count)],
            "epoch": [float(step // 100) for step in range(count)],
        }
        with Client(address) as client:
            run = client.get_run(run_id)
        assert run.status == RUN_STATUS_FINISHED
        assert run.tags["at"] == str((count - 1) // 100 * 100)
    log = (spool_of(folder) / "shipper.log").read_text()
    assert not re.search("event=(refused|damaged|server_forgot|stream_failed|bug)", log), log


@pytest.mark.slow
def test_trainings_lose_and_double_nothing_over_twenty_kills_of_the_server(
    make_server_process: MakeServer, folder: Path
) -> None:
    arguments = ("--port", str(free_port()))
    server = make_server_process(*arguments)
    address = server.start()
    with training(folder, address) as trainers:
        for _ in range(KILLS):
            time.sleep(random.uniform(0.1, 0.8))
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL, server.log_text()
            time.sleep(random.uniform(0.0, 0.3))
            server = make_server_process(*arguments)
            assert server.start() == address
        end_and_check(trainers, folder, address)


@pytest.mark.slow
def test_trainings_lose_and_double_nothing_over_twenty_kills_of_the_shipper(
    server_process: ServerProcess, folder: Path
) -> None:
    with training(folder, server_process.address) as trainers:
        for _ in range(KILLS):
            # A training looks for it once a second, and starts another one; later, where none has had the spool.
            wait_until(lambda: is_locked(shipper_lock(spool_of(folder))))
            time.sleep(random.uniform(0.0, 1.0))
            for shipper in shippers_of(folder):
                # One that came second goes by itself.
                with suppress(psutil.NoSuchProcess):
                    shipper.kill()
                    shipper.wait(10)
        end_and_check(trainers, folder, server_process.address)


# The last step that was logged stands in a file that outlives the process.
COUNTED = """
import mmap, struct, sys, time
import trackwire

with open(sys.argv[1], "r+b") as file:
    count = mmap.mmap(file.fileno(), 8)
trackwire.start_run(run_id=sys.argv[2])
step = 0
while True:
    trackwire.log_metric("loss", float(step), step)
    count[:] = struct.pack("<Q", step)
    step += 1
    if step == 1_000:
        trackwire.active_run()._recorder.write()
        print("running", flush=True)
    time.sleep(0.0002)
"""
# Ten turns of the writer, of which the last one may be lost.
EARLIER_SECONDS = 1.0


@pytest.mark.parametrize("round_number", range(5))
def test_killed_trainer_has_all_that_it_logged_a_moment_before(
    server_process: ServerProcess, folder: Path, round_number: int
) -> None:
    counter = folder / "counter"
    counter.write_bytes(bytes(8))
    with start(folder, COUNTED, server_process.address, arguments=(str(counter), "killed")) as process:
        assert line_of(process) == "running"
        time.sleep(0.05 * round_number)
        with counter.open("r+b") as file, mmap.mmap(file.fileno(), 8) as count:
            earlier = int.from_bytes(count, "little")
            time.sleep(EARLIER_SECONDS)
            process.kill()
            process.wait(10)
            last = int.from_bytes(count, "little")
    wait_until_delivered(folder)
    values = stored(server_process.address, "killed")["loss"]
    assert values == [float(step) for step in range(len(values))]
    assert earlier < len(values) <= last + 2


def test_process_that_ends_without_a_word_keeps_what_was_flushed(server_process: ServerProcess, folder: Path) -> None:
    script = """
import os, trackwire
trackwire.start_run(run_id="silent")
for step in range(5_000):
    trackwire.log_metric("loss", float(step), step)
assert trackwire.flush(30)
os._exit(7)
"""
    train(folder, script, server_process.address, status=7)
    wait_until_delivered(folder)
    assert stored(server_process.address, "silent") == {"loss": [float(step) for step in range(5_000)]}


def test_two_trainings_at_a_time_share_a_spool_and_its_shipper(server_process: ServerProcess, folder: Path) -> None:
    script = """
import sys, trackwire
with trackwire.start_run(run_id="shared", rank=int(sys.argv[1])):
    with trackwire.start_run(run_id="own-" + sys.argv[1], nested=True) as own:
        for step in range(5_000):
            own.log_metric("loss", float(step), step)
            trackwire.log_metric("loss/" + sys.argv[1], float(step), step, run_id="shared")
"""
    trainers = [start(folder, script, server_process.address, arguments=(str(number),)) for number in range(2)]
    for trainer in trainers:
        assert ended(trainer)[1] == ""
    # Another one may have come for the spool, and goes again.
    shipper_of(folder)
    wait_until_delivered(folder)
    expected = [float(step) for step in range(5_000)]
    assert stored(server_process.address, "shared") == {"loss/0": expected, "loss/1": expected}
    for number in range(2):
        assert stored(server_process.address, f"own-{number}") == {"loss": expected}


def test_run_whose_server_was_away_all_the_time_is_sent_by_sync(make_server_process: MakeServer, folder: Path) -> None:
    port = str(free_port())
    script = """
import trackwire
with trackwire.start_run(run_id="away"):
    trackwire.log_param("lr", 0.1)
    for step in range(20_000):
        trackwire.log_metric("loss", float(step), step)
    trackwire.log_text("hello", "notes.txt")
"""
    train(folder, script, f"127.0.0.1:{port}")
    shipper = shipper_of(folder)
    shipper.kill()
    shipper.wait(60)
    assert spooled_values(folder, "away") == [float(step) for step in range(20_000)]
    server = make_server_process("--port", port)
    address = server.start()
    sync = "import sys; from trackwire.cli import main; sys.argv = ['trackwire', 'sync']; sys.exit(main())"
    out, _ = train(folder, sync, address)
    assert "delivered: 1 run, 20,000 points, 1 artifact" in out
    assert stored(address, "away") == {"loss": [float(step) for step in range(20_000)]}
    with Client(address) as client:
        assert dict(client.get_run("away").params) == {"lr": "0.1"}
        assert client.read_artifact("away", "notes.txt") == b"hello"
        assert client.get_run("away").status == RUN_STATUS_FINISHED
    assert not os.listdir(spool_of(folder) / "streams")
