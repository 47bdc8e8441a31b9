"""Names of series: keys and contexts, written once each in tables that only grow, so that a number stays what it is."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext
from trackwire_server.stores.sql.dialect import Dialect
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
_CONTEXT_NUMBERS = select(metric_contexts).where(tuple_(*_CONTEXT_COLUMNS).in_(bindparam("contexts", expanding=True)))


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


async def contexts_of(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, SeriesContext]:
    """The contexts behind numbers; that of the default one is known."""
    found = {DEFAULT_CONTEXT_NO: DEFAULT_CONTEXT}
    for part in parts(set(numbers) - found.keys()):
        found |= {row[0]: _context(*row) for row in await fetch_all(connection, _CONTEXTS, {"numbers": part})}
    return found


async def number_keys(connection: AsyncConnection, dialect: Dialect, keys: set[str]) -> dict[str, int]:
    """Numbers of keys; those that are new are made."""
    numbers = await _key_numbers(connection, keys)
    missing = sorted(keys - numbers.keys())
    if missing:
        statement = dialect.insert(metric_keys).on_conflict_do_nothing()
        await connection.execute(statement, [{"key": key} for key in missing])
        numbers |= await _key_numbers(connection, missing)
    return numbers


async def number_contexts(
    connection: AsyncConnection, dialect: Dialect, contexts: set[SeriesContext]
) -> dict[SeriesContext, int]:
    """Numbers of contexts; those that are new are made."""
    known = {DEFAULT_CONTEXT: DEFAULT_CONTEXT_NO}
    numbers = known | await _context_numbers(connection, contexts - known.keys())
    missing = sorted(contexts - numbers.keys(), key=_columns_of)
    if missing:
        names = [column.name for column in _CONTEXT_COLUMNS]
        rows = [dict(zip(names, _columns_of(context), strict=True)) for context in missing]
        await connection.execute(dialect.insert(metric_contexts).on_conflict_do_nothing(), rows)
        numbers |= await _context_numbers(connection, missing)
    return numbers


async def _key_numbers(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for part in parts(list(keys)):
        numbers |= dict(await fetch_all(connection, _KEY_NUMBERS, {"keys": part}))
    return numbers


async def _context_numbers(connection: AsyncConnection, contexts: Iterable[SeriesContext]) -> dict[SeriesContext, int]:
    numbers: dict[SeriesContext, int] = {}
    wanted = [_columns_of(context) for context in contexts]
    for part in parts(wanted, values=len(_CONTEXT_COLUMNS)):
        for row in await connection.execute(_CONTEXT_NUMBERS, {"contexts": part}):
            numbers[_context(*row)] = row[0]
    return numbers


def _columns_of(context: SeriesContext) -> tuple[int, str, str, str]:
    rank = NO_RANK if context.rank is None else context.rank
    return rank, context.model_id, context.dataset_name, context.dataset_digest
