"""Readiness follows the store, and ends with the beginning of a stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.core.readiness import STOPPING, Readiness


class Store:
    """Answers, fails or hangs, as a test says."""

    def __init__(self) -> None:
        self.failure: StoreUnavailable | None = None
        self.hangs = False

    async def ping(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure


@asynccontextmanager
async def watched(store: Store, *, answer_seconds: float = 30) -> AsyncIterator[tuple[Readiness, "asyncio.Queue[str]"]]:
    """Readiness that follows a store, and what it tells."""
    told = asyncio.Queue[str]()
    readiness = Readiness(store.ping, told.put, look_seconds=0.001, answer_seconds=answer_seconds)
    watching = asyncio.create_task(readiness.watch())
    try:
        async with asyncio.timeout(30):
            yield readiness, told
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_store_that_fails_and_comes_back_is_told_once_each() -> None:
    store = Store()
    async with watched(store) as (readiness, told):
        store.failure = StoreUnavailable("no route to it")
        assert await told.get() == readiness.reason == "no route to it"
        store.failure = None
        assert await told.get() == readiness.reason == ""
        assert told.empty()


async def test_store_that_hangs_is_not_waited_for() -> None:
    store = Store()
    store.hangs = True
    async with watched(store, answer_seconds=0.01) as (_, told):
        assert await told.get() == "the store has not answered for 0.01 seconds"


async def test_stop_is_told_at_once_and_stays() -> None:
    async with watched(Store()) as (readiness, told):
        await readiness.begin_stop()
        assert await told.get() == readiness.reason == STOPPING
    # Nothing looks any more: an answer of the store would have made it ready again.
    await readiness.watch()
    assert told.empty()
