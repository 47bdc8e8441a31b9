"""Searches for a value that few have: who has it is looked up by an index, where all would be looked through."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import cast

from sqlalchemy import Table, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.search import And, Comparison, Expression, Operator
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
    for table, comparison in _asked_for(entity, expression):
        beginning = cast("str", comparison.value)[:INDEXED_CHARACTERS]
        rows = await fetch_all(connection, _owners(table), {"key": comparison.field.key, "beginning": beginning})
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
def _owners(table: Table) -> Prepared:
    owner, beginning = owner_of(table), beginning_of(table.c.value)
    is_asked_for = and_(table.c.key == bindparam("key"), beginning == bindparam("beginning"))
    # In the index's order, of which no more than these are read.
    return Prepared(select(owner).where(is_asked_for).order_by(owner).limit(FEW + 1))
