"""The same rpcs over HTTP, for browsers and curl: the Connect protocol, as bytes or JSON.

Every method whose request is one message is here by its descriptor alone, as it is over gRPC: calls go, as bytes,
through the same interceptor to the same handlers. What the protocol says is the library's to know.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeAlias, cast

import grpc
from connectrpc.code import Code
from connectrpc.codec import Codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.rpc.status_pb2 import Status
from protobuf.wkt import Any as Detail

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.request_ids import HEADER, current_request_id
from trackwire_server.rpc.interceptor import CallInterceptor
from trackwire_server.rpc.status import STATUS_TRAILER, code_of, status_of, trailers_of

# The event loop waits for no JSON that is longer.
_BYTES_WORTH_A_THREAD = 64 * 1024

_KINDS = {
    (False, False): StreamType.UNARY,
    (False, True): StreamType.SERVER_STREAM,
    (True, False): StreamType.CLIENT_STREAM,
}

_Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]
_Call: TypeAlias = RequestContext[bytes, bytes]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class HandlerTable:
    """The handlers of services, which are added to it as they are to a grpc.aio.Server."""

    def __init__(self) -> None:
        self._generic: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Adds those of a service."""
        self._generic.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Brings the same ones once more."""

    async def find(self, details: grpc.HandlerCallDetails) -> "_Handler | None":
        """That of a method."""
        found = (generic.service(details) for generic in self._generic)
        return next((handler for handler in found if handler is not None), None)


def connect_app(
    services: Sequence[str], handlers: HandlerTable, interceptor: CallInterceptor, *, message_bytes_max: int
) -> ConnectASGIApplication[None]:
    """An ASGI application that answers POST /package.Service/Method for every method of some services."""
    pool = descriptor_pool.Default()
    methods = [
        _Method(descriptor, handlers, interceptor)
        for name in services
        for descriptor in pool.FindServiceByName(name).methods
    ]
    # The library has no public name for the kinds of endpoints that it wants here.
    endpoints: dict[str, Any] = {method.path: method.endpoint() for method in methods}
    return _App(
        service=None,
        endpoints=lambda _none: endpoints,
        read_max_bytes=message_bytes_max,
        # Columns of numbers, which are what is large, hardly get smaller, and the event loop would wait for it.
        compressions=(),
        codecs=(_AsItComes("proto"), _AsItComes("json")),
    )


class _App(ConnectASGIApplication[None]):
    @property
    def path(self) -> str:
        return "/"


class _AsItComes(Codec[bytes, bytes]):
    """Leaves messages to the methods, which know their types."""

    def __init__(self, name: str):
        self._name = name

    def name(self) -> str:
        return self._name

    def encode(self, message: bytes) -> bytes:
        return message

    def decode(self, data: bytes | bytearray, message_class: type[bytes]) -> bytes:
        return bytes(data)


class _Method:
    """One rpc."""

    def __init__(self, descriptor: MethodDescriptor, handlers: HandlerTable, interceptor: CallInterceptor):
        self.path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        self._descriptor = descriptor
        self._request = message_factory.GetMessageClass(descriptor.input_type)
        self._response = message_factory.GetMessageClass(descriptor.output_type)
        self._handlers = handlers
        self._interceptor = interceptor

    def endpoint(self) -> Endpoint[Any, Any]:
        """As the library knows it."""
        name, service = self._descriptor.name, self._descriptor.containing_service.full_name
        kind = _KINDS[self._descriptor.client_streaming, self._descriptor.server_streaming]
        method = MethodInfo(
            name=name,
            service_name=service,
            input=bytes,
            output=bytes,
            idempotency_level=IdempotencyLevel.UNKNOWN,
            stream_type=kind,
        )
        if kind is StreamType.UNARY:
            return Endpoint.unary(method, self._answer)
        if kind is StreamType.SERVER_STREAM:
            return Endpoint.server_stream(method, self._stream)
        return Endpoint.client_stream(method, self._refuse)

    async def _refuse(self, _requests: AsyncIterator[bytes], _call: _Call) -> bytes:
        raise ConnectError(Code.UNIMPLEMENTED, f"{self.path} takes a stream of requests: call it over gRPC")

    async def _answer(self, body: bytes, call: _Call) -> bytes:
        request = await self._read(body, call)
        context = _Context(call)
        handler = await self._handler(context)
        behavior = cast("Callable[[bytes, _Context], Awaitable[object]]", handler.unary_unary)
        return await self._written(await behavior(request, context), handler, call)

    async def _stream(self, body: bytes, call: _Call) -> AsyncGenerator[bytes, None]:
        request = await self._read(body, call)
        answers: asyncio.Queue[object] = asyncio.Queue(maxsize=1)
        context = _Context(call, answers)
        handler = await self._handler(context)
        behavior = cast("Callable[[bytes, _Context], Awaitable[None]]", handler.unary_stream)

        async def run() -> None:
            try:
                await behavior(request, context)
            finally:
                await answers.put(None)

        running = asyncio.create_task(run(), name=self.path)
        try:
            while (answer := await answers.get()) is not None:
                yield await self._written(answer, handler, call)
            await running
        finally:
            running.cancel()
            # Room for its last word.
            while not answers.empty():
                answers.get_nowait()
            await asyncio.wait((running,))

    async def _handler(self, context: "_Context") -> _Handler:
        """Behind the interceptor. Raises ConnectError if the call is not admitted."""
        handler = await self._interceptor.intercept_service(self._handlers.find, context.details(self.path))
        assert handler is not None, self.path
        if handler.stream_stream is not None:  # what refuses a call of any kind
            refuse = cast("Callable[[None, _Context], Awaitable[None]]", handler.stream_stream)
            await refuse(None, context)
        return handler

    async def _read(self, body: bytes, call: _Call) -> bytes:
        """A request as bytes."""
        if not _is_json(call):
            return body
        return await _perhaps_in_a_thread(self._from_json, body)

    async def _written(self, answer: object, handler: _Handler, call: _Call) -> bytes:
        """An answer as the caller wants it."""
        serialize = handler.response_serializer
        message = cast("bytes", answer) if isinstance(answer, bytes) or serialize is None else serialize(answer)
        if not _is_json(call):
            return message
        return await _perhaps_in_a_thread(self._to_json, message)

    def _from_json(self, body: bytes) -> bytes:
        try:
            # Nothing at all is an empty message, as curl sends it without data.
            message = json_format.Parse(body or b"{}", self._request())
        except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
            raise _refusal(
                InvalidArgument(
                    "request", f"{len(body)} bytes", f"is not this message as JSON: {error}", reason="MALFORMED_MESSAGE"
                )
            ) from error
        return message.SerializeToString()

    def _to_json(self, message: bytes) -> bytes:
        return json_format.MessageToJson(self._response.FromString(message), indent=None).encode()


class _Context:
    """What the interceptor and the handlers ask of a call: a grpc.aio.ServicerContext, as far as they do."""

    def __init__(self, call: _Call, answers: "asyncio.Queue[object] | None" = None):
        sent = tuple(call.request_headers.allitems())
        # The request has an id by now, which its answer tells.
        self._metadata = (*(pair for pair in sent if pair[0] != HEADER), (HEADER, current_request_id.get()))
        self._answers = answers

    def details(self, method: str) -> grpc.HandlerCallDetails:
        """What a handler is chosen by."""
        return _Details(method, self._metadata)

    def invocation_metadata(self) -> _Metadata:
        return self._metadata

    def set_trailing_metadata(self, _metadata: object) -> None:
        """Of what there is, the request's id, the answer has it already."""

    async def write(self, answer: object) -> None:
        assert self._answers is not None
        await self._answers.put(answer)

    async def abort(self, code: grpc.StatusCode, message: str, trailers: Sequence[tuple[str, Any]]) -> NoReturn:
        raise _as_connect(code, message, trailers)


class _Details(grpc.HandlerCallDetails):
    def __init__(self, method: str, metadata: _Metadata):
        self.method = method
        self.invocation_metadata = metadata


def _is_json(call: _Call) -> bool:
    return "json" in call.request_headers.get("content-type", "")


async def _perhaps_in_a_thread(change: Callable[[bytes], bytes], data: bytes) -> bytes:
    return change(data) if len(data) < _BYTES_WORTH_A_THREAD else await asyncio.to_thread(change, data)


def _refusal(error: InvalidArgument) -> ConnectError:
    return _as_connect(code_of(error), error.message, trailers_of(status_of(error), current_request_id.get()))


def _as_connect(code: grpc.StatusCode, message: str, trailers: Sequence[tuple[str, Any]]) -> ConnectError:
    """A status as gRPC's trailers have it."""
    details = Status.FromString(dict(trailers)[STATUS_TRAILER]).details
    connect_code = Code.CANCELED if code is grpc.StatusCode.CANCELLED else Code[code.name]
    return ConnectError(connect_code, message, [Detail(type_url=each.type_url, value=each.value) for each in details])
