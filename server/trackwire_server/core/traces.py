"""Where spans go, if anybody traces: what core and the doors tell, without a word of who hears it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

# A span's place in its trace; only who made it knows what it is.
Link = object


class CallSpan(Protocol):
    """A call under way; what is done for it meanwhile is part of it."""

    def end(self, outcome: str) -> None:
        """It has ended, with a code of gRPC's or a status of HTTP's."""


class CallTraces(Protocol):
    """Makes spans of calls."""

    def begin_rpc(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> CallSpan:
        """A call of "/package.Service/Method" begins; the caller's trace is in its metadata."""

    def begin_request(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> CallSpan:
        """The same of an HTTP request."""


class WorkTraces(Protocol):
    """Makes spans of what is done for many calls at once."""

    def here(self) -> Link | None:
        """The call for which the caller works; None outside of calls, and where nobody traces."""

    def record(self, name: str, seconds: float, attributes: Mapping[str, int], links: Sequence[Link]) -> None:
        """Something took so long, and has just ended; the links are the calls for which it was done."""


class NoTraces:
    """Nobody traces."""

    def here(self) -> None:
        """As WorkTraces says."""

    def record(self, name: str, seconds: float, attributes: Mapping[str, int], links: Sequence[Link]) -> None:
        """Nothing."""


NO_TRACES = NoTraces()
