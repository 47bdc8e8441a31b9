"""One process's stream of points into one run, exactly once.

Requests are numbered, and each names the one before it. Several are under way at a time; whatever fails in passing is
sent again, the same points in the same order, until the server says that it is stored or that it never will be:

    add ──▶ waiting ──▶ under way ──▶ acknowledged
               ▲            │
               └── again ───┤  unavailable, overloaded, too late, out of order
                            └──▶ refused   counted, reported by flush; the next names the last that stands
"""

import logging
import threading
import uuid
from collections import deque
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import grpc
import numpy as np

from trackwire.columns import MetricColumns, encode_ingest
from trackwire.connection import Connection
from trackwire.errors import (
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    TrackwireError,
)
from trackwire.internal.v1.metrics_pb2 import IngestMetricsColumns
from trackwire.metrics import INGEST_PATH
from trackwire.retry import backoff_seconds, is_sequence_gap, is_unclear, passes
from trackwire.status import error_from_rpc
from trackwire.v1.metrics_pb2 import SeriesContext, WriterStamp

logger = logging.getLogger(__name__)

IN_FLIGHT = 32
# Large requests are under way in smaller numbers: that many bytes, and at least two requests.
IN_FLIGHT_BYTES = 2 * 1024 * 1024
PENDING_BYTES_MAX = 64 * 1024 * 1024
FLUSH_TIMEOUT_SECONDS = 60.0

# Whether a request that failed without a clear word was stored isn't known; a proxy may answer so for ever.
_UNCLEAR_ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class _Request:
    """Fixed once framed, but for the stamp's `previous_sequence`, which names the last that stands."""

    sequence: int
    points: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Flight:
    """A request under way; `alone`: when it was sent, all before it had been acknowledged."""

    request: _Request
    answer: "grpc.Future[bytes]"
    alone: bool


