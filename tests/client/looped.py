"""AsyncClient behind the face of Client, so that the same tests hold for both."""

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, Self, TypeVar

from trackwire import AsyncClient

ResultT = TypeVar("ResultT")

NOTHING_MORE = object()


class LoopedClient:
    """Runs each coroutine in an event loop of its own thread and waits for it; async iterators become iterators."""

    def __init__(self, address: str | None = None, **options: Any) -> None:
        self._client = AsyncClient(address, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="looped-client")
        self._thread.start()

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._client, name)

        def call(*arguments: object, **options: object) -> object:
            result = method(*arguments, **options)
            if isinstance(result, AsyncGenerator):
                return self._entries(result)
            assert inspect.iscoroutine(result), f"{name} gives {result!r}"
            return self._wait(result)

        return call

    def close(self) -> None:
        self._wait(self._client.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._wait(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _settle(self) -> None:
        """When the client is closed, nothing of it may be left."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            _, left = await asyncio.wait(left, timeout=10)
        assert not left, f"tasks outlived their client: {left}"
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()

    def _entries(self, generator: AsyncGenerator[object, None]) -> Iterator[object]:
        try:
            while (entry := self._wait(anext(generator, NOTHING_MORE))) is not NOTHING_MORE:
                yield entry
        finally:
            self._wait(generator.aclose())

    def _wait(self, what: Awaitable[ResultT]) -> ResultT:
        async def awaited() -> ResultT:
            return await what

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(timeout=100)
