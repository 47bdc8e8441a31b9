"""Transactions: what a cancelled, a failed and a finished one leave behind."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import func, insert, select, text
from tests.faults.traffic import until
from tests.postgres import fresh_database
from tests.stores.conftest import DATABASES, fresh_uri

from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.stores.sql import sqlite_dialect
from trackwire_server.stores.sql.database import Database, OnConflict
from trackwire_server.stores.sql.dialect import Transaction, Write
from trackwire_server.stores.sql.sqlite_dialect import READERS
from trackwire_server.stores.sql.sqlite_driver import connect
from trackwire_server.stores.sql.tables import metric_keys

if TYPE_CHECKING:
    from trackwire_server.stores.sql.sqlite_driver import SqliteDriver


async def _write(database: Database, key: str, on_conflict: OnConflict | None = None) -> None:
    async with database.write(on_conflict) as connection:
        await connection.execute(insert(metric_keys).values(key=key))


async def _write_in_one(database: Database, key: str, on_conflict: OnConflict | None = None) -> None:
    await database.write_in_one(lambda begun: _insert(database, begun, key), on_conflict)


async def _insert(database: Database, begun: Transaction, key: str) -> None:
    rows = database.dialect.given({"key": metric_keys.c.key.type})
    statement = database.dialect.compiled(rows.into(insert(metric_keys)))
    await database.dialect.execute_all(begun, [Write(statement, {"key": [key]})])


WriteKey = Callable[..., Coroutine[Any, Any, None]]
WAYS_TO_WRITE = (_write, _write_in_one)


async def _count(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(metric_keys)) or 0


@pytest.fixture(params=DATABASES)
async def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh one of each kind."""
    with fresh_uri(request.param, tmp_path) as uri:
        opened = await Database.open(uri)
        yield opened
        await opened.close()


@pytest.mark.parametrize("write", WAYS_TO_WRITE)
@pytest.mark.parametrize("turns", range(12))
async def test_a_call_cancelled_at_any_point_leaves_no_transaction_behind(
    any_database: Database, turns: int, write: WriteKey
) -> None:
    for number in range(10):
        calls = [asyncio.ensure_future(write(any_database, f"{number}")), asyncio.ensure_future(_count(any_database))]
        for _ in range(turns):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await write(any_database, f"kept {number}")
    async with any_database.read() as connection:
        kept = await connection.scalar(select(func.count()).where(metric_keys.c.key.like("kept %")))
    assert kept == 10


async def test_a_failed_write_leaves_nothing(any_database: Database) -> None:
    async def fail_halfway() -> None:
        async with any_database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="half"))
            raise StoreUnavailable("no more")

    async def fail(begun: Transaction) -> None:
        await _insert(any_database, begun, "half")
        raise StoreUnavailable("no more")

    with pytest.raises(StoreUnavailable, match="no more"):
        await fail_halfway()
    with pytest.raises(StoreUnavailable, match="no more"):
        await any_database.write_in_one(fail)
    assert await _count(any_database) == 0


@pytest.mark.parametrize("write", WAYS_TO_WRITE)
async def test_a_violated_constraint_becomes_the_callers_error_by_its_name(
    any_database: Database, write: WriteKey
) -> None:
    names: list[str] = []

    def on_conflict(constraint: str) -> TrackwireError | None:
        names.append(constraint)
        return StoreUnavailable("taken")

    await write(any_database, "a")
    with pytest.raises(StoreUnavailable, match="taken"):
        await write(any_database, "a", on_conflict)
    assert names in (["metric_keys.key"], ["uq_metric_keys_key"])


async def test_a_transaction_in_one_trip_whose_caller_has_gone_is_not_committed(database: Database) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    async def work(begun: Transaction) -> None:
        await _insert(database, begun, "gone")
        has_begun.set()
        may_end.wait(60)

    call = asyncio.ensure_future(database.write_in_one(work))
    assert await asyncio.to_thread(has_begun.wait, 10)
    call.cancel()
    await asyncio.wait([call], timeout=60)
    assert call.cancelled()
    may_end.set()
    await _write(database, "later")
    assert await _count(database) == 1


async def test_a_transaction_in_one_trip_waits_for_nothing_but_its_statements(database: Database) -> None:
    async def work(begun: Transaction) -> None:
        await _insert(database, begun, "half")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="none of its statements"):
        await database.write_in_one(work)
    assert await _count(database) == 0


@pytest.mark.parametrize("write", WAYS_TO_WRITE)
async def test_who_waits_to_write_is_not_overtaken_by_one_trip_after_the_other(
    database: Database, write: WriteKey
) -> None:
    async def write_on() -> None:
        while not is_over:
            keys.append(f"{len(keys)}")
            await _write_in_one(database, keys[-1])

    keys: list[str] = []
    is_over = False
    greedy = asyncio.ensure_future(write_on())
    assert await until(lambda: len(keys) > 2, seconds=60)
    before = len(keys)
    async with asyncio.timeout(60):
        await write(database, "waiting")
    assert len(keys) <= before + 2
    is_over = True
    await greedy


