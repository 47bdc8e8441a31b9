"""What stands around every call: errors become statuses, each call is a line in the log, endless streams can be ended.

A handler is wrapped once and kept; a call costs no task and no lookup beyond its name.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import aclosing
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.clock import random_id
from trackwire_server.core.errors import (
    AnswerTooLarge,
    InvalidArgument,
    TrackwireError,
)
from trackwire_server.core.figures import CallFigures
from trackwire_server.core.request_ids import HEADER, counted_ids, current_request_id, is_acceptable
from trackwire_server.core.scopes import scope_of_rpc
from trackwire_server.core.store_failures import StoreFailures
from trackwire_server.core.tokens import Gate
from trackwire_server.core.traces import CallSpan, CallTraces
from trackwire_server.rpc.status import code_of, internal_status, status_of, stopping_status, trailers_of

Answer = TypeVar("Answer")
Request = TypeVar("Request")
Response = TypeVar("Response")
Context = grpc.aio.ServicerContext[object, object]
Decode = Callable[[bytes], object]
Encode = Callable[[Any], bytes]
Unary = Callable[[object, Context], Awaitable[object]]
Streaming = Callable[[object, Context], AsyncGenerator[object, None] | Awaitable[None]]
# The stubs know the handlers of the synchronous server only; here they hold Unary and Streaming.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
HEALTH_PREFIX = "/grpc.health."
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class CallInterceptor(grpc.aio.ServerInterceptor):
    """One for all four kinds of calls.

    `endless` names the methods whose streams only a stop of the server ends; an answer has up to `answer_bytes_max`.
    Where there is a gate, a call that it doesn't admit is refused before its request is read.
    """

    def __init__(
        self,
        log: FilteringBoundLogger,
        calls: CallFigures,
        *,
        answer_bytes_max: int,
        endless: Collection[str] = (),
        gate: Gate | None = None,
        traces: CallTraces | None = None,
    ):
        # A lazy logger would be put together anew at each call.
        self._log = log.bind()
        self._store_failures = StoreFailures(self._log)
        self._figures = calls
        self._traces = traces
        self._new_request_id = counted_ids()
        self._endless = frozenset(endless)
        self._gate = gate
        self._answer_bytes_max = answer_bytes_max
        self._handlers: dict[str, _Handler] = {}
        self._calls: dict[asyncio.Task[object], str] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._held = 0
        self._turning_away = asyncio.Event()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], "Awaitable[grpc.RpcMethodHandler[Request, Response] | None]"],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Request, Response] | None":
        """The method's handler, wrapped; None for a method that nobody serves. Called in the call's own task."""
        method = handler_call_details.method
        current_request_id.set(self._request_id(handler_call_details.invocation_metadata))
        try:
            self._require_admission(method, handler_call_details.invocation_metadata)
        except TrackwireError as error:
            return self._refusing(method, error)
        wrapped = self._handlers.get(method)
        if wrapped is not None:
            return wrapped
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        wrapped = self._handlers[method] = self._wrap(method, handler)
        return wrapped

    def begin_stop(self) -> None:
        """Answers UNAVAILABLE to every endless stream, and holds every call that still comes; health goes on."""
        self._stopping = True
        for task, method in self._calls.items():
            if method in self._endless:
                self._end(task)

    async def quiet(self, seconds: float) -> bool:
        """Waits until no call has come for so long, at most ten times that; whether any is held."""
        before = -1
        for _ in range(10):
            if before == self._held:
                break
            before = self._held
            await asyncio.sleep(seconds)
        return self._held > 0

    def turn_away(self) -> None:
        """Answers UNAVAILABLE to the calls that are held, and to those that come from now on."""
        self._turning_away.set()

    def under_way(self) -> Sequence[asyncio.Task[object]]:
        """The tasks of the calls that are answered just now, over HTTP, too."""
        return tuple(self._calls)

    def end_calls(self) -> Sequence[asyncio.Task[object]]:
        """Answers UNAVAILABLE to every call under way; their tasks."""
        ending = self.under_way()
        for task in ending:
            self._end(task)
        return ending

    def _request_id(self, metadata: Iterable[tuple[str, str | bytes]]) -> str:
        for key, said in metadata:
            if key == HEADER and isinstance(said, str) and is_acceptable(said):
                return said
        return self._new_request_id()

    def _require_admission(self, method: str, metadata: Any) -> None:
        """Raises Unauthenticated and PermissionDenied."""
        if self._gate is None or (scope := scope_of_rpc(method)) is None:
            return
        self._gate.admit(next((value for key, value in metadata if key == "authorization"), None), scope)

    def _refusing(self, method: str, error: TrackwireError) -> _Handler:
        """Refuses a call of any of the four kinds: one that streams both ways is handed no request first."""

        async def refuse() -> None:
            raise error

        async def handle(_requests: Any, context: Context) -> None:
            await self._guarded(method, refuse(), context)

        return grpc.stream_stream_rpc_method_handler(handle)

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
        if decode is None or serialize is None:
            behavior = self._unary(method, cast("Unary", handler.unary_unary))
            return grpc.unary_unary_rpc_method_handler(behavior, None, serialize)
        # So is a single answer encoded, where one that is too large for a message becomes an error with a name.
        behavior = self._unary(method, self._coding(cast("Unary", handler.unary_unary), decode, serialize))
        return grpc.unary_unary_rpc_method_handler(behavior)

    def _coding(self, behavior: Unary, decode: Decode, encode: Encode) -> Unary:
        """The same for bytes on either side."""
        limit = self._answer_bytes_max

        async def answer(request: Any, context: Context) -> bytes:
            message = encode(await behavior(decode(request), context))
            if len(message) > limit:
                raise AnswerTooLarge(len(message), limit=limit)
            return message

        return answer

    def _unary(self, method: str, behavior: Unary) -> Callable[[Any, Any], Any]:
        call = cast("Callable[[Any, Context], Coroutine[Any, Any, object]]", behavior)

        async def handle(request: Any, context: Context) -> object:
            return await self._guarded(method, call(request, context), context)

        return handle

    def _streaming(self, method: str, behavior: Streaming, decode: Decode | None = None) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, context: Context) -> None:
            responses = behavior(request if decode is None else decode(request), context)
            if isinstance(responses, AsyncGenerator):
                async with aclosing(responses):
                    async for response in responses:
                        # A tail may be older than its token has counted.
                        self._require_admission(method, context.invocation_metadata())
                        await context.write(response)
            else:
                await responses

        async def handle(request: Any, context: Context) -> None:
            await self._guarded(method, answer(request, context), context)

        return handle

    async def _guarded(self, method: str, call: Coroutine[Any, Any, Answer], context: Context) -> Answer:
        if self._stopping and not method.startswith(HEALTH_PREFIX):
            call.close()
            self._held += 1
            await self._turning_away.wait()
            await _abort(context, stopping_status())
        started = time.perf_counter()
        code = grpc.StatusCode.OK
        context.set_trailing_metadata(((HEADER, current_request_id.get()),))
        span = None if self._traces is None else self._traces.begin_rpc(method, context.invocation_metadata() or ())
        task = cast("asyncio.Task[object]", asyncio.current_task())
        # Noted, so that a stop of the server can end it.
        self._calls[task] = method
        self._figures.under_way += 1
        try:
            return await call
        except asyncio.CancelledError:
            code = grpc.StatusCode.UNAVAILABLE if task in self._ended else grpc.StatusCode.CANCELLED
            await self._answer_cancelled(task, context)
        except TrackwireError as error:
            code = code_of(error)
            self._store_failures.tell(error, method=method)
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
            del self._calls[task]
            self._ended.discard(task)
            self._figures.under_way -= 1
            self._tell_end(method, code.name, time.perf_counter() - started, span)

    def _tell_end(self, method: str, code: str, seconds: float, span: CallSpan | None) -> None:
        self._figures.add(method, code, seconds)
        if span is not None:
            span.end(code)
        self._log.debug("call", method=method, code=code, duration_ms=round(seconds * 1e3, 3))

    def _end(self, task: asyncio.Task[object]) -> None:
        self._ended.add(task)
        task.cancel()

    async def _answer_cancelled(self, task: asyncio.Task[object], context: Context) -> NoReturn:
        """A call was cancelled: if by us, the client is to learn why, and that it may come back."""
        if task not in self._ended:
            raise asyncio.CancelledError
        task.uncancel()
        await _abort(context, stopping_status())


def _code_set(context: Context) -> grpc.StatusCode:
    # The stubs promise a StatusCode; grpc.aio gives its number.
    code = cast("int | grpc.StatusCode", context.code())
    return _CODES[code] if isinstance(code, int) else code


async def _abort(context: Context, status: Status) -> NoReturn:
    try:
        await context.abort(_CODES[status.code], status.message, trailers_of(status, current_request_id.get()))
    except grpc.aio.InternalError as error:
        # The call is over, its client gone: there is nobody to tell, and nothing of ours went wrong.
        raise asyncio.CancelledError from error


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
