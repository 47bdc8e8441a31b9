"""What calls and waits, for code that is written once and run by both clients.

Such code is `async def` over a Transport. AsyncConnection is one that leaves its event loop to others while it waits.
BlockingTransport blocks instead and never suspends: so `run_blocking` has the result after one step, without a loop.
"""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple

from google.protobuf.message import Message

from trackwire.client.connection import Connection, Deadlines, DecodedT, ResponseT
from trackwire.client.presigned.places import Places

ResultT = TypeVar("ResultT")
Arguments = TypeVarTuple("Arguments")


class Transport(Protocol):
    """The calls of one client, and the other things that take time."""

    @property
    def deadlines(self) -> Deadlines:
        """How long a call may take."""

    async def call(self, request: Message, response_type: type[ResponseT], *, of_file: bool = False) -> ResponseT:
        """One request, one answer; `of_file` gives it as long as a stream has."""

    def stream(
        self, request: Message, decode: Callable[[bytes], DecodedT], *, timeout_seconds: float | None = None
    ) -> AsyncGenerator[DecodedT, None]:
        """One request, many answers, each decoded as it comes; closing the iterator cancels the call."""

    async def send_stream(
        self, request_type: type[Message], requests: Generator[Message, None, None], response_type: type[ResponseT]
    ) -> ResponseT:
        """Many requests, which may be read from a disk; one answer."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""

    @property
    def places(self) -> Places:
        """What this client knows of the ways around the server."""

    async def work(
        self,
        function: Callable[[*Arguments], ResultT],
        *arguments: *Arguments,
        on_cancel: Callable[[], None] | None = None,
    ) -> ResultT:
        """Calls what waits for a disk or computes for long. Ends with it, also where it is cancelled.

        `on_cancel` has it end sooner then.
        """


@dataclass(frozen=True, slots=True)
class BlockingTransport:
    """A Transport whose coroutines never suspend."""

    connection: Connection
    wait: Callable[[float], None] = time.sleep

    @property
    def deadlines(self) -> Deadlines:
        """How long a call may take."""
        return self.connection.deadlines

    async def call(self, request: Message, response_type: type[ResponseT], *, of_file: bool = False) -> ResponseT:
        """One request, one answer; `of_file` gives it as long as a stream has."""
        return self.connection.call(request, response_type, of_file=of_file)

    async def stream(
        self, request: Message, decode: Callable[[bytes], DecodedT], *, timeout_seconds: float | None = None
    ) -> AsyncGenerator[DecodedT, None]:
        """One request, many answers, each decoded as it comes; closing the iterator cancels the call."""
        with closing(self.connection.stream(request, decode, timeout_seconds=timeout_seconds)) as answers:
            for answer in answers:
                yield answer

    async def send_stream(
        self, request_type: type[Message], requests: Generator[Message, None, None], response_type: type[ResponseT]
    ) -> ResponseT:
        """Many requests, one answer."""
        return self.connection.send_stream(request_type, requests, response_type)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        self.wait(seconds)

    @property
    def places(self) -> Places:
        """What this client knows of the ways around the server."""
        return self.connection.places

    async def work(
        self,
        function: Callable[[*Arguments], ResultT],
        *arguments: *Arguments,
        on_cancel: Callable[[], None] | None = None,  # nothing is cancelled that never suspends
    ) -> ResultT:
        """Calls it here and now."""
        return function(*arguments)


def run_blocking(work: Coroutine[object, None, ResultT]) -> ResultT:
    """The result of what never suspends."""
    try:
        work.send(None)
    except StopIteration as done:
        result: ResultT = done.value
        return result
    work.close()
    raise RuntimeError(f"{work!r} suspended: it waits for something else than its transport")


def iterate_blocking(work: AsyncGenerator[ResultT, None]) -> Iterator[ResultT]:
    """The entries of what never suspends; closing the iterator closes it."""
    try:
        while True:
            try:
                entry = run_blocking(work.__anext__())
            except StopAsyncIteration:
                return
            yield entry
    finally:
        run_blocking(work.aclose())
