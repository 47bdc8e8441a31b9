"""Tags and params: tables of an owner's number, a key and a value."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from sqlalchemy import Column, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING, Selection
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.prepared import Prepared, fetch_all, parts


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
    statement = _select_entries(table, of_keys=selection.keys is not None)
    for part in parameters(owner_nos, selection):
        for owner_no, key, value in await fetch_all(connection, statement, part):
            found[owner_no][key] = value
    return found


def parameters(owner_nos: Sequence[int], selection: Selection) -> Iterator[Mapping[str, Sequence[int | str]]]:
    """What a statement over `owner_nos` and `keys` is run with, part by part; nothing where nothing is wanted."""
    if selection.keys is None:
        for part in parts(owner_nos):
            yield {"owner_nos": part}
    elif selection.keys:
        for part in parts(owner_nos):
            yield {"owner_nos": part, "keys": sorted(selection.keys)}


@cache
def _select_entries(table: Table, *, of_keys: bool) -> Prepared:
    owner = owner_of(table)
    statement = select(owner, table.c.key, table.c.value).where(owner.in_(bindparam("owner_nos", expanding=True)))
    return Prepared(statement.where(table.c.key.in_(bindparam("keys", expanding=True))) if of_keys else statement)


def owner_of(table: Table) -> Column[int]:
    """The column of an entries table that says whose they are."""
    return next(iter(table.primary_key.columns))
