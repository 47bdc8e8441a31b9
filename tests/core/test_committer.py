import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.conftest import FakeClock
from tests.metric_data import batch

from trackwire_server.core.arrivals import Arrivals
from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.committer import Committer
from trackwire_server.core.errors import Overloaded, RunDeleted, StorageFull, StoreUnavailable, TrackwireError
from trackwire_server.core.limits import LIMITS
from trackwire_server.stores.memory.metrics import MemoryMetricStore
from trackwire_server.stores.memory.state import MemoryState


class GatedStore(MemoryMetricStore):
    """A memory store whose transactions wait at a gate, and that notes the groups it was given."""

    def __init__(self) -> None:
        super().__init__(MemoryState.fresh(now_ms=0))
        self.gate = asyncio.Event()
        self.groups: list[list[str]] = []
        self.failure: Exception | None = None

    async def append(self, batches: Sequence[Batch], *, now_ms: int) -> Sequence[Appended | TrackwireError]:
        self.groups.append([each.run_id for each in batches])
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return [
            RunDeleted(each.run_id) if each.run_id == "deleted" else Appended(0, len(each.points)) for each in batches
        ]


def one(run_id: str) -> Batch:
    return batch(run_id, {"m": [(1, 1, 1.0)]})


@asynccontextmanager
async def running(committer: Committer) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(committer.run())
        try:
            yield
        finally:
            committer.close()


async def submitted(committer: Committer, *run_ids: str) -> list[asyncio.Task[Appended]]:
    tasks = [asyncio.ensure_future(committer.submit(one(run_id))) for run_id in run_ids]
    await asyncio.sleep(0.01)
    return tasks


async def test_what_waits_is_stored_together(clock: FakeClock) -> None:
    store = GatedStore()
    async with running(committer := Committer(store, Arrivals(), clock)):
        first = await submitted(committer, "a")
        others = await submitted(committer, "b", "c", "d")
        store.gate.set()
        assert [outcome.stored_points for outcome in await asyncio.gather(*first, *others)] == [1, 1, 1, 1]
    assert store.groups == [["a"], ["b", "c", "d"]]


async def test_a_refused_batch_harms_no_other(clock: FakeClock) -> None:
    store = GatedStore()
    store.gate.set()
    async with running(committer := Committer(store, Arrivals(), clock)):
        outcomes = await asyncio.gather(*await submitted(committer, "a", "deleted", "b"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Appended, RunDeleted, Appended]


async def test_past_its_limit_the_queue_refuses_and_says_when_to_come_back(clock: FakeClock) -> None:
    store = GatedStore()
    limits = replace(LIMITS, queue_requests=2)
    async with running(committer := Committer(store, Arrivals(), clock, limits=limits)):
        tasks = [*await submitted(committer, "a"), *await submitted(committer, "b", "c")]
        assert committer.queue[:2] == (3, 3)
        with pytest.raises(Overloaded, match="3 requests, at most 2") as refused:
            await committer.submit(one("d"))
        assert refused.value.retry_after_seconds > 0
        store.gate.set()
        await asyncio.gather(*tasks)
        assert committer.queue == (0, 0, 0)
        assert (committer.figures.refused_requests, committer.figures.stored_points) == (1, 3)
        assert (committer.figures.seconds.count, committer.figures.requests.total) == (2, 3)


async def test_a_store_that_fails_tells_every_waiter_and_the_committer_goes_on(clock: FakeClock) -> None:
    store = GatedStore()
    store.gate.set()
    store.failure = StorageFull("database")
    async with running(committer := Committer(store, Arrivals(), clock)):
        outcomes = await asyncio.gather(*await submitted(committer, "a", "b"), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StorageFull, StorageFull]
        store.failure = None
        assert await committer.submit(one("a")) == Appended(0, 1)


async def test_closing_stores_what_is_queued_and_refuses_what_comes(clock: FakeClock) -> None:
    store = GatedStore()
    async with running(committer := Committer(store, Arrivals(), clock)):
        tasks = await submitted(committer, "a", "b")
        committer.close()
        with pytest.raises(StoreUnavailable, match="shutting down"):
            await committer.submit(one("c"))
        store.gate.set()
    assert [task.result().stored_points for task in tasks] == [1, 1]


async def test_a_caller_that_gives_up_takes_nothing_back(clock: FakeClock) -> None:
    store = GatedStore()
    async with running(committer := Committer(store, Arrivals(), clock)):
        [given_up, kept] = await submitted(committer, "a", "b")
        given_up.cancel()
        store.gate.set()
        assert await kept == Appended(0, 1)
    assert [run_id for group in store.groups for run_id in group] == ["a", "b"]


async def test_a_batch_that_breaks_the_store_harms_no_neighbour(clock: FakeClock) -> None:
    class Breaking(GatedStore):
        async def append(self, batches: Sequence[Batch], *, now_ms: int) -> Sequence[Appended | TrackwireError]:
            if any(each.run_id == "poison" for each in batches):
                raise ValueError("poison")
            return await super().append(batches, now_ms=now_ms)

    store = Breaking()
    store.gate.set()
    async with running(committer := Committer(store, Arrivals(), clock)):
        outcomes = await asyncio.gather(*await submitted(committer, "a", "poison", "b"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Appended, ValueError, Appended]


async def test_a_committer_that_is_cancelled_leaves_nobody_waiting(clock: FakeClock) -> None:
    committer = Committer(GatedStore(), Arrivals(), clock)
    task = asyncio.create_task(committer.run())
    tasks = [*await submitted(committer, "a"), *await submitted(committer, "b")]
    task.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable, StoreUnavailable]
    with pytest.raises(StoreUnavailable):
        await committer.submit(one("c"))


async def test_requests_count_from_their_arrival_on(clock: FakeClock) -> None:
    committer = Committer(GatedStore(), Arrivals(), clock, limits=replace(LIMITS, queue_bytes=1_000))
    with committer.admitted(5_000), pytest.raises(Overloaded, match="5,001 bytes, at most 1,000"):
        committer.admitted(1).__enter__()
    with committer.admitted(1):
        pass


@pytest.mark.parametrize(("writers", "groups"), [(("w", "w"), 2), (("w", "v"), 3)])
async def test_only_behind_a_writer_that_pipelines_does_a_group_wait_to_fill(
    clock: FakeClock, writers: tuple[str, str], groups: int
) -> None:
    def stamped(writer: str, sequence: int) -> Batch:
        return batch("a", {"m": [(1, 1, 1.0)]}, (writer, sequence, sequence - 1))

    store = GatedStore()
    store.gate.set()
    async with running(committer := Committer(store, Arrivals(), clock)):
        await asyncio.gather(committer.submit(stamped(writers[0], 1)), committer.submit(stamped(writers[1], 2)))
        third = asyncio.ensure_future(committer.submit(stamped("x", 1)))
        for _ in range(20):
            await asyncio.sleep(0)
        await asyncio.gather(third, committer.submit(stamped("y", 1)))
    assert len(store.groups) == groups
