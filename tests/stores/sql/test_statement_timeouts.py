"""A statement that takes too long is ended, and the setting that says so is named."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.stores.conftest import MARIADB, fresh_uri

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import ConnectionSettings

ENDLESS = {
    "postgresql": "SELECT pg_sleep(60)",
    "mariadb": "SELECT count(*) FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b WHERE (a.seq * b.seq) % 7 = 3",
}


@pytest.mark.parametrize("backend", ["postgresql", MARIADB])
async def test_a_statement_that_takes_too_long_is_ended_and_the_setting_is_named(backend: str, tmp_path: Path) -> None:
    with fresh_uri(backend, tmp_path) as uri:
        database = await Database.open(uri, connections=ConnectionSettings(statement_timeout_seconds=0.2))
        with pytest.raises(StoreUnavailable, match=r"--store-statement-timeout-seconds is 0\.2"):
            async with database.read() as connection:
                await connection.execute(text(ENDLESS[backend]))
        assert (await database.schema()).version > 0
        await database.close()
