"""Which failures pass, and how long to wait for it."""

import random

from trackwire.errors import (
    AbortedError,
    CancelledError,
    DeadlineExceededError,
    InternalError,
    ResourceExhaustedError,
    TrackwireError,
    UnavailableError,
)

BACKOFF_SECONDS_FIRST = 0.1
BACKOFF_SECONDS_MAX = 5.0


def passes(error: TrackwireError) -> bool:
    """Whether the same request can succeed later."""
    if isinstance(error, ResourceExhaustedError):
        # Without a time to come back it is the request itself that is too large.
        return error.retry_after_seconds is not None
    return isinstance(error, UnavailableError | DeadlineExceededError)


def is_sequence_gap(error: TrackwireError) -> bool:
    """Whether a stamped request came before the one that it names as its predecessor."""
    return isinstance(error, AbortedError) and error.reason == "SEQUENCE_GAP"


def is_unclear(error: TrackwireError) -> bool:
    """Whether nobody can say if the request was carried out, or ever will be."""
    return isinstance(error, InternalError | CancelledError) or type(error) is TrackwireError


def backoff_seconds(failures_in_a_row: int, error: TrackwireError) -> float:
    """How long to wait: longer each time, not before the server wants it, and not all ranks of a job at once."""
    longest = min(BACKOFF_SECONDS_FIRST * 2.0 ** min(failures_in_a_row, 10), BACKOFF_SECONDS_MAX)
    return max(longest * random.uniform(0.5, 1.0), error.retry_after_seconds or 0.0)
