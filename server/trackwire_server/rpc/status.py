"""THE error table: what each of core's errors is on the wire.

A status has one google.rpc.ErrorInfo (domain "trackwire"), a BadRequest where a field is at fault, and a RetryInfo
where the same call may be sent again, and a RequestInfo.
"""

from collections.abc import Mapping, Sequence

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from trackwire_server.core import errors
from trackwire_server.core.request_ids import HEADER

DOMAIN = "trackwire"
STATUS_TRAILER = "grpc-status-details-bin"

CODES: Mapping[type[errors.TrackwireError], grpc.StatusCode] = {
    errors.TrackwireError: grpc.StatusCode.INTERNAL,
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.AnswerTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StorageFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.StoreCorrupt: grpc.StatusCode.DATA_LOSS,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
}

# Clients drop trailers past 8 KiB. The message goes there twice, percent-encoded and in base64, beside the details.
MESSAGE_BYTES_MAX = 1_024
DESCRIPTION_BYTES_MAX = 512
METADATA_VALUE_BYTES_MAX = 256


def code_of(error: errors.TrackwireError) -> grpc.StatusCode:
    """The canonical code of an error: that of the nearest class in its MRO."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def status_of(error: errors.TrackwireError) -> Status:
    """An error as google.rpc.Status."""
    message = _cut(error.message, MESSAGE_BYTES_MAX)
    metadata = {key: _cut(value, METADATA_VALUE_BYTES_MAX) for key, value in error.metadata.items()}
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)]
    if "field" in metadata:
        details.append(_bad_request(metadata["field"], message))
    retry_seconds = errors.retry_seconds_of(error)
    if retry_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(round(retry_seconds * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return _status(code_of(error), message, details)


def internal_status(error_id: str) -> Status:
    """The neutral answer to what should not have happened; the server's log has the rest under this id."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"error_id": error_id})
    message = f"internal error {error_id}: the server's log tells more under this id"
    return _status(grpc.StatusCode.INTERNAL, message, [info])


def stopping_status() -> Status:
    """Ends a stream that would go on for ever: the client resumes it at another server, or at this one's successor."""
    info = error_details_pb2.ErrorInfo(reason="SERVER_STOPPING", domain=DOMAIN)
    retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1))
    return _status(grpc.StatusCode.UNAVAILABLE, "the server is stopping: call again", [info, retry])


def unimplemented_status(reason: str, message: str) -> Status:
    """The answer to a call that no handler can take."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    return _status(grpc.StatusCode.UNIMPLEMENTED, _cut(message, MESSAGE_BYTES_MAX), [info])


def trailers_of(status: Status, request_id: str) -> tuple[tuple[str, str | bytes], ...]:
    """The trailing metadata that carries a status, with the id of the request that it answers among its details."""
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return ((HEADER, request_id), (STATUS_TRAILER, status.SerializeToString()))


def _bad_request(field: str, message: str) -> error_details_pb2.BadRequest:
    description = _cut(message.removeprefix(f"{field}: "), DESCRIPTION_BYTES_MAX)
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    return error_details_pb2.BadRequest(field_violations=[violation])


def _status(code: grpc.StatusCode, message: str, details: Sequence[Message]) -> Status:
    status = Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _cut(text: str, bytes_max: int) -> str:
    encoded = text.encode(errors="replace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    return encoded[: bytes_max - len("…".encode())].decode(errors="ignore") + "…"
