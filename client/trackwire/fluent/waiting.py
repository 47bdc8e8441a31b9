"""How long the end of a run waits for its server: as long as that answers, and a moment where it can't be reached."""

import logging
import time
from collections.abc import Callable

from trackwire.fluent.settings import Destination

logger = logging.getLogger(__name__)

# Long enough for a shipper that has just been started to find a server that is there.
AWAY_SECONDS = 2.0
# Loading gRPC takes half a second, and many times that where all ranks of a job do it at once.
ALONE_SECONDS = 15.0
_LOOK_SECONDS = 1.0

# Servers on which a run was given up already: the next one has no better chance.
_given_up: set[Destination] = set()


class Patience:
    """Of one wait, which may be for many runs. `destination`: whose server is not waited for while it is away."""

    def __init__(
        self,
        timeout_seconds: float,
        destination: Destination | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.why_over = ""
        self._timeout_seconds = timeout_seconds
        self._destination = destination
        self._clock = clock
        self._began = self._next_look = self._shipped = clock()

    def is_over(self) -> bool:
        """Whether waiting longer is not worth it; `why_over` then says why."""
        if not self.why_over:
            self.why_over = self._why_over()
        return bool(self.why_over)

    def tell(self, run_id: str) -> None:
        """Says that a run was not waited for any longer: of a server that is away once, for all its runs."""
        if self._destination is None:
            return
        if self._destination not in _given_up:
            logger.warning(
                "run %s: %s; what it has not got is kept in %s, and is sent on as soon as it answers;"
                " so it is with other runs, and `trackwire sync` sends them too",
                run_id,
                self.why_over,
                self._destination.spool,
            )
        _given_up.add(self._destination)

    def _why_over(self) -> str:
        waited = self._clock() - self._began
        if waited >= self._timeout_seconds:
            return f"its server has not got all of it after {self._timeout_seconds:g} s"
        if self._destination is None:
            return ""
        # Not before there is something to wait for: a process that starts a run has not loaded it.
        from trackwire.spool.places import absence_of

        away = absence_of(self._destination.spool, self._destination.address)
        if away is not None and (waited >= AWAY_SECONDS or self._destination in _given_up):
            return away or f"{self._destination.address} does not answer"
        return self._why_alone(self._destination)

    def _why_alone(self, destination: Destination) -> str:
        from trackwire.fluent.shipping import LOG_NAME
        from trackwire.spool.places import is_locked, shipper_lock

        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            if is_locked(shipper_lock(destination.spool)):
                self._shipped = now
        if now - self._shipped < ALONE_SECONDS:
            return ""
        return f"the process that sends it on does not start ({destination.spool / LOG_NAME} says why)"


def note_delivery(destination: Destination) -> None:
    """The server answers: it is worth waiting for again."""
    _given_up.discard(destination)
