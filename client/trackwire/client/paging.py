"""Lists that come in pages."""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from trackwire.client.transport import Transport
from trackwire.errors import ResourceExhaustedError

if TYPE_CHECKING:
    from google.protobuf.message import Message

EntryT = TypeVar("EntryT")

PAGE_SIZE = 1_000
# By how much the next page is smaller than one that had no room in a message.
SHRINKING = 8


class PagedRequest(Protocol):
    """A request that asks for a page."""

    page_size: int
    page_token: str


class PagedResponse(Protocol):
    """An answer that is a page."""

    next_page_token: str


PageT = TypeVar("PageT", bound=PagedResponse)


async def all_entries(
    transport: Transport,
    request: PagedRequest,
    response_type: type[PageT],
    take: Callable[[PageT], Iterable[EntryT]],
    *,
    max_results: int | None = None,
) -> AsyncGenerator[EntryT, None]:
    """All entries of all pages, each page asked for when it is reached; at most `max_results` entries."""
    remaining = max_results
    request.page_size = PAGE_SIZE if max_results is None else min(max_results, PAGE_SIZE)
    while True:
        try:
            page = cast("PageT", await transport.call(cast("Message", request), cast("type[Message]", response_type)))
        except ResourceExhaustedError as error:
            request.page_size = smaller_page(error, request.page_size)
            continue
        for entry in take(page):
            yield entry
            if remaining is not None:
                remaining -= 1
                if remaining == 0:
                    return
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def smaller_page(error: ResourceExhaustedError, size: int) -> int:
    """The size of the page to ask for instead, by the same token. Raises the error where that would not help."""
    if error.reason != "ANSWER_TOO_LARGE" or size <= 1:
        raise error
    return max(size // SHRINKING, 1)
