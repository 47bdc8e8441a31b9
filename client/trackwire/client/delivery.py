"""Requests of one stream on their way to the server: numbered, each stored exactly once, in order, or refused.

Each names the one before it. Several are under way at a time; whatever fails in passing is sent again, the same bytes
in the same order, until the server says that it is stored or that it never will be:

    source ──▶ ready ──▶ under way ──▶ stored
                 ▲           │
                 └── again ──┤  unavailable, overloaded, too late, out of order
                             └──▶ refused   the next names the last that stands

A barrier is sent alone: after all before it has settled, and nothing behind it before it has.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import grpc

from trackwire.client.connection import Connection
from trackwire.client.retry import backoff_seconds, is_sequence_gap, is_unclear, passes
from trackwire.client.status import error_from_rpc
from trackwire.errors import CancelledError, DataLossError, TrackwireError
from trackwire.internal.v1.metrics_pb2 import IngestMetricsColumns
from trackwire.v1.metrics_pb2 import WriterStamp

logger = logging.getLogger(__name__)

IN_FLIGHT = 32
# Large requests are under way in smaller numbers: that many bytes, and at least two requests.
IN_FLIGHT_BYTES = 3 * 1024 * 1024
# With many under way answers come in bursts, as the server commits: to settle a burst at once and to send as many costs
# less than to wake up for each of them.
_FLIGHTS_WORTH_GATHERING = 16
_GATHER_SECONDS = 0.005

# Whether a request that failed without a clear word was stored isn't known; a proxy may answer so for ever.
_UNCLEAR_ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Request:
    """Fixed once framed; a stamp goes before the body, with the `previous_sequence` of the last that stands."""

    sequence: int
    path: str
    body: bytes
    points: int = 0
    stamped: bool = True
    barrier: bool = False


class Source(Protocol):
    """Where requests come from, and who is told what became of each. Called by the delivering thread alone."""

    def next_request(self) -> Request | None:
        """The next one, in order, handed over for good; None while there is none. Called with the lock held."""

    def stored(self, request: Request) -> None:
        """The server has it. Requests are settled in their order."""

    def refused(self, request: Request, error: TrackwireError) -> None:
        """The server will never take it. Only after this has returned is what stands behind it sent again."""

    def forgotten(self, error: DataLossError) -> None:
        """The server no longer has what it had acknowledged: told once, and delivery goes on behind what it has."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A request under way; `alone`: when it was sent, all before it had been acknowledged."""

    request: Request
    answer: "grpc.Future[bytes]"
    alone: bool


