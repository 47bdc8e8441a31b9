"""Searches for a value that few have: who has it is looked up by an index, where all would be looked through."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.search import And, Comparison, Expression, Operator
from trackwire_server.stores.sql.dialect import dialect_of
from trackwire_server.stores.sql.entries import owner_of
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.tables import run_params, run_tags
from trackwire_server.stores.sql.tables.columns import INDEXED_CHARACTERS, beginning_of

# Of more than these a page is sooner found by looking through all in its order.
FEW = 1_000
_INDEXED = (run_params, run_tags)


async def few_with_value(
    connection: AsyncConnection, entity: Searchable, expression: Expression | None
) -> Sequence[int] | None:
    """The numbers of all that can have a value which a filter asks for, in any experiment; None unless they are few."""
    by_expression = dialect_of(connection).indexes_expressions
    for table, comparison in _asked_for(entity, expression):
        value = cast("str", comparison.value)
        if by_expression:
            value = value[:INDEXED_CHARACTERS]
        owners = _owners(table, by_expression=by_expression)
        rows = await fetch_all(connection, owners, {"key": comparison.field.key, "value": value})
        if len(rows) <= FEW:
            return [owner for (owner,) in rows]
    return None


def _asked_for(entity: Searchable, expression: Expression | None) -> Iterator[tuple[Table, Comparison]]:
    for conjunct in expression.operands if isinstance(expression, And) else (expression,):
        if isinstance(conjunct, Comparison) and conjunct.operator is Operator.EQUAL:
            table = entity.entries.get(conjunct.field.kind)
            if table is not None and table in _INDEXED:
                yield table, conjunct


@cache
def _owners(table: Table, *, by_expression: bool) -> Prepared:
    owner, value = owner_of(table), table.c.value
    of_key = select(owner).where(table.c.key == bindparam("key")).limit(FEW + 1)
    if by_expression:
        # In the index's order, of which no more than these are read.
        return Prepared(of_key.where(beginning_of(value) == bindparam("value")).order_by(owner))
    return Prepared(of_key.where(value == bindparam("value")))
