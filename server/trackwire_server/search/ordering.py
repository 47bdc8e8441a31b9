"""The order that an OrderTerm means, as keys that Python can compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from trackwire_server.search.tree import OrderTerm, Scalar

VALUE_RANK, NAN_RANK, MISSING_RANK = range(3)


@dataclass(frozen=True, slots=True)
class DescendingText:
    text: str

    def __lt__(self, other: DescendingText) -> bool:
        return other.text < self.text


SortKey: TypeAlias = tuple[int, float | str | DescendingText]


def sort_key(term: OrderTerm, value: Scalar | None) -> SortKey:
    """Sorts ascending into the term's order: values, then NaN, then what is missing, in both directions.

    Keys of one term compare with each other, and with no other term's.
    """
    if value is None:
        return (MISSING_RANK, 0)
    if isinstance(value, str):
        return (VALUE_RANK, DescendingText(value)) if term.descending else (VALUE_RANK, value)
    if math.isnan(value):
        return (NAN_RANK, 0)
    return (VALUE_RANK, -value if term.descending else value)
