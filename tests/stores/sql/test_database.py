import asyncio

import pytest
from sqlalchemy import func, insert, select

from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.tables import metric_keys


async def _write(database: Database, key: str) -> None:
    async with database.write() as connection:
        await connection.execute(insert(metric_keys).values(key=key))


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(metric_keys)) or 0


@pytest.mark.parametrize("turns", range(12))
async def test_a_call_cancelled_at_any_point_leaves_no_transaction_behind(database: Database, turns: int) -> None:
    for number in range(10):
        calls = [asyncio.ensure_future(_write(database, f"{number}")), asyncio.ensure_future(_count(database))]
        for _ in range(turns):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await _write(database, f"kept {number}")
    async with database.read() as connection:
        kept = await connection.scalar(select(func.count()).where(metric_keys.c.key.like("kept %")))
    assert kept == 10


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    async def fail_halfway() -> None:
        async with database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="half"))
            raise StoreUnavailable("no more")

    with pytest.raises(StoreUnavailable, match="no more"):
        await fail_halfway()
    assert await _count(database) == 0


async def test_a_violated_constraint_becomes_the_callers_error_by_its_name(database: Database) -> None:
    names: list[str] = []

    def on_conflict(constraint: str) -> TrackwireError | None:
        names.append(constraint)
        return StoreUnavailable("taken")

    async def write_again() -> None:
        async with database.write(on_conflict) as connection:
            await connection.execute(insert(metric_keys).values(key="a"))

    await _write(database, "a")
    with pytest.raises(StoreUnavailable, match="taken"):
        await write_again()
    assert names == ["metric_keys.key"]


async def test_a_reader_sees_one_moment(database: Database) -> None:
    async with database.read() as connection:
        before = await connection.scalar(select(func.count()).select_from(metric_keys))
        await _write(database, "later")
        after = await connection.scalar(select(func.count()).select_from(metric_keys))
    assert before == after == 0
    assert await _count(database) == 1
