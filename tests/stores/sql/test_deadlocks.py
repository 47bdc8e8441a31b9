"""What met a deadlock is run again, and nothing else is."""

import pytest

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.sql.deadlocks import MetDeadlock, tried_again


@tried_again
class Store:
    """Counts how often its method was run; the first times it raises."""

    def __init__(self, error: StoreUnavailable, times: int):
        self.error = error
        self.times = times
        self.runs = 0

    async def change(self, value: int, *, more: int) -> int:
        """One transaction."""
        self.runs += 1
        if self.runs <= self.times:
            raise self.error
        return value + more


async def test_method_that_met_deadlocks_is_run_until_it_meets_none() -> None:
    store = Store(MetDeadlock("in the way"), 3)
    assert await store.change(1, more=2) == 3
    assert store.runs == 4


async def test_deadlocks_without_end_are_an_outage() -> None:
    store = Store(MetDeadlock("in the way"), 1_000)
    with pytest.raises(StoreUnavailable, match="in the way"):
        await store.change(1, more=2)
    assert 1 < store.runs < 20


async def test_any_other_outage_is_told_at_once() -> None:
    store = Store(StoreUnavailable("gone"), 1)
    with pytest.raises(StoreUnavailable, match="gone"):
        await store.change(1, more=2)
    assert store.runs == 1
