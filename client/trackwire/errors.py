"""What a call can raise. One class for each canonical code; `reason` says exactly what happened.

TrackwireError
├── InvalidArgumentError       a field has a value that it can't have
├── NotFoundError              nothing has this name
├── AlreadyExistsError         something has this name already
├── FailedPreconditionError    the thing is in a state in which this can't be done
├── AbortedError               an order or a checksum does not hold
├── OutOfRangeError            a position lies outside what is there
├── ResourceExhaustedError     a queue, a disk or a size limit is full
├── UnavailableError           the server can't be reached, or is shutting down
├── DeadlineExceededError      no answer in time
├── CancelledError             the call was cancelled
├── UnimplementedError         the server does not know this call: it is older than the client
├── PermissionDeniedError      not allowed
├── UnauthenticatedError       not known
├── InternalError              a bug in the server; its log has the details
└── DataLossError              stored bytes are not what was written
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

# Where MLflow has another word. It has none for a thing in the wrong state: there a bad value is what its server says.
_MLFLOW_CODES: Mapping[str, str] = {
    "ALREADY_EXISTS": "RESOURCE_ALREADY_EXISTS",
    "FAILED_PRECONDITION": "INVALID_PARAMETER_VALUE",
    "INTERNAL": "INTERNAL_ERROR",
    "INVALID_ARGUMENT": "INVALID_PARAMETER_VALUE",
    "NOT_FOUND": "RESOURCE_DOES_NOT_EXIST",
    "OUT_OF_RANGE": "INVALID_PARAMETER_VALUE",
    "UNAVAILABLE": "TEMPORARILY_UNAVAILABLE",
    "UNIMPLEMENTED": "NOT_IMPLEMENTED",
    "UNKNOWN": "INTERNAL_ERROR",
}


class FieldViolation(NamedTuple):
    """One field at fault: its path in the request and what is wrong with it."""

    field: str
    description: str


class TrackwireError(Exception):
    """The root. `str()` names the field, the value and the limit; the attributes are for programs.

    `reason` is stable, in UPPER_SNAKE_CASE, and empty where the server gave none. `retry_after_seconds` is set where
    the same call may be sent again after so long. `request_id` is the id under which the server's log has the request;
    empty where no server answered.
    """

    code: ClassVar[str] = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: Sequence[FieldViolation] = (),
        retry_after_seconds: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.field_violations = tuple(field_violations)
        self.retry_after_seconds = retry_after_seconds
        self.request_id = request_id

    @property
    def error_code(self) -> str:
        """The code as MLflow spells it."""
        return _MLFLOW_CODES.get(self.code, self.code)

    def __str__(self) -> str:
        text = self.message
        for violation in self.field_violations:
            if violation.field in self.message:
                continue
            # The server may describe a violation by the message itself: then only the field is news.
            described = violation.description in self.message
            news = violation.field if described else f"{violation.field}: {violation.description}"
            text = f"{text} ({news})"
        limit = self.metadata.get("limit")
        if limit and limit not in text.replace(",", ""):
            text = f"{text} (the limit is {limit})"
        return text


class InvalidArgumentError(TrackwireError):
    """A field has a value that it can't have."""

    code = "INVALID_ARGUMENT"


class NotFoundError(TrackwireError):
    """Nothing has this name."""

    code = "NOT_FOUND"


class AlreadyExistsError(TrackwireError):
    """Something has this name already."""

    code = "ALREADY_EXISTS"


class FailedPreconditionError(TrackwireError):
    """The thing is in a state in which this can't be done."""

    code = "FAILED_PRECONDITION"


class AbortedError(TrackwireError):
    """An order or a checksum does not hold; nothing was stored."""

    code = "ABORTED"


class OutOfRangeError(TrackwireError):
    """A position lies outside what is there."""

    code = "OUT_OF_RANGE"


class ResourceExhaustedError(TrackwireError):
    """A queue, a disk or a size limit is full; with `retry_after_seconds` the same call may be sent again."""

    code = "RESOURCE_EXHAUSTED"


class UnavailableError(TrackwireError):
    """The server can't be reached, or is shutting down."""

    code = "UNAVAILABLE"


class DeadlineExceededError(TrackwireError):
    """No answer in time; whether the call was carried out is not known."""

    code = "DEADLINE_EXCEEDED"


class CancelledError(TrackwireError):
    """The call was cancelled."""

    code = "CANCELLED"


class UnimplementedError(TrackwireError):
    """The server does not know this call: it is older than the client."""

    code = "UNIMPLEMENTED"


class PermissionDeniedError(TrackwireError):
    """Not allowed."""

    code = "PERMISSION_DENIED"


class UnauthenticatedError(TrackwireError):
    """Not known."""

    code = "UNAUTHENTICATED"


class InternalError(TrackwireError):
    """A bug in the server; its log has the details."""

    code = "INTERNAL"


class DataLossError(TrackwireError):
    """Stored bytes are not what was written."""

    code = "DATA_LOSS"


ERRORS_BY_CODE: Mapping[str, type[TrackwireError]] = {
    error.code: error
    for error in (
        InvalidArgumentError,
        NotFoundError,
        AlreadyExistsError,
        FailedPreconditionError,
        AbortedError,
        OutOfRangeError,
        ResourceExhaustedError,
        UnavailableError,
        DeadlineExceededError,
        CancelledError,
        UnimplementedError,
        PermissionDeniedError,
        UnauthenticatedError,
        InternalError,
        DataLossError,
    )
}
