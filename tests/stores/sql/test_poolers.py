"""A pooler before PostgreSQL: one that leaves sessions whole serves, one that mixes them up is refused."""

import asyncio

import pytest
from sqlalchemy import text
from tests.pgbouncer import needs_pgbouncer, pooled_database
from tests.postgres import fresh_database

from trackwire_server.core.errors import FailedPrecondition
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import ConnectionSettings

TIMEOUT_SECONDS = 7
POOL = ConnectionSettings(pool_size=4, statement_timeout_seconds=TIMEOUT_SECONDS)


async def settings_of(database: Database) -> tuple[str, ...]:
    """What holds in one of its sessions, which is used for a moment."""
    async with database.read() as connection:
        names = ("synchronous_commit", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        found = tuple([str(await connection.scalar(text(f"SHOW {name}"))) for name in names])
        await connection.execute(text("SELECT pg_sleep(0.02)"))
        return found


async def settings_of_all(uri: str) -> set[tuple[str, ...]]:
    database = await Database.open(uri, connections=POOL)
    try:
        return {*await asyncio.gather(*(settings_of(database) for _ in range(12)))}
    finally:
        await database.close()


@needs_pgbouncer
async def test_every_session_has_its_settings_behind_a_pooler_too() -> None:
    with fresh_database() as uri:
        directly = await settings_of_all(uri)
    with pooled_database("session") as uri:
        assert await settings_of_all(uri) == directly == {("on", f"{TIMEOUT_SECONDS}s", "30s", "1min")}


@needs_pgbouncer
async def test_pooler_that_hands_connections_on_is_refused_by_what_it_is_to_be_told() -> None:
    with pooled_database("transaction") as uri:
        for _ in range(3):
            with pytest.raises(FailedPrecondition, match=r"store_uri: .*pool_mode = session") as error:
                await Database.open(uri)
            assert error.value.reason == "POOLED_BY_TRANSACTION"
