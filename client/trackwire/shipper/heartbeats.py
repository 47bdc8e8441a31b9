"""The heartbeats of runs whose processes open no socket.

writer holds its lock ──▶ HeartbeatRun, one for each run ──▶ stop_requested ──▶ `stop` in the folders of its streams
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from trackwire.client.connection import Connection
from trackwire.shipper.delivery import StreamDelivery
from trackwire.shipper.pulse import Pulse
from trackwire.spool.places import StreamPlace

logger = logging.getLogger(__name__)

# By its server and its id: ranks and forked children have streams of their own into the same run.
_Run: TypeAlias = tuple[Connection, str]


class Heartbeats:
    """Beats for each run that the server knows by now, as long as any of its writers lives. Never waits."""

    def __init__(self, interval_seconds: float) -> None:
        self.has_living_writers = False
        self._interval_seconds = interval_seconds
        self._pulses: dict[_Run, Pulse] = {}
        # Runs of which the server won't hear, for the rest of this life.
        self._refused: set[_Run] = set()
        self._failure_told: set[str] = set()

    def look_over(self, streams: Iterable[StreamDelivery]) -> None:
        """Looks who lives, beats where it is due, and passes on what was heard."""
        living = [stream for stream in streams if _has_living_writer(stream.place)]
        self.has_living_writers = bool(living)
        runs: dict[_Run, list[StreamPlace]] = defaultdict(list)
        for stream in living:
            if stream.has_begun:
                runs[stream.connection, stream.place.run_id].append(stream.place)
        self._pulses = {run: self._pulses.get(run) or self._new_pulse(run) for run in runs if run not in self._refused}
        for run, pulse in self._pulses.items():
            if pulse.refusal is not None:
                self._refused.add(run)
                _log(logging.WARNING, "heartbeats_refused", run=run[1], address=run[0].address, error=pulse.refusal)
                continue
            pulse.beat_if_due()
            if pulse.stop_requested:
                self._pass_on_stop(runs[run])

    def _new_pulse(self, run: _Run) -> Pulse:
        connection, run_id = run
        return Pulse(connection, run_id, interval_seconds=self._interval_seconds)

    def _pass_on_stop(self, places: Iterable[StreamPlace]) -> None:
        for place in places:
            if place.stop_requested:
                continue
            try:
                place.stop_path.touch()
            except OSError as error:
                # Tried again at the next look.
                if place.writer_id not in self._failure_told:
                    self._failure_told.add(place.writer_id)
                    _log(logging.ERROR, "stop_not_passed_on", stream=place.writer_id, error=error)
            else:
                _log(logging.INFO, "stop_requested", stream=place.writer_id, run=place.run_id)


def _has_living_writer(place: StreamPlace) -> bool:
    try:
        return place.writer_lives
    except OSError:
        # Its delivery meets the same, and tells.
        return False


def _log(level: int, event: str, **fields: object) -> None:
    logger.log(level, event, extra={"fields": fields})
