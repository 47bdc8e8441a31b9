"""Whether somebody asked a run to stop: its shipper hears it from the server, and says so in the stream's folder."""

import time
from collections.abc import Callable

from trackwire.spool.places import StreamPlace

# A training may ask at every step; the shipper looks no more often.
LOOK_INTERVAL_SECONDS = 0.5


class StopSign:
    """Looks at most every half second, and once it is up it stays so."""

    def __init__(self, place: StreamPlace, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._clock = clock
        self._is_up = False
        self._next_look = float("-inf")

    def is_up(self) -> bool:
        """Whether the run was asked to stop; never waits for a server. From any thread."""
        if not self._is_up and (now := self._clock()) >= self._next_look:
            self._next_look = now + LOOK_INTERVAL_SECONDS
            self._is_up = self._place.stop_requested
        return self._is_up
