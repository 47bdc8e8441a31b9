"""What the methods of every noun are made of in an event loop, where the same expressions give coroutines."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

from google.protobuf.message import Message

from trackwire.client.async_connection import AsyncConnection
from trackwire.client.calls import CombinedT, TakenT
from trackwire.client.connection import ResponseT
from trackwire.client.transport import Transport


class AsyncCalls:
    """Stands before the nouns' mixins, in place of what they have from Calls."""

    _connection: AsyncConnection

    @property
    def _transport(self) -> Transport:
        return self._connection

    async def _call(
        self, request: Message, response_type: type[ResponseT], take: Callable[[ResponseT], TakenT]
    ) -> TakenT:
        """Sends a request; what `take` takes out of the answer."""
        return take(await self._connection.call(request, response_type))

    async def _send(self, request: Message, response_type: type[Message]) -> None:
        """Sends a request whose answer says only that it is done."""
        await self._connection.call(request, response_type)

    async def _call_plain(self, path: str, data: bytes, decode: Callable[[bytes], TakenT]) -> TakenT:
        """Sends a request that is bytes already, to a path; its answer, decoded."""
        return decode(await self._connection.call_bytes(path, data))

    def _stream(self, request: Message, decode: Callable[[bytes], TakenT]) -> AsyncGenerator[TakenT, None]:
        """Sends a request; its answers, decoded, as they come."""
        return self._connection.stream(request, decode, timeout_seconds=self._connection.deadlines.stream_seconds)

    async def _gather(
        self,
        request: Message,
        decode: Callable[[bytes], TakenT],
        combine: Callable[[Sequence[TakenT]], CombinedT],
    ) -> CombinedT:
        """Sends a request; what `combine` makes of all its answers."""
        answers = [answer async for answer in self._stream(request, decode)]
        return await self._connection.work(combine, answers)

    def _run(self, work: Coroutine[object, None, TakenT]) -> Coroutine[object, None, TakenT]:
        """What is written over the transport is a coroutine already."""
        return work

    def _iterate(self, work: AsyncGenerator[TakenT, None]) -> AsyncGenerator[TakenT, None]:
        """What is written over the transport is an async iterator already."""
        return work
