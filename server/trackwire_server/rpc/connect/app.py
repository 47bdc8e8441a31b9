"""Every method of the services over HTTP, by its descriptor alone.

Calls go, as bytes, through the interceptor of gRPC's port to the same handlers. What the protocol says is the
library's to know.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
from connectrpc.codec import Codec
from connectrpc.errors import ConnectError
from connectrpc.interceptor import MetadataInterceptor
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor

from trackwire_server.core.errors import Overloaded
from trackwire_server.rpc.connect.calls import Call, CallContext, refused, unimplemented
from trackwire_server.rpc.connect.door import MANY_ANSWERS, ONE_ANSWER, Door
from trackwire_server.rpc.connect.messages import Messages
from trackwire_server.rpc.interceptor import CallInterceptor
from trackwire_server.rpc.status import unimplemented_status

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_RETRY_SECONDS = 1.0
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
    services: Sequence[str],
    handlers: HandlerTable,
    interceptor: CallInterceptor,
    *,
    message_bytes_max: int,
    concurrent_calls_max: int,
) -> "ASGIApp":
    """An ASGI application that answers POST /package.Service/Method for every method of some services."""
    pool = descriptor_pool.Default()
    one_at_a_time = asyncio.Lock()
    methods = [
        _Method(descriptor, Messages(descriptor, one_at_a_time), handlers, interceptor)
        for name in services
        for descriptor in pool.FindServiceByName(name).methods
    ]
    by_path = {method.path: method for method in methods}
    # The library has no public name for the kinds of endpoints that it wants here.
    endpoints: dict[str, Any] = {path: method.endpoint() for path, method in by_path.items()}
    app = _App(
        service=None,
        endpoints=lambda _none: endpoints,
        interceptors=(_Admission(by_path, concurrent_calls_max),),
        read_max_bytes=message_bytes_max,
        # Columns of numbers, which are what is large, hardly get smaller, and the event loop would wait for it.
        compressions=(),
        codecs=(_AsItComes("proto"), _AsItComes("json")),
    )
    return Door(cast("ASGIApp", app), {path: method.content_types for path, method in by_path.items()})


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

    def __init__(
        self, descriptor: MethodDescriptor, messages: Messages, handlers: HandlerTable, interceptor: CallInterceptor
    ):
        self.path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        self._descriptor = descriptor
        self._messages = messages
        self._handlers = handlers
        self._interceptor = interceptor

    @property
    def content_types(self) -> tuple[str, str]:
        """Those that its requests may have."""
        has_many = self._descriptor.client_streaming or self._descriptor.server_streaming
        return MANY_ANSWERS if has_many else ONE_ANSWER

    def endpoint(self) -> Endpoint[Any, Any]:
        """As the library knows it."""
        if self._descriptor.client_streaming:
            return Endpoint.client_stream(self._info(StreamType.CLIENT_STREAM), self._refuse)
        if self._descriptor.server_streaming:
            return Endpoint.server_stream(self._info(StreamType.SERVER_STREAM), self._stream)
        return Endpoint.unary(self._info(StreamType.UNARY), self._answer)

    async def admit(self, call: Call) -> None:
        """Raises ConnectError if the caller may not call this."""
        await self._handler(CallContext(call))

    def _info(self, kind: StreamType) -> MethodInfo[bytes, bytes]:
        return MethodInfo(
            name=self._descriptor.name,
            service_name=self._descriptor.containing_service.full_name,
            input=bytes,
            output=bytes,
            idempotency_level=IdempotencyLevel.UNKNOWN,
            stream_type=kind,
        )

    async def _refuse(self, _requests: AsyncIterator[bytes], _call: Call) -> bytes:
        words = f"{self.path} takes a stream of requests, which browsers can't send: call it over gRPC"
        raise unimplemented(unimplemented_status("STREAM_OF_REQUESTS", words))

    async def _answer(self, body: bytes, call: Call) -> bytes:
        request = await self._messages.read(body, call)
        context = CallContext(call)
        handler = await self._handler(context)
        behavior = cast("Callable[[bytes, CallContext], Awaitable[object]]", handler.unary_unary)
        return await self._messages.written(await behavior(request, context), handler.response_serializer, call)

    async def _stream(self, body: bytes, call: Call) -> AsyncGenerator[bytes, None]:
        request = await self._messages.read(body, call)
        # As far as a handler gets ahead of its client.
        answers: asyncio.Queue[object] = asyncio.Queue(maxsize=1)
        context = CallContext(call, answers)
        handler = await self._handler(context)
        behavior = cast("Callable[[bytes, CallContext], Awaitable[None]]", handler.unary_stream)

        async def run() -> None:
            try:
                await behavior(request, context)
            finally:
                await answers.put(None)

        # A task of its own: a stop of the server ends it, and not what then tells the client why.
        running = asyncio.create_task(run(), name=self.path)
        try:
            while (answer := await answers.get()) is not None:
                yield await self._messages.written(answer, handler.response_serializer, call)
            await running
        finally:
            await _end(running, answers)

    async def _handler(self, context: CallContext) -> _Handler:
        """Behind the interceptor. Raises ConnectError if the call is not admitted."""
        handler = await self._interceptor.intercept_service(self._handlers.find, context.details(self.path))
        assert handler is not None, self.path
        if handler.stream_stream is not None:  # what refuses a call of any kind
            refuse = cast("Callable[[None, CallContext], Awaitable[None]]", handler.stream_stream)
            await refuse(None, context)
        return handler


class _Admission(MetadataInterceptor[None]):
    """Before a request is read: whether there is room for another one, and whether its caller may call."""

    def __init__(self, methods: Mapping[str, _Method], calls_max: int):
        self._methods = methods
        self._calls_max = calls_max
        self._under_way = 0

    async def on_start(self, ctx: Call) -> None:
        if self._under_way >= self._calls_max:
            words = f"{self._under_way:,} calls are under way over HTTP, and no more are taken"
            metadata = {"limit": self._calls_max}
            raise refused(Overloaded(words, retry_after_seconds=_RETRY_SECONDS, metadata=metadata))
        await self._methods[f"/{ctx.method.service_name}/{ctx.method.name}"].admit(ctx)
        self._under_way += 1

    async def on_end(self, token: None, ctx: Call, error: Exception | None, /) -> None:
        self._under_way -= 1


async def _end(running: asyncio.Task[None], answers: asyncio.Queue[object]) -> None:
    """Ends a stream whose client wants no more of it, and waits until it has let go of what it held."""
    running.cancel()
    # Room for its last word.
    while not answers.empty():
        answers.get_nowait()
    await asyncio.wait((running,))
    # What ended it in the same moment is told to nobody.
    with suppress(ConnectError, asyncio.CancelledError):
        running.result()
