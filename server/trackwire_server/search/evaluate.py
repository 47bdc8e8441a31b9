"""A filter's answer in plain Python: what the memory store runs and every SQL compiler is tested against."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, TypeAlias, assert_never

from trackwire_server.search.like import matches_like
from trackwire_server.search.tree import (
    NEGATIVE_OPERATORS,
    And,
    Comparison,
    Expression,
    Field,
    Not,
    Operator,
    Or,
    Scalar,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# A NaN float is a metric whose value is NaN; None is a field that has no value, as is a tuple of none.
Lookup: TypeAlias = "Callable[[Field], Scalar | tuple[Scalar, ...] | None]"


def evaluate(expression: Expression, lookup: Lookup) -> bool:
    """Whether the entity behind `lookup` is found; the truth table stands in tree.py."""
    match expression:
        case And(operands):
            return all(evaluate(operand, lookup) for operand in operands)
        case Or(operands):
            return any(evaluate(operand, lookup) for operand in operands)
        case Not(operand):
            return not evaluate(operand, lookup)
        case Comparison():
            actual = lookup(expression.field)
            values = (actual or (None,)) if isinstance(actual, tuple) else (actual,)
            return any(compare(expression, value) for value in values)
        case _:
            assert_never(expression)


def compare(comparison: Comparison, actual: Scalar | None) -> bool:
    if actual is None:
        return comparison.matches_missing
    match comparison.operator:
        case Operator.IS_NULL:
            return False
        case Operator.IS_NOT_NULL:
            return True
        case Operator.IS_NAN:
            return _is_nan(actual)
        case Operator.IS_NOT_NAN:
            return not _is_nan(actual)
    if _is_nan(actual):
        return comparison.operator in NEGATIVE_OPERATORS
    return _compare_present(comparison, actual)


def _compare_present(comparison: Comparison, actual: Scalar) -> bool:
    match comparison.operator, comparison.value, actual:
        case (Operator.IN, tuple() as values, _):
            return actual in values
        case (Operator.NOT_IN, tuple() as values, _):
            return actual not in values
        case (Operator.LIKE | Operator.ILIKE as how, str() as pattern, str()):
            return matches_like(actual, pattern, ignore_case=how is Operator.ILIKE)
        case (Operator.NOT_LIKE | Operator.NOT_ILIKE as how, str() as pattern, str()):
            return not matches_like(actual, pattern, ignore_case=how is Operator.NOT_ILIKE)
        case (how, int() | float() as number, int() | float()) if how in NUMERIC_ORDER:
            return NUMERIC_ORDER[how](actual, number)
        case (Operator.EQUAL, str() as text, str()):
            return actual == text
        case (Operator.NOT_EQUAL, str() as text, str()):
            return actual != text
    raise TypeError(f"{comparison} cannot be asked of {actual!r}")


NUMERIC_ORDER: dict[Operator, Callable[[float, float], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)
