"""What a call that must fail says."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from trackwire_server.rpc.status import STATUS_TRAILER


@dataclass(frozen=True, slots=True)
class Refusal:
    """The canonical code, the ErrorInfo, the fields at fault and the time to wait."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str]
    fields: tuple[str, ...]
    retry_seconds: float | None


def refusal_in(error: grpc.aio.AioRpcError) -> Refusal:
    """From an error's trailers."""
    status = Status.FromString(dict(error.trailing_metadata())[STATUS_TRAILER])
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    retry_seconds: float | None = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
        if detail.Unpack(retry):
            retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()
    assert info.domain == "trackwire"
    fields = tuple(violation.field for violation in bad.field_violations)
    return Refusal(error.code(), info.reason, str(error.details()), dict(info.metadata), fields, retry_seconds)


async def refusal(call: Awaitable[object]) -> Refusal:
    """Of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return refusal_in(raised.value)
