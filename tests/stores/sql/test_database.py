"""Transactions: what a cancelled, a failed and a finished one leave behind."""

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import func, insert, select, text

from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import READERS
from trackwire_server.stores.sql.tables import metric_keys

if TYPE_CHECKING:
    from trackwire_server.stores.sql.sqlite_driver import SqliteDriver


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


FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def _count_forever(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text(FOREVER))


async def test_a_cancelled_statement_ends_and_its_connection_serves_again(database: Database) -> None:
    # One for each connection that reads: if one of them went on, nobody could read any more.
    for _ in range(READERS):
        call = asyncio.ensure_future(_count_forever(database))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, timeout=10)
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(_count(database) for _ in range(2 * READERS))) == [0] * 2 * READERS


async def test_a_statement_ends_that_began_after_its_call_was_cancelled(database: Database) -> None:
    def begin_late(raw: sqlite3.Connection) -> None:
        may_begin.wait(10)
        raw.execute(FOREVER)

    may_begin = threading.Event()
    async with database._reader.connect() as connection:
        driver = cast("SqliteDriver", (await connection.get_raw_connection()).driver_connection)
        call = asyncio.ensure_future(driver.run(begin_late))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.wait([call])
        may_begin.set()
        async with asyncio.timeout(10):
            assert await driver.run(lambda raw: raw.execute("SELECT 1").fetchone()) == (1,)


@pytest.mark.parametrize("turns", range(8))
async def test_a_call_cancelled_twice_leaves_no_task_behind(database: Database, turns: int) -> None:
    before = asyncio.all_tasks()
    for _ in range(10):
        call = asyncio.ensure_future(_count_forever(database))
        await asyncio.sleep(0.01)
        call.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call], timeout=10)
        assert call.done()
    left = asyncio.all_tasks() - before
    _, left = await asyncio.wait(left, timeout=10) if left else ((), set())
    assert not left


async def test_a_read_that_ended_holds_no_snapshot(database: Database) -> None:
    await _write(database, "a")
    assert await asyncio.gather(*(_count(database) for _ in range(READERS))) == [1] * READERS
    async with database._writer.connect() as connection:
        await connection.rollback()
        driver = cast("SqliteDriver", (await connection.get_raw_connection()).driver_connection)
        # A checkpoint that starts the log anew is busy as long as anybody reads from it.
        [busy, *_] = await driver.run(lambda raw: raw.execute("PRAGMA wal_checkpoint(RESTART)").fetchone())
    assert busy == 0
