"""From the status of a failed call to an exception: the inverse of the server's error table."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import grpc
from google.protobuf.message import DecodeError

from trackwire.access import CA_VARIABLES, CERTIFICATE_VARIABLES
from trackwire.address import ADDRESS_VARIABLE, DEFAULT_PORT, TLS_SCHEME, speaks_tls
from trackwire.errors import ERRORS_BY_CODE, FieldViolation, TrackwireError
from trackwire.internal.v1 import errors_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

_DETAILS_TRAILER = "grpc-status-details-bin"
_TYPE_PREFIX = "type.googleapis.com/google.rpc."
_DOMAIN = "trackwire"
# Of a connection that the other side ends before it has said a word: which of them depends on the moment.
_HUNG_UP = ("Socket closed", "Connection reset by peer", "Broken pipe")


@dataclass(slots=True)
class _Details:
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    violations: list[FieldViolation] = field(default_factory=list)
    retry_after_seconds: float | None = None
    request_id: str = ""


def error_from_rpc(error: grpc.RpcError, address: str) -> TrackwireError:
    """The exception for a failed call to the server at `address`."""
    details = _details_of(error)
    code = error.code().name
    message = error.details() or code
    if not details.reason:
        # Without an ErrorInfo it was not the server that spoke, but gRPC itself.
        message = _explained(code, message, address)
    return ERRORS_BY_CODE.get(code, TrackwireError)(
        message,
        reason=details.reason,
        metadata=details.metadata,
        field_violations=details.violations,
        retry_after_seconds=details.retry_after_seconds,
        request_id=details.request_id,
    )


def _explained(code: str, message: str, address: str) -> str:
    match code:
        case "UNAVAILABLE":
            return _unavailable(message, address)
        case "DEADLINE_EXCEEDED":
            return f"{address} did not answer in time ({message})"
        case "UNIMPLEMENTED":
            return f"{address} does not know this call: it is no Trackwire server, or an older one ({message})"
        case _:
            return message


def _unavailable(message: str, address: str) -> str:
    # gRPC has one code for all that is wrong with a connection; these are words of its own.
    if "http1.x server" in message:
        return f"{address} speaks HTTP: a server has another port for gRPC, {DEFAULT_PORT} by default ({message})"
    if "WRONG_VERSION_NUMBER" in message:
        return f"{address} does not speak TLS: its server has no --tls-cert, or a proxy before it may ({message})"
    if "CERTIFICATE_VERIFY_FAILED" in message or "Hostname Verification" in message:
        return f"the certificate of {address} is not trusted: {CA_VARIABLES[0]} names whom to trust ({message})"
    if "failed to connect" in message and any(words in message for words in _HUNG_UP):
        hint = (
            f"it may ask for a certificate, which {CERTIFICATE_VARIABLES[0]} names"
            if speaks_tls(address)
            else f"if it speaks TLS, name it by {TLS_SCHEME}{address}"
        )
        return f"{address} closes the connection: {hint} ({message})"
    return (
        f"no Trackwire server answers at {address} ({message}); start one with `trackwire server`, or say where it is"
        f" with {ADDRESS_VARIABLE} (for mlflow MLFLOW_TRACKING_URI) or the address"
    )


def _details_of(error: grpc.RpcError) -> _Details:
    details = _Details()
    # Pairs in both of gRPC's dialects, but only one of them names their fields.
    for key, value in cast("Iterable[tuple[str, bytes]]", error.trailing_metadata() or ()):
        if key != _DETAILS_TRAILER:
            continue
        try:
            for packed in errors_pb2.Status.FromString(value).details:
                _add(details, packed.type_url, packed.value)
        except DecodeError:
            # A proxy may mangle trailers; the code and the message still stand.
            continue
    return details


def _add(details: _Details, type_url: str, value: bytes) -> None:
    match type_url.removeprefix(_TYPE_PREFIX):
        case "ErrorInfo":
            info = errors_pb2.ErrorInfo.FromString(value)
            # Another service's reasons are none of ours.
            if info.domain == _DOMAIN:
                details.reason = info.reason
                details.metadata.update(info.metadata)
        case "BadRequest":
            details.violations += [
                FieldViolation(violation.field, violation.description)
                for violation in errors_pb2.BadRequest.FromString(value).field_violations
            ]
        case "RetryInfo":
            delay = errors_pb2.RetryInfo.FromString(value).retry_delay
            details.retry_after_seconds = delay.seconds + delay.nanos / 1e9
        case "RequestInfo":
            details.request_id = errors_pb2.RequestInfo.FromString(value).request_id
