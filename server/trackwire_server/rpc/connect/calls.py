"""What the interceptor and the handlers know of a call over HTTP, and what its caller is told of an error."""

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

import grpc
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.request import RequestContext
from google.rpc.status_pb2 import Status
from protobuf.wkt import Any as Detail

from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.request_ids import HEADER, current_request_id
from trackwire_server.rpc.status import STATUS_TRAILER, code_of, status_of, trailers_of

Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]
Call: TypeAlias = RequestContext[bytes, bytes]


class CallContext:
    """A grpc.aio.ServicerContext, as far as the interceptor and the handlers ask for one.

    What they write goes to `answers`.
    """

    def __init__(self, call: Call, answers: asyncio.Queue[object] | None = None):
        sent = tuple(call.request_headers.allitems())
        # The request has an id by now, which its answer tells.
        self._metadata = (*(pair for pair in sent if pair[0] != HEADER), (HEADER, current_request_id.get()))
        self._answers = answers

    def details(self, method: str) -> grpc.HandlerCallDetails:
        """What a handler is chosen by."""
        return _Details(method, self._metadata)

    def invocation_metadata(self) -> Metadata:
        """The headers of the request."""
        return self._metadata

    def set_trailing_metadata(self, _metadata: object) -> None:
        """Of what there is, the request's id, the answer has it already."""

    async def write(self, answer: object) -> None:
        """One of many answers. Waits until the one before is on its way."""
        assert self._answers is not None
        await self._answers.put(answer)

    async def abort(self, code: grpc.StatusCode, message: str, trailers: Sequence[tuple[str, Any]]) -> NoReturn:
        """Ends the call. Raises ConnectError."""
        raise _as_connect(code, message, trailers)


class _Details(grpc.HandlerCallDetails):
    def __init__(self, method: str, metadata: Metadata):
        self.method = method
        self.invocation_metadata = metadata


def refused(error: TrackwireError) -> ConnectError:
    """An error as the caller is told of it."""
    return _as_connect(code_of(error), error.message, trailers_of(status_of(error), current_request_id.get()))


def unimplemented(status: Status) -> ConnectError:
    """The same of what no handler has."""
    trailers = trailers_of(status, current_request_id.get())
    return _as_connect(grpc.StatusCode.UNIMPLEMENTED, status.message, trailers)


def _as_connect(code: grpc.StatusCode, message: str, trailers: Sequence[tuple[str, Any]]) -> ConnectError:
    """A status as gRPC's trailers have it."""
    details = Status.FromString(dict(trailers)[STATUS_TRAILER]).details
    connect_code = Code.CANCELED if code is grpc.StatusCode.CANCELLED else Code[code.name]
    return ConnectError(connect_code, message, [Detail(type_url=each.type_url, value=each.value) for each in details])
