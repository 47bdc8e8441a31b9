"""Servers and shippers are killed over and over while streams are written: every point is stored, once, in order."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.client.shipper.shipping import (
    Shipper,
    begin,
    finish,
    log_params,
    log_points,
    set_tags,
    spool_file,
    stored_values,
    until,
)
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.shipper.rejected import read_rejections
from trackwire.spool.delivered import Delivered
from trackwire.spool.places import is_locked, shipper_lock
from trackwire.spool.stream import SpoolStream
from trackwire.v1 import runs_pb2

KILLS = 10
POINTS_PER_RECORD = 20
# Small, so that shippers also die while they delete.
SEGMENT_BYTES = 64 * 1024
FILE = os.urandom(3 * 1024 * 1024)

MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def shipper(tmp_path: Path) -> Iterator[Shipper]:
    folder = tmp_path / "spool"
    folder.mkdir()
    shipper = Shipper(folder)
    yield shipper
    shipper.kill_all()


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("TRACKWIRE_TEST_SEED", "") or random.randrange(2**32))
    print(f"TRACKWIRE_TEST_SEED={seed}")
    return random.Random(seed)


class Trainer:
    """Writes a stream until it is told to end: points that count up, now and then a tag and a file."""

    def __init__(self, stream: SpoolStream) -> None:
        self.stream = stream
        self.points = 0
        self.tag = ""
        self.files: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Ends the run, and the stream; a second time does nothing."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join()
        finish(self.stream)

    def _run(self) -> None:
        records = 0
        while not self._ending.wait(0.001):
            log_points(self.stream, range(self.points, self.points + POINTS_PER_RECORD))
            self.points += POINTS_PER_RECORD
            records += 1
            if records % 50 == 0:
                self.tag = str(records)
                set_tags(self.stream, records=self.tag)
            if records % 400 == 0:
                self.files.append(f"file{records}")
                spool_file(self.stream, str(records), FILE, self.files[-1])

    def check(self, address: str) -> None:
        """What the server has is what was written."""
        run_id = self.stream.place.run_id
        # The read orders by step, so doubled points would stand beside each other.
        assert stored_values(address, run_id) == list(range(self.points))
        with Client(address) as client:
            run = client.get_run(run_id)
            assert run.status == runs_pb2.RUN_STATUS_FINISHED
            assert run.tags["records"] == self.tag
            assert {artifact.path for artifact in client.list_artifacts(run_id)} == set(self.files)
            for path in self.files:
                assert client.read_artifact(run_id, path) == FILE


def begin_trainers(shipper: Shipper, address: str) -> list[Trainer]:
    return [
        Trainer(begin(shipper.spool, run_id, address, segment_bytes=SEGMENT_BYTES)) for run_id in ("run-a", "run-b")
    ]


def end_and_check(trainers: list[Trainer], shipper: Shipper, address: str) -> None:
    for trainer in trainers:
        trainer.end()
    assert until(lambda: not any(trainer.stream.place.folder.exists() for trainer in trainers), seconds=60)
    assert shipper.end() == 0
    for trainer in trainers:
        trainer.check(address)
    for event in ("refused", "damaged", "server_forgot", "stream_failed"):
        assert not shipper.events(event), shipper.events(event)
    print(
        f"{sum(trainer.points for trainer in trainers):,} points, {sum(len(t.files) for t in trainers)} files: all once"
    )


@pytest.mark.slow
def test_points_arrive_once_over_ten_kills_of_the_server(
    make_server_process: MakeServer, shipper: Shipper, chance: random.Random
) -> None:
    arguments = ("--port", str(free_port()))
    server = make_server_process(*arguments)
    address = server.start()
    trainers = begin_trainers(shipper, address)
    shipper.start("--watch")
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.8))
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL, server.log_text()
        time.sleep(chance.uniform(0.0, 0.3))
        server = make_server_process(*arguments)
        assert server.start() == address
    end_and_check(trainers, shipper, address)


@pytest.mark.slow
def test_points_arrive_once_over_ten_kills_of_the_shipper(
    server_process: ServerProcess, shipper: Shipper, chance: random.Random
) -> None:
    trainers = begin_trainers(shipper, server_process.address)
    for _ in range(KILLS):
        shipper.start("--watch")
        time.sleep(chance.uniform(0.3, 1.2))
        assert shipper.end(signal.SIGKILL) == -signal.SIGKILL
    shipper.start("--watch")
    end_and_check(trainers, shipper, server_process.address)


@pytest.mark.slow
def test_each_refused_record_is_kept_and_counted_once_over_kills_of_the_shipper(
    server_process: ServerProcess, shipper: Shipper, chance: random.Random
) -> None:
    stream = begin(shipper.spool, "run-a", server_process.address, segment_bytes=SEGMENT_BYTES)
    log_params(stream, lr="0")
    refused = []
    for number in range(3_000):
        log_points(stream, [number])
        if number % 10 == 5:
            log_params(stream, lr=str(number))
            refused.append(stream.last_sequence)
    for _ in range(KILLS):
        shipper.start("--watch")
        time.sleep(chance.uniform(0.3, 0.7))
        assert shipper.end(signal.SIGKILL) == -signal.SIGKILL
    assert shipper.run("--once", "--timeout-seconds", "60") == 0
    assert [rejection.sequence for rejection in read_rejections(stream.place)] == refused
    assert stream.delivered() == Delivered(stream.last_sequence, 3_000, len(refused))
    assert stored_values(server_process.address, "run-a") == list(range(3_000))
    assert not shipper.events("server_forgot")
    stream.close()


def test_stop_lets_what_is_under_way_settle_and_loses_nothing(server_process: ServerProcess, shipper: Shipper) -> None:
    trainers = begin_trainers(shipper, server_process.address)
    for _ in range(3):
        shipper.start("--watch")
        # Before it has the spool it does not hear of a signal yet.
        assert until(lambda: is_locked(shipper_lock(shipper.spool)))
        time.sleep(0.3)
        assert shipper.end(signal.SIGTERM) == 0
    shipper.start("--watch")
    end_and_check(trainers, shipper, server_process.address)


def test_server_that_was_away_all_the_time_gets_everything(make_server_process: MakeServer, shipper: Shipper) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    trainers = begin_trainers(shipper, address)
    shipper.start("--watch")
    time.sleep(2)
    for trainer in trainers:
        trainer.end()
    assert all(trainer.stream.delivered().sequence == 0 for trainer in trainers)
    server = make_server_process("--port", str(port))
    assert server.start() == address
    end_and_check(trainers, shipper, address)


def test_server_whose_store_is_replaced_is_told_of_and_delivered_on(
    make_server_process: MakeServer, shipper: Shipper, tmp_path: Path
) -> None:
    port = str(free_port())
    first = make_server_process("--port", port)
    stream = begin(shipper.spool, "run-a", first.start())
    log_points(stream, [0])
    log_points(stream, [1])
    assert shipper.run("--once", "--timeout-seconds", "20") == 0
    first.stop()
    second = make_server_process("--port", port, data_dir=tmp_path / "another")
    address = second.start()
    with Client(address) as client:
        client.create_run(run_id="run-a")
    log_points(stream, [2])
    stream.close()
    assert shipper.run("--once", "--timeout-seconds", "20") == 0
    assert stored_values(address, "run-a") == [2]
    (line,) = shipper.events("server_forgot")
    assert "has acknowledged request 3" in line
