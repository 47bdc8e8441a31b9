"""What drivers raise, in the domain's words; the only place that translates.

What stands in the way of the server's own store is an outage, whoever has to end it: uploads wait for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trackwire_server.core.errors import Aborted, StorageFull, StoreRefuses, StoreUnavailable, TrackwireError
from trackwire_server.stores.remote.drive import Fault, FaultOf

SAID_CHARACTERS_MAX = 500


class Absent(Exception):
    """Nothing is at this path: never leaves this package."""


class Replaced(Exception):
    """Another file is at this path than the one that was meant: never leaves this package."""


class CallFailed(StoreUnavailable):
    """The call was answered, but refused; the connection goes on."""


class Refusal(Exception):
    """What a drive refuses by itself, such as a host key that nobody knows; its text goes to whoever asked."""


@contextmanager
def errors_translated(where: str, operation: str, fault_of: FaultOf) -> Iterator[None]:
    """Turns what a driver raises into the domain's errors, and into Absent."""
    try:
        yield
    except (TrackwireError, Absent, Replaced):
        raise
    except Refusal as error:
        raise StoreRefuses(f"{where}: {operation}: {error}", metadata=_metadata(where, operation)) from error
    except Exception as error:
        # Drivers raise what they like.
        fault, said = fault_of(error)
        raise _translated(where, operation, fault, said or type(error).__name__) from error


def _translated(where: str, operation: str, fault: Fault, said: str) -> Exception:
    # Some drivers say what they have tried, line by line.
    first_line = said.strip().partition("\n")[0][:SAID_CHARACTERS_MAX]
    message, metadata = f"{where}: {operation}: {first_line}", _metadata(where, operation)
    match fault:
        case Fault.ABSENT:
            return Absent(said)
        case Fault.FULL:
            return StorageFull(where)
        case Fault.REFUSED:
            return StoreRefuses(message, metadata=metadata)
        case Fault.FAILED:
            return CallFailed(message, metadata=metadata)
    return StoreUnavailable(message, metadata=metadata)


def _metadata(where: str, operation: str) -> dict[str, object]:
    return {"where": where, "operation": operation}


def replaced_meanwhile(path: str) -> Aborted:
    """A file that was being read is another one, or gone."""
    return Aborted(
        f"path: {path!r} was replaced or deleted while it was read: download it from the start",
        reason="ARTIFACT_CHANGED",
        metadata={"field": "path", "value": path},
    )


def broken_off(where: str, path: str, at: int, size_bytes: int) -> StoreUnavailable:
    """A file ended too early."""
    return StoreUnavailable(f"{where}: read: {path!r} broke off at {at:,} of its {size_bytes:,} bytes")


def is_answered(error: BaseException) -> bool:
    """Whether the connection is still of use after an error."""
    if isinstance(error, StoreUnavailable):
        return isinstance(error, CallFailed | StoreRefuses)
    return isinstance(error, TrackwireError | Absent | Replaced)