class Delivery:
    """One stream's delivery; `run` moves it on, in one thread at a time.

    `changed` is its owner's: it guards the source, and whoever gives the source more, or wants the thread's attention,
    notifies it.
    """

    def __init__(
        self,
        connection: Connection,
        source: Source,
        changed: threading.Condition,
        *,
        writer_id: str,
        last_standing: int = 0,
        in_flight_max: int = IN_FLIGHT,
        may_pass: Callable[[TrackwireError], bool] = passes,
    ) -> None:
        self.last_failure: TrackwireError | None = None
        # The last stamped request that the server has acknowledged.
        self.last_standing = last_standing
        self._connection = connection
        self._source = source
        self._changed = changed
        self._writer_id = writer_id
        self._in_flight_max = in_flight_max
        self._may_pass = may_pass
        self._ready: deque[Request] = deque()
        self._flying: deque[_Flight] = deque()
        self._flying_bytes = 0
        self._failures_in_a_row = 0
        self._stopping = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and nothing waits to be sent again."""
        return not self._ready and not self._flying

    @property
    def is_drained(self) -> bool:
        """Whether nothing is under way."""
        return not self._flying

    def stop(self) -> None:
        """Sends nothing any more, and cuts a wait short; what is under way may still settle. From any thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def run(self, has_ended: Callable[[], bool], *, look_seconds: float | None = None) -> None:
        """Settles and sends until `has_ended`, which is called with the lock held; then gives up what is under way.

        With nothing to do it waits for `changed`; a source that nobody notifies for is looked at every `look_seconds`.
        FailedPreconditionError where the connection was closed.
        """
        try:
            while self._step(has_ended, look_seconds):
                pass
        finally:
            self._put_back()

    def _step(self, has_ended: Callable[[], bool], look_seconds: float | None) -> bool:
        with self._changed:
            if has_ended():
                return False
            settled = self._front_has_settled()
            request = None if settled else self._next_to_send()
            waits = not settled and request is None
            if waits:
                is_full = len(self._flying) >= _FLIGHTS_WORTH_GATHERING
                self._changed.wait(look_seconds)
        if waits:
            if is_full:
                time.sleep(_GATHER_SECONDS)
            return True
        if request is not None:
            self._send(request)
            return True
        delay_seconds = self._settle_front()
        if delay_seconds:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, delay_seconds)
        return True

    def _front_has_settled(self) -> bool:
        return bool(self._flying) and self._flying[0].answer.done()

    def _next_to_send(self) -> Request | None:
        if self._stopping or not self._may_fly():
            return None
        if not self._ready:
            request = self._source.next_request()
            if request is None:
                return None
            self._ready.append(request)
        return None if self._ready[0].barrier and self._flying else self._ready[0]

    def _may_fly(self) -> bool:
        """Whether one more request may be under way."""
        if not self._flying:
            return True
        if self._flying[0].request.barrier or len(self._flying) >= self._in_flight_max:
            return False
        return len(self._flying) < 2 or self._flying_bytes < IN_FLIGHT_BYTES

    def _send(self, request: Request) -> None:
        answer = self._connection.start_bytes(request.path, self._stamp(request) + request.body)
        with self._changed:
            self._ready.popleft()
            self._flying.append(_Flight(request, answer, alone=not self._flying))
            self._flying_bytes += len(request.body)
        answer.add_done_callback(self._notify)

    def _stamp(self, request: Request) -> bytes:
        if not request.stamped:
            return b""
        # Whatever flies before it is stamped too: the others are barriers.
        previous = self._flying[-1].request.sequence if self._flying else self.last_standing
        return stamp_bytes(self._writer_id, request.sequence, previous)

    def _notify(self, _answer: "grpc.Future[bytes]") -> None:
        with self._changed:
            self._changed.notify_all()

    def _settle_front(self) -> float:
        """How long to wait before anything is sent again."""
        flight = self._flying[0]
        try:
            flight.answer.result()
        except grpc.RpcError as error:
            return self._settle_failure(flight, error_from_rpc(error, self._connection.address))
        except grpc.FutureCancelledError:
            return self._settle_failure(flight, CancelledError("the channel was closed or the call cancelled"))
        self._failures_in_a_row = 0
        if flight.request.stamped:
            self.last_standing = flight.request.sequence
        with self._changed:
            self._drop_front(flight.request)
            self._source.stored(flight.request)
        return 0.0

    def _settle_failure(self, flight: _Flight, error: TrackwireError) -> float:
        self.last_failure = error
        delay_seconds = 0.0
        if is_sequence_gap(error):
            if flight.alone:
                self._go_on_from_the_servers_mark(error)
        elif self._may_pass(error) or (is_unclear(error) and self._failures_in_a_row < _UNCLEAR_ATTEMPTS_MAX):
            self._failures_in_a_row += 1
            delay_seconds = backoff_seconds(self._failures_in_a_row, error)
        else:
            self._failures_in_a_row = 0
            with self._changed:
                self._drop_front(flight.request)
                self._source.refused(flight.request, error)
        # Nothing behind a failure can be stored: each names the one before it.
        self._put_back()
        return delay_seconds

    def _go_on_from_the_servers_mark(self, error: TrackwireError) -> None:
        mark = int(error.metadata.get("mark", "0"))
        lost = DataLossError(
            f"{self._connection.address} has acknowledged request {self.last_standing} of writer {self._writer_id!r}"
            f" but now knows only up to {mark}: its store was replaced or restored from a backup",
            reason="ACKNOWLEDGED_REQUESTS_MISSING",
        )
        logger.error("%s", lost)
        self.last_standing = mark
        with self._changed:
            self._source.forgotten(lost)

    def _drop_front(self, request: Request) -> None:
        self._flying.popleft()
        self._flying_bytes -= len(request.body)

    def _put_back(self) -> None:
        """Puts all that is under way in front of what waits, to be sent again."""
        for flight in self._flying:
            flight.answer.cancel()
        with self._changed:
            self._ready.extendleft(flight.request for flight in reversed(self._flying))
            self._flying.clear()
            self._flying_bytes = 0


def stamp_bytes(writer_id: str, sequence: int, previous_sequence: int) -> bytes:
    """The stamp as the first bytes of a request: fields of a message may come in any order.

    It has the same number in every request that takes one.
    """
    stamp = WriterStamp(writer_id=writer_id, sequence=sequence, previous_sequence=previous_sequence)
    return IngestMetricsColumns(writer=stamp).SerializeToString()
