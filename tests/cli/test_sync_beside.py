"""`trackwire sync` beside another shipper of the spool, and runs that name a server which is none."""

import os
from pathlib import Path

from tests.cli.syncing import sync, syncing
from tests.client.offline_training import train_offline
from tests.client.shipper.shipping import (
    NO_ADDRESS,
    Shipper,
    begin,
    finish,
    log_points,
    stored_values,
    wait_for_shipper,
)
from tests.client.training import ended, line_of, spool_of, start, training_folder, wait_until_delivered
from tests.conftest import ServerProcess

GOES_ON = """
import os, trackwire
with trackwire.start_run(run_id=os.environ.get("RUN_ID")):
    trackwire.log_metric("loss", 1.0)
    print("begun", flush=True)
    input()
    trackwire.log_metric("loss", 2.0)
"""


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
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed.endswith("delivered: 1 run, 1 point\n")
    assert stored_values(live.address, "followed") == [1]


def test_shipper_that_waits_for_a_server_that_is_away_is_asked_to_go_and_trainings_start_another(
    live: ServerProcess, tmp_path: Path
) -> None:
    with training_folder(tmp_path) as folder:
        spool = train_offline(folder, "nameless", 10)
        with start(folder, GOES_ON, NO_ADDRESS) as training:
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
        with start(folder, GOES_ON, NO_ADDRESS, {"RUN_ID": "redirected"}) as training:
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
