"""What PostgreSQL says, as the domain's errors; what was in another's way is tried again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, select, text
from tests.conftest import NOW_MS
from tests.metric_data import batch, ranked
from tests.postgres import fresh_database
from tests.stores.conftest import EAGER, new_run

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import ConnectionSettings
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns
from trackwire_server.stores.sql.tables import experiments, metric_contexts, metric_keys, runs


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


async def test_no_more_connections_are_made_than_the_pool_may_have() -> None:
    with fresh_database() as uri:
        database = await Database.open(uri, connections=ConnectionSettings(pool_size=2))

        async def connections() -> int:
            async with database.read() as connection:
                mine = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                return int(await connection.scalar(mine) or 0)

        # One that writes has made the schema; of ten that would read, two do at a time.
        assert set(await asyncio.gather(*(connections() for _ in range(10)))) <= {2, 3}
        await database.close()


async def test_a_group_makes_its_names_in_one_order(database: Database) -> None:
    # Two servers that made the same ones, each in the order of its requests, would wait for one another.
    store, point = SqlMetricStore(database), [(0, 0, 0.0)]
    for run_id in ("a", "b"):
        await SqlRuns(database).create_run(new_run(run_id))
    backwards = [batch("a", {"z": point}), batch("b", {ranked("y", 2): point}), batch("b", {ranked("x", 1): point})]
    await store.append(backwards, now_ms=NOW_MS)
    async with database.read() as connection:
        keys = await connection.scalars(select(metric_keys.c.key).order_by(metric_keys.c.key_no))
        ranks = await connection.scalars(select(metric_contexts.c.rank).order_by(metric_contexts.c.context_no))
        assert keys.all() == ["x", "y", "z"]
        assert ranks.all()[-2:] == [1, 2]


async def test_a_run_that_another_server_compacts_is_left_to_it(database: Database) -> None:
    store = SqlMetricStore(database, compaction=EAGER)
    for run_id in ("a", "b"):
        await SqlRuns(database).create_run(new_run(run_id))
        await store.append([batch(run_id, {"loss": [(0, 0, 0.0)]})], now_ms=NOW_MS)
    async with database.read() as others:
        [run_no] = await others.scalars(select(runs.c.run_no).where(runs.c.run_id == "a"))
        assert await database.dialect.is_alone(others, run_no)
        while await store.compact(now_ms=NOW_MS):
            pass
        assert (await store.backlog()).rows == 1
    assert await store.compact(now_ms=NOW_MS)
    assert (await store.backlog()).rows == 0
