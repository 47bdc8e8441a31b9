"""Searching any entity: a filter, a total order, and the page behind a position.

Ordered by a metric first, a search runs as up to three queries, one after the other until the page is full:

    runs with a number    in the order of ix_metric_summaries_last, so that a page costs what it shows
    runs with NaN
    runs without it

Each of them is an ordinary keyset query; a position's first value says in which one it lies.
"""

import math
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import DEFAULT_WORKSPACE
from trackwire_server.core.paging import Position, SearchQuery
from trackwire_server.search import (
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricAggregate,
    OrderTerm,
    Scalar,
    compare,
)
from trackwire_server.stores.sql.dialect import LookedUp
from trackwire_server.stores.sql.entries import owner_of
from trackwire_server.stores.sql.filters import (
    METRIC_COLUMNS,
    NAN_AGGREGATES,
    AnyColumn,
    Condition,
    Searchable,
    compare_present,
    compile_filter,
    is_nullable,
    metric_of_run,
    primary_series,
)
from trackwire_server.stores.sql.model_series import has_series, newest_series
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.rare_values import few_with_value
from trackwire_server.stores.sql.tables import metric_summaries

# A row whose columns are attributes: SQLAlchemy's, or a search's.
AnyRow: TypeAlias = Any
VALUE_RANK, NAN_RANK, MISSING_RANK = range(3)
_DRIVER = metric_summaries.alias("driver")
# The numbers of the only rows that can match.
_FEW = "few"


async def search_rows(
    connection: AsyncConnection, entity: Searchable, query: SearchQuery
) -> tuple[Sequence[AnyRow], Position | None]:
    """A page of the entity's rows, and the position of the last one if there are more."""
    width = len(entity.columns)
    few = await few_with_value(connection, entity, query.filter)
    if few is not None and not few:
        return [], None
    found: list[tuple[tuple[Any, ...], _Segment]] = []
    position: Position | None = None
    for rank in [None] if few is not None else _ranks(entity, query):
        segment = _segment(entity, query, rank, is_of_few=few is not None)
        parameters = {} if few is None else {_FEW: few}
        found += [(row, segment) for row in await fetch_all(connection, segment.statement, parameters)]
        if len(found) > query.page_size:
            last_row, its_segment = found[query.page_size - 1]
            position = its_segment.position(last_row[width:])
            break
    return [_row_of(entity)(*row[:width]) for row, _ in found[: query.page_size]], position


async def count_rows(connection: AsyncConnection, entity: Searchable, query: SearchQuery) -> int:
    """How many of the entity's rows a search finds, on all pages."""
    conditions = (*_in_scope(entity, query), _in_experiments(entity.experiment, query), _matches(entity, query, {}))
    statement = select(func.count()).select_from(entity.source).where(*conditions)
    return await connection.scalar(statement) or 0


