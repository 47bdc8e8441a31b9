"""What the methods of every noun are made of.

A method is one expression over `_call`, `_send`, `_pages`, `_stream`, `_gather` or `_send_stream`: it builds a request
and says what to take out of the answer. Nothing of it waits or loops, so an asynchronous client needs other versions of
these alone.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar, cast

from google.protobuf.message import Message

from trackwire.client.connection import Connection, ResponseT
from trackwire.errors import InvalidArgumentError

TakenT = TypeVar("TakenT")
CombinedT = TypeVar("CombinedT")
RequestT = TypeVar("RequestT", bound=Message)

PAGE_SIZE = 1_000


class PagedRequest(Protocol):
    """A request that asks for a page."""

    page_size: int
    page_token: str


class PagedResponse(Protocol):
    """An answer that is a page."""

    next_page_token: str


PageT = TypeVar("PageT", bound=PagedResponse)


class Calls:
    """The base of the nouns' mixins."""

    _connection: Connection

    def _call(self, request: Message, response_type: type[ResponseT], take: Callable[[ResponseT], TakenT]) -> TakenT:
        """Sends a request; what `take` takes out of the answer."""
        return take(self._connection.call(request, response_type))

    def _send(self, request: Message, response_type: type[Message]) -> None:
        """Sends a request whose answer says only that it is done."""
        self._connection.call(request, response_type)

    def _call_plain(self, path: str, data: bytes, decode: Callable[[bytes], TakenT]) -> TakenT:
        """Sends a request that is bytes already, to a path; its answer, decoded."""
        return decode(self._connection.call_bytes(path, data))

    def _pages(
        self,
        request: PagedRequest,
        response_type: type[PageT],
        take: Callable[[PageT], Iterable[TakenT]],
        *,
        max_results: int | None = None,
    ) -> Iterator[TakenT]:
        """All entries of all pages, each page asked for when it is reached; at most `max_results` entries."""
        if max_results is not None and max_results < 1:
            raise InvalidArgumentError(f"max_results: {max_results}: must be at least 1")
        return self._entries(request, response_type, take, max_results)

    def _entries(
        self,
        request: PagedRequest,
        response_type: type[PageT],
        take: Callable[[PageT], Iterable[TakenT]],
        max_results: int | None,
    ) -> Iterator[TakenT]:
        remaining = max_results
        # A page's size is part of the query that its token belongs to: it stays the same to the end.
        request.page_size = PAGE_SIZE if max_results is None else min(max_results, PAGE_SIZE)
        while True:
            page = cast("PageT", self._connection.call(cast("Message", request), cast("type[Message]", response_type)))
            for entry in take(page):
                yield entry
                if remaining is not None:
                    remaining -= 1
                    if remaining == 0:
                        return
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _stream(
        self, request: Message, decode: Callable[[bytes], TakenT], *, timeout_seconds: float | None = None
    ) -> Iterator[TakenT]:
        """Sends a request; its answers, decoded, as they come."""
        if timeout_seconds is None:
            timeout_seconds = self._connection.deadlines.stream_seconds
        return self._connection.stream(request, decode, timeout_seconds=timeout_seconds)

    def _gather(
        self,
        request: Message,
        decode: Callable[[bytes], TakenT],
        combine: Callable[[Sequence[TakenT]], CombinedT],
    ) -> CombinedT:
        """Sends a request; what `combine` makes of all its answers."""
        return combine(list(self._stream(request, decode)))

    def _send_stream(
        self,
        request_type: type[RequestT],
        requests: Iterable[RequestT],
        response_type: type[ResponseT],
        take: Callable[[ResponseT], TakenT],
    ) -> TakenT:
        """Sends many requests; what `take` takes out of the one answer."""
        return take(self._connection.send_stream(request_type, requests, response_type))


@functools.cache
def _lowered(names: tuple[str, ...]) -> Mapping[str, str]:
    return {name.lower(): name for name in names}


def enum_name(field: str, value: str, allowed: tuple[str, ...], *, prefix: str) -> str:
    """The proto's name of an enum value that a caller spelled shortly; names the field if there is no such value."""
    name = _lowered(allowed).get(value.lower())
    if name is None:
        raise InvalidArgumentError(
            f"{field}: {value!r}: must be one of {', '.join(allowed)}", metadata={"field": field, "value": value}
        )
    return f"{prefix}_{name.upper()}"


def text_list(field: str, texts: str | Sequence[str]) -> list[str]:
    """A list of texts; one text alone is a list of one, not of its characters."""
    if isinstance(texts, str):
        return [texts]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{field}: {text!r}: must be a str, not {type(text).__name__}")
    return list(texts)
