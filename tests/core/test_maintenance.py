"""The background work goes on, whatever the store does."""

import asyncio

import pytest
from tests.conftest import FakeClock

from trackwire_server.core import maintenance
from trackwire_server.core.errors import StorageFull, StoreCorrupt
from trackwire_server.core.maintenance import Maintenance
from trackwire_server.stores.memory.metrics import MemoryMetricStore
from trackwire_server.stores.memory.state import MemoryState


class FailingStore(MemoryMetricStore):
    """Fails in each way once."""

    def __init__(self, state: MemoryState):
        super().__init__(state)
        self.failures: list[Exception] = [StorageFull("database"), StoreCorrupt("a chunk"), ValueError("a bug")]
        self.compacted = asyncio.Event()

    async def compact(self, *, now_ms: int) -> bool:
        if self.failures:
            raise self.failures.pop()
        self.compacted.set()
        return False


async def test_compaction_goes_on_after_every_kind_of_failure(
    memory_state: MemoryState, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_REST_AFTER_ERROR_SECONDS", 0.0)
    store = FailingStore(memory_state)
    task = asyncio.create_task(Maintenance(store, clock).run())
    await asyncio.wait_for(store.compacted.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.failures == []
