"""Searching values in memory: the language's own evaluator, its order, and the page behind a position."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, Scalar, SortKey, evaluate, sort_key

Item = TypeVar("Item")
FieldOf = Callable[[Item, Field], Scalar | None]
ValuesOf = Callable[[Item, Field], Scalar | tuple[Scalar, ...] | None]


def search_items(
    items: Iterable[Item], query: SearchQuery, field_of: FieldOf[Item], *, values_of: ValuesOf[Item] | None = None
) -> Page[Item]:
    """A page of the items that match; `field_of` gives None for what an item doesn't have.

    `values_of` gives a filter all values of a field of which `field_of` gives an order one.
    """
    filtered_by = values_of or field_of

    def place(item: Item) -> tuple[SortKey, ...]:
        return tuple(sort_key(term, field_of(item, term.field)) for term in query.order_by)

    def matches(item: Item) -> bool:
        return query.filter is None or evaluate(query.filter, lambda field: filtered_by(item, field))

    found = [item for item in items if matches(item)]
    if query.after is not None:
        after = tuple(sort_key(term, value) for term, value in zip(query.order_by, query.after, strict=True))
        found = [item for item in found if place(item) > after]
    found.sort(key=place)
    page = found[: query.page_size]
    if len(found) == len(page):
        return Page(page)
    return Page(page, tuple(field_of(page[-1], term.field) for term in query.order_by))
