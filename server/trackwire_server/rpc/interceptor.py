"""What stands around every call: errors become statuses, each call is a line in the log, endless streams can be ended.

A handler is wrapped once and kept; a call costs no task and no lookup beyond its name.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.clock import random_id
from trackwire_server.core.errors import InvalidArgument, StorageFull, StoreCorrupt, StoreUnavailable, TrackwireError
from trackwire_server.rpc.status import code_of, internal_status, status_of, stopping_status, trailers_of

Answer = TypeVar("Answer")
Request = TypeVar("Request")
Response = TypeVar("Response")
Context = grpc.aio.ServicerContext[object, object]
Decode = Callable[[bytes], object]
Unary = Callable[[object, Context], Awaitable[object]]
Streaming = Callable[[object, Context], AsyncGenerator[object, None] | Awaitable[None]]
# The stubs know the handlers of the synchronous server only; here they hold Unary and Streaming.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class CallInterceptor(grpc.aio.ServerInterceptor):
    """One for all four kinds of calls. `endless` names the methods whose streams only a stop of the server ends."""

    def __init__(self, log: FilteringBoundLogger, *, endless: Collection[str] = ()):
        # A lazy logger would be put together anew at each call.
        self._log = log.bind()
        self._endless = frozenset(endless)
        self._handlers: dict[str, _Handler] = {}
        self._endless_tasks: set[asyncio.Task[object]] = set()
        self._stopping = False

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "Awaitable[grpc.RpcMethodHandler[Request, Response] | None]"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Request, Response] | None":
        """The method's handler, wrapped; None for a method that nobody serves."""
        method = handler_call_details.method
        wrapped = self._handlers.get(method)
        if wrapped is not None:
            return wrapped
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        wrapped = self._handlers[method] = self._wrap(method, handler)
        return wrapped

    def end_endless_streams(self) -> None:
        """Answers UNAVAILABLE to every endless stream, now and from now on."""
        self._stopping = True
        for task in self._endless_tasks:
            task.cancel()

    def _wrap(self, method: str, handler: _Handler) -> _Handler:
        decode = _decoding(handler.request_deserializer)
        serialize = handler.response_serializer
        if handler.request_streaming and handler.response_streaming:
            behavior = self._streaming(method, cast("Streaming", handler.stream_stream))
            return grpc.stream_stream_rpc_method_handler(behavior, decode, serialize)
        if handler.request_streaming:
            behavior = self._unary(method, cast("Unary", handler.stream_unary))
            return grpc.stream_unary_rpc_method_handler(behavior, decode, serialize)
        # A single request is decoded inside the wrapper, where bytes that are no message become INVALID_ARGUMENT.
        if handler.response_streaming:
            behavior = self._streaming(method, cast("Streaming", handler.unary_stream), decode)
            return grpc.unary_stream_rpc_method_handler(behavior, None, serialize)
        behavior = self._unary(method, cast("Unary", handler.unary_unary), decode)
        return grpc.unary_unary_rpc_method_handler(behavior, None, serialize)

    def _unary(self, method: str, behavior: Unary, decode: Decode | None = None) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, context: Context) -> object:
            return await behavior(request if decode is None else decode(request), context)

        async def handle(request: Any, context: Context) -> object:
            return await self._guarded(method, answer(request, context), context)

        return handle

    def _streaming(self, method: str, behavior: Streaming, decode: Decode | None = None) -> Callable[[Any, Any], Any]:
        is_endless = method in self._endless

        async def answer(request: Any, context: Context) -> None:
            responses = behavior(request if decode is None else decode(request), context)
            if isinstance(responses, AsyncGenerator):
                async with aclosing(responses):
                    async for response in responses:
                        await context.write(response)
            else:
                await responses

        async def handle(request: Any, context: Context) -> None:
            call = answer(request, context)
            await self._guarded(method, self._endable(call, context) if is_endless else call, context)

        return handle

    async def _guarded(self, method: str, call: Awaitable[Answer], context: Context) -> Answer:
        started = time.perf_counter()
        code = grpc.StatusCode.OK
        try:
            return await call
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except TrackwireError as error:
            code = code_of(error)
            if isinstance(error, StorageFull | StoreUnavailable | StoreCorrupt):
                self._log.error("store failed", method=method, reason=error.reason, error=error.message)
            await _abort(context, status_of(error))
        except grpc.aio.AbortError:
            code = _code_set(context)
            raise
        except Exception:
            code = grpc.StatusCode.INTERNAL
            error_id = random_id()
            self._log.exception("call failed", method=method, error_id=error_id)
            await _abort(context, internal_status(error_id))
        finally:
            duration_ms = round((time.perf_counter() - started) * 1e3, 3)
            self._log.debug("call", method=method, code=code.name, duration_ms=duration_ms)

    async def _endable(self, call: Awaitable[None], context: Context) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._endless_tasks.add(task)
        try:
            if self._stopping:
                task.cancel()
            await call
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            # The cancellation is our own: the client is to learn why, and that it may come back.
            task.uncancel()
            await _abort(context, stopping_status())
        finally:
            self._endless_tasks.discard(task)


def _code_set(context: Context) -> grpc.StatusCode:
    # The stubs promise a StatusCode; grpc.aio gives its number.
    code = cast("int | grpc.StatusCode", context.code())
    return _CODES[code] if isinstance(code, int) else code


async def _abort(context: Context, status: Status) -> NoReturn:
    await context.abort(_CODES[status.code], status.message, trailers_of(status))


def _decoding(deserialize: Decode | None) -> Decode | None:
    if deserialize is None:
        return None

    def decode(message: bytes) -> object:
        try:
            return deserialize(message)
        except DecodeError as error:
            raise InvalidArgument(
                "request", f"{len(message)} bytes", "is not a message of this type", reason="MALFORMED_MESSAGE"
            ) from error

    return decode
