"""Parsing is the inverse of printing, and nothing but SearchSyntaxError ever comes out of it."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st

import trackwire_server
from trackwire_server.search import (
    RUNS,
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
    SearchSyntaxError,
    ValueType,
    evaluate,
    order_term_to_text,
    parse_filter,
    parse_order_by,
    sort_key,
    to_text,
)

SERVER = Path(trackwire_server.__file__).parents[1]

stored_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
keys = stored_text.filter(bool)
reals = st.floats(allow_nan=False)
integers = st.integers(-(2**63), 2**63 - 1)


@st.composite
def metric_fields(draw: st.DrawFn) -> Field:
    aggregate = draw(st.sampled_from(MetricAggregate))
    value_type = ValueType.INTEGER if aggregate is MetricAggregate.COUNT else ValueType.REAL
    return Field(FieldKind.METRIC, draw(keys), value_type, aggregate)


# Attributes with choices spell their values one way only; they have tests of their own.
free_attributes = st.sampled_from([attribute.field for attribute in RUNS.attributes if not attribute.choices])
text_fields = st.builds(Field, st.sampled_from([FieldKind.PARAM, FieldKind.TAG]), keys, st.just(ValueType.STRING))
fields = st.one_of(metric_fields(), free_attributes, text_fields)
dataset_fields = st.builds(
    Field, st.just(FieldKind.DATASET), st.sampled_from(RUNS.dataset_keys), st.just(ValueType.STRING)
)

PRESENCE = [Operator.IS_NULL, Operator.IS_NOT_NULL]
LISTS = [Operator.IN, Operator.NOT_IN]
PATTERNS = [Operator.LIKE, Operator.NOT_LIKE, Operator.ILIKE, Operator.NOT_ILIKE]
EQUALITY = [Operator.EQUAL, Operator.NOT_EQUAL]
ORDER = [Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL]
NAN = [Operator.IS_NAN, Operator.IS_NOT_NAN]


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    field = draw(fields | dataset_fields)
    values: st.SearchStrategy[str | int | float]
    match field.type:
        case ValueType.STRING:
            operators, values = [*PRESENCE, *LISTS, *EQUALITY, *PATTERNS], stored_text
        case ValueType.INTEGER:
            operators, values = [*PRESENCE, *LISTS, *EQUALITY, *ORDER], integers
        case ValueType.REAL:
            operators, values = [*PRESENCE, *LISTS, *EQUALITY, *ORDER, *NAN], reals
    operator = draw(st.sampled_from(operators))
    if operator in PRESENCE or operator in NAN:
        return Comparison(field, operator)
    if operator in LISTS:
        listed = cast("tuple[str, ...]", tuple(draw(st.lists(values, min_size=1, max_size=4))))
        return Comparison(field, operator, listed)
    return Comparison(field, operator, cast("str | int | float", draw(values)))


def compound(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


expressions: st.SearchStrategy[Expression] = st.recursive(comparisons(), compound, max_leaves=12)


@given(expressions)
def test_printed_filters_parse_to_the_same_tree(expression: Expression) -> None:
    assert parse_filter(to_text(expression), RUNS) == expression


@given(st.builds(OrderTerm, fields, st.booleans()))
def test_printed_order_terms_parse_to_the_same_term(term: OrderTerm) -> None:
    assert parse_order_by([order_term_to_text(term)], RUNS)[0] == term


def refusal(parse: Callable[[], object]) -> SearchSyntaxError | None:
    try:
        parse()
    except SearchSyntaxError as error:
        return error
    return None


WORDS = [
    *["metrics.a", "metrics.", "tags.`b`", "params.x", "status", "start_time", "foo", "AND", "OR", "NOT", "IN", "IS"],
    *["NULL", "LIKE", "ILIKE", "=", "!=", "<", ">=", "<>", "(", ")", ",", "'a'", '"', "'", "`", "1", "-1e9", "nan"],
    *["datasets.name", "dataset.", "inf", ".", "\n", "é", "\0", "desc", "asc"],
]
almost_filters = st.lists(st.sampled_from(WORDS), max_size=16).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words)])
)


@given(st.text() | almost_filters)
@example("'")
@example("'\n'")
@example("İs")
def test_any_text_parses_or_is_refused_with_a_column_inside_it(text: str) -> None:
    for error in (refusal(lambda: parse_filter(text, RUNS)), refusal(lambda: parse_order_by([text], RUNS))):
        if error is not None:
            assert 1 <= error.column <= len(text) + 1
            assert str(error).count("\n") == 2


@given(
    expressions,
    st.none() | stored_text,
    st.none() | integers,
    st.none() | st.floats(),
    st.lists(stored_text, max_size=3).map(tuple),
)
def test_every_tree_has_an_answer_and_its_negation_the_other(
    expression: Expression, text: str | None, integer: int | None, real: float | None, several: tuple[str, ...]
) -> None:
    def lookup(field: Field) -> str | int | float | tuple[str, ...] | None:
        if field.kind is FieldKind.DATASET:
            return several
        return {ValueType.STRING: text, ValueType.INTEGER: integer, ValueType.REAL: real}[field.type]

    assert evaluate(Not(expression), lookup) is not evaluate(expression, lookup)


@given(st.lists(st.none() | st.floats(), max_size=8), st.booleans())
def test_sorting_keeps_values_then_nan_then_missing(values: list[float | None], descending: bool) -> None:
    term = OrderTerm(Field(FieldKind.METRIC, "m", ValueType.REAL), descending)
    ordered = sorted(values, key=lambda value: sort_key(term, value))
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    assert ordered[: len(numbers)] == sorted(numbers, reverse=descending)
    assert all(
        value is not None and math.isnan(value) for value in ordered[len(numbers) : len(values) - values.count(None)]
    )


def test_importing_the_language_does_not_import_lark() -> None:
    code = "import sys, trackwire_server.search; sys.exit('lark' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(SERVER)}, timeout=60)
