"""Which transfers broke off, and how often one is tried again."""

from trackwire.errors import CancelledError, TrackwireError, UnavailableError

ATTEMPTS_WITHOUT_PROGRESS_MAX = 8
FIRST_WAIT_SECONDS = 0.1
WAIT_SECONDS_MAX = 2.0


def broke_off(error: TrackwireError) -> bool:
    """Whether a call failed for the server's absence alone."""
    # Nobody here cancels without a reason: it is what a server's gRPC says of calls that it stops in.
    return isinstance(error, UnavailableError) or (isinstance(error, CancelledError) and not error.reason)


class Retries:
    """How often to try again, and how long to wait before: without end only while every attempt gets further."""

    def __init__(self) -> None:
        self._attempts = 0
        self._reached = 0

    def wait_seconds(self, error: TrackwireError, reached: int) -> float:
        """The wait before the next attempt; raises the error where enough of them have brought nothing new."""
        if reached > self._reached:
            self._attempts = 0
        self._reached = reached
        self._attempts += 1
        if self._attempts >= ATTEMPTS_WITHOUT_PROGRESS_MAX:
            raise error
        return min(WAIT_SECONDS_MAX, FIRST_WAIT_SECONDS * 2.0 ** (self._attempts - 1))
