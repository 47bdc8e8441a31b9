"""However a training ends, what it logged is there, and the run says how it ended."""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.client.spooled import points_of, records_of, run_records, statuses
from tests.client.training import (
    ended,
    line_of,
    nobody_writes,
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
from tests.conftest import ROOT, ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.spool.places import open_streams
from trackwire.v1.runs_pb2 import (
    RUN_STATUS_FAILED,
    RUN_STATUS_FINISHED,
    RUN_STATUS_KILLED,
    RUN_STATUS_RUNNING,
)

MakeServer = Callable[..., ServerProcess]

# A run that goes on with an id says so first.
BEGUN = [RUN_STATUS_RUNNING]

TEN = """
import os, sys, signal, trackwire
def log():
    for step in range(10):
        trackwire.log_metric("loss", float(step), step)
"""
IN_A_BLOCK = (
    TEN
    + """
with trackwire.start_run(run_id="r"):
    log()
    {end}
"""
)
WITHOUT_A_BLOCK = (
    TEN
    + """
trackwire.start_run(run_id="r")
log()
{end}
"""
)
INTERRUPTED = "os.kill(os.getpid(), signal.SIGINT); signal.pause()"


@pytest.mark.parametrize(
    ("program", "end", "exit_status", "status"),
    [
        (IN_A_BLOCK, "raise ValueError('nan')", 1, RUN_STATUS_FAILED),
        (IN_A_BLOCK, "sys.exit(3)", 3, RUN_STATUS_FAILED),
        (IN_A_BLOCK, "sys.exit('no data')", 1, RUN_STATUS_FAILED),
        (IN_A_BLOCK, "sys.exit()", 0, RUN_STATUS_FINISHED),
        (WITHOUT_A_BLOCK, "", 0, RUN_STATUS_FINISHED),
        (WITHOUT_A_BLOCK, "sys.exit(3)", 3, RUN_STATUS_FINISHED),
        (WITHOUT_A_BLOCK, "raise ValueError('nan')", 1, RUN_STATUS_FAILED),
        (WITHOUT_A_BLOCK, INTERRUPTED, -signal.SIGINT, RUN_STATUS_KILLED),
        (WITHOUT_A_BLOCK, f"trackwire.flush(); {INTERRUPTED}", -signal.SIGINT, RUN_STATUS_KILLED),
        (IN_A_BLOCK, INTERRUPTED, -signal.SIGINT, RUN_STATUS_KILLED),
    ],
)
def test_run_ends_as_its_process_does(folder: Path, program: str, end: str, exit_status: int, status: int) -> None:
    train(folder, program.format(end=end), status=exit_status)
    assert spooled_values(folder, "r") == [float(step) for step in range(10)]
    assert statuses(run_records(spool_of(folder), "r")) == [*BEGUN, status]
    assert nobody_writes(folder)


FOR_EVER = """
import signal, sys, time, trackwire
step = 0
try:
    with trackwire.start_run(run_id="r"):
        print("running", flush=True)
        while True:
            trackwire.log_metric("loss", float(step), step)
            step += 1
            time.sleep(0.0002)
finally:
    print(step)
"""


def test_interrupted_training_is_killed_with_all_that_was_logged(folder: Path) -> None:
    with start(folder, FOR_EVER) as process:
        assert line_of(process) == "running"
        wait_until(lambda: has_spooled(folder))
        process.send_signal(signal.SIGINT)
        out, _ = ended(process, status=-signal.SIGINT)
    values = spooled_values(folder, "r")
    assert values == [float(step) for step in range(len(values))]
    # Ctrl-C may have come between the call and the counting.
    assert len(values) - int(out) in (0, 1)
    assert statuses(run_records(spool_of(folder), "r")) == [*BEGUN, RUN_STATUS_KILLED]


def has_spooled(folder: Path) -> bool:
    """Whether at least a thousand points are there."""
    return sum(path.stat().st_size for path in spool_of(folder).glob("streams/*/*.seg")) > 24_000


def test_terminated_training_is_left_as_a_killed_one(folder: Path) -> None:
    """Whose SIGTERM is, is for the training to say: trackwire takes no signal from it."""
    with start(folder, FOR_EVER) as process:
        assert line_of(process) == "running"
        wait_until(lambda: has_spooled(folder))
        process.terminate()
        assert ended(process, status=-signal.SIGTERM)[0] == ""
    values = spooled_values(folder, "r")
    assert values == [float(step) for step in range(len(values))]
    assert len(values) > 800
    assert statuses(run_records(spool_of(folder), "r")) == BEGUN
    assert nobody_writes(folder)


def test_training_that_makes_an_exit_of_sigterm_fails_with_all_that_was_logged(folder: Path) -> None:
    program = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n" + FOR_EVER
    with start(folder, program) as process:
        assert line_of(process) == "running"
        wait_until(lambda: has_spooled(folder))
        process.terminate()
        out, _ = ended(process, status=143)
    assert len(spooled_values(folder, "r")) - int(out) in (0, 1)
    assert statuses(run_records(spool_of(folder), "r")) == [*BEGUN, RUN_STATUS_FAILED]


LOGS_BEHIND_THE_END = """
import atexit
atexit.register(lambda: trackwire.log_metric("at exit", 0.5, 0))
import trackwire

class Last:
    def __del__(self):
        trackwire.log_metric("last", 0.25, 0)

last = Last()
with trackwire.start_run(run_id="r"):
    trackwire.log_metric("loss", 1.0, 0)
"""


def test_what_is_logged_behind_the_end_of_the_process_is_kept_and_holds_it_up_no_longer(folder: Path) -> None:
    train(folder, LOGS_BEHIND_THE_END)
    found = [point for place in open_streams(spool_of(folder)) for point in points_of(records_of(place))]
    assert [key for key, _, _ in found][:2] == ["loss", "at exit"]


def test_user_whose_name_is_no_text_has_runs(folder: Path) -> None:
    train(folder, WITHOUT_A_BLOCK.format(end=""), variables={"LOGNAME": os.fsdecode(b"j\xfcrgen")})
    assert len(spooled_values(folder, "r")) == 10


def test_training_in_a_folder_that_was_deleted_goes_on(folder: Path) -> None:
    script = """
import os, shutil, trackwire
os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
with trackwire.start_run(mode="offline") as run:
    run.log_metric("loss", 1.0, 0)
    assert run.flush()
"""
    _, err = train(folder, script, variables={"TMPDIR": str(folder)})
    assert f"the working directory was deleted: the spool is {folder}/" in err


# Ctrl-C over and over, wherever a flush happens to be.
INTERRUPTED_FLUSHES = """
import signal, trackwire
run = trackwire.start_run(run_id="r")
run.log_metric("warm", 0.0)
run.flush()
is_flushing = False

def interrupt(*_):
    if is_flushing:
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.0003)
step = interrupted = 0
while interrupted < 1_000 and step < 30_000:
    try:
        run.log_metric("loss", float(step), step)
        step += 1
        is_flushing = True
        run.flush()
        is_flushing = False
    except KeyboardInterrupt:
        is_flushing = False
        interrupted += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(step, interrupted)
"""


def test_interrupted_flushes_lose_and_double_nothing(folder: Path) -> None:
    steps, interrupted = map(int, train(folder, INTERRUPTED_FLUSHES)[0].split())
    assert interrupted > 100
    assert spooled_values(folder, "r") == [float(step) for step in range(steps)]
    assert statuses(run_records(spool_of(folder), "r")) == [*BEGUN, RUN_STATUS_FINISHED]


def test_second_interruption_ends_the_wait_for_the_server_and_all_stays_in_the_spool(folder: Path) -> None:
    """Of a server that takes the connection and never says a word, nobody can say that it is away."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        with start(folder, FOR_EVER, f"127.0.0.1:{silent.getsockname()[1]}") as process:
            assert line_of(process) == "running"
            wait_until(lambda: has_spooled(folder))
            process.send_signal(signal.SIGINT)
            wait_until(lambda: nobody_writes(folder))
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, _ = ended(process, status=-signal.SIGINT)
        assert len(spooled_values(folder, "r")) - int(out) in (0, 1)
        assert statuses(run_records(spool_of(folder), "r")) == [*BEGUN, RUN_STATUS_KILLED]
        assert nobody_writes(folder)


# Each end would wait a minute: the whole test has less than two.
MANY_RUNS = """
import logging, sys, threading, trackwire
for number in range(20):
    with trackwire.start_run(run_id=f"ended-{number}"):
        trackwire.log_metric("loss", float(number), 0)

def work(number):
    trackwire.start_run(run_id=f"left-{number}").log_metric("loss", float(number), 0)

threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_ends_hardly_wait_for_a_server_that_is_away_and_tell_once_where_all_lies(
    make_server_process: MakeServer, folder: Path
) -> None:
    port = str(free_port())
    _, err = train(folder, MANY_RUNS, f"127.0.0.1:{port}")
    [told] = err.splitlines()
    assert told.startswith(f"run ended-0: no Trackwire server answers at 127.0.0.1:{port} (")
    assert f"what it has not got is kept in {spool_of(folder)}, and is sent on as soon as it answers" in told
    assert nobody_writes(folder)
    address = make_server_process("--port", port).start()
    wait_until_delivered(folder)
    for number in range(20):
        for run_id in (f"ended-{number}", f"left-{number}"):
            assert stored(address, run_id) == {"loss": [float(number)]}
            with Client(address) as client:
                assert client.get_run(run_id).status == RUN_STATUS_FINISHED


def test_end_waits_for_a_server_that_answers(server_process: ServerProcess, folder: Path) -> None:
    script = """
import trackwire
with trackwire.start_run(run_id="r") as run:
    for step in range(200_000):
        run.log_metric("loss", float(step), step)
    with open("large", "wb") as file:
        file.truncate(64 * 1024 * 1024)
    run.log_artifact("large")
client = trackwire.Client()
print(len(client.read_metrics("r", "loss").series[0]), *(file.size_bytes for file in client.list_artifacts("r")))
"""
    out, err = train(folder, script, server_process.address)
    assert (out.split(), err) == (["200000", str(64 * 1024 * 1024)], "")


def test_end_gives_up_a_server_that_is_killed_while_it_is_waited_for(
    make_server_process: MakeServer, folder: Path
) -> None:
    port = str(free_port())
    address = make_server_process("--port", port, TRACKWIRE_FAILPOINT="ingest.before_commit:2").start()
    script = """
import trackwire
with trackwire.start_run(run_id="r") as run:
    run.log_metric("loss", 0.0, 0)
    assert run.flush(30)
    run.log_metric("loss", 1.0, 1)
"""
    _, err = train(folder, script, address)
    assert f"run r: no Trackwire server answers at {address}" in err
    make_server_process("--port", port).start()
    wait_until_delivered(folder)
    assert stored(address, "r") == {"loss": [0.0, 1.0]}


def test_shipper_that_can_not_be_started_is_told_once_and_stops_nothing(folder: Path) -> None:
    # A folder where its log should be.
    (spool_of(folder) / "shipper.log").mkdir(parents=True)
    script = """
import os, time, trackwire
run = trackwire.start_run(run_id="r")
for step in range(300):
    run.log_metric("loss", float(step), step)
    time.sleep(0.01)
assert not run.flush(1.5)
run.log_metric("loss", 300.0, 300)
run._recorder.write()
os._exit(0)
"""
    _, err = train(folder, script, f"127.0.0.1:{free_port()}")
    assert err.count("the process that sends it on can't be started: ") == 1
    assert "Traceback" not in err
    assert spooled_values(folder, "r") == [float(step) for step in range(301)]
    assert not shippers_of(folder)


# In the shipper alone: it ends before it has the spool, or with it.
FAILING = """
import sys
if "trackwire.shipper" in sys.orig_argv[:5]:
    {fault}
"""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("sys.modules['grpc'] = None", "ModuleNotFoundError: "),
        ("from trackwire.shipper.shipping import Shipping; Shipping.look_over = None", "TypeError: "),
    ],
)
def test_shipper_that_ends_at_once_is_started_less_and_less_often(folder: Path, fault: str, words: str) -> None:
    (folder / "sitecustomize.py").write_text(FAILING.format(fault=fault))
    script = """
import os, time, trackwire
run = trackwire.start_run(run_id="r")
until = time.monotonic() + 6.5
while time.monotonic() < until:
    run.log_metric("loss", 1.0)
    time.sleep(0.01)
run._recorder.write()
os._exit(0)
"""
    path = os.pathsep.join((str(folder), str(ROOT / "client")))
    train(folder, script, f"127.0.0.1:{free_port()}", {"PYTHONPATH": path})
    # The last of them may take longer than the training.
    wait_until(lambda: not shippers_of(folder))
    # At 0, 1 and 3 s, and once more where the training has just seen one with the spool; the next would be at 7.
    assert 2 <= (spool_of(folder) / "shipper.log").read_text().count(words) <= 4


