"""From the text of a search to a query that a store can answer, and back to a page token."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from trackwire_server.core.checks import INT64_MAX, check_page_size
from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import Position, SearchQuery, decode_token, encode_token, fingerprint
from trackwire_server.search import (
    Expression,
    MetricDataset,
    OrderTerm,
    SearchLimits,
    SearchSyntaxError,
    ValueType,
    Vocabulary,
    of_datasets,
    parse_filter,
    parse_order_by,
    requiring_tags,
)

_LIMITS = SearchLimits(filter_characters_max=LIMITS.filter_characters, order_clauses_max=LIMITS.order_by_clauses)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as it was written; a page size of 0 means the default.

    `datasets` and, by the place of a clause, `order_by_datasets` are for logged models. With `tags_required` a
    negation holds only of tags that are there, as MLflow's clients expect.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    page_size: int = 0
    page_token: str = ""
    view: ViewType = ViewType.ACTIVE_ONLY
    experiment_ids: tuple[str, ...] = ()
    datasets: tuple[MetricDataset, ...] = ()
    order_by_datasets: tuple[tuple[int, MetricDataset], ...] = ()
    tags_required: bool = False


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """A search that a store can answer, and the digest that its page tokens carry."""

    query: SearchQuery
    fingerprint: str

    def token(self, next_position: Position | None) -> str:
        """The token of the next page; empty at the end."""
        return encode_token(self.fingerprint, next_position)


def parse_search(
    request: SearchRequest, vocabulary: Vocabulary, *, page_size_default: int, page_size_max: int
) -> ParsedSearch:
    """The search, checked. Raises InvalidArgument by field: filter, order_by[i], page_size, page_token."""
    order_by = _order_by(tuple(request.order_by), vocabulary, request.order_by_datasets)
    digest = fingerprint(
        vocabulary.entity,
        request.filter,
        tuple(request.order_by),
        request.view,
        sorted(request.experiment_ids),
        request.tags_required,
        *filter(None, (request.datasets, request.order_by_datasets)),
    )
    after = position_in(digest, request.page_token, [term.field.type for term in order_by])
    expression = _filter(request.filter, vocabulary, request.datasets)
    query = SearchQuery(
        filter=requiring_tags(expression) if expression is not None and request.tags_required else expression,
        order_by=order_by,
        page_size=check_page_size(request.page_size, default=page_size_default, maximum=page_size_max),
        view=request.view,
        experiment_ids=request.experiment_ids,
        datasets=request.datasets,
        after=after,
    )
    return ParsedSearch(query, digest)


def check_filter(text: str, vocabulary: Vocabulary) -> None:
    """Whether a filter means something by itself, and not only as part of another. Raises InvalidArgument."""
    _filter(text, vocabulary, ())


# A page that somebody looks at is asked for again and again, with the same words.
@lru_cache(maxsize=64)
def _filter(text: str, vocabulary: Vocabulary, datasets: tuple[MetricDataset, ...]) -> Expression | None:
    try:
        parsed = parse_filter(text, vocabulary, limits=_LIMITS)
    except SearchSyntaxError as error:
        raise _bad_search("filter", "BAD_FILTER", error) from error
    return parsed if parsed is None or not datasets else of_datasets(parsed, datasets)


@lru_cache(maxsize=64)
def _order_by(
    clauses: tuple[str, ...], vocabulary: Vocabulary, datasets: tuple[tuple[int, MetricDataset], ...]
) -> tuple[OrderTerm, ...]:
    try:
        return parse_order_by(clauses, vocabulary, limits=_LIMITS, datasets=dict(datasets))
    except SearchSyntaxError as error:
        # Of two clauses with one text it is the later that is wrong, if only because the other stands before it.
        index = max(index for index, clause in enumerate(clauses) if clause == error.text)
        raise _bad_search(f"order_by[{index}]", "BAD_ORDER_BY", error) from error


def _bad_search(field: str, reason: str, error: SearchSyntaxError) -> InvalidArgument:
    refused = InvalidArgument(field, error.text, str(error), reason=reason)
    refused.metadata["column"] = str(error.column)
    return refused


def position_in(query: str, token: str, kinds: Sequence[ValueType], *, may_be_missing: bool = True) -> Position | None:
    """The position in a page token, a value of each of these kinds; None at the start. Raises InvalidArgument."""
    position = decode_token(query, token)
    if position is None:
        return None
    fits = len(position) == len(kinds) and all(map(_is_of, kinds, position))
    if not fits or (None in position and not may_be_missing):
        raise InvalidArgument("page_token", token, "is not a token of this server", reason="BAD_PAGE_TOKEN")
    return position


def _is_of(kind: ValueType, value: str | int | float | None) -> bool:
    # A token is not signed: what can't come from a column must not reach one.
    match value:
        case None:
            return True
        case bool():
            return False
        case str():
            return kind is ValueType.STRING and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)
        case int():
            return kind is not ValueType.STRING and -INT64_MAX - 1 <= value <= INT64_MAX
        case float():
            return kind is ValueType.REAL
