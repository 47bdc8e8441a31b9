"""A filter's tree as a SQL condition of two values: never NULL, so that NOT means what it says."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Table,
    and_,
    false,
    not_,
    or_,
    true,
)

from trackwire_server.search import (
    NEGATIVE_OPERATORS,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricAggregate,
    Not,
    Operator,
    Or,
)
from trackwire_server.stores.sql.dialect import InLowerCase, LookedUp
from trackwire_server.stores.sql.entries import owner_of
from trackwire_server.stores.sql.model_series import of_key, series_of_model
from trackwire_server.stores.sql.tables import datasets, metric_contexts, metric_summaries, run_datasets

# SQLAlchemy's columns are invariant in their type, and a filter compares columns of every type.
AnyColumn: TypeAlias = ColumnElement[Any]
Condition: TypeAlias = ColumnElement[bool]
Known: TypeAlias = Mapping[Field, Callable[[Comparison], Condition]]


@dataclass(frozen=True, slots=True, eq=False)
class Searchable:
    """Where the fields of an entity lie in the schema.

    `columns` are what a row begins with; `owner` is the entity's number; the tables of `entries` (tags, params) have it
    first, then `key` and `value`. A column of `attributes` that is NULL means that the attribute is missing; one of
    `lists` has the values of an attribute that may have several, in a table that has the entity's number first. A
    search stays in the default `workspace`, in the query's `stages` and, where there are some, its `experiment_ids`;
    only an entity with an `experiment` has metrics: those of a run, which has datasets too, or those of all series with
    its `model_id`. What may belong to several experiments has `memberships` instead: its number and an
    `experiment_no`.
    """

    source: FromClause
    columns: Sequence[AnyColumn]
    owner: ColumnElement[int]
    attributes: Mapping[str, AnyColumn]
    entries: Mapping[FieldKind, Table] = field(default_factory=dict)
    workspace: Column[str] | None = None
    stage: ColumnElement[str] | None = None
    experiment: ColumnElement[int] | None = None
    model_id: Column[str] | None = None
    lists: Mapping[str, Column[str]] = field(default_factory=dict)
    memberships: Table | None = None


METRIC_COLUMNS = {
    MetricAggregate.LAST: "last_value",
    MetricAggregate.FIRST: "first_value",
    MetricAggregate.MIN: "min_value",
    MetricAggregate.MAX: "max_value",
    MetricAggregate.COUNT: "count",
}
# Of these a NULL is a NaN; of the others it means that there was no number.
NAN_AGGREGATES = frozenset({MetricAggregate.LAST, MetricAggregate.FIRST})
# One alias for every EXISTS, each of which is a scope of its own: an alias costs as much as the rest of the condition.
_SUMMARIES = metric_summaries.alias("summaries")
_CONTEXTS = metric_contexts.alias("contexts")
# A column, a lookup by primary key, a lookup by an index and then in the table, the same for several rows.
_COSTS = {
    FieldKind.ATTRIBUTE: 0,
    FieldKind.PARAM: 2,
    FieldKind.TAG: 2,
    FieldKind.METRIC: 3,
    FieldKind.DATASET: 4,
}
_POSITIVE = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_LIKE: Operator.LIKE,
    Operator.NOT_ILIKE: Operator.ILIKE,
    Operator.NOT_IN: Operator.IN,
}
_ORDER: Mapping[Operator, Callable[[Any, Any], Condition]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}


def compile_filter(expression: Expression, entity: Searchable, known: Known) -> Condition:
    """The condition; a field in `known` is compared as it says there, every other where the entity keeps it."""
    match expression:
        case And(operands):
            return and_(*(compile_filter(operand, entity, known) for operand in _cheapest_first(operands, known)))
        case Or(operands):
            return or_(*(compile_filter(operand, entity, known) for operand in _cheapest_first(operands, known)))
        case Not(operand):
            return not_(compile_filter(operand, entity, known))
        case Comparison():
            compare_known = known.get(expression.field)
            return compare_known(expression) if compare_known else _comparison(expression, entity)
        case _:
            assert_never(expression)


def _cheapest_first(operands: Sequence[Expression], known: Known) -> list[Expression]:
    # A database asks subqueries in the order in which they stand, and stops at the first that decides.
    return sorted(operands, key=lambda operand: _cost(operand, known))


def _cost(expression: Expression, known: Known) -> int:
    match expression:
        case And(operands) | Or(operands):
            return sum(_cost(operand, known) for operand in operands)
        case Not(operand):
            return _cost(operand, known)
        case Comparison():
            return 0 if expression.field in known else _COSTS[expression.field.kind]
        case _:
            assert_never(expression)


def compare_present(column: AnyColumn, comparison: Comparison) -> Condition:
    """The comparison with a column that is not NULL."""
    match comparison.operator, comparison.value:
        case ((Operator.IS_NULL | Operator.IS_NAN), _):
            return false()
        case ((Operator.IS_NOT_NULL | Operator.IS_NOT_NAN), _):
            return true()
        case Operator.IN, tuple() as values:
            return column.in_(values)
        case Operator.NOT_IN, tuple() as values:
            return column.not_in(values)
        case ((Operator.LIKE | Operator.NOT_LIKE | Operator.ILIKE | Operator.NOT_ILIKE as how), str() as pattern):
            return _like(column, how, pattern)
        case how, value:
            return _ORDER[how](column, value)


def metric_of_run(summaries: FromClause, run_no: ColumnElement[int], key: str) -> Condition:
    """Joins a run with the summary of its primary series of a key."""
    return and_(summaries.c.run_no == run_no, primary_series(summaries, key))


def primary_series(summaries: FromClause, key: str) -> Condition:
    """The summaries that a filter means by a key."""
    return and_(of_key(summaries, key), summaries.c.is_primary)


def _comparison(comparison: Comparison, entity: Searchable) -> Condition:
    match comparison.field.kind:
        case FieldKind.ATTRIBUTE if comparison.field.key in entity.lists:
            return _list(entity.lists[comparison.field.key], comparison, entity.owner)
        case FieldKind.ATTRIBUTE:
            return _attribute(entity.attributes[comparison.field.key], comparison)
        case FieldKind.METRIC:
            return _metric(comparison, entity)
        case FieldKind.DATASET:
            return _dataset(comparison, entity.owner)
        case FieldKind.TAG | FieldKind.PARAM as kind:
            return _entry(comparison, entity.entries[kind], entity.owner)


def _attribute(column: AnyColumn, comparison: Comparison) -> Condition:
    if not is_nullable(column):
        return compare_present(column, comparison)
    if comparison.operator is Operator.IS_NULL:
        return column.is_(None)
    return and_(column.is_not(None), compare_present(column, comparison))


def _list(column: Column[str], comparison: Comparison, owner: ColumnElement[int]) -> Condition:
    """Whether any of the entity's values is so."""
    found = LookedUp().where(owner_of(column.table) == owner)
    if comparison.operator is Operator.IS_NULL:
        return not_(found)
    return found.where(compare_present(column, comparison))