def test_shipper_is_no_child_of_its_training_and_hears_a_signal(server_process: ServerProcess, folder: Path) -> None:
    script = """
import os, signal, trackwire
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
with trackwire.start_run(run_id="r") as run:
    run.log_metric("loss", 1.0)
    assert run.flush(30)
    child = os.posix_spawn("/bin/true", ["true"], {})
    waited = []
    try:
        while True:
            waited.append(os.wait()[0])
    except ChildProcessError:
        pass
    assert waited == [child], (waited, child)
"""
    train(folder, script, server_process.address)
    shipper = shipper_of(folder)
    shipper.terminate()
    shipper.wait(60)


def test_pipe_of_a_training_ends_with_it_though_its_shipper_lives_on(
    server_process: ServerProcess, folder: Path
) -> None:
    script = """
import multiprocessing, trackwire
def work(number):
    trackwire.log_metric(f"worker/{number}", float(number))
if __name__ == "__main__":
    trackwire.start_run(run_id="r")
    trackwire.log_metric("loss", 1.0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, range(8))
        pool.close()
        pool.join()
    print("done")
"""
    with start(
        folder, script, server_process.address, prefix=("/bin/sh", "-c", '"$@" 2>&1 | tee printed', "sh")
    ) as tee:
        out, _ = ended(tee)
    assert out == "done\n"
    assert (folder / "printed").read_text() == "done\n"
    shipper = shipper_of(folder)
    assert os.getsid(shipper.pid) == shipper.pid
    wait_until_delivered(folder)
    assert len(stored(server_process.address, "r")) == 9


def test_interrupt_of_a_terminal_does_not_reach_the_shipper(server_process: ServerProcess, folder: Path) -> None:
    with start(folder, FOR_EVER, server_process.address, prefix=("setsid",)) as process:
        assert line_of(process) == "running"
        wait_until(lambda: bool(shippers_of(folder)))
        os.killpg(process.pid, signal.SIGINT)
        out, _ = ended(process, status=-signal.SIGINT)
    wait_until_delivered(folder)
    assert len(stored(server_process.address, "r")["loss"]) - int(out) in (0, 1)
    with Client(server_process.address) as client:
        assert client.get_run("r").status == RUN_STATUS_KILLED
