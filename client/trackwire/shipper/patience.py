"""What a shipper waits out: all that says nothing about the record itself."""

from trackwire.client.retry import passes
from trackwire.errors import PermissionDeniedError, TrackwireError, UnauthenticatedError


def waits_out(error: TrackwireError) -> bool:
    """Whether the same record can be taken later.

    A token that does not count says nothing about what it came with: a better one may come.
    Who says no without giving a reason isn't a Trackwire server but something in its place or before it; the spool
    must not be emptied into that.
    """
    return passes(error) or not error.reason or isinstance(error, UnauthenticatedError | PermissionDeniedError)


def why_waiting(error: TrackwireError, address: str) -> str:
    """What is told while it is waited out."""
    if passes(error) or error.reason or address in error.message:
        return str(error)
    return f"{address} answers {error.code} as no Trackwire server does ({error})"
