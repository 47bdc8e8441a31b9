"""What a page of the model registry costs in SQL, and how large it may be."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from tests.stores.test_model_registry import Registry, parsed

from trackwire_server.search import MODEL_VERSIONS
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.model_versions import SqlModelVersions
from trackwire_server.stores.sql.registered_models import SqlRegisteredModels
from trackwire_server.stores.sql.tables import model_versions


async def test_a_page_of_models_costs_six_statements_whatever_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any):
            super().__init__(*arguments, **options)
            self.set_trace_callback(statements.append)

    monkeypatch.setattr(sqlite3, "connect", Traced)
    database = await Database.open(f"sqlite:///{tmp_path}/registry.db")
    try:
        registry = Registry(SqlRegisteredModels(database), SqlModelVersions(database))
        for number in range(20):
            await registry.register(f"model {number}", versions=2)
            await registry.models.set_alias(f"model {number}", "champion", 1, now_ms=1_000)
        await registry.names()  # by which the connection that reads is open
        statements.clear()
        assert len(await registry.names()) == 20
    finally:
        await database.close()
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 6


async def test_a_page_may_hold_more_versions_than_a_statement_has_variables(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/registry.db")
    registry = Registry(SqlRegisteredModels(database), SqlModelVersions(database))
    await registry.register("big")
    row = {"model_no": 1, "source": "s3://b", "status": "READY", "creation_time_ms": 1, "last_update_time_ms": 1}
    async with database.write() as connection:
        await connection.execute(insert(model_versions), [{**row, "version": n} for n in range(1, 40_001)])
    assert len(await registry.numbers("", "version_number")) == 1_000
    query = parsed(MODEL_VERSIONS, "", ("version_number",), page_size=200_000)
    page = await registry.versions.search_model_versions(query)
    assert [version.version for version in page.items] == list(range(1, 40_001))
    await database.close()
