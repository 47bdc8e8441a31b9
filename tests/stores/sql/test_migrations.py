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
from trackwire_server.stores.sql.migrations import MIGRATIONS, Step
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

# What version 1 was when it came out. Databases in the world look like this: the file never changes.
VERSION_1 = Path(__file__).with_name("schema_1.sql").read_text()
NEXT = SCHEMA_VERSION + 1


def schema(path: Path) -> dict[str, list[str]]:
    """What SQLite wrote down of each table and index: its words, and the parts of a table in no order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: normalised(sql) for name, sql in rows if not name.startswith("sqlite_")}


def normalised(sql: str) -> list[str]:
    words = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    head, _, rest = re.sub(r" ?([(),]) ?", r"\1", words).partition("(")
    parts, _, options = rest.rpartition(")")
    # A comma between parentheses separates no parts of a table.
    return [head, *sorted(re.split(r",(?![^(]*\))", parts)), options]


def recorded(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT version FROM schema_migrations ORDER BY version")]


async def upgrade(path: Path, steps: Mapping[int, Step] = MIGRATIONS, target: int = SCHEMA_VERSION) -> tuple[int, int]:
    database = await Database.open(f"sqlite:///{path}", upgrade=False)
    try:
        return await database.upgrade(steps=steps, target=target)
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
        connection.execute("ALTER TABLE schema_migrations ADD COLUMN oldest_server INTEGER DEFAULT 1 NOT NULL")
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 0, 9998)")
    before = schema(old)
    with pytest.raises(FailedPrecondition, match=r"schema version 9999, which needs .* version 9998") as raised:
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
    steps = {**MIGRATIONS, NEXT + 1: Step(second, oldest_server=NEXT), NEXT: Step(first, oldest_server=NEXT)}
    assert await upgrade(old, steps, NEXT + 1) == (SCHEMA_VERSION, NEXT + 1)
    assert schema(old)["added"] == ["CREATE TABLE added", "a INTEGER", "b TEXT", ""]
    assert recorded(old) == list(range(1, NEXT + 2))
    assert await upgrade(old, steps, NEXT + 1) == (NEXT + 1, NEXT + 1)


async def test_step_that_fails_leaves_nothing_of_itself_and_those_before_stay(old: Path) -> None:
    async def good(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE added (a INTEGER)"))

    async def broken(connection: AsyncConnection) -> None:
        await connection.execute(text("UPDATE experiments SET name = 'renamed'"))
        await connection.execute(text("DROP TABLE uploads"))
        raise RuntimeError("the step is broken")

    async def mended(connection: AsyncConnection) -> None:
        await connection.execute(text("ALTER TABLE added ADD COLUMN b INTEGER"))

    await upgrade(old)
    before = schema(old)
    steps = {**MIGRATIONS, NEXT: Step(good, oldest_server=1), NEXT + 1: Step(broken, oldest_server=1)}
    with pytest.raises(RuntimeError, match="the step is broken"):
        await upgrade(old, steps, NEXT + 1)
    assert schema(old) == {**before, "added": ["CREATE TABLE added", "a INTEGER", ""]}
    assert recorded(old) == list(range(1, NEXT + 1))
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]
    assert await upgrade(old, {**steps, NEXT + 1: Step(mended, oldest_server=1)}, NEXT + 1) == (NEXT, NEXT + 1)


async def test_newer_database_that_servers_of_this_version_work_with_is_left_as_it_is(old: Path) -> None:
    async def added(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE added (a INTEGER)"))

    await upgrade(old, {**MIGRATIONS, NEXT: Step(added, oldest_server=SCHEMA_VERSION)}, NEXT)
    before = schema(old)
    assert await upgrade(old) == (NEXT, NEXT)
    assert schema(old) == before
