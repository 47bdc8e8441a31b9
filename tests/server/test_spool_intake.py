"""A server takes in what trainings have left beside its data: all of it, once, and without being held up by it."""

import asyncio
import json
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger
from tests.client.offline_training import train_offline, without_server
from tests.client.shipper.shipping import NO_ADDRESS, begin, finish, log_points, stored_values, until, wait_for_shipper
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.spool.places import is_locked, shipper_lock
from trackwire.v1 import runs_pb2
from trackwire_server import spool_intake
from trackwire_server.spool_intake import SpoolIntake

MakeServer = Callable[..., ServerProcess]
Told = Callable[[str, int], Awaitable[bool]]


@pytest.fixture
def told(log_capture: LogCapture) -> Told:
    """`await told(event, times)`: whether the log has it so often, now or within some seconds, and no more often."""

    async def count(event: str, times: int) -> bool:
        deadline = time.monotonic() + 60
        while (found := [entry["event"] for entry in log_capture.entries].count(event)) < times:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return found == times

    return count


def streams(spool: Path) -> list[str]:
    return sorted(path.name for path in (spool / "streams").glob("*"))


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return not re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_was_logged_before_the_start_is_taken_in_once(make_server_process: MakeServer, tmp_path: Path) -> None:
    spool = train_offline(tmp_path / "work", "r1", 1_000)
    server = make_server_process(data_dir=spool.parent)
    server.start()
    assert until(lambda: not streams(spool))
    assert stored_values(server.address, "r1") == list(range(1_000))
    with Client(server.address) as client:
        assert client.get_run("r1").status == runs_pb2.RUN_STATUS_FINISHED
    assert server.stop() == 0
    # Nothing comes a second time.
    server.start()
    assert stored_values(server.address, "r1") == list(range(1_000))
    assert server.stop() == 0


def test_trainings_begun_while_the_server_runs_are_taken_in(make_server_process: MakeServer, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    server = make_server_process(data_dir=folder / ".trackwire")
    folder.mkdir()
    server.start()
    for number in range(2):
        spool = train_offline(folder, f"r{number}", 10)
        assert until(lambda: not streams(spool))  # noqa: B023 - called at once
        assert stored_values(server.address, f"r{number}") == list(range(10))
    # The second came to the shipper that the first had brought.
    assert server.log_text().count("taking a spool in") == 1
    assert server.stop() == 0


def test_stop_ends_the_shipper_and_is_not_held_up_by_it(make_server_process: MakeServer, tmp_path: Path) -> None:
    server = make_server_process(data_dir=tmp_path / "data")
    spool = tmp_path / "data" / "spool"
    stream = begin(spool, "r1", "")
    # One that it never gets rid of.
    elsewhere = begin(spool, "r2", NO_ADDRESS)
    server.start()
    assert until(lambda: stream.delivered().sequence == 1)
    pid = wait_for_shipper(spool).pid
    assert server.stop() == 0
    # By itself: otherwise it would be killed after 5 s.
    assert " event=ended " in (spool / "shipper.log").read_text()
    assert not is_alive(pid)
    assert not is_locked(shipper_lock(spool))
    for each in (stream, elsewhere):
        each.close()


def test_killed_server_takes_its_shipper_along_and_the_next_one_stores_the_rest_once(
    make_server_process: MakeServer, tmp_path: Path
) -> None:
    spool = tmp_path / "data" / "spool"
    stream = begin(spool, "r1", "", segment_bytes=100_000)
    for begins in range(0, 20_000, 20):
        log_points(stream, range(begins, begins + 20))
    finish(stream)
    server = make_server_process(TRACKWIRE_FAILPOINT="ingest.before_commit:5")
    server.start()
    pid = wait_for_shipper(spool).pid
    assert server.process is not None
    assert server.process.wait(60) == -signal.SIGKILL
    assert until(lambda: not is_alive(pid))
    assert streams(spool)
    second = make_server_process()
    second.start()
    assert until(lambda: not streams(spool), seconds=60)
    assert stored_values(second.address, "r1") == list(range(20_000))
    assert second.stop() == 0


@pytest.mark.parametrize("settings", [("--spool-intake", "off"), ("--store-uri", "memory:")])
def test_spool_is_left_alone_where_that_is_wanted_or_would_lose_it(
    make_server_process: MakeServer, tmp_path: Path, settings: tuple[str, str]
) -> None:
    spool = tmp_path / "data" / "spool"
    stream = begin(spool, "r1", "")
    stream.close()
    server = make_server_process(*settings)
    server.start()
    time.sleep(1.5)
    assert sorted(path.name for path in spool.iterdir()) == ["streams"]
    assert ("would be gone with this server" in server.log_text()) is (settings[1] == "memory:")
    assert server.stop() == 0


def test_spool_that_another_shipper_has_is_taken_in_once_that_one_has_ended(
    make_server_process: MakeServer, tmp_path: Path
) -> None:
    spool = tmp_path / "data" / "spool"
    stream = begin(spool, "r1", "")
    stream.close()
    lock = SpoolLock(spool)
    assert lock.take()
    server = make_server_process()
    server.start()
    time.sleep(1.5)
    assert "taking a spool in" not in server.log_text()
    lock.release()
    assert until(lambda: not streams(spool))
    assert server.stop() == 0


@pytest.fixture
def child_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shippers of this very process find the tree."""
    monkeypatch.setenv("PYTHONPATH", without_server()["PYTHONPATH"])


async def test_idle_shipper_is_not_started_again_before_there_is_something_new(
    child_environment: None, tmp_path: Path, server_process: ServerProcess, log: FilteringBoundLogger, told: Told
) -> None:
    # Nobody can read it: it stays.
    newer = begin(tmp_path / "spool", "r", "")
    newer.close()
    description = newer.place.folder / "stream.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {"format": 99}))
    intake = SpoolIntake(tmp_path / "spool", server_process.address, log, idle_seconds=0.1)
    async with intake.running():
        assert await told("taking a spool in", 1)
        await asyncio.sleep(4)
        assert await told("taking a spool in", 1)
        begin(tmp_path / "spool", "r1", "").close()
        # One that delivers it, and one that finds nothing more.
        assert await told("taking a spool in", 3)
        assert streams(tmp_path / "spool") == [newer.place.writer_id]
        await asyncio.sleep(4)
        assert await told("taking a spool in", 3)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("trackwire.nowhere", "spools are not taken in: the client is not installed"),
        # A package, which can't be run: as a shipper that ends with an error.
        ("trackwire.spool", "the spool's shipper has failed"),
    ],
)
async def test_shipper_that_is_not_there_or_fails_is_told_once(
    child_environment: None,
    tmp_path: Path,
    log: FilteringBoundLogger,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    words: str,
) -> None:
    monkeypatch.setattr(spool_intake, "SHIPPER", module)
    stream = begin(tmp_path / "spool", "r1", "")
    async with SpoolIntake(tmp_path / "spool", NO_ADDRESS, log).running():
        assert await told(words, 1)
        await asyncio.sleep(1.5)
        assert await told(words, 1)
    stream.close()
