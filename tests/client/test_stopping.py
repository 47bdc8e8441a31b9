"""A training's look at whether it should stop."""

from pathlib import Path

from tests.conftest import FakeClock

from trackwire.fluent.stopping import StopSign
from trackwire.spool.stream import SpoolStream


def test_stop_sign_is_looked_at_every_half_second_and_stays_up(tmp_path: Path) -> None:
    stream = SpoolStream.create(tmp_path, run_id="run-1", tracking_uri="")
    clock = FakeClock(now_ms=0)
    sign = StopSign(stream.place, clock=lambda: clock() / 1000)
    assert not sign.is_up()
    stream.place.stop_path.touch()
    clock.advance(499)
    assert not sign.is_up()
    clock.advance(1)
    assert sign.is_up()
    # A stream that is complete and delivered is removed.
    stream.place.stop_path.unlink()
    clock.advance(1000)
    assert sign.is_up()
    stream.close()


def test_stop_sign_of_a_stream_that_is_gone_is_down(tmp_path: Path) -> None:
    stream = SpoolStream.create(tmp_path / "spool", run_id="run-1", tracking_uri="")
    stream.close()
    (tmp_path / "spool").rename(tmp_path / "elsewhere")
    assert not StopSign(stream.place).is_up()
