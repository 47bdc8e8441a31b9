"""SELECTs that are built and compiled once: SQLAlchemy's own way from a statement to rows takes longer than most run.

For statements that run often: those that are known beforehand, and searches.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeAlias, TypeVar, cast

from sqlalchemy import Select

from trackwire_server.stores.sql.dialect import Compiled, Dialect, Transaction, dialect_of

# The longest list in a statement: SQLite takes 32,766 values in one, asyncpg 32,767, and there may be others beside it.
LIST_MAX = 16_384

Item = TypeVar("Item")
Parameters: TypeAlias = Mapping[str, object]
Rows: TypeAlias = Sequence[tuple[Any, ...]]


class Prepared:
    """A SELECT with named parameters; those in `IN (bindparam(…, expanding=True))` are lists, never empty."""

    def __init__(self, statement: Select[*tuple[Any, ...]]):
        self._statement = statement
        self._compiled: dict[tuple[str, tuple[int, ...]], Compiled] = {}

    def bind(self, dialect: Dialect, parameters: Parameters) -> tuple[Compiled, list[object]]:
        """The text for these parameters, and its row of values.

        Lists of many lengths share a text: each is filled up, by repeating its last member, to the next power of two.
        """
        lists = {name: _filled_up(value) for name, value in parameters.items() if isinstance(value, list)}
        sizes = tuple(map(len, lists.values()))
        compiled = self._compiled.get((dialect.name, sizes))
        if compiled is None:
            compiled = dialect.compiled(self._statement, {**parameters, **lists})
            self._compiled[dialect.name, sizes] = compiled
        values = {**compiled.own, **parameters}
        for name, members in lists.items():
            values |= _numbered(name, members)
        return compiled, [values[name] for name in compiled.names]


async def fetch_all(transaction: Transaction, statement: Prepared, parameters: Parameters) -> Rows:
    """The rows as the driver has them, in one trip."""
    [rows] = await fetch_groups(transaction, [(statement, parameters)])
    return rows


async def fetch_groups(transaction: Transaction, *groups: Sequence[tuple[Prepared, Parameters]]) -> list[Rows]:
    """The rows of each group of statements, in one trip for all of them."""
    dialect = dialect_of(transaction)
    bound = [statement.bind(dialect, parameters) for group in groups for statement, parameters in group]
    fetched = iter(await dialect.fetch_each(transaction, bound) if bound else ())
    answers = [list(islice(fetched, len(group))) for group in groups]
    return [rows[0] if len(rows) == 1 else list(chain.from_iterable(rows)) for rows in answers]


def parts(items: Collection[Item], *, values: int = 1) -> Iterator[list[Item]]:
    """Items in lists that fit a statement, where each of them takes so many values."""
    left = iter(items)
    while part := list(islice(left, LIST_MAX // values)):
        yield part


def _numbered(name: str, members: Sequence[object]) -> dict[str, object]:
    """The members of a list by the names that SQLAlchemy gives them; those of a tuple have two numbers."""
    if not isinstance(members[0], tuple):
        return {f"{name}_{at}": member for at, member in enumerate(members, 1)}
    rows = cast("Sequence[tuple[object, ...]]", members)
    return {f"{name}_{at}_{place}": value for at, row in enumerate(rows, 1) for place, value in enumerate(row, 1)}


def _filled_up(members: Sequence[object]) -> list[object]:
    length = 1 << (len(members) - 1).bit_length()
    return [*members, *[members[-1]] * (length - len(members))]
