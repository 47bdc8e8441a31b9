"""One process's stream of points into one run, exactly once: columns in, and `Delivery` takes them to the server."""

import logging
import threading
import uuid
from collections import deque
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from trackwire.client.connection import Connection
from trackwire.client.delivery import IN_FLIGHT, Delivery, Request
from trackwire.client.metrics import INGEST_PATH
from trackwire.columns import MetricColumns, encode_ingest
from trackwire.errors import DataLossError, DeadlineExceededError, FailedPreconditionError, TrackwireError
from trackwire.v1.metrics_pb2 import SeriesContext

logger = logging.getLogger(__name__)

PENDING_BYTES_MAX = 64 * 1024 * 1024
FLUSH_TIMEOUT_SECONDS = 60.0


class _Unsettled:
    """What was added and is neither stored nor refused yet: the delivery's source, guarded by the writer's lock."""

    def __init__(self, run_id: str, changed: threading.Condition) -> None:
        self.waiting: deque[Request] = deque()
        self.size_bytes = 0
        self.points = 0
        self.points_stored = 0
        self.points_refused = 0
        self.unreported: list[TrackwireError] = []
        self._run_id = run_id
        self._changed = changed

    def add(self, request: Request) -> None:
        """Takes one more."""
        self.waiting.append(request)
        self.size_bytes += len(request.body)
        self.points += request.points
        self._changed.notify_all()

    def next_request(self) -> Request | None:
        """The oldest that was not sent yet."""
        return self.waiting.popleft() if self.waiting else None

    def stored(self, request: Request) -> None:
        """Counts it."""
        self.points_stored += request.points
        self._drop(request)

    def refused(self, request: Request, error: TrackwireError) -> None:
        """Counts it, and keeps the reason for the next flush."""
        logger.error("%s points of run %s were refused: %s", request.points, self._run_id, error)
        self.points_refused += request.points
        self.unreported.append(error)
        self._drop(request)

    def forgotten(self, error: DataLossError) -> None:
        """Keeps it for the next flush."""
        self.unreported.append(error)

    def _drop(self, request: Request) -> None:
        self.size_bytes -= len(request.body)
        self.points -= request.points
        self._changed.notify_all()


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
        self._contexts = () if rank is None else (SeriesContext(rank=rank),)
        self._pending_bytes_max = pending_bytes_max
        self._changed = threading.Condition()
        self._unsettled = _Unsettled(run_id, self._changed)
        self._last_sequence = 0
        self._closing = False
        self._abandoned = False
        self._delivery = Delivery(
            connection, self._unsettled, self._changed, writer_id=self.writer_id, in_flight_max=in_flight
        )
        self._thread = threading.Thread(target=self._run, name=f"trackwire-writer-{run_id}", daemon=True)
        self._thread.start()

    @property
    def points_acknowledged(self) -> int:
        """Points that are stored."""
        return self._unsettled.points_stored

    @property
    def points_rejected(self) -> int:
        """Points that the server refused for good."""
        return self._unsettled.points_refused

    @property
    def points_pending(self) -> int:
        """Points that are neither acknowledged nor rejected yet."""
        return self._unsettled.points

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
            self._unsettled.add(Request(self._last_sequence, INGEST_PATH, body, points))

    def flush(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Waits until all that was added is stored or refused.

        Raises what the server refused since the last flush, once; DeadlineExceededError if it takes too long: then the
        writer goes on trying.
        """
        with self._changed:
            settled = self._changed.wait_for(lambda: self._abandoned or self._is_idle(), timeout_seconds)
            if not settled:
                raise self._late_error(timeout_seconds)
            unreported, self._unsettled.unreported = self._unsettled.unreported, []
        if unreported:
            raise _with_note(unreported)
        if self.points_pending:
            raise self._closed_error()

    def close(self, timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> None:
        """Flushes and ends the stream; raises as `flush` does. What isn't acknowledged by then is given up."""
        try:
            self.flush(timeout_seconds)
        finally:
            with self._changed:
                self._closing = True
                self._abandoned = self._abandoned or not self._is_idle()
                self._delivery.stop()
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
        try:
            self._delivery.run(self._has_ended)
        except FailedPreconditionError as error:
            self._abandon(error)

    def _has_ended(self) -> bool:
        return self._abandoned or (self._closing and self._is_idle())

    def _is_idle(self) -> bool:
        return not self._unsettled.waiting and self._delivery.is_idle

    def _has_room(self, size_bytes: int) -> bool:
        return self._is_idle() or self._unsettled.size_bytes + size_bytes <= self._pending_bytes_max

    def _abandon(self, error: TrackwireError) -> None:
        with self._changed:
            self._closing = self._abandoned = True
            self._unsettled.unreported.append(error)
            self._changed.notify_all()

    def _late_error(self, timeout_seconds: float | None) -> TrackwireError:
        return DeadlineExceededError(
            f"{self.points_pending:,} points of run {self.run_id!r} are not acknowledged after"
            f" {timeout_seconds or 0:g} s{self._last_failure_text()}",
            reason="POINTS_NOT_ACKNOWLEDGED",
        )

    def _closed_error(self) -> TrackwireError:
        return FailedPreconditionError(
            f"the writer of run {self.run_id!r} is closed{self._last_failure_text()}", reason="WRITER_CLOSED"
        )

    def _last_failure_text(self) -> str:
        failure = self._delivery.last_failure
        return f"; last failure: {failure}" if failure is not None else ""


def _with_note(errors: list[TrackwireError]) -> TrackwireError:
    first = errors[0]
    if len(errors) > 1:
        first.add_note(f"and {len(errors) - 1} more requests were refused; the log has each")
    return first