class MetricWriter:
    """Numbers requests, keeps several under way, and sends again what fails in passing. Safe to use from many threads.

    Memory is bounded: past `pending_bytes_max` of what is not acknowledged yet, `add` waits.
    """

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        *,
        rank: int | None = None,
        in_flight: int = IN_FLIGHT,
        pending_bytes_max: int = PENDING_BYTES_MAX,
    ) -> None:
        self.run_id = run_id
        self.writer_id = uuid.uuid4().hex
        self.points_acknowledged = 0
        self.points_rejected = 0
        self._connection = connection
        self._contexts = () if rank is None else (SeriesContext(rank=rank),)
        self._in_flight_max = in_flight
        self._pending_bytes_max = pending_bytes_max
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._flying: deque[_Flight] = deque()
        self._flying_bytes = 0
        self._pending_bytes = 0
        self._points_pending = 0
        self._last_sequence = 0
        self._last_standing = 0
        self._failures_in_a_row = 0
        self._last_failure: TrackwireError | None = None
        self._unreported: list[TrackwireError] = []
        self._closing = False
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"trackwire-writer-{run_id}", daemon=True)
        self._thread.start()

    @property
    def points_pending(self) -> int:
        """Points that are neither acknowledged nor rejected yet."""
        return self._points_pending

    def add(self, columns: MetricColumns, *, timeout_seconds: float | None = None) -> None:
        """Takes one request's points; waits while too much is not acknowledged yet.

        DeadlineExceededError if that takes longer than `timeout_seconds`: then nothing of it was taken.
        """
        if self._contexts and not columns.contexts:
            columns = replace(columns, contexts=self._contexts)
        body = encode_ingest(self.run_id, columns)
        points = int(np.sum(columns.counts, dtype=np.int64))
        with self._changed:
            if not self._changed.wait_for(lambda: self._closing or self._has_room(len(body)), timeout_seconds):
                raise self._late_error(timeout_seconds)
            if self._closing:
                raise self._closed_error()
            self._last_sequence += 1
            self._waiting.append(_Request(self._last_sequence, points, body))
            self._pending_bytes += len(body)
            self._points_pending += points
            self._changed.notify_all()

    def flush(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Waits until all that was added is stored or refused.

        Raises what the server refused since the last flush, once; DeadlineExceededError if it takes too long: then the
        writer goes on trying.
        """
        with self._changed:
            settled = self._changed.wait_for(lambda: self._abandoned or self._is_idle(), timeout_seconds)
            if not settled:
                raise self._late_error(timeout_seconds)
            unreported, self._unreported = self._unreported, []
        if unreported:
            raise _with_note(unreported)
        if self._points_pending:
            raise self._closed_error()

    def close(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Flushes and ends the stream; raises as `flush` does. What isn't acknowledged by then is given up."""
        try:
            self.flush(timeout_seconds)
        finally:
            with self._changed:
                self._closing = True
                self._abandoned = self._abandoned or not self._is_idle()
                self._changed.notify_all()
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        """The sender: the only one who moves requests from waiting to flying and on."""
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                if self._abandoned or (self._closing and self._is_idle()):
                    break
                settled = self._front_has_settled()
            if settled:
                self._settle_front()
            else:
                self._send_next()
        for flight in self._flying:
            flight.answer.cancel()

    def _has_work(self) -> bool:
        may_send = bool(self._waiting) and self._may_fly()
        return self._abandoned or self._front_has_settled() or may_send or (self._closing and self._is_idle())

    def _front_has_settled(self) -> bool:
        return bool(self._flying) and self._flying[0].answer.done()

    def _may_fly(self) -> bool:
        """Whether one more request may be under way."""
        if len(self._flying) >= self._in_flight_max:
            return False
        return len(self._flying) < 2 or self._flying_bytes < IN_FLIGHT_BYTES

    def _is_idle(self) -> bool:
        return not self._waiting and not self._flying

    def _has_room(self, size_bytes: int) -> bool:
        return self._is_idle() or self._pending_bytes + size_bytes <= self._pending_bytes_max

    def _send_next(self) -> None:
        request = self._waiting[0]
        previous = self._flying[-1].request.sequence if self._flying else self._last_standing
        stamp = WriterStamp(writer_id=self.writer_id, sequence=request.sequence, previous_sequence=previous)
        # Fields of a message may come in any order: the stamp goes before the body, which is framed only once.
        data = IngestMetricsColumns(writer=stamp).SerializeToString() + request.body
        try:
            answer = self._connection.start_bytes(INGEST_PATH, data)
        except FailedPreconditionError as error:
            self._abandon(error)
            return
        with self._changed:
            self._waiting.popleft()
            self._flying.append(_Flight(request, answer, alone=not self._flying))
            self._flying_bytes += len(request.body)
        answer.add_done_callback(self._notify)

    def _notify(self, _answer: "grpc.Future[bytes]") -> None:
        with self._changed:
            self._changed.notify_all()

    def _settle_front(self) -> None:
        flight = self._flying[0]
        try:
            flight.answer.result()
        except grpc.RpcError as error:
            self._settle_failure(flight, error_from_rpc(error, self._connection.address))
        except grpc.FutureCancelledError:
            self._settle_failure(flight, CancelledError("the channel was closed or the call cancelled"))
        else:
            self._last_standing = flight.request.sequence
            self._failures_in_a_row = 0
            with self._changed:
                self.points_acknowledged += flight.request.points
                self._drop_front(flight.request)

    def _settle_failure(self, flight: _Flight, error: TrackwireError) -> None:
        self._last_failure = error
        if is_sequence_gap(error):
            if flight.alone:
                self._go_on_from_the_servers_mark(error)
            self._send_again(0.0)
        elif passes(error) or (is_unclear(error) and self._failures_in_a_row < _UNCLEAR_ATTEMPTS_MAX):
            self._failures_in_a_row += 1
            self._send_again(backoff_seconds(self._failures_in_a_row, error))
        else:
            self._refuse(flight.request, error)
            # Those behind it name it as their predecessor: they will come back out of order.
            self._send_again(0.0)

    def _go_on_from_the_servers_mark(self, error: TrackwireError) -> None:
        mark = int(error.metadata.get("mark", "0"))
        lost = DataLossError(
            f"{self._connection.address} has acknowledged request {self._last_standing} of run {self.run_id!r} but now"
            f" knows only up to {mark}: its store was replaced or restored from a backup",
            reason="ACKNOWLEDGED_REQUESTS_MISSING",
        )
        logger.error("%s", lost)
        self._last_standing = mark
        with self._changed:
            self._unreported.append(lost)

    def _refuse(self, request: _Request, error: TrackwireError) -> None:
        logger.error("%s points of run %s were refused: %s", request.points, self.run_id, error)
        self._failures_in_a_row = 0
        with self._changed:
            self.points_rejected += request.points
            self._unreported.append(error)
            self._drop_front(request)

    def _drop_front(self, request: _Request) -> None:
        self._flying.popleft()
        self._flying_bytes -= len(request.body)
        self._pending_bytes -= len(request.body)
        self._points_pending -= request.points
        self._changed.notify_all()

    def _send_again(self, delay_seconds: float) -> None:
        """Puts all that is under way back in front of what waits: behind a failure nothing can be stored anyway."""
        for flight in self._flying:
            flight.answer.cancel()
        with self._changed:
            self._waiting.extendleft(flight.request for flight in reversed(self._flying))
            self._flying.clear()
            self._flying_bytes = 0
            if delay_seconds:
                self._changed.wait_for(lambda: self._abandoned, delay_seconds)

    def _abandon(self, error: TrackwireError) -> None:
        with self._changed:
            self._closing = self._abandoned = True
            self._last_failure = error
            self._unreported.append(error)
            self._changed.notify_all()

    def _late_error(self, timeout_seconds: float | None) -> TrackwireError:
        return DeadlineExceededError(
            f"{self._points_pending:,} points of run {self.run_id!r} are not acknowledged after"
            f" {timeout_seconds or 0:g} s{self._last_failure_text()}",
            reason="POINTS_NOT_ACKNOWLEDGED",
        )

    def _closed_error(self) -> TrackwireError:
        return FailedPreconditionError(
            f"the writer of run {self.run_id!r} is closed{self._last_failure_text()}", reason="WRITER_CLOSED"
        )

    def _last_failure_text(self) -> str:
        return f"; last failure: {self._last_failure}" if self._last_failure is not None else ""


def _with_note(errors: list[TrackwireError]) -> TrackwireError:
    first = errors[0]
    if len(errors) > 1:
        first.add_note(f"and {len(errors) - 1} more requests were refused; the log has each")
    return first
