"""Keyset paging: a page token is the position of the last row shown, bound to the query that made it.

Rows that are inserted or deleted between two pages therefore neither repeat nor hide others.
"""

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.search import Expression, MetricDataset, OrderTerm

Item = TypeVar("Item")
Position = tuple[str | int | float | None, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Items in order, and the position of the last one if there are more."""

    items: Sequence[Item]
    next_position: Position | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search, parsed: `after` is the position behind which the page begins, one value per order term.

    With `datasets`, only what has a series of one of these is found.
    """

    filter: Expression | None
    order_by: tuple[OrderTerm, ...]
    page_size: int
    view: ViewType = ViewType.ACTIVE_ONLY
    experiment_ids: tuple[str, ...] = ()
    datasets: tuple[MetricDataset, ...] = ()
    after: Position | None = None


def entries_that_fit(sizes: Iterable[int], *, entries_max: int, bytes_max: int) -> int:
    """How many of these make a page: it ends with the entry by which it has `bytes_max`."""
    count = total = 0
    for size in sizes:
        if count == entries_max or total >= bytes_max:
            break
        count, total = count + 1, total + size
    return count


def fingerprint(*parts: object) -> str:
    """A short digest of a query, so that a token is refused by any other."""
    return hashlib.blake2s(repr(parts).encode(), digest_size=8).hexdigest()


def encode_token(query: str, position: Position | None) -> str:
    """A page token for the query with this fingerprint; empty at the end. NaN travels as a one-element list."""
    if position is None:
        return ""
    values = [["nan"] if isinstance(value, float) and math.isnan(value) else value for value in position]
    text = json.dumps([1, query, values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(query: str, token: str, *, field: str = "page_token") -> Position | None:
    """The position in a page token; InvalidArgument if it is not one, or another query's."""
    if not token:
        return None
    try:
        version, owner, values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        position = tuple(math.nan if value == ["nan"] else value for value in values)
        if version != 1 or not all(isinstance(value, str | int | float | None) for value in position):
            raise ValueError(version)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidArgument(field, token, "is not a token of this server", reason="BAD_PAGE_TOKEN") from error
    if owner != query:
        raise InvalidArgument(
            field, token, "belongs to another query: repeat all other fields unchanged", reason="PAGE_TOKEN_MISMATCH"
        )
    return position
