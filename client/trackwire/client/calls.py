"""What the methods of every noun are made of.

A method is one expression over `_call`, `_send`, `_pages`, `_stream` or `_gather`, or has `_run` or `_iterate` run what
is written once for both clients. Nothing of it waits or loops: AsyncClient has the same methods over AsyncCalls.
"""

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from trackwire.client.connection import Connection, ResponseT
from trackwire.client.paging import PagedRequest, PageT, all_entries
from trackwire.client.transport import BlockingTransport, Transport, iterate_blocking, run_blocking
from trackwire.errors import InvalidArgumentError

TakenT = TypeVar("TakenT")
CombinedT = TypeVar("CombinedT")


class Calls:
    """The base of the nouns' mixins."""

    _connection: Connection

    @property
    def _transport(self) -> Transport:
        return BlockingTransport(self._connection)

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
        return self._iterate(all_entries(self._transport, request, response_type, take, max_results=max_results))

    def _stream(self, request: Message, decode: Callable[[bytes], TakenT]) -> Iterator[TakenT]:
        """Sends a request; its answers, decoded, as they come."""
        return self._connection.stream(request, decode, timeout_seconds=self._connection.deadlines.stream_seconds)

    def _gather(
        self,
        request: Message,
        decode: Callable[[bytes], TakenT],
        combine: Callable[[Sequence[TakenT]], CombinedT],
    ) -> CombinedT:
        """Sends a request; what `combine` makes of all its answers."""
        return combine(list(self._stream(request, decode)))

    def _run(self, work: Coroutine[object, None, TakenT]) -> TakenT:
        """The result of what is written over the transport."""
        return run_blocking(work)

    def _iterate(self, work: AsyncGenerator[TakenT, None]) -> Iterator[TakenT]:
        """The entries of what is written over the transport."""
        return iterate_blocking(work)


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
