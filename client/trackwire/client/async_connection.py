"""One channel of an event loop and the rpcs on it: a Transport that leaves the loop to others while it waits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager, suppress
from typing import cast

import grpc
from google.protobuf.message import Message

from trackwire.client.channel import open_async_channel
from trackwire.client.connection import Deadlines, DecodedT, ResponseT, closed_error, rpc_path
from trackwire.client.credentials import call_metadata, channel_credentials
from trackwire.client.presigned.places import Places
from trackwire.client.status import error_from_rpc
from trackwire.client.transport import Arguments, ResultT, run_blocking
from trackwire.errors import CancelledError, FailedPreconditionError


class AsyncConnection:
    """The calls of one client, all in the event loop of the first. A task that is cancelled cancels its call."""

    def __init__(
        self,
        address: str,
        deadlines: Deadlines,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        token: str | None = None,
    ) -> None:
        self.address = address
        self.deadlines = deadlines
        self.places = Places.of_environment()
        self._credentials = channel_credentials(address, credentials)
        self._metadata = call_metadata(address, token, is_encrypted=self._credentials is not None)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._channel: grpc.aio.Channel | None = None
        self._closed = False

    async def close(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        self._closed = True
        if self._channel is not None:
            self._check_loop()
            await self._channel.close()

    async def call(self, request: Message, response_type: type[ResponseT], *, of_file: bool = False) -> ResponseT:
        """One request, one answer; `of_file` gives it as long as a stream has."""
        answer = await self.call_bytes(rpc_path(type(request)), request.SerializeToString(), of_file=of_file)
        return response_type.FromString(answer)

    async def call_bytes(self, path: str, data: bytes, *, of_file: bool = False) -> bytes:
        """One request that is serialized already, one answer that is not parsed yet."""
        timeout_seconds = self.deadlines.of_call(of_file=of_file)
        send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._open().unary_unary(path)
        with self._told_as_ours():
            return await send(data, timeout=timeout_seconds, metadata=self._metadata)

    async def stream(
        self, request: Message, decode: Callable[[bytes], DecodedT], *, timeout_seconds: float | None = None
    ) -> AsyncGenerator[DecodedT, None]:
        """One request, many answers, each decoded as it comes; closing the iterator cancels the call."""
        open_stream: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._open().unary_stream(
            rpc_path(type(request))
        )
        call = open_stream(request.SerializeToString(), timeout=timeout_seconds, metadata=self._metadata)
        # gRPC's iterator is a generator too. Left to itself, it would be closed by a task that nobody awaits.
        iterator = cast("AsyncGenerator[bytes, None]", aiter(call))
        try:
            with self._told_as_ours():
                async with aclosing(iterator) as answers:
                    async for answer in answers:
                        yield decode(answer)
        finally:
            call.cancel()

    async def send_stream(
        self, request_type: type[Message], requests: Generator[Message, None, None], response_type: type[ResponseT]
    ) -> ResponseT:
        """Many requests, which may be read from a disk; one answer."""
        open_stream: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self._open().stream_unary(rpc_path(request_type))
        call = open_stream(timeout=self.deadlines.stream_seconds, metadata=self._metadata)
        ends: list[grpc.aio.AioRpcError] = []
        call.add_done_callback(lambda ended: ends.append(run_blocking(_end_of(ended))))
        try:
            with self._told_as_ours():
                await self._write_all(call, requests)
                try:
                    return response_type.FromString(await call)
                except grpc.aio.AioRpcError as last:
                    # A write that fails makes it INTERNAL, also where the call has ended with its reason before:
                    # grpc/grpc#36066.
                    raise next((end for end in ends if end.code() is not grpc.StatusCode.INTERNAL), last) from None
        finally:
            call.cancel()
            requests.close()

    async def _write_all(
        self, call: "grpc.aio.StreamUnaryCall[bytes, bytes]", requests: Generator[Message, None, None]
    ) -> None:
        # One thread for all of them: parts that are made by many, each in memory of its own, cost twice the CPU.
        # Why a write failed is told by the call.
        with ThreadPoolExecutor(1, "upload") as reader, suppress(grpc.aio.AioRpcError):
            while (data := await _work_in(reader, _next_serialized, requests)) is not None and not call.done():
                await call.write(data)
            await call.done_writing()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    async def work(
        self,
        function: Callable[[*Arguments], ResultT],
        *arguments: *Arguments,
        on_cancel: Callable[[], None] | None = None,
    ) -> ResultT:
        """Calls what waits for a disk or computes for long, in a thread. Ends with it, also where it is cancelled."""
        return await _work_in(None, function, *arguments, on_cancel=on_cancel)

    @contextmanager
    def _told_as_ours(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._closed or task is None or task.cancelling():
                raise
            # To who waits for a call gRPC tells the end of its channel as if the task had been cancelled.
            raise CancelledError(
                f"the client of {self.address} was closed during the call", reason="CLIENT_CLOSED"
            ) from None

    def _open(self) -> grpc.aio.Channel:
        if self._closed:
            raise closed_error(self.address)
        if self._channel is None:
            self._loop = asyncio.get_running_loop()
            self._channel = open_async_channel(self.address, self._credentials)
        self._check_loop()
        return self._channel

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise FailedPreconditionError(
                f"the client of {self.address} belongs to the event loop of its first call: make one in each loop",
                reason="CLIENT_OF_ANOTHER_LOOP",
            )


def _next_serialized(requests: Iterator[Message]) -> bytes | None:
    request = next(requests, None)
    return None if request is None else request.SerializeToString()


async def _end_of(call: grpc.aio.Call) -> grpc.aio.AioRpcError:
    """How a call has ended, as it stands now; waits for nothing."""
    return grpc.aio.AioRpcError(
        await call.code(), trailing_metadata=await call.trailing_metadata(), details=await call.details()
    )


async def _work_in(
    threads: ThreadPoolExecutor | None,
    function: Callable[[*Arguments], ResultT],
    *arguments: *Arguments,
    on_cancel: Callable[[], None] | None = None,
) -> ResultT:
    pending = asyncio.get_running_loop().run_in_executor(threads, function, *arguments)
    cancelled: asyncio.CancelledError | None = None
    while not pending.done():
        try:
            await asyncio.wait([pending])
        except asyncio.CancelledError as error:
            # A thread can't be stopped, and whoever cleans up now must not find it at work on the same file.
            cancelled = error
            if on_cancel is not None:
                on_cancel()
    if cancelled is not None:
        raise cancelled from pending.exception()
    return pending.result()
