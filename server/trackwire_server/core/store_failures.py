"""What a log is told of a store that fails: an outage fails every call, and a line for each would fill a disk."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from trackwire_server.core.errors import StorageFull, StoreCorrupt, StoreUnavailable, TrackwireError

_SECONDS_BETWEEN = 1.0


class ErrorLog(Protocol):
    """The part of a logger that is needed."""

    def error(self, event: str, **values: object) -> object:
        """Writes a line."""


class StoreFailures:
    """Tells of one failure a second for each reason, and how many there were since the one before."""

    def __init__(self, log: ErrorLog, now: Callable[[], float] = time.monotonic):
        """`now` is in seconds."""
        self._log = log
        self._now = now
        self._told: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def tell(self, error: TrackwireError, **where: object) -> None:
        """Tells of an error, if it is the store's."""
        if not isinstance(error, StorageFull | StoreUnavailable | StoreCorrupt):
            return
        now = self._now()
        if now - self._told.get(error.reason, -math.inf) < _SECONDS_BETWEEN:
            self._untold[error.reason] += 1
            return
        self._told[error.reason] = now
        since = self._untold.pop(error.reason, 0)
        more = {"untold_before": since} if since else {}
        self._log.error("store failed", **where, reason=error.reason, error=error.message, **more)
