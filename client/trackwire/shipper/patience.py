"""What a shipper waits out: all that says nothing about the record itself."""

from trackwire.client.retry import passes
from trackwire.errors import PermissionDeniedError, TrackwireError, UnauthenticatedError, UnimplementedError


def waits_out(error: TrackwireError) -> bool:
    """Whether the same record can be taken later.

    Who says such things without giving a reason isn't a Trackwire server but something in its place or before it; the
    spool must not be emptied into that.
    """
    if passes(error):
        return True
    return not error.reason and isinstance(error, UnimplementedError | PermissionDeniedError | UnauthenticatedError)
