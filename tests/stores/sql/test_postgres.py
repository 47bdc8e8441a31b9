"""What PostgreSQL says, as the domain's errors; what was in another's way is tried again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import bindparam, insert, select
from tests.postgres import fresh_database

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import Transaction, Work
from trackwire_server.stores.sql.tables import experiments, metric_keys


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """A fresh one."""
    with fresh_database() as uri:
        opened = await Database.open(uri)
        yield opened
        await opened.close()


async def test_text_that_is_not_kept_is_a_bad_argument(database: Database) -> None:
    with pytest.raises(InvalidArgument, match=r"without U\+0000"):
        async with database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="a\0b"))


async def test_number_that_no_column_holds_is_a_bad_argument(database: Database) -> None:
    with pytest.raises(InvalidArgument, match="out of int64 range"):
        async with database.read() as connection:
            await connection.execute(select(experiments).where(experiments.c.experiment_no == 10**30))


async def test_error_of_the_callers_own_is_not_the_databases(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="half"))
            raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(metric_keys))).all() == []


async def test_database_that_is_not_there_is_named_without_its_password() -> None:
    uri = "postgresql://somebody:secret@127.0.0.1:1/nowhere"
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nowhere") as error:
        await Database.open(uri)
    assert "secret" not in error.value.message


async def test_database_of_another_encoding_is_refused_by_name() -> None:
    refused = pytest.raises(FailedPrecondition, match=r"store_uri: .*LATIN1.*ENCODING 'UTF8'")
    with fresh_database("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'") as uri, refused:
        await Database.open(uri)


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
    assert len(attempts) == 3
