"""Tags and params: tables of an owner's number, a key and a value."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Column, ColumnElement, Table, delete, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING, Selection
from trackwire_server.stores.sql.dialect import Dialect

# Bound variables of one statement: SQLite takes 32,766 of them, asyncpg 32,767.
VARIABLES_MAX = 30_000


def chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Numbers in parts that fit an IN; 2,000 are left for what else a statement says."""
    size = VARIABLES_MAX - 2_000
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


async def upsert_entries(
    connection: AsyncConnection, dialect: Dialect, table: Table, owner_no: int, entries: Mapping[str, str]
) -> None:
    """Sets entries; the last write of a key wins."""
    if not entries:
        return
    owner = owner_of(table)
    rows = [{owner.name: owner_no, "key": key, "value": value} for key, value in entries.items()]
    statement = dialect.insert(table)
    upsert = statement.on_conflict_do_update(
        index_elements=[owner.name, "key"], set_={"value": statement.excluded.value}
    )
    await connection.execute(upsert, rows)


async def delete_entry(connection: AsyncConnection, table: Table, owner_no: int, key: str) -> bool:
    """Deletes one entry; False if it was not there."""
    result = await connection.execute(delete(table).where(owner_of(table) == owner_no, table.c.key == key))
    return result.rowcount > 0


async def read_entries(
    connection: AsyncConnection, table: Table, owner_nos: Sequence[int], selection: Selection = EVERYTHING
) -> dict[int, dict[str, str]]:
    """The entries wanted of each owner that has some."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    owner = owner_of(table)
    for part in chunks(owner_nos) if wants_some(selection) else ():
        statement = select(owner, table.c.key, table.c.value).where(owner.in_(part), is_wanted(table.c.key, selection))
        for owner_no, key, value in (await connection.execute(statement)).all():
            found[owner_no][key] = value
    return found


def wants_some(selection: Selection) -> bool:
    """Whether anything at all is wanted."""
    return selection.keys is None or bool(selection.keys)


def is_wanted(key: ColumnElement[str], selection: Selection) -> ColumnElement[bool]:
    """Whether a row's key is wanted."""
    return true() if selection.keys is None else key.in_(sorted(selection.keys))


def owner_of(table: Table) -> Column[int]:
    """The column of an entries table that says whose they are."""
    return next(iter(table.primary_key.columns))
