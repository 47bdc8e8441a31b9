"""Filters and order-bys: text in, tree out, or a SearchSyntaxError that points."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, cast

from trackwire_server.search.errors import SearchSyntaxError, shorten
from trackwire_server.search.grammar import Stop, parse_text, token_position
from trackwire_server.search.identifiers import Name, resolve
from trackwire_server.search.limits import SEARCH_LIMITS, SearchLimits
from trackwire_server.search.tree import (
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricDataset,
    Not,
    Operator,
    Or,
    OrderTerm,
    Scalar,
    Value,
    ValueType,
)
from trackwire_server.search.unquoted import with_quotes
from trackwire_server.search.values import Literal, read_rank, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lark import Token, Tree

    from trackwire_server.search.vocabulary import Vocabulary

OPERATORS = {operator.value: operator for operator in Operator} | {"==": Operator.EQUAL, "<>": Operator.NOT_EQUAL}
OPERATOR_TERMINALS = frozenset({"COMPARATOR", "NOT", "LIKE", "IN", "IS", "NULL"})
VALUE_TERMINALS = frozenset({"STRING", "BARE"})
PATTERN_OPERATORS = frozenset({Operator.LIKE, Operator.NOT_LIKE, Operator.ILIKE, Operator.NOT_ILIKE})
LIST_OPERATORS = frozenset({Operator.IN, Operator.NOT_IN})
PRESENCE_OPERATORS = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
NO_DATASETS: Mapping[int, MetricDataset] = MappingProxyType({})
NAN_OPERATORS = {Operator.EQUAL: Operator.IS_NAN, Operator.NOT_EQUAL: Operator.IS_NOT_NAN}

TEXT_OPERATORS = (
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.LIKE,
    Operator.NOT_LIKE,
    Operator.ILIKE,
    Operator.NOT_ILIKE,
    Operator.IN,
    Operator.NOT_IN,
    Operator.IS_NULL,
    Operator.IS_NOT_NULL,
)
NUMBER_OPERATORS = (
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.IN,
    Operator.NOT_IN,
    Operator.IS_NULL,
    Operator.IS_NOT_NULL,
)


def parse_filter(text: str, vocabulary: Vocabulary, *, limits: SearchLimits = SEARCH_LIMITS) -> Expression | None:
    """The filter's meaning for the vocabulary's entity; None if it is blank, which finds everything."""
    _check_text(text, limits)
    if not text.strip():
        return None
    builder = _Builder(text, vocabulary, limits)
    parsed = parse_text(text, "filter")
    if isinstance(parsed, Stop):
        builder.check(parsed)
    return builder.expression(parsed)


def parse_order_by(
    clauses: Sequence[str],
    vocabulary: Vocabulary,
    *,
    limits: SearchLimits = SEARCH_LIMITS,
    datasets: Mapping[int, MetricDataset] = NO_DATASETS,
) -> tuple[OrderTerm, ...]:
    """A total order that ends in the entity's unique key: the clauses and then the entity's ties, or its default order.

    Terms after the unique key could change nothing and are left out. `datasets` are those of clauses, by their place.
    """
    terms: list[OrderTerm] = []
    for index, clause in enumerate(clauses):
        if index >= limits.order_clauses_max:
            reason = f"{len(clauses)} order-by clauses are given; at most {limits.order_clauses_max} are allowed"
            raise SearchSyntaxError(clause, 1, reason)
        term = _order_term(clause, vocabulary, limits)
        if index in datasets:
            term = _of_dataset(term, datasets[index], clause)
        if any(term.field == earlier.field for earlier in terms):
            raise SearchSyntaxError(clause, len(clause) - len(clause.lstrip()) + 1, "this field is ordered by already")
        terms.append(term)
    return _total_order(terms, vocabulary) if terms else vocabulary.default_order


def _order_term(clause: str, vocabulary: Vocabulary, limits: SearchLimits) -> OrderTerm:
    _check_text(clause, limits)
    parsed = parse_text(clause, "order_clause")
    builder = _Builder(clause, vocabulary, limits)
    if isinstance(parsed, Stop):
        builder.check(parsed)
    name, *direction = cast("list[Token]", parsed.children)
    field = builder.field(name)
    if vocabulary.is_list(field):
        several = "datasets" if field.kind is FieldKind.DATASET else field.key
        reason = f"{vocabulary.entity} are not ordered by {several}, of which one may have several"
        raise SearchSyntaxError(clause, token_position(name) + 1, reason)
    return OrderTerm(field, descending=bool(direction) and direction[0].lower() == "desc")


def _of_dataset(term: OrderTerm, dataset: MetricDataset, clause: str) -> OrderTerm:
    if term.field.kind is not FieldKind.METRIC:
        raise SearchSyntaxError(clause, 1, "only a metric is of a dataset, and this clause orders by something else")
    return replace(term, field=replace(term.field, datasets=(dataset,)))


def of_datasets(expression: Expression, datasets: tuple[MetricDataset, ...]) -> Expression:
    """The same filter, for which only series of these datasets count."""
    match expression:
        case And(operands) | Or(operands):
            return type(expression)(tuple(of_datasets(operand, datasets) for operand in operands))
        case Not(operand):
            return Not(of_datasets(operand, datasets))
        case Comparison(field) if field.kind is FieldKind.METRIC:
            return replace(expression, field=replace(field, datasets=datasets))
        case _:
            return expression


def _total_order(terms: Sequence[OrderTerm], vocabulary: Vocabulary) -> tuple[OrderTerm, ...]:
    ordered: dict[Field, OrderTerm] = {}
    missing = set(vocabulary.unique_key)
    for term in chain(terms, vocabulary.tie_order):
        ordered.setdefault(term.field, term)
        missing.discard(term.field)
        if not missing:
            break
    return tuple(ordered.values())


def _check_text(text: str, limits: SearchLimits) -> None:
    if len(text) > limits.filter_characters_max:
        reason = f"the text has {len(text)} characters; at most {limits.filter_characters_max} are allowed"
        raise SearchSyntaxError(text, limits.filter_characters_max + 1, reason)
    # Neither can be stored, so neither can be found; drivers raise on them.
    for position, character in enumerate(text if "\0" in text or not text.isascii() else ""):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise SearchSyntaxError(text, position + 1, f"found {character!r}, which no stored text can hold")


class _Builder:
    """Turns lark's tree into ours; recursion goes as deep as the nesting limit and no deeper."""

    def __init__(self, text: str, vocabulary: Vocabulary, limits: SearchLimits) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._limits = limits
        self._comparisons = 0

    def check(self, stop: Stop) -> NoReturn:
        """Raises for the first thing that means nothing before the stop, or else for the stop."""
        for comparison in stop.comparisons:
            self._comparison(cast("list[Token]", comparison.children))
        if any(token.type in VALUE_TERMINALS for token in stop.unfinished):
            self._comparison(stop.unfinished)
        elif stop.unfinished:
            self._check_name(stop)
        raise stop.error

    def expression(self, tree: Tree[Token], depth: int = 0) -> Expression:
        children = cast("list[Tree[Token]]", tree.children)
        match tree.data:
            case "disjunction":
                return Or(tuple(self.expression(child, depth) for child in children))
            case "conjunction":
                return And(tuple(self.expression(child, depth) for child in children))
            case "negation":
                return Not(self._nested(tree, depth))
            case "group":
                return self._nested(tree, depth)
            case _:
                return self._comparison(cast("list[Token]", tree.children))

    def field(self, name: Token) -> Field:
        return resolve(Name(self._text, str(name), token_position(name)), self._vocabulary)

    def _check_name(self, stop: Stop) -> None:
        name, *others = stop.unfinished
        position = token_position(name)
        meant = None if others else with_quotes(self._text, position, str(name), self._vocabulary)
        resolve(Name(self._text, meant or str(name), position), self._vocabulary)
        if meant:
            raise SearchSyntaxError(self._text, stop.error.column, f"{stop.error.reason}; did you mean {meant}?")

    def _nested(self, tree: Tree[Token], depth: int) -> Expression:
        opening, inner = cast("tuple[Token, Tree[Token]]", tuple(tree.children[:2]))
        if depth >= self._limits.nesting_depth_max:
            raise self._error(opening, f"parentheses and NOTs nest deeper than {self._limits.nesting_depth_max} levels")
        return self.expression(inner, depth + 1)

    def _comparison(self, tokens: Sequence[Token]) -> Comparison:
        name, *others = tokens
        self._comparisons += 1
        if self._comparisons > self._limits.comparisons_max:
            raise self._error(
                name, f"this is comparison {self._comparisons}; at most {self._limits.comparisons_max} are allowed"
            )
        field = self.field(name)
        words = [token for token in others if token.type in OPERATOR_TERMINALS]
        operator = OPERATORS[" ".join(words).upper()]
        allowed = TEXT_OPERATORS if field.type is ValueType.STRING else NUMBER_OPERATORS
        if operator not in allowed:
            what = self._vocabulary.what_is(field)
            raise self._error(
                words[0], f"{operator} does not apply to {shorten(name)}, which is {what}; use {', '.join(allowed)}"
            )
        return self._with_values(name, field, operator, [token for token in others if token.type in VALUE_TERMINALS])

    def _with_values(self, name: Token, field: Field, operator: Operator, tokens: Sequence[Token]) -> Comparison:
        if operator in PRESENCE_OPERATORS:
            return Comparison(field, operator)
        limit = self._limits.in_values_max
        if len(tokens) > limit:
            raise self._error(tokens[limit], f"the list has {len(tokens)} values; at most {limit} are allowed")
        values = [self._value(name, field, operator, token) for token in tokens]
        if operator in LIST_OPERATORS:
            return Comparison(field, operator, self._list(tokens, values))
        if _is_nan(values[0]):
            if operator not in NAN_OPERATORS:
                raise self._error(tokens[0], f"nothing is {operator} nan; use = nan or != nan")
            return Comparison(field, NAN_OPERATORS[operator])
        return Comparison(field, operator, values[0])

    def _value(self, name: Token, field: Field, operator: Operator, token: Token) -> Scalar:
        attribute = self._vocabulary.attribute(field.key) if field.kind is FieldKind.ATTRIBUTE else None
        is_time = attribute is not None and attribute.is_time
        literal = Literal(self._text, str(token), token_position(token), shorten(name), is_time)
        if attribute is None:
            return read_value(literal, field)
        if attribute.ranks:
            return read_rank(literal, attribute.ranks)
        choices = () if operator in PATTERN_OPERATORS else attribute.choices
        return read_value(literal, field, choices=choices, is_id=attribute.is_id)

    def _list(self, tokens: Sequence[Token], values: Sequence[Scalar]) -> Value:
        for token, value in zip(tokens, values, strict=True):
            if _is_nan(value):
                raise self._error(token, "nan cannot stand in a list; use = nan or != nan")
        return cast("Value", tuple(values))

    def _error(self, token: Token, reason: str) -> SearchSyntaxError:
        return SearchSyntaxError(self._text, token_position(token) + 1, reason)


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)
