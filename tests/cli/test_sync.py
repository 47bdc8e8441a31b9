"""`trackwire sync`: what was logged without a server gets to one, once, and whoever waits sees how."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.syncing import refuse_one, sync, syncing
from tests.client.offline_training import train_offline, without_server
from tests.client.shipper.shipping import (
    NO_ADDRESS,
    begin,
    finish,
    log_points,
    spool_file,
    stored_values,
    until,
    wait_for_shipper,
)
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.v1 import runs_pb2

MakeServer = Callable[..., ServerProcess]


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
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert said.splitlines() == [f"trackwire: run {run_id}: 2 points are delivered" for run_id in ("first", "second")]
    assert printed.splitlines()[-1].startswith("delivered: ")


def test_interrupted_sync_leaves_the_rest_in_the_spool(spool: Path, tmp_path: Path) -> None:
    stream = begin(spool, "left", "")
    stream.close()
    with syncing("--to", NO_ADDRESS, "--timeout-seconds", "60", folder=tmp_path) as process:
        wait_for_shipper(spool)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
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
    done = subprocess.run(command, cwd=tmp_path, env=without_server(), capture_output=True, text=True, timeout=60)
    lock.release()
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert f"not delivered: 1 run for {NO_ADDRESS}\n" in done.stdout


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
