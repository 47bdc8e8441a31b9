"""Names of series: keys and contexts, written once each in tables that only grow, so that a number stays what it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext
from trackwire_server.stores.sql.dialect import Dialect, Transaction, Write
from trackwire_server.stores.sql.prepared import Prepared, fetch_all, parts
from trackwire_server.stores.sql.tables import (
    DEFAULT_CONTEXT_NO,
    NO_RANK,
    metric_contexts,
    metric_keys,
    metric_series,
)

_CONTEXT_COLUMNS = (
    metric_contexts.c.rank,
    metric_contexts.c.model_id,
    metric_contexts.c.dataset_name,
    metric_contexts.c.dataset_digest,
)
# A series with its name, which series_name makes of the columns behind the first two.
NAMED_SERIES = (
    select(
        metric_series.c.series_no,
        metric_series.c.run_no,
        metric_keys.c.key,
        metric_series.c.context_no,
        *_CONTEXT_COLUMNS,
    )
    .join(metric_keys, metric_keys.c.key_no == metric_series.c.key_no)
    .join(metric_contexts, metric_contexts.c.context_no == metric_series.c.context_no)
)
_KEYS = Prepared(
    select(metric_keys.c.key_no, metric_keys.c.key).where(
        metric_keys.c.key_no.in_(bindparam("numbers", expanding=True))
    )
)
_KEY_NUMBERS = Prepared(
    select(metric_keys.c.key, metric_keys.c.key_no).where(metric_keys.c.key.in_(bindparam("keys", expanding=True)))
)
_CONTEXTS = Prepared(
    select(metric_contexts).where(metric_contexts.c.context_no.in_(bindparam("numbers", expanding=True)))
)
_CONTEXT_NUMBERS = Prepared(
    select(metric_contexts).where(tuple_(*_CONTEXT_COLUMNS).in_(bindparam("contexts", expanding=True)))
)


def series_name(key: str, context_no: int, *context: Any) -> SeriesName:
    """A name from the columns of NAMED_SERIES."""
    return SeriesName(key, _context(context_no, *context))


def _context(context_no: int, rank: int, model_id: str, dataset_name: str, dataset_digest: str) -> SeriesContext:
    if context_no == DEFAULT_CONTEXT_NO:
        return DEFAULT_CONTEXT
    return SeriesContext(None if rank == NO_RANK else rank, model_id, dataset_name, dataset_digest)


async def keys_of(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, str]:
    """The keys behind numbers."""
    found: dict[int, str] = {}
    for part in parts(set(numbers)):
        found |= dict(await fetch_all(connection, _KEYS, {"numbers": part}))
    return found


async def contexts_of(transaction: Transaction, numbers: Iterable[int]) -> dict[int, SeriesContext]:
    """The contexts behind numbers; that of the default one is known."""
    found = {DEFAULT_CONTEXT_NO: DEFAULT_CONTEXT}
    for part in parts(set(numbers) - found.keys()):
        found |= {row[0]: _context(*row) for row in await fetch_all(transaction, _CONTEXTS, {"numbers": part})}
    return found


async def number_keys(transaction: Transaction, dialect: Dialect, keys: set[str]) -> dict[str, int]:
    """Numbers of keys; those that are new are made."""
    numbers = await _key_numbers(transaction, keys)
    missing = sorted(keys - numbers.keys())
    if missing:
        await _make(transaction, dialect, metric_keys, {"key": missing})
        numbers |= await _key_numbers(transaction, missing)
    return numbers


async def number_contexts(
    transaction: Transaction, dialect: Dialect, contexts: set[SeriesContext]
) -> dict[SeriesContext, int]:
    """Numbers of contexts; those that are new are made."""
    known = {DEFAULT_CONTEXT: DEFAULT_CONTEXT_NO}
    numbers = known | await _context_numbers(transaction, contexts - known.keys())
    missing = sorted(contexts - numbers.keys(), key=_columns_of)
    if missing:
        columns = zip(*map(_columns_of, missing), strict=True)
        names = [column.name for column in _CONTEXT_COLUMNS]
        await _make(transaction, dialect, metric_contexts, dict(zip(names, columns, strict=True)))
        numbers |= await _context_numbers(transaction, missing)
    return numbers


async def _make(
    transaction: Transaction, dialect: Dialect, table: Table, columns: Mapping[str, Sequence[object]]
) -> None:
    """Inserts rows, unless they are there."""
    statement = dialect.given({name: table.c[name].type for name in columns}).into(dialect.insert_missing(table))
    await dialect.execute_all(transaction, [Write(dialect.compiled(statement), columns)])


async def _key_numbers(transaction: Transaction, keys: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for part in parts(list(keys)):
        numbers |= dict(await fetch_all(transaction, _KEY_NUMBERS, {"keys": part}))
    return numbers


async def _context_numbers(transaction: Transaction, contexts: Iterable[SeriesContext]) -> dict[SeriesContext, int]:
    numbers: dict[SeriesContext, int] = {}
    wanted = [_columns_of(context) for context in contexts]
    for part in parts(wanted, values=len(_CONTEXT_COLUMNS)):
        rows = await fetch_all(transaction, _CONTEXT_NUMBERS, {"contexts": part})
        numbers |= {_context(*row): row[0] for row in rows}
    return numbers


def _columns_of(context: SeriesContext) -> tuple[int, str, str, str]:
    rank = NO_RANK if context.rank is None else context.rank
    return rank, context.model_id, context.dataset_name, context.dataset_digest
