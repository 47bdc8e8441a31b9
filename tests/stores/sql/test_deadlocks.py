"""What met a deadlock is run again, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select
from tests.stores.conftest import MARIADB, fresh_uri

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import MetDeadlock, tried_again
from trackwire_server.stores.sql.dialect import Transaction, Work
from trackwire_server.stores.sql.tables import metric_keys


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


@pytest.fixture(params=["postgresql", MARIADB])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """One in which two transactions can meet."""
    with fresh_uri(request.param, tmp_path) as uri:
        opened = await Database.open(uri)
        yield opened
        await opened.close()


async def test_transaction_that_met_a_deadlock_is_tried_again(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(metric_keys), [{"key": key} for key in ("a", "b")])
    locked = select(metric_keys.c.key_no).where(metric_keys.c.key_no == bindparam("number")).with_for_update()
    lock = database.dialect.compiled(locked)
    both_hold_one = asyncio.Barrier(2)
    attempts: list[int] = []

    def lock_both(first: int, second: int) -> Work[None]:
        async def work(begun: Transaction) -> None:
            attempts.append(first)
            await database.dialect.fetch_each(begun, [(lock, [first])])
            if attempts.count(first) == 1:
                await both_hold_one.wait()
            await database.dialect.fetch_each(begun, [(lock, [second])])

        return work

    async with asyncio.timeout(60):
        await asyncio.gather(database.write_in_one(lock_both(1, 2)), database.write_in_one(lock_both(2, 1)))
    # Who begins again may overtake the one that waits, and meet it once more.
    assert len(attempts) >= 3