async def test_who_waits_too_long_for_its_turn_to_write_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_dialect, "BUSY_TIMEOUT_SECONDS", 0.05)
    async with database.write():
        with pytest.raises(StoreUnavailable, match=r"for 0\.05 seconds: nothing was stored"):
            await _write_in_one(database, "late")
    await _write(database, "later")
    assert await _count(database) == 1


async def test_a_reader_sees_one_moment(any_database: Database) -> None:
    async with any_database.read() as connection:
        before = await connection.scalar(select(func.count()).select_from(metric_keys))
        await _write(any_database, "later")
        after = await connection.scalar(select(func.count()).select_from(metric_keys))
    assert before == after == 0
    assert await _count(any_database) == 1


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
            await asyncio.wait_for(call, timeout=60)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(_count(database) for _ in range(2 * READERS))) == [0] * 2 * READERS


async def test_a_statement_ends_that_began_after_its_call_was_cancelled(database: Database) -> None:
    def begin_late(raw: sqlite3.Connection) -> None:
        may_begin.wait(60)
        raw.execute(FOREVER)

    may_begin = threading.Event()
    async with database.read() as connection:
        driver = cast("SqliteDriver", (await connection.get_raw_connection()).driver_connection)
        call = asyncio.ensure_future(driver.run(begin_late))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.wait([call])
        may_begin.set()
        async with asyncio.timeout(60):
            assert await driver.run(lambda raw: raw.execute("SELECT 1").fetchone()) == (1,)


async def test_an_interruption_that_is_late_does_not_meet_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_has_begun, first_may_end, next_has_begun = threading.Event(), threading.Event(), threading.Event()

    class Late(sqlite3.Connection):
        def interrupt(self) -> None:
            first_may_end.set()
            next_has_begun.wait(0.5)
            super().interrupt()

    def first(_raw: sqlite3.Connection) -> None:
        first_has_begun.set()
        first_may_end.wait(60)

    def next_one(raw: sqlite3.Connection) -> object:
        raw.set_progress_handler(next_has_begun.set, 1_000)
        return raw.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT count(*) FROM n"
        ).fetchone()

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Late))
    driver = await connect(str(tmp_path / "late.db"), timeout_seconds=1, reads_only=False)
    given_up, waiting = (asyncio.ensure_future(driver.run(work)) for work in (first, next_one))
    assert await asyncio.to_thread(first_has_begun.wait, 60)
    given_up.cancel()
    assert await waiting == (1_000_000,)
    await driver.close()


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
        await asyncio.wait([call], timeout=60)
        assert call.done()
    left = asyncio.all_tasks() - before
    _, left = await asyncio.wait(left, timeout=60) if left else ((), set())
    assert not left


async def test_a_read_that_ended_holds_no_snapshot(database: Database) -> None:
    await _write(database, "a")
    assert await asyncio.gather(*(_count(database) for _ in range(READERS))) == [1] * READERS
    async with database.write() as connection:
        # A checkpoint is none that is part of a transaction.
        await connection.rollback()
        driver = cast("SqliteDriver", (await connection.get_raw_connection()).driver_connection)
        # A checkpoint that starts the log anew is busy as long as anybody reads from it.
        [busy, *_] = await driver.run(lambda raw: raw.execute("PRAGMA wal_checkpoint(RESTART)").fetchone())
    assert busy == 0


async def test_figures_tell_who_uses_a_connection_and_who_waits(any_database: Database) -> None:
    pools = {pool.name: pool for pool in any_database.pools}
    writing, reading = pools["writing"], pools["reading"]
    waited = writing.wait_seconds.count
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        await stack.enter_async_context(any_database.read())
        for _ in range(writing.size):
            await stack.enter_async_context(any_database.write())
        assert (reading.in_use, writing.in_use, writing.waiting) == (1, writing.size, 0)
        late = asyncio.create_task(_write_in_one(any_database, "late"))
        await until(lambda: writing.waiting == 1, seconds=60)
        assert (writing.in_use, writing.waiting) == (writing.size, 1)
    await late
    assert [(pool.in_use, pool.waiting) for pool in pools.values()] == [(0, 0), (0, 0)]
    assert writing.wait_seconds.count == waited + writing.size + 1


async def test_ping_is_answered_by_a_database_that_is_there_alone() -> None:
    with fresh_database() as uri:
        database = await Database.open(uri)
        await database.ping()
    with pytest.raises(StoreUnavailable):
        await database.ping()
    await database.close()
