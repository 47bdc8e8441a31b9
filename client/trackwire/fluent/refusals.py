"""Tells of what the server refuses: the first time soon, the rest when somebody waits; alike ones together."""

import logging
import threading
import time
from typing import TYPE_CHECKING

from trackwire.fluent.loading import load

if TYPE_CHECKING:
    from trackwire.fluent.run_stream import RunStream
    from trackwire.shipper.rejected import Rejection

logger = logging.getLogger(__name__)

LOOK_INTERVAL_SECONDS = 1.0


class Refusals:
    """Of one stream. From any thread."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._telling = threading.Lock()
        # How many were told of, by kind and reason.
        self._told: dict[tuple[str, str], int] = {}
        self._next_look = 0.0

    def tell_first(self, stream: "RunStream") -> None:
        """Tells as soon as there are any, and then no more; looks at most once a second, at one small file."""
        now = time.monotonic()
        if self._told or now < self._next_look:
            return
        self._next_look = now + LOOK_INTERVAL_SECONDS
        if stream.has_rejections():
            load(("trackwire.shipper.rejected",))
            self.tell(stream)

    def tell(self, stream: "RunStream") -> None:
        """Tells of all that are new, a line for those of a kind and a reason."""
        with self._telling:
            alike: dict[tuple[str, str], list[Rejection]] = {}
            for rejection in stream.rejections():
                alike.setdefault((rejection.kind, rejection.reason or rejection.code), []).append(rejection)
            for key, found in alike.items():
                new = found[self._told.get(key, 0) :]
                if new:
                    self._told[key] = len(found)
                    self._log(new, stream, is_first=len(new) == len(found))

    def _log(self, new: "list[Rejection]", stream: "RunStream", *, is_first: bool) -> None:
        more = "" if len(new) == 1 else f" (and {len(new) - 1:,} more)"
        logger.error(
            "run %s: the server has refused %s record (%s): %s%s; it is kept in %s",
            self._run_id,
            "a" if is_first else "another",
            new[0].kind,
            new[0].message,
            more,
            stream.place.rejected_folder,
        )