def is_nullable(column: AnyColumn) -> bool:
    """Whether the column may be NULL; an expression may."""
    return bool(column.nullable) if isinstance(column, Column) else True


def _entry(comparison: Comparison, table: Table, owner: ColumnElement[int]) -> Condition:
    found = LookedUp().where(owner_of(table) == owner, table.c.key == comparison.field.key)
    if not comparison.matches_missing:
        return found.where(compare_present(table.c.value, comparison))
    if comparison.operator is Operator.IS_NULL:
        return not_(found)
    contrary = Comparison(comparison.field, _POSITIVE[comparison.operator], comparison.value)
    return not_(found.where(compare_present(table.c.value, contrary)))


def _metric(comparison: Comparison, entity: Searchable) -> Condition:
    summaries = _SUMMARIES
    found = LookedUp().where(_series_meant(entity, comparison.field))
    aggregate = comparison.field.aggregate
    column = summaries.c[METRIC_COLUMNS[aggregate]]
    if comparison.operator is Operator.IS_NULL:
        return not_(found if aggregate in NAN_AGGREGATES else found.where(column.is_not(None)))
    if aggregate in NAN_AGGREGATES:
        return found.where(_compare_real(column, comparison))
    return found.where(column.is_not(None), compare_present(column, comparison))


def _dataset(comparison: Comparison, run_no: ColumnElement[int]) -> Condition:
    """Whether any of the run's datasets is so; a context that is empty is none."""
    if comparison.field.key == "context":
        found = LookedUp().where(run_datasets.c.run_no == run_no, run_datasets.c.context != "")
        column = run_datasets.c.context
    else:
        its_dataset = datasets.c.dataset_no == run_datasets.c.dataset_no
        found = LookedUp().where(run_datasets.c.run_no == run_no, its_dataset)
        column = datasets.c[comparison.field.key]
    if comparison.operator is Operator.IS_NULL:
        return not_(found)
    return found.where(compare_present(column, comparison))


def _series_meant(entity: Searchable, field: Field) -> Condition:
    if entity.model_id is None:
        return metric_of_run(_SUMMARIES, entity.owner, field.key)
    return and_(series_of_model(_SUMMARIES, _CONTEXTS, entity.model_id, field.datasets), of_key(_SUMMARIES, field.key))


def _compare_real(column: AnyColumn, comparison: Comparison) -> Condition:
    if comparison.operator is Operator.IS_NOT_NULL:
        return true()
    if comparison.operator is Operator.IS_NAN:
        return column.is_(None)
    if comparison.operator in NEGATIVE_OPERATORS:
        return or_(column.is_(None), compare_present(column, comparison))
    return and_(column.is_not(None), compare_present(column, comparison))


def _like(column: AnyColumn, how: Operator, pattern: str) -> Condition:
    escape = _unused_character(pattern)
    if how in (Operator.ILIKE, Operator.NOT_ILIKE):
        matches = InLowerCase(column).like(InLowerCase(pattern), escape=escape)
    else:
        matches = column.like(pattern, escape=escape)
    return not_(matches) if how in (Operator.NOT_LIKE, Operator.NOT_ILIKE) else matches


def _unused_character(pattern: str) -> str | None:
    # Some databases take a backslash for an escape unless another character is named to be it.
    if "\\" not in pattern:
        return None
    return next(character for character in map(chr, range(33, 0x10000)) if character not in pattern + "%_")