@cache
def _row_of(entity: Searchable) -> Callable[..., AnyRow]:
    return namedtuple("_Row", [column.key for column in entity.columns])  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class _Key:
    """One order term in SQL: no `rank` where a value is never missing; no `value` where all rows have `still`."""

    value: AnyColumn | None
    rank: ColumnElement[int] | None = None
    descending: bool = False
    still: Scalar | None = None

    def columns(self) -> list[AnyColumn]:
        return [column for column in (self.value, self.rank) if column is not None]

    def order(self) -> list[AnyColumn]:
        if self.value is None:
            return []
        direction = self.value.desc() if self.descending else self.value.asc()
        return [direction] if self.rank is None else [self.rank.asc(), direction]

    def read(self, values: Iterator[Any]) -> Scalar | None:
        """The part of a position that this term is, from the values of its columns."""
        if self.value is None:
            return self.still
        value: Scalar | None = next(values)
        rank = VALUE_RANK if self.rank is None else next(values)
        return (value, math.nan, None)[rank]

    def same(self, position: Scalar | None) -> Condition:
        if self.value is None:
            return true()
        if _is_number_or_text(position):
            return self.value == position
        return false() if self.rank is None else self.rank == _rank_of(position)

    def after(self, position: Scalar | None) -> Condition:
        if self.value is None:
            return false()
        beyond: Condition = false()
        if _is_number_or_text(position):
            beyond = self.value < position if self.descending else self.value > position
        return beyond if self.rank is None else or_(beyond, self.rank > _rank_of(position))

    def bound(self, position: Scalar | None) -> Condition:
        """What every row behind the position fulfils: lets an index begin there."""
        if self.value is None or self.rank is not None or not _is_number_or_text(position):
            return true()
        return self.value <= position if self.descending else self.value >= position


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of the answer that one statement finds, in order."""

    statement: Prepared
    keys: tuple[_Key, ...]

    def position(self, values: Sequence[Any]) -> Position:
        left = iter(values)
        return tuple(key.read(left) for key in self.keys)


def _ranks(entity: Searchable, query: SearchQuery) -> Iterator[int | None]:
    """Which segments make the answer: those of runs whose metric has this rank, or the one and only."""
    first = query.order_by[0]
    if not _is_driven(entity, first):
        yield None
        return
    for rank in range(VALUE_RANK if query.after is None else _rank_of(query.after[0]), MISSING_RANK + 1):
        if rank == VALUE_RANK or not _excludes(query.filter, first.field, math.nan if rank == NAN_RANK else None):
            yield rank


def _is_driven(entity: Searchable, first: OrderTerm) -> bool:
    """Whether an index over the metric leads through the answer."""
    if entity.model_id is not None:
        return False
    return first.field.kind is FieldKind.METRIC and first.field.aggregate is MetricAggregate.LAST


# A page that somebody looks at is asked for again and again: to put its statement together takes as long as to run it.
@lru_cache(maxsize=64)
def _segment(entity: Searchable, query: SearchQuery, rank: int | None, *, is_of_few: bool = False) -> _Segment:
    if is_of_few:
        entity = _looked_up(entity)
    if rank is None:
        source, keys = _joined(entity, query, query.order_by)
        condition = and_(_in_experiments(entity.experiment, query), _matches(entity, query, {}))
    else:
        source, rest = _joined(entity, query, query.order_by[1:])
        source, condition, first = (_with_number, _with_nan, _without)[rank](entity, query, source)
        keys = (first, *rest)
    # The position lies in the first segment of the page; those after it are whole.
    begins = query.after is not None and rank in (None, _rank_of(query.after[0]))
    behind = _behind(keys, query.after) if begins and query.after is not None else true()
    if is_of_few:
        condition = and_(entity.owner.in_(bindparam(_FEW, expanding=True)), condition)
    columns = [column for key in keys for column in key.columns()]
    labelled = [column.label(f"key_{index}") for index, column in enumerate(columns)]
    statement = (
        select(*entity.columns, *labelled)
        .select_from(source)
        .where(*_in_scope(entity, query), condition, behind)
        .order_by(*(column for key in keys for column in key.order()))
        .limit(query.page_size + 1)
    )
    return _Segment(Prepared(statement), keys)


def _looked_up(entity: Searchable) -> Searchable:
    """The entity, of which nothing but its number leads through an index."""

    def hidden(column: ColumnElement[Any] | None) -> ColumnElement[Any] | None:
        return None if column is None else func.coalesce(column, column)

    return replace(entity, stage=hidden(entity.stage), experiment=hidden(entity.experiment))


def _behind(keys: Sequence[_Key], after: Position) -> Condition:
    """What the rows behind a position fulfil."""
    behind: Condition = false()
    for key, position in reversed(list(zip(keys, after, strict=True))):
        behind = or_(key.after(position), and_(key.same(position), behind))
    return and_(keys[0].bound(after[0]), behind)


def _in_scope(entity: Searchable, query: SearchQuery) -> Iterator[Condition]:
    if entity.workspace is not None:
        yield entity.workspace == DEFAULT_WORKSPACE
    if entity.stage is not None:
        stages = [stage.value for stage in query.view.stages()]
        yield entity.stage == stages[0] if len(stages) == 1 else entity.stage.in_(stages)
    if entity.memberships is not None and query.experiment_ids:
        of_these = _in_experiments(entity.memberships.c.experiment_no, query)
        yield entity.owner.in_(select(owner_of(entity.memberships)).where(of_these))
    if entity.model_id is not None and query.datasets:
        yield has_series(entity.model_id, query.datasets)


def _excludes(expression: Expression | None, field: Field, value: float | None) -> bool:
    """Whether a filter says by itself that nothing with this value is wanted; if not, the database finds out."""
    conjuncts = expression.operands if isinstance(expression, And) else (expression,)
    return any(
        isinstance(conjunct, Comparison) and conjunct.field == field and not compare(conjunct, value)
        for conjunct in conjuncts
    )


def _with_number(entity: Searchable, query: SearchQuery, source: FromClause) -> tuple[FromClause, Condition, _Key]:
    term = query.order_by[0]
    value: ColumnElement[float] = _DRIVER.c.last_value

    def compare_value(comparison: Comparison) -> Condition:
        return compare_present(value, comparison)

    condition = and_(
        _in_experiments(_DRIVER.c.experiment_no, query),
        primary_series(_DRIVER, term.field.key),
        value.is_not(None),
        _matches(_by_driver(entity), query, {term.field: compare_value}),
    )
    return source.join(_DRIVER, _DRIVER.c.run_no == entity.owner), condition, _Key(value, descending=term.descending)


def _with_nan(entity: Searchable, query: SearchQuery, source: FromClause) -> tuple[FromClause, Condition, _Key]:
    term = query.order_by[0]
    condition = and_(
        _in_experiments(_DRIVER.c.experiment_no, query),
        primary_series(_DRIVER, term.field.key),
        _DRIVER.c.last_value.is_(None),
        _matches(_by_driver(entity), query, {term.field: _always(math.nan)}),
    )
    return source.join(_DRIVER, _DRIVER.c.run_no == entity.owner), condition, _Key(None, still=math.nan)


def _without(entity: Searchable, query: SearchQuery, source: FromClause) -> tuple[FromClause, Condition, _Key]:
    term = query.order_by[0]
    condition = and_(
        _in_experiments(entity.experiment, query),
        not_(LookedUp().where(metric_of_run(_DRIVER, entity.owner, term.field.key))),
        _matches(entity, query, {term.field: _always(None)}),
    )
    return source, condition, _Key(None)


def _by_driver(entity: Searchable) -> Searchable:
    # Asked of the driver's own row, a run that doesn't match is passed over before it is looked up.
    return replace(entity, owner=_DRIVER.c.run_no)


def _always(value: Scalar | None) -> Callable[[Comparison], Condition]:
    return lambda comparison: true() if compare(comparison, value) else false()


def _matches(
    entity: Searchable, query: SearchQuery, known: dict[Field, Callable[[Comparison], Condition]]
) -> Condition:
    return true() if query.filter is None else compile_filter(query.filter, entity, known)


def _in_experiments(column: ColumnElement[int] | None, query: SearchQuery) -> Condition:
    numbers = [int(experiment_id) for experiment_id in query.experiment_ids]
    if column is None or not numbers:
        return true()
    return column == numbers[0] if len(numbers) == 1 else column.in_(numbers)


def _joined(entity: Searchable, query: SearchQuery, terms: Sequence[OrderTerm]) -> tuple[FromClause, tuple[_Key, ...]]:
    source, keys = entity.source, []
    for term in terms:
        if term.field.kind is FieldKind.METRIC and entity.model_id is not None:
            source, key = _key_of_model(entity.model_id, query, source, term)
        else:
            source, key = _key(entity, source, term)
        keys.append(key)
    return source, tuple(keys)


def _key(entity: Searchable, source: FromClause, term: OrderTerm) -> tuple[FromClause, _Key]:
    field = term.field
    if field.kind is FieldKind.ATTRIBUTE:
        column = entity.attributes[field.key]
        rank = _missing_rank(column) if is_nullable(column) else None
        return source, _Key(column, rank, term.descending)
    if field.kind is FieldKind.METRIC:
        metric = metric_summaries.alias()
        value = metric.c[METRIC_COLUMNS[field.aggregate]]
        rank = _missing_rank(value)
        if field.aggregate in NAN_AGGREGATES:
            rank = _nan_rank(value, metric.c.series_no)
        joined = source.outerjoin(metric, metric_of_run(metric, entity.owner, field.key))
        return joined, _Key(value, rank, term.descending)
    table = entity.entries[field.kind]
    entries = table.alias()
    on_entry = and_(entries.c[owner_of(table).name] == entity.owner, entries.c.key == field.key)
    return source.outerjoin(entries, on_entry), _Key(entries.c.value, _missing_rank(entries.c.value), term.descending)


def _key_of_model(
    model_id: ColumnElement[str], query: SearchQuery, source: FromClause, term: OrderTerm
) -> tuple[FromClause, _Key]:
    field = term.field
    newest = newest_series(query.experiment_ids, field.key, METRIC_COLUMNS[field.aggregate], field.datasets)
    value = newest.c.value
    rank = _nan_rank(value, newest.c.model_id) if field.aggregate in NAN_AGGREGATES else _missing_rank(value)
    joined = source.outerjoin(newest, newest.c.model_id == model_id)
    return joined, _Key(value, rank, term.descending)


def _nan_rank(value: AnyColumn, there: AnyColumn) -> ColumnElement[int]:
    return case((value.is_not(None), literal(VALUE_RANK)), (there.is_not(None), literal(NAN_RANK)), else_=MISSING_RANK)


def _missing_rank(column: AnyColumn) -> ColumnElement[int]:
    return case((column.is_not(None), literal(VALUE_RANK)), else_=MISSING_RANK)


def _rank_of(position: Scalar | None) -> int:
    if position is None:
        return MISSING_RANK
    return VALUE_RANK if _is_number_or_text(position) else NAN_RANK


def _is_number_or_text(position: Scalar | None) -> bool:
    return position is not None and not (isinstance(position, float) and math.isnan(position))
