"""How often a transfer that broke off is tried again."""

from trackwire.errors import TrackwireError

ATTEMPTS_WITHOUT_PROGRESS_MAX = 8
FIRST_WAIT_SECONDS = 0.1
WAIT_SECONDS_MAX = 2.0


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
