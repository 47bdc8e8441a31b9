"""`trackwire sync` and what a server has refused: it is shown, and removed or sent again as one says."""

import json
import os
from pathlib import Path

from tests.cli.syncing import refuse_one, sync
from tests.client.shipper.shipping import (
    begin,
    finish,
    log_params,
    log_points,
    stored_values,
)
from tests.client.training import spool_of, train, training_folder
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.v1 import runs_pb2

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
