"""A migrated database is the same as a fresh one; a newer one is refused; a step that fails leaves nothing behind."""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import FailedPrecondition
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.migrations import MIGRATIONS, Step, migrate
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

# What version 1 was when it came out. Databases in the world look like this: the file never changes.
VERSION_1 = Path(__file__).with_name("schema_1.sql").read_text()
NEXT = SCHEMA_VERSION + 1


def schema(path: Path) -> dict[str, str]:
    """What SQLite wrote down of each table and index; white space and the order of a table's constraints aside."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: normalised(sql) for name, sql in rows if not name.startswith("sqlite_")}


def normalised(sql: str) -> str:
    words = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    return re.sub(r" ?([(),]) ?", r"\1", words)


def recorded(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT version FROM schema_migrations ORDER BY version")]


async def upgrade(path: Path, steps: Mapping[int, Step] = MIGRATIONS, target: int = SCHEMA_VERSION) -> tuple[int, int]:
    database = await Database.open(f"sqlite:///{path}", upgrade=False)
    try:
        async with database.write() as connection:
            return await migrate(connection, steps=steps, target=target)
    finally:
        await database.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of version 1."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path


@pytest.mark.parametrize(
    ("table", "advice"), [("runs", "point the server at an empty"), ("alembic_version", "import mlflow")]
)
async def test_database_of_others_is_refused_and_stays_as_it_is(tmp_path: Path, table: str, advice: str) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {table} (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(FailedPrecondition, match=rf"other tables \({table}.*{advice}") as caught:
        await Database.open(f"sqlite:///{path}")
    assert caught.value.reason == "FOREIGN_DATABASE"
    assert path.read_bytes() == before


async def test_database_migrated_from_version_1_is_the_same_as_a_fresh_one(old: Path, tmp_path: Path) -> None:
    assert await upgrade(tmp_path / "fresh.db") == (0, SCHEMA_VERSION)
    assert await upgrade(old) == (1, SCHEMA_VERSION)
    fresh, migrated = schema(tmp_path / "fresh.db"), schema(old)
    assert migrated.keys() == fresh.keys()
    assert migrated == fresh
    assert recorded(old) == list(range(1, SCHEMA_VERSION + 1))
    assert recorded(tmp_path / "fresh.db") == [SCHEMA_VERSION]


async def test_migrated_and_fresh_databases_have_the_same_first_rows(old: Path, tmp_path: Path) -> None:
    await upgrade(old)
    await upgrade(tmp_path / "fresh.db")
    query = "SELECT experiment_no, workspace, name, lifecycle_stage, c.* FROM experiments, metric_contexts c"
    found = []
    for path in (old, tmp_path / "fresh.db"):
        with closing(sqlite3.connect(path)) as connection:
            found.append(connection.execute(query).fetchall())
    assert found[0] == found[1] == [(0, "default", "Default", "active", 0, -1, "", "", "")]


def test_there_is_one_step_for_each_version_behind_the_first() -> None:
    assert sorted(MIGRATIONS) == list(range(2, SCHEMA_VERSION + 1))


async def test_newer_database_is_refused_and_left_as_it_is(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 0)")
    before = schema(old)
    with pytest.raises(FailedPrecondition, match="schema version 9999") as raised:
        await upgrade(old)
    assert raised.value.reason == "SCHEMA_TOO_NEW"
    assert schema(old) == before


async def test_steps_run_in_order_and_are_recorded(old: Path) -> None:
    async def first(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE added (a INTEGER)"))

    async def second(connection: AsyncConnection) -> None:
        # Fails unless the first has run.
        await connection.execute(text("ALTER TABLE added ADD COLUMN b TEXT"))

    await upgrade(old)
    steps = {**MIGRATIONS, NEXT + 1: second, NEXT: first}
    assert await upgrade(old, steps, NEXT + 1) == (SCHEMA_VERSION, NEXT + 1)
    assert schema(old)["added"] == "CREATE TABLE added(a INTEGER,b TEXT)"
    assert recorded(old) == list(range(1, NEXT + 2))
    assert await upgrade(old, steps, NEXT + 1) == (NEXT + 1, NEXT + 1)


async def test_step_that_fails_leaves_nothing_of_itself_or_of_those_before(old: Path) -> None:
    async def good(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE added (a INTEGER)"))
        await connection.execute(text("UPDATE experiments SET name = 'renamed'"))

    async def broken(connection: AsyncConnection) -> None:
        await connection.execute(text("DROP TABLE uploads"))
        raise RuntimeError("the step is broken")

    await upgrade(old)
    before = schema(old)
    with pytest.raises(RuntimeError, match="the step is broken"):
        await upgrade(old, {**MIGRATIONS, NEXT: good, NEXT + 1: broken}, NEXT + 1)
    assert schema(old) == before
    assert recorded(old) == list(range(1, SCHEMA_VERSION + 1))
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]
