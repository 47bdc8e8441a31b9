"""`trackwire sync`: what was logged without a server gets to one, once, and whoever waits sees how."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import COMMAND
from tests.client.offline_training import train_offline, without_server
from tests.client.shipper.shipping import (
    NO_ADDRESS,
    Shipper,
    begin,
    finish,
    log_params,
    log_points,
    spool_file,
    stored_values,
    until,
    wait_for_shipper,
)
from tests.client.training import ended, line_of, spool_of, start, train, training_folder, wait_until_delivered
from tests.conftest import ServerProcess
from tests.faults.test_shipper import free_port

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.v1 import runs_pb2

MakeServer = Callable[..., ServerProcess]
Done = subprocess.CompletedProcess[str]


@contextmanager
def syncing(*arguments: str | Path, folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`trackwire sync …` in a folder, while it runs."""
    with subprocess.Popen(
        [*COMMAND, "sync", *map(str, arguments)],
        cwd=folder,
        env=without_server() | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def sync(*arguments: str | Path, folder: Path, answer: str = "", **environment: str) -> Done:
    """`trackwire sync …` in a folder, from start to end."""
    with syncing(*arguments, folder=folder, **environment) as process:
        printed, said = process.communicate(answer, timeout=60)
    assert "Traceback" not in said, said
    return Done(process.args, process.returncode, printed, said)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool of the working directory."""
    folder = tmp_path / ".trackwire" / "spool"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shipper(spool: Path) -> Iterator[Shipper]:
    shipper = Shipper(spool)
    yield shipper
    shipper.kill_all()


_GOES_ON = """
import os, trackwire
with trackwire.start_run(run_id=os.environ.get("RUN_ID")):
    trackwire.log_metric("loss", 1.0)
    print("begun", flush=True)
    input()
    trackwire.log_metric("loss", 2.0)
"""


_TRAINS_IN = """
import os, trackwire
with trackwire.start_run(run_id="restored", experiment_id=os.environ["EXPERIMENT_ID"]) as run:
    trackwire.log_param("lr", 0.1)
    for step in range(100):
        trackwire.log_metric("loss", step, step)
        if step == 50:
            trackwire.flush()
    trackwire.log_text("all went well", "notes.txt")
"""


def refuse_one(spool: Path, address: str, run_id: str) -> None:
    """A stream of which the server takes all but one record."""
    stream = begin(spool, run_id, address)
    log_params(stream, lr="0.1")
    log_params(stream, lr="0.2")
    log_points(stream, [0, 1, 2])
    finish(stream)


def test_offline_training_is_delivered_once_and_then_there_is_nothing(live: ServerProcess, tmp_path: Path) -> None:
    spool = train_offline(tmp_path / "work", "ten", 10)
    first = sync("--to", live.address, folder=tmp_path / "work")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        f"{spool}: 1 run, 10 points to deliver",
        f"  1 run to {live.address}, as they name no server",
        "delivered: 1 run, 10 points",
    ]
    assert stored_values(live.address, "ten") == list(range(10))
    with Client(live.address) as client:
        assert client.get_run("ten").status == runs_pb2.RUN_STATUS_FINISHED
    second = sync("--to", live.address, folder=tmp_path / "work")
    assert (second.returncode, second.stdout) == (0, f"nothing to deliver in {spool}\n")
    assert stored_values(live.address, "ten") == list(range(10))


def test_each_run_goes_to_the_server_that_it_names_and_the_others_to_the_usual_one(
    live: ServerProcess, server_process: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    for run_id, address in (("named", live.address), ("nameless", "")):
        stream = begin(spool, run_id, address)
        log_points(stream, [1, 2])
        spool_file(stream, "1", b"x" * 3 * 1024 * 1024, "weights")
        finish(stream)
    other = server_process
    done = sync(spool, folder=tmp_path, TRACKWIRE_TRACKING_URI=other.address)
    assert done.returncode == 0, done.stderr
    assert f"  1 run to {live.address}, which they name\n" in done.stdout
    assert f"  1 run to {other.address}, as they name no server\n" in done.stdout
    assert done.stdout.endswith("delivered: 2 runs, 4 points, 2 artifacts (6.0 MiB)\n")
    assert stored_values(other.address, "nameless") == [1, 2]
    assert stored_values(live.address, "named") == [1, 2]


def test_json_is_one_document(live: ServerProcess, spool: Path, tmp_path: Path) -> None:
    refuse_one(spool, live.address, "as-json")
    done = sync("--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert document["delivered"] == {"runs": ["as-json"], "points": 3, "artifacts": 0, "artifact_bytes": 0}
    assert (document["spool"], document["all_delivered"], document["waiting_for"]) == (str(spool), False, [])
    (rejected,) = document["rejected"]
    assert (rejected["run_id"], rejected["sequence"], rejected["kind"]) == ("as-json", 3, "LOG_PARAMS")


def test_what_was_refused_is_shown_until_it_is_discarded(live: ServerProcess, spool: Path, tmp_path: Path) -> None:
    refuse_one(spool, live.address, "refused")
    first = sync(folder=tmp_path)
    assert first.returncode == 1
    assert "delivered: 1 run, 3 points\n" in first.stdout
    assert "refused: run refused, record 3 (LOG_PARAMS, 0 points): " in first.stdout
    assert "'0.2'" in first.stdout
    again = sync(folder=tmp_path)
    assert again.returncode == 1
    assert again.stdout.startswith(f"nothing to deliver in {spool}\nrefused: run refused, record 3 ")
    listed = sync("--rejected", folder=tmp_path)
    assert listed.returncode == 0
    assert "'0.2'" in listed.stdout.splitlines()[1]
    assert json.loads(sync("--rejected", "--json", folder=tmp_path).stdout)["address"] == live.address
    kept = sync("--discard-rejected", folder=tmp_path, answer="n\n")
    assert (kept.returncode, "Remove 1 refused record of 1 run for good?" in kept.stdout) == (1, True)
    assert any(spool.glob("streams/*/rejected/*.json"))
    assert sync("--discard-rejected", "--yes", folder=tmp_path).stdout == "1 refused record removed\n"
    assert not list((spool / "streams").iterdir())
    assert sync("--rejected", folder=tmp_path).stderr == f"trackwire: nothing in {spool} was refused\n"
    assert sync(folder=tmp_path).returncode == 0


def test_what_was_refused_of_a_run_that_is_still_written_stays(
    live: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    stream = begin(spool, "still", live.address)
    log_params(stream, lr="0.1")
    log_params(stream, lr="0.2")
    first = sync(folder=tmp_path)
    assert (first.returncode, "1 run still being written\n" in first.stdout) == (1, True)
    discarded = sync("--discard-rejected", "--yes", folder=tmp_path)
    assert discarded.stderr == "trackwire: what was refused of run still stays until all else of it is delivered\n"
    # The next stamp must not name it.
    log_points(stream, [1])
    finish(stream)
    assert sync(folder=tmp_path).returncode == 1
    assert stored_values(live.address, "still") == [1]
    assert sync("--discard-rejected", "--yes", folder=tmp_path).stdout == "1 refused record removed\n"
    assert not list((spool / "streams").iterdir())


def test_what_was_refused_by_a_deleted_experiment_arrives_whole_once_it_is_restored(
    live: ServerProcess, tmp_path: Path
) -> None:
    with Client(live.address) as client, training_folder(tmp_path) as folder:
        experiment_id = client.create_experiment("to-be-restored").experiment_id
        client.delete_experiment(experiment_id)
        train(folder, _TRAINS_IN, live.address, {"EXPERIMENT_ID": experiment_id})
        client.restore_experiment(experiment_id)
        again = sync("--retry-rejected", folder=folder)
        assert (again.returncode, "to be sent again" in again.stderr) == (0, True), again.stdout + again.stderr
        assert stored_values(live.address, "restored") == list(range(100))
        assert client.get_run("restored").status == runs_pb2.RUN_STATUS_FINISHED
        assert client.get_run("restored").params == {"lr": "0.1"}
        assert client.read_artifact("restored", "notes.txt") == b"all went well"
        assert not list((spool_of(folder) / "streams").iterdir())
        assert "was refused" in sync("--retry-rejected", folder=folder).stderr


def test_what_a_deleted_run_has_missed_arrives_once_it_is_restored(
    live: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    stream = begin(spool, "missed", live.address)
    log_points(stream, [0, 1])
    assert sync(folder=tmp_path).returncode == 0
    with Client(live.address) as client:
        client.delete_run("missed")
        log_points(stream, [2, 3])
        assert sync(folder=tmp_path).returncode == 1
        client.restore_run("missed")
        log_points(stream, [4])
        waits = sync("--retry-rejected", folder=tmp_path)
        assert (waits.returncode, "run missed stays until all else of it is delivered" in waits.stderr) == (1, True)
        finish(stream)
        sync(folder=tmp_path)
        assert stored_values(live.address, "missed") == [0, 1, 4]
        assert sync("--retry-rejected", folder=tmp_path).returncode == 0
        assert sorted(stored_values(live.address, "missed")) == [0, 1, 2, 3, 4]
    assert not list((spool / "streams").iterdir())


def test_nothing_is_discarded_under_a_shipper(live: ServerProcess, spool: Path, tmp_path: Path) -> None:
    refuse_one(spool, live.address, "held")
    sync(folder=tmp_path)
    lock = SpoolLock(spool)
    assert lock.take()
    done = sync("--discard-rejected", "--yes", folder=tmp_path)
    lock.release()
    assert (done.returncode, f"process {os.getpid()} on " in done.stderr) == (1, True)
    assert any(spool.glob("streams/*/rejected/*.json"))


def test_damage_is_shown(live: ServerProcess, spool: Path, tmp_path: Path) -> None:
    stream = begin(spool, "damaged", live.address)
    begins_at = stream.place.segment_path(1).stat().st_size
    log_points(stream, [0])
    log_points(stream, [1])
    finish(stream)
    segment = stream.place.segment_path(1)
    data = bytearray(segment.read_bytes())
    data[begins_at + 30] ^= 0xFF
    segment.write_bytes(data)
    done = sync(folder=tmp_path)
    assert done.returncode == 1
    assert "delivered: 1 run, 1 point\n" in done.stdout
    assert "damaged: run damaged: " in done.stdout
    assert "00000001.seg can't be read: " in sync("--rejected", folder=tmp_path).stdout
    assert sync("--discard-rejected", "--yes", folder=tmp_path).returncode == 0
    assert sync(folder=tmp_path).returncode == 0


def test_run_that_is_still_written_is_delivered_as_far_as_it_has_come(
    live: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    stream = begin(spool, "growing", "")
    for points in ([0, 1], [2]):
        log_points(stream, points)
        done = sync("--to", live.address, folder=tmp_path)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 run still being written")
        assert f"delivered: 1 run, {len(points)} point" in done.stdout
    assert stored_values(live.address, "growing") == [0, 1, 2]
    stream.close()


def test_servers_that_are_away_are_told_and_waited_for_as_long_as_one_says(
    live: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    for run_id, address in (("here", live.address), ("away", "")):
        stream = begin(spool, run_id, address)
        log_points(stream, [1])
        stream.close()
    done = sync("--to", NO_ADDRESS, folder=tmp_path)
    assert done.returncode == 1
    assert f"no Trackwire server answers at {NO_ADDRESS}" in done.stderr
    assert f"not delivered: 1 run for {NO_ADDRESS}\nleft in {spool}: 1 run, 1 point\n" in done.stdout
    assert stored_values(live.address, "here") == [1]
    started = time.monotonic()
    late = sync("--to", NO_ADDRESS, "--timeout-seconds", "4", folder=tmp_path)
    assert late.returncode == 1
    assert time.monotonic() - started > 4
    assert "run away waits: " in late.stderr
    assert sync("--to", live.address, folder=tmp_path).returncode == 0
    assert stored_values(live.address, "away") == [1]


def test_server_killed_in_the_middle_is_waited_for_and_has_every_point_once(
    make_server_process: MakeServer, spool: Path, tmp_path: Path
) -> None:
    stream = begin(spool, "killed", "", segment_bytes=100_000)
    for begins in range(0, 20_000, 20):
        log_points(stream, range(begins, begins + 20))
    finish(stream)
    port = str(free_port())
    server = make_server_process("--port", port, TRACKWIRE_FAILPOINT="ingest.before_commit:5")
    server.start()
    with syncing("--to", server.address, folder=tmp_path) as process:
        assert server.process is not None
        assert server.process.wait(30) == -signal.SIGKILL
        again = make_server_process("--port", port)
        again.start()
        printed, said = process.communicate(timeout=60)
    assert (process.returncode, "run killed waits: " in said) == (0, True), said
    assert printed.endswith("delivered: 1 run, 20,000 points\n")
    assert stored_values(again.address, "killed") == list(range(20_000))
    assert again.stop() == 0


def test_watch_delivers_what_comes_until_it_is_told_to_end(live: ServerProcess, spool: Path, tmp_path: Path) -> None:
    with syncing("--watch", "--to", live.address, spool, folder=tmp_path) as process:
        wait_for_shipper(spool)
        for run_id in ("first", "second"):
            stream = begin(spool, run_id, "")
            log_points(stream, [1, 2])
            finish(stream)
            assert until(lambda: not stream.place.folder.exists())  # noqa: B023 - called at once
        process.terminate()
        printed, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert said.splitlines() == [f"trackwire: run {run_id}: 2 points are delivered" for run_id in ("first", "second")]
    assert printed.splitlines()[-1].startswith("delivered: ")


def test_interrupted_sync_leaves_the_rest_in_the_spool(spool: Path, tmp_path: Path) -> None:
    stream = begin(spool, "left", "")
    stream.close()
    with syncing("--to", NO_ADDRESS, "--timeout-seconds", "60", folder=tmp_path) as process:
        wait_for_shipper(spool)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert stream.place.segments()


# The worst moment is made: SIGTERM before each line of what waits for another shipper, and of what a handler may meet.
_TERMINATED_AT_EACH_LINE = """
import signal, sys
from trackwire.cli import main
from trackwire.shipper.syncing import SpoolSync

def terminate(frame, event, argument):
    if frame.f_code.co_filename.endswith(("threading.py", "shipper/interruption.py")):
        signal.raise_signal(signal.SIGTERM)
    return terminate

def follow(self, *arguments, _follow=SpoolSync._follow, **named):
    sys.settrace(terminate)
    _follow(self, *arguments, **named)
    sys.settrace(None)

SpoolSync._follow = follow
sys.exit(main())
"""


def test_sync_ends_by_sigterm_whatever_it_is_just_doing(spool: Path, tmp_path: Path) -> None:
    begin(spool, "held", NO_ADDRESS).close()
    lock = SpoolLock(spool)
    assert lock.take()
    command = [sys.executable, "-c", _TERMINATED_AT_EACH_LINE, "sync", "--timeout-seconds", "50"]
    done = subprocess.run(command, cwd=tmp_path, env=without_server(), capture_output=True, text=True, timeout=20)
    lock.release()
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert f"not delivered: 1 run for {NO_ADDRESS}\n" in done.stdout


def test_another_shipper_is_followed_and_what_it_leaves_is_taken_up(
    live: ServerProcess, spool: Path, shipper: Shipper, tmp_path: Path
) -> None:
    stream = begin(spool, "followed", "")
    log_points(stream, [1])
    finish(stream)
    # It knows no server for this one.
    other = shipper.start("--watch")
    wait_for_shipper(spool)
    with syncing("--to", live.address, "--timeout-seconds", "50", folder=tmp_path) as process:
        assert process.stderr is not None
        assert f"process {other.pid} on " in process.stderr.readline()
        assert shipper.end() == 0
        printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert printed.endswith("delivered: 1 run, 1 point\n")
    assert stored_values(live.address, "followed") == [1]


def test_shipper_that_waits_for_a_server_that_is_away_is_asked_to_go_and_trainings_start_another(
    live: ServerProcess, tmp_path: Path
) -> None:
    with training_folder(tmp_path) as folder:
        spool = train_offline(folder, "nameless", 10)
        with start(folder, _GOES_ON, NO_ADDRESS) as training:
            assert line_of(training) == "begun"
            before = wait_for_shipper(spool)
            done = sync("--to", live.address, folder=folder)
            assert f"process {before.pid} on " in done.stderr
            assert "it was asked to let go" in done.stderr
            assert stored_values(live.address, "nameless") == list(range(10))
            # That of the training stays with the server that it names.
            assert (done.returncode, f"not delivered: 1 run for {NO_ADDRESS}\n" in done.stdout) == (1, True)
            assert wait_for_shipper(spool).pid != before.pid
            ended(training, answer="\n")


def test_runs_that_name_a_wrong_server_are_taken_to_another_while_they_go_on(
    live: ServerProcess, tmp_path: Path
) -> None:
    with training_folder(tmp_path) as folder:
        with start(folder, _GOES_ON, NO_ADDRESS, {"RUN_ID": "redirected"}) as training:
            assert line_of(training) == "begun"
            wait_for_shipper(spool_of(folder))
            done = sync("--from", NO_ADDRESS, "--to", live.address, folder=folder)
            assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 run still being written"), done.stderr
            assert stored_values(live.address, "redirected") == [1]
            ended(training, answer="\n")
        wait_until_delivered(folder)
    assert stored_values(live.address, "redirected") == [1, 2]


def test_run_of_which_its_server_has_a_part_stays_with_it(
    live: ServerProcess, server_process: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    begun, new, bad = (begin(spool, "begun", server_process.address), *(begin(spool, name, "h:99999") for name in "nb"))
    log_points(begun, [1])
    sync(folder=tmp_path)
    assert server_process.stop() == 0
    for stream in (begun, new, bad):
        log_points(stream, [2])
        finish(stream)
    kept = sync("--from", server_process.address, "--to", live.address, folder=tmp_path)
    assert (kept.returncode, f"run begun stays with {server_process.address}, which has" in kept.stderr) == (1, True)
    assert f"not delivered: 1 run for {server_process.address}\n" in kept.stdout
    moved = sync("--from", "h:99999", "--to", live.address, folder=tmp_path)
    assert "delivered: 2 runs, 2 points\n" in moved.stdout
    assert stored_values(live.address, "n") == stored_values(live.address, "b") == [2]
    assert "no run in " in sync("--from", "h:99999", "--to", live.address, folder=tmp_path).stderr


def test_shipper_that_is_meant_to_stay_is_named_and_not_waited_for(
    live: ServerProcess, spool: Path, shipper: Shipper, tmp_path: Path
) -> None:
    begin(spool, "nameless", "").close()
    other = shipper.start("--watch")
    wait_for_shipper(spool)
    done = sync("--to", live.address, folder=tmp_path)
    assert done.returncode == 1
    assert f"runs that name no server wait until process {other.pid} on {os.uname().nodename} has ended" in done.stderr
    assert other.poll() is None


def test_another_shipper_that_takes_runs_elsewhere_is_named(
    live: ServerProcess, spool: Path, shipper: Shipper, tmp_path: Path
) -> None:
    stream = begin(spool, "elsewhere", "")
    stream.close()
    other = shipper.start("--watch", "--to", NO_ADDRESS)
    wait_for_shipper(spool)
    done = sync("--to", live.address, folder=tmp_path)
    assert done.returncode == 1
    assert (
        f"are being taken to {NO_ADDRESS} by process {other.pid} on {os.uname().nodename}, not to {live.address}"
        in done.stderr
    )
    followed = sync("--timeout-seconds", "1", folder=tmp_path, TRACKWIRE_TRACKING_URI=live.address)
    assert (followed.returncode, f"to {NO_ADDRESS};" in followed.stderr) == (1, True)


def test_streams_that_nobody_can_deliver_are_named_and_hold_up_nobody(
    live: ServerProcess, spool: Path, tmp_path: Path
) -> None:
    streams = [begin(spool, run_id, address) for run_id, address in (("good", ""), ("lost", "host:99999"), ("new", ""))]
    for stream in streams:
        stream.close()
    description = streams[2].place.folder / "stream.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {"format": 99}))
    done = sync("--to", live.address, folder=tmp_path)
    assert done.returncode == 1
    assert f"stream {streams[1].place.writer_id} stays in the spool: " in done.stderr
    assert "not delivered: 1 run for host:99999\n" in done.stdout
    assert f"not delivered: {streams[2].place.folder}: " in done.stdout
    assert "delivered: 1 run, 0 points\n" in done.stdout
    assert [path.exists() for path in (stream.place.folder for stream in streams)] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 1, "there is no spool at {folder}/.trackwire/spool: nothing was logged here without a server"),
        (("other",), 2, "'other': is no spool: there is no folder {folder}/other/streams"),
        (("nowhere",), 2, "'nowhere': is no spool: there is no folder {folder}/nowhere/streams"),
        (("work",), 2, "'work': is no spool; did you mean {folder}/work/.trackwire/spool?"),
        (("s", "--to", "host:99999"), 1, "--to: 'host:99999': the port must be 1 to 65535"),
        (("s", "--from", "host:1"), 2, "--from: needs --to, the server that its runs go to"),
        (("s", "--timeout-seconds", "nan"), 2, "nan: must be a number of seconds, 0 or more"),
        (("s", "--timeout-seconds", "1", "--watch"), 2, "--timeout-seconds: is not for --watch"),
        (("s", "--rejected", "--watch"), 2, "give one of --rejected, --discard-rejected and what delivers"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], status: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "s" / "streams").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (tmp_path / "work" / ".trackwire" / "spool" / "streams").mkdir(parents=True)
    done = sync(*arguments, folder=tmp_path)
    assert (done.returncode, words.format(folder=tmp_path) in done.stderr) == (status, True), done.stderr


def test_spool_may_be_named_by_the_variables_of_trainings(live: ServerProcess, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    for number, variables in enumerate(({"TRACKWIRE_SPOOL_DIR": elsewhere}, {"TRACKWIRE_TRACKING_URI": elsewhere})):
        train_offline(tmp_path / "work", f"variable-{number}", 3, **variables)
        done = sync("--to", live.address, folder=tmp_path, **variables)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "delivered: 1 run, 3 points"), done.stderr
