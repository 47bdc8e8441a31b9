"""What a filter and an order-by mean: the small frozen tree that stores compile or evaluate.

Truth has two values; a comparison never answers "unknown". "missing" is a metric, param, tag or attribute that the
entity doesn't have:

    comparison                           value present               missing  NaN metric
    =  <  <=  >  >=  LIKE  ILIKE  IN     as it says                  false    false
    !=  NOT LIKE  NOT ILIKE  NOT IN      as it says                  false    true
    the same four on tags                as it says                  true     -
    IS NULL                              false                       true     false
    IS NOT NULL                          true                        false    true
    = nan                                false                       false    true
    != nan                               true                        false    false

A comparison with a field that has several values holds if it holds for one of them; with none, the field is missing.
AND, OR and NOT combine these plainly, so `NOT params.x = 'v'` is true of a run without x, and `params.x != 'v'` is not.
Text compares by code point, and case counts; nothing escapes LIKE's `%` and `_`; ILIKE compares what
`str.lower` makes of both sides. Text orders by code point too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class FieldKind(StrEnum):
    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    DATASET = "dataset"


class ValueType(StrEnum):
    """STRING values are `str`, INTEGER ones `int` of 64 bits, REAL ones `float`, possibly infinite and never NaN."""

    STRING = "string"
    INTEGER = "integer"
    REAL = "real"


class MetricAggregate(StrEnum):
    """What of a metric's history is meant. MIN and MAX leave NaN out and are missing when nothing else was logged."""

    LAST = "last"
    FIRST = "first"
    MIN = "min"
    MAX = "max"
    COUNT = "count"


class Operator(StrEnum):
    """IS_NAN and IS_NOT_NAN are written `= nan` and `!= nan`; of REAL metrics only."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LIKE = "LIKE"
    NOT_LIKE = "NOT LIKE"
    ILIKE = "ILIKE"
    NOT_ILIKE = "NOT ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    IS_NAN = "IS NAN"
    IS_NOT_NAN = "IS NOT NAN"


NEGATIVE_OPERATORS = frozenset({Operator.NOT_EQUAL, Operator.NOT_LIKE, Operator.NOT_ILIKE, Operator.NOT_IN})

Scalar: TypeAlias = str | int | float
Value: TypeAlias = Scalar | tuple[str, ...] | tuple[int, ...] | tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class MetricDataset:
    """The series of a dataset; an empty digest means any."""

    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """`key` is an attribute's canonical name, or the key of a metric, param or tag exactly as it was logged.

    A logged model has several series of a metric: with `datasets`, only the series of one of these count.
    """

    kind: FieldKind
    key: str
    type: ValueType
    aggregate: MetricAggregate = MetricAggregate.LAST
    datasets: tuple[MetricDataset, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`value` is a scalar of the field's type; for IN and NOT IN a tuple of at least one; for the IS operators None."""

    field: Field
    operator: Operator
    value: Value = None

    @property
    def matches_missing(self) -> bool:
        """The answer where the field has no value: the one rule every evaluator and compiler asks."""
        if self.operator is Operator.IS_NULL:
            return True
        return self.field.kind is FieldKind.TAG and self.operator in NEGATIVE_OPERATORS


@dataclass(frozen=True, slots=True)
class And:
    """At least two operands."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least two operands."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


Expression: TypeAlias = Comparison | And | Or | Not


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """Values come first, then NaN, then what is missing, in both directions."""

    field: Field
    descending: bool = False
