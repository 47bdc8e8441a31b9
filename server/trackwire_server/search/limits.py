"""How large a search may be; past a limit it is refused by value and limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchLimits:
    filter_characters_max: int = 16_384
    nesting_depth_max: int = 64
    comparisons_max: int = 256
    in_values_max: int = 1_000
    order_clauses_max: int = 32


SEARCH_LIMITS = SearchLimits()
