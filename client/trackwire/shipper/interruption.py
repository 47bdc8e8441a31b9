"""A signal's word to end, for whoever looks now and then."""

import time

_LOOK_SECONDS = 0.05


class Interruption:
    """What an Event would say, without its lock: a handler runs in the middle of whatever its thread does.

    Where that is `Event.wait`, or the `set` of the same signal (`timeout` sends it twice), the lock is taken and its
    holder never goes on.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        """Says it; from a signal's handler too."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether it was said."""
        return self._is_set

    def wait(self, timeout_seconds: float) -> None:
        """Until it is said, or so long."""
        deadline = time.monotonic() + timeout_seconds
        while not self._is_set and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_SECONDS))
