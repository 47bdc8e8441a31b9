"""What MariaDB does otherwise: what commits by itself, what is kept as something else, and what it says goes wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select, text
from tests import mariadb
from tests.conftest import NOW_MS
from tests.metric_data import batch, bits, compact_all, points_of, read_all
from tests.stores.conftest import Stores, new_run, sql_stores

from trackwire_server.core.columns import Appended, Batch, Layout, SeriesName
from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, RunSelection, WriterStamp
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.core.paging import SearchQuery
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.heads import advance_writer, lock_run
from trackwire_server.stores.sql.migrations import _whole_schema
from trackwire_server.stores.sql.rare_values import _owners
from trackwire_server.stores.sql.runs import SqlRuns
from trackwire_server.stores.sql.tables import SCHEMA_VERSION, metadata, metric_keys, run_params, runs

pytestmark = pytest.mark.mariadb


@pytest.fixture
def uri() -> Iterator[str]:
    """That of an empty database."""
    with mariadb.fresh_database() as found:
        yield found


@pytest.fixture
async def database(uri: str) -> AsyncIterator[Database]:
    """A fresh one."""
    opened = await Database.open(uri)
    yield opened
    await opened.close()


@pytest.fixture
async def stores(uri: str) -> AsyncIterator[Stores]:
    """Fresh ones."""
    async with sql_stores(uri) as opened:
        yield opened


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 60
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def search(**said: Any) -> SearchQuery:
    request = SearchRequest(experiment_ids=(DEFAULT_EXPERIMENT_ID,), **said)
    return parse_search(request, RUNS, page_size_default=10, page_size_max=10).query


async def waits_for_a_lock() -> bool:
    waiting = "SELECT count(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
    return await asyncio.to_thread(mariadb.running().say, waiting) != "n\n0\n"


async def test_request_that_waited_for_a_run_sees_the_mark_that_was_committed_meanwhile(
    uri: str, stores: Stores, database: Database
) -> None:
    await stores.runs.create_run(new_run("a"))
    request = batch("a", {"loss": [(1, 1, 1.0)]}, ("w", 1, 0))
    async with database.write() as connection:
        run = await lock_run(connection, "a")
        waiting = asyncio.create_task(stores.metrics.append([request], now_ms=NOW_MS))
        await until(waits_for_a_lock)
        assert await advance_writer(connection, database.dialect, run, WriterStamp("w", 1, 0))
    [outcome] = await waiting
    assert outcome == Appended(1, 0)


@pytest.mark.parametrize("statements", [1, 2, 30, 10_000])
async def test_making_the_schema_goes_on_where_it_was_broken_off(uri: str, statements: int) -> None:
    with mariadb.fresh_database() as whole_uri:
        broken_off, whole = await Database.open(uri, upgrade=False), await Database.open(whole_uri)
        async with broken_off.write() as connection:
            made = _whole_schema(connection)[:statements]
            await broken_off.dialect.create(connection, made)
        assert await broken_off.upgrade() == (0, SCHEMA_VERSION)
        assert await _tables(broken_off) == await _tables(whole)
        async with broken_off.read() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM experiments")) == 1
        assert await broken_off.upgrade() == (SCHEMA_VERSION, SCHEMA_VERSION)
        await broken_off.close()
        await whole.close()


async def test_step_that_was_broken_off_is_taken_to_its_end(uri: str) -> None:
    with mariadb.fresh_database() as whole_uri:
        broken_off, whole = await Database.open(uri), await Database.open(whole_uri)
        async with broken_off.write() as connection:
            await broken_off.dialect.change_schema(connection, "DROP INDEX ix_run_tags_value ON run_tags")
            await broken_off.dialect.change_schema(
                connection, "ALTER TABLE schema_migrations DROP COLUMN oldest_server"
            )
            await connection.execute(text("UPDATE schema_migrations SET version = 1"))
        assert await broken_off.upgrade() == (1, SCHEMA_VERSION)
        assert await _tables(broken_off) == await _tables(whole)
        await broken_off.close()
        await whole.close()


async def test_few_runs_with_a_value_are_looked_up_by_the_beginning_of_it(uri: str) -> None:
    database = await Database.open(uri)
    params = {f"key {at}": f"value {at}" for at in range(200)}
    await SqlRuns(database).create_run(new_run("r", params=params))
    parameters = {"key": "key 7", "value": "value 7"}
    statement, values = _owners(run_params, by_expression=False).bind(database.dialect, parameters)
    async with database.read() as connection:
        [plan] = (await connection.exec_driver_sql(f"EXPLAIN {statement.text}", tuple(values))).mappings().all()
    await database.close()
    assert (plan["type"], plan["key"], plan["rows"]) == ("ref", "ix_run_params_value", "1")


def _name(uri: str) -> str:
    return uri.split("/")[3].partition("?")[0]


async def _tables(database: Database) -> list[str]:
    async with database.read() as connection:
        shown = [await connection.execute(text(f"SHOW CREATE TABLE {name}")) for name in sorted(metadata.tables)]
        return [answer.one()[1] for answer in shown]


async def test_foreign_tables_are_refused_and_stay_alone(uri: str) -> None:
    mariadb.running().say(f"CREATE TABLE {_name(uri)}.runs (a int)")
    with pytest.raises(FailedPrecondition, match="has other tables"):
        await Database.open(uri)
    assert mariadb.running().say(f"SHOW TABLES FROM {_name(uri)}").split()[1:] == ["runs"]


async def test_summaries_keep_infinities_and_order_them(stores: Stores) -> None:
    largest = np.finfo(np.float64).max
    values = [-np.inf, -largest, -1.5, 5e-324, largest, np.inf]
    for at, value in enumerate(values):
        await stores.runs.create_run(new_run(f"r{at}"))
        await stores.metrics.append([batch(f"r{at}", {"m": [(1, 1, value)]})], now_ms=NOW_MS)
    summaries = await stores.metrics.summaries([f"r{at}" for at in range(6)], frozenset(), page_size=10, after=None)
    found = [summary.last_value for summary in summaries.items]
    # The one below the largest stands for it.
    assert [found[at] for at in (0, 2, 3, 5)] == [values[at] for at in (0, 2, 3, 5)]
    assert found[4] == np.nextafter(largest, 0) == -found[1]
    for wanted, matching in (("> 1.7e308", {"r4", "r5"}), ("= 1.7976931348623157e308", {"r4"}), ("< -2", {"r0", "r1"})):
        page = await stores.runs.search_runs(search(filter=f"metrics.m {wanted}"), RunSelection())
        assert {run.run_id for run in page.items} == matching
    read = await read_all(stores.metrics, ReadQuery(tuple(f"r{at}" for at in range(6))))
    assert list(read.values()) == [bits([(1, 1, value)]) for value in values]


async def test_page_of_the_newest_runs_is_read_in_the_order_of_an_index(
    uri: str, stores: Stores, database: Database
) -> None:
    await asyncio.gather(*(stores.runs.create_run(new_run(f"r{at}", start_time_ms=NOW_MS + at)) for at in range(200)))
    newest = (
        select(runs)
        .where(runs.c.experiment_no == int(DEFAULT_EXPERIMENT_ID), runs.c.lifecycle_stage == "active")
        .order_by(runs.c.start_time_ms.desc(), runs.c.run_id)
        .limit(10)
    )
    compiled = database.dialect.compiled(newest)
    values = [compiled.own.get(name, newest.compile().params.get(name)) for name in compiled.names]
    await asyncio.to_thread(mariadb.running().say, f"ANALYZE TABLE {_name(uri)}.runs")
    async with database.read() as connection:
        explained = replace(compiled, text=f"EXPLAIN {compiled.text}")
        [[plan]] = await database.dialect.fetch_each(connection, [(explained, values)])
    assert "ix_runs_newest" in plan
    assert "filesort" not in plan[-1]


async def test_texts_that_differ_at_their_end_only_are_in_order_over_pages(stores: Stores) -> None:
    longest = "é" * (LIMITS.tag_value_characters - 1)
    for name in "cab":
        await stores.runs.create_run(new_run(name, tags={"t": longest + name}))
    query, found = search(order_by=["tags.t"], page_size=1), []
    for _ in range(3):
        page = await stores.runs.search_runs(query, RunSelection())
        found += [run.run_id for run in page.items]
        query = replace(query, after=page.next_position)
    assert found == ["a", "b", "c"]
    assert page.next_position is None


@pytest.mark.slow
async def test_largest_request_is_stored(stores: Stores) -> None:
    await stores.runs.create_run(new_run("a"))
    count = LIMITS.points_per_ingest
    points = points_of([(0, 0, 0.0)]).take(np.zeros(count, dtype=np.int64))
    points.steps[:] = np.arange(count)
    request = Batch("a", WriterStamp("w", 1, 0), Layout((SeriesName("m"),)), np.array([count]), points)
    assert await stores.metrics.append([request], now_ms=NOW_MS) == [Appended(1, count)]
    await compact_all(stores.metrics, now_ms=NOW_MS)
    page = await stores.metrics.summaries(["a"], frozenset(), page_size=10, after=None)
    assert [(summary.count, summary.last_step) for summary in page.items] == [(count, count - 1)]


async def test_connections_that_were_closed_while_idle_are_replaced(database: Database) -> None:
    async with database.write() as one, database.write() as other:
        ids = [await connection.scalar(text("SELECT connection_id()")) for connection in (one, other)]
    for number in ids:
        mariadb.running().say(f"KILL {number}")
    async with asyncio.timeout(60), database.write() as connection:
        assert await connection.scalar(text("SELECT connection_id()")) not in ids


async def test_connection_that_is_closed_in_a_transaction_leaves_nothing(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="half"))
            number = await connection.scalar(text("SELECT connection_id()"))
            await asyncio.to_thread(mariadb.running().say, f"KILL {number}")
            await connection.execute(insert(metric_keys).values(key="other"))

    with pytest.raises(StoreUnavailable):
        await write()
    async with database.read() as connection:
        assert (await connection.execute(select(metric_keys))).all() == []


async def test_transaction_that_a_statement_has_committed_is_no_success(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE another (a int)"))

    with pytest.raises(Exception, match="has ended before it was committed"):
        await write()


async def test_text_is_told_apart_by_case_accents_and_spaces_at_its_end(database: Database) -> None:
    keys = ["a", "A", "á", "a ", "a\0", "😀"]
    async with database.write() as connection:
        await connection.execute(insert(metric_keys), [{"key": key} for key in keys])
    async with database.read() as connection:
        found = (await connection.scalars(select(metric_keys.c.key).order_by(metric_keys.c.key))).all()
    assert found == sorted(keys)


async def test_text_that_is_too_long_is_refused_and_not_cut(database: Database) -> None:
    with pytest.raises(InvalidArgument, match="Data too long"):
        async with database.write() as connection:
            await connection.execute(insert(metric_keys).values(key="k" * 251))


async def test_server_whose_packets_are_too_small_is_refused_with_the_size_that_it_takes(uri: str) -> None:
    server = mariadb.running()
    server.say("SET GLOBAL max_allowed_packet = 16777216")
    try:
        with pytest.raises(FailedPrecondition, match=r"max_allowed_packet is 16777216 bytes: .* need 67108864"):
            await Database.open(uri)
    finally:
        server.say("SET GLOBAL max_allowed_packet = 67108864")


async def test_without_the_ssl_that_is_asked_for_nothing_is_said_to_a_server(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match="Can't connect"):
        await Database.open(f"{uri}&ssl=true")


async def test_two_servers_that_start_together_make_one_schema(uri: str) -> None:
    opened = await asyncio.gather(*(Database.open(uri) for _ in range(4)))
    assert [(await each.schema()).version for each in opened] == [SCHEMA_VERSION] * 4
    for each in opened:
        await each.close()


async def test_lock_that_is_held_for_long_is_an_outage_and_no_error_of_ours(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(metric_keys).values(key="a"))

    async def lock_briefly() -> None:
        async with database.write() as connection:
            await connection.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
            await connection.execute(select(metric_keys).with_for_update())

    started = time.monotonic()
    async with database.write() as holder:
        await holder.execute(select(metric_keys).with_for_update())
        with pytest.raises(StoreUnavailable, match="Lock wait timeout"):
            await lock_briefly()
    assert time.monotonic() - started < 60
