"""Tags and params: tables of an owner's number, a key and a value."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from sqlalchemy import Column, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING, Selection
from trackwire_server.stores.sql.dialect import Dialect, GatheredAsJson
from trackwire_server.stores.sql.prepared import Parameters, Prepared, Rows, fetch_groups, parts


async def upsert_entries(
    connection: AsyncConnection, dialect: Dialect, table: Table, owner_no: int, entries: Mapping[str, str]
) -> None:
    """Sets entries; the last write of a key wins."""
    if not entries:
        return
    owner = owner_of(table)
    rows = [{owner.name: owner_no, "key": key, "value": value} for key, value in entries.items()]
    await connection.execute(dialect.upsert(table, "value"), rows)


async def replace_entries(
    connection: AsyncConnection, dialect: Dialect, table: Table, owner_no: int, entries: Mapping[str, str]
) -> None:
    """Leaves an owner with these entries and no others."""
    await connection.execute(delete(table).where(owner_of(table) == owner_no))
    await upsert_entries(connection, dialect, table, owner_no, entries)


async def delete_entry(connection: AsyncConnection, table: Table, owner_no: int, key: str) -> bool:
    """Deletes one entry; False if it was not there."""
    result = await connection.execute(delete(table).where(owner_of(table) == owner_no, table.c.key == key))
    return result.rowcount > 0


async def read_entries(
    connection: AsyncConnection, table: Table, owner_nos: Sequence[int], selection: Selection = EVERYTHING
) -> dict[int, dict[str, str]]:
    """The entries wanted of each owner that has some."""
    [rows] = await fetch_groups(connection, entry_queries(table, owner_nos, selection))
    return by_owner(rows)


def entry_queries(table: Table, owner_nos: Sequence[int], selection: Selection) -> list[tuple[Prepared, Parameters]]:
    """What finds the entries wanted of these owners."""
    statement = _select_entries(table, of_keys=selection.keys is not None)
    return [(statement, parameters) for parameters in selected(owner_nos, selection)]


def by_owner(rows: Rows) -> dict[int, dict[str, str]]:
    """Rows of `entry_queries` as the entries of each owner."""
    return {owner_no: json.loads(gathered) for owner_no, gathered in rows}


def selected(owner_nos: Sequence[int], selection: Selection) -> Iterator[Parameters]:
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
    # A row an owner: a page of runs has thousands of entries, and a row of each takes longer than its JSON.
    statement = select(owner, GatheredAsJson(table.c.key, table.c.value)).group_by(owner)
    statement = statement.where(owner.in_(bindparam("owner_nos", expanding=True)))
    return Prepared(statement.where(table.c.key.in_(bindparam("keys", expanding=True))) if of_keys else statement)


def owner_of(table: Table) -> Column[int]:
    """The column of an entries table that says whose they are."""
    return next(iter(table.primary_key.columns))
