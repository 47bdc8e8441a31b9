"""The tree back to text: `parse_filter(to_text(expression), …) == expression`.

But for attributes with ranks: they are numbers in the tree, and only a vocabulary knows their names.
"""

from __future__ import annotations

from typing import assert_never

from trackwire_server.search.tree import (
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricAggregate,
    Not,
    Operator,
    Or,
    OrderTerm,
    Scalar,
)


def to_text(expression: Expression) -> str:
    match expression:
        case And(operands):
            return " AND ".join(map(_operand, operands))
        case Or(operands):
            return " OR ".join(map(_operand, operands))
        case Not(operand):
            return f"NOT {_operand(operand)}"
        case Comparison():
            return _comparison(expression)
        case _:
            assert_never(expression)


def field_to_text(field: Field) -> str:
    if field.kind is FieldKind.ATTRIBUTE:
        return field.key
    suffix = "" if field.aggregate is MetricAggregate.LAST else f".{field.aggregate}"
    return f"{field.kind}s.{_quoted(field.key, '`')}{suffix}"


def order_term_to_text(term: OrderTerm) -> str:
    return f"{field_to_text(term.field)} {'DESC' if term.descending else 'ASC'}"


def _operand(expression: Expression) -> str:
    return to_text(expression) if isinstance(expression, Comparison | Not) else f"({to_text(expression)})"


def _comparison(comparison: Comparison) -> str:
    name, operator, value = field_to_text(comparison.field), comparison.operator, comparison.value
    match operator:
        case Operator.IS_NAN:
            return f"{name} = nan"
        case Operator.IS_NOT_NAN:
            return f"{name} != nan"
    if value is None:
        return f"{name} {operator}"
    if isinstance(value, tuple):
        return f"{name} {operator} ({', '.join(map(_value, value))})"
    return f"{name} {operator} {_value(value)}"


def _value(value: Scalar) -> str:
    return _quoted(value, "'") if isinstance(value, str) else repr(value)


def _quoted(text: str, quote: str) -> str:
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"
