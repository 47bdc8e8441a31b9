"""From a value as it was written to one of the field's type."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from trackwire_server.search.errors import SearchSyntaxError, shorten
from trackwire_server.search.identifiers import unquote
from trackwire_server.search.tree import Field, Scalar, ValueType

NUMBER_PATTERN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
INTEGER_PATTERN = re.compile(r"[+-]?0*(?P<digits>[0-9]{1,19})")
NOT_FINITE = re.compile(r"[+-]?(?ai:nan|inf(?:inity)?)")
TIME_EXAMPLE_MS = 1_700_000_000_000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Up to here a float that is whole is the very number that was written.
EXACT_FLOAT_MAX = 2.0**53


@dataclass(frozen=True, slots=True)
class Literal:
    """A value where it stands in the filter; `name` is the field as it was written, `is_time` whether it is a time."""

    text: str
    raw: str
    position: int
    name: str
    is_time: bool = False

    @property
    def is_quoted(self) -> bool:
        return self.raw[0] in "'\""

    def error(self, reason: str) -> SearchSyntaxError:
        return SearchSyntaxError(self.text, self.position + 1, reason)

    def not_a_number(self, reason: str) -> SearchSyntaxError:
        hint = f": times are Unix milliseconds, such as {TIME_EXAMPLE_MS}" if self.is_time else ""
        return self.error(reason + hint)


def read_rank(literal: Literal, ranks: tuple[str, ...]) -> int:
    """The place of the value among these, from 1. Raises SearchSyntaxError at the value if it isn't one of them."""
    return ranks.index(_chosen(literal, ranks)) + 1


def read_value(literal: Literal, field: Field, *, choices: tuple[str, ...] = (), is_id: bool = False) -> Scalar:
    """The value, NaN as a float. Raises SearchSyntaxError at the value if it isn't one of the field's type."""
    match field.type:
        case ValueType.STRING:
            return _chosen(literal, choices) if choices else _text(literal)
        case ValueType.INTEGER:
            return _integer(literal, unquote(literal.raw) if is_id else _bare(literal))
        case ValueType.REAL:
            return _real(literal, _bare(literal))


def _text(literal: Literal) -> str:
    if literal.is_quoted:
        return unquote(literal.raw)
    shown = shorten(literal.raw)
    if literal.raw.lower() == "null":
        raise literal.error(f"{literal.name} cannot equal NULL; write IS NULL or IS NOT NULL")
    raise literal.error(f"{literal.name} takes text, and {shown} is not quoted: write '{shown}'")


def _chosen(literal: Literal, choices: tuple[str, ...]) -> str:
    text = _text(literal)
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    raise literal.error(f"{literal.name} is never {shorten(text)!r}; expected one of {', '.join(choices)}")


def _bare(literal: Literal) -> str:
    if literal.is_quoted:
        inner = shorten(unquote(literal.raw))
        if NUMBER_PATTERN.fullmatch(inner) or NOT_FINITE.fullmatch(inner):
            raise literal.error(
                f"{literal.name} takes a number without quotes: write {inner}, not {shorten(literal.raw)}"
            )
        raise literal.not_a_number(f"{literal.name} takes a number, and {shorten(literal.raw)} is text")
    if literal.raw.lower() == "null":
        raise literal.error(f"{literal.name} cannot equal NULL; write IS NULL or IS NOT NULL")
    return literal.raw


def _integer(literal: Literal, written: str) -> int:
    plain = INTEGER_PATTERN.fullmatch(written)
    if plain is not None:
        number = int(plain["digits"]) * (-1 if written.startswith("-") else 1)
        if INT64_MIN <= number <= INT64_MAX:
            return number
    if NUMBER_PATTERN.fullmatch(written) is None:
        raise literal.not_a_number(f"{literal.name} takes a whole number, and {shorten(literal.raw)} is not one")
    real = float(written)
    if plain is not None or abs(real) >= float(INT64_MAX):
        raise literal.error(f"{literal.name} takes whole numbers of 64 bits, and {shorten(written)} is beyond them")
    if not real.is_integer():
        raise literal.error(f"{literal.name} takes a whole number, and {shorten(literal.raw)} is not one")
    if abs(real) > EXACT_FLOAT_MAX:
        raise literal.error(f"{shorten(written)} is too large to be exact in this form: write its digits out")
    return int(real)


def _real(literal: Literal, written: str) -> float:
    if NOT_FINITE.fullmatch(written):
        # The one NaN object makes trees comparable; its sign says nothing.
        number = float(written)
        return math.nan if math.isnan(number) else number
    if NUMBER_PATTERN.fullmatch(written) is None:
        raise literal.error(f"{literal.name} takes a number, and {shorten(written)} is not one")
    number = float(written)
    if math.isinf(number):
        raise literal.error(f"{shorten(written)} is beyond a 64-bit float; write inf or -inf if that is meant")
    return number
