"""How long the end of a run waits, by a clock that the test turns."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import FakeClock

from trackwire.errors import ResourceExhaustedError, UnavailableError
from trackwire.fluent import waiting
from trackwire.fluent.settings import Destination
from trackwire.fluent.waiting import ALONE_SECONDS, AWAY_SECONDS, Patience, note_delivery
from trackwire.shipper.absence import AbsenceSign, forget_absences
from trackwire.shipper.lock import SpoolLock

ADDRESS = "host:5051"


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[Destination]:
    """One whose spool has a shipper."""
    lock = SpoolLock(tmp_path)
    assert lock.take()
    yield Destination("online", tmp_path, ADDRESS)
    lock.release()
    waiting._given_up.clear()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now_ms=0)


def patience(destination: Destination | None, clock: FakeClock) -> Patience:
    return Patience(60.0, destination, clock=lambda: clock() / 1_000)


def test_server_that_is_not_known_to_be_away_is_waited_for_until_it_is_late(
    destination: Destination, clock: FakeClock
) -> None:
    waits = patience(destination, clock)
    clock.advance(59_999)
    assert not waits.is_over()
    clock.advance(1)
    assert waits.is_over()
    assert waits.why_over == "its server has not got all of it after 60 s"


def test_server_that_is_away_is_given_up_and_for_the_next_run_at_once(
    destination: Destination, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    sign = AbsenceSign(destination.spool, ADDRESS)
    sign.put_up(UnavailableError("nobody answers"))
    waits = patience(destination, clock)
    assert not waits.is_over()
    clock.advance(round(AWAY_SECONDS * 1_000))
    assert waits.is_over()
    assert waits.why_over == "nobody answers"
    waits.tell("first")
    following = patience(destination, clock)
    assert following.is_over()
    following.tell("second")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"run first: nobody answers; what it has not got is kept in {destination.spool}," in caplog.text
    sign.take_down()
    assert not patience(destination, clock).is_over()
    note_delivery(destination)
    sign.put_up(UnavailableError("nobody answers"))
    assert not patience(destination, clock).is_over()


def test_what_a_server_said_when_it_stopped_is_not_said_of_one_that_is_gone(
    destination: Destination, clock: FakeClock
) -> None:
    sign = AbsenceSign(destination.spool, ADDRESS)
    sign.put_up(UnavailableError("the server is stopping: call again"))
    sign.put_up(UnavailableError("nobody answers"))
    waits = patience(destination, clock)
    clock.advance(round(AWAY_SECONDS * 1_000))
    assert waits.is_over()
    assert waits.why_over == "nobody answers"
    sign.take_down()
    assert not (destination.spool / "away" / ADDRESS).exists()


def test_server_that_has_too_much_to_do_is_there(destination: Destination, clock: FakeClock) -> None:
    sign = AbsenceSign(destination.spool, ADDRESS)
    sign.put_up(UnavailableError("nobody answers"))
    sign.put_up(ResourceExhaustedError("later", reason="OVERLOADED"))
    waits = patience(destination, clock)
    clock.advance(10_000)
    assert not waits.is_over()


def test_next_shipper_knows_nothing_of_what_the_last_one_met(destination: Destination, clock: FakeClock) -> None:
    AbsenceSign(destination.spool, ADDRESS).put_up(UnavailableError("nobody answers"))
    forget_absences(destination.spool)
    waits = patience(destination, clock)
    clock.advance(10_000)
    assert not waits.is_over()


def test_spool_that_nobody_ships_is_given_up(tmp_path: Path, clock: FakeClock) -> None:
    waits = patience(Destination("online", tmp_path, ADDRESS), clock)
    clock.advance(round(ALONE_SECONDS * 1_000) - 1)
    assert not waits.is_over()
    clock.advance(1)
    assert waits.is_over()
    assert f"does not start ({tmp_path / 'shipper.log'} says why)" in waits.why_over


def test_who_asks_for_a_flush_waits_as_long_as_it_says(destination: Destination, clock: FakeClock) -> None:
    AbsenceSign(destination.spool, ADDRESS).put_up(UnavailableError("nobody answers"))
    waits = patience(None, clock)
    clock.advance(59_000)
    assert not waits.is_over()
