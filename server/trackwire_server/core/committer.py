"""Group commit: requests queue, one task stores all that waits in one transaction, every caller hears of its own."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from trackwire_server.core.arrivals import Arrivals
from trackwire_server.core.clock import Clock
from trackwire_server.core.columns import Appended, Batch
from trackwire_server.core.errors import Overloaded, StorageFull, StoreUnavailable, TrackwireError
from trackwire_server.core.figures import CommitFigures, QueueDepth
from trackwire_server.core.limits import LIMITS, Limits
from trackwire_server.core.stores import MetricStore
from trackwire_server.core.traces import NO_TRACES, Link, WorkTraces

_RETRY_AFTER_SECONDS = 0.25
# While a writer pipelines, short waits make groups larger: a transaction costs as much as a dozen small requests.
# Where every caller sends one request and waits for its answer, nobody is kept waiting.
_LINGER_SECONDS = 0.005
_LINGERS_MAX = 4
_REQUESTS_WORTH_A_COMMIT = 64
_POINTS_WORTH_A_COMMIT = 32_768


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    outcome: "asyncio.Future[Appended]"
    asked_in: Link | None


class Committer:
    """The queue before the store. It has a limit; past it, `submit` raises Overloaded."""

    def __init__(
        self,
        store: MetricStore,
        arrivals: Arrivals,
        clock: Clock,
        *,
        limits: Limits = LIMITS,
        traces: WorkTraces = NO_TRACES,
    ):
        self._store = store
        self._arrivals = arrivals
        self._clock = clock
        self._limits = limits
        self._traces = traces
        self._queue: deque[_Waiting] = deque()
        self._requests = 0
        self._points = 0
        self._bytes = 0
        self._admitted_bytes = 0
        self._filled = asyncio.Event()
        self._closing = False
        self.figures = CommitFigures()

    @property
    def queue(self) -> QueueDepth:
        """What waits, the transaction under way included."""
        return QueueDepth(self._requests, self._points, max(self._bytes, self._admitted_bytes))

    @contextmanager
    def admitted(self, size_bytes: int) -> Iterator[None]:
        """Counts a request's bytes from its arrival to its answer, before anything is made of them. Raises Overloaded.

        Under a flood what waits to be decoded is more than what waits to be stored.
        """
        if self._admitted_bytes:
            self._check("bytes", self._admitted_bytes + size_bytes, self._limits.queue_bytes)
        self._admitted_bytes += size_bytes
        try:
            yield
        finally:
            self._admitted_bytes -= size_bytes

    async def submit(self, batch: Batch) -> Appended:
        """Queues a batch and waits until it is durable. Raises what the store says of it, Overloaded, StoreUnavailable.

        A caller that gives up waiting doesn't take its batch back.
        """
        if self._closing:
            raise StoreUnavailable("the server is shutting down: send again to its successor", reason="DRAINING")
        self._check_room(batch)
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future(), self._traces.here())
        self._queue.append(waiting)
        self._requests += 1
        self._points += len(batch.points)
        self._bytes += batch.size_bytes
        self._filled.set()
        return await waiting.outcome

    def close(self) -> None:
        """Refuses new batches; `run` ends once the queue is empty."""
        self._closing = True
        self._filled.set()

    async def run(self) -> None:
        """Stores groups until closed. Cancelled, it leaves nobody waiting."""
        try:
            pipelined = False
            while True:
                await self._filled.wait()
                if not self._queue:
                    if self._closing:
                        return
                    self._filled.clear()
                    continue
                if pipelined and self._is_small() and not self._closing:
                    await self._linger()
                group = self._next_group()
                pipelined = _is_pipelined(group)
                await self._commit(group)
        finally:
            self._closing = True
            _tell_all(self._queue, _stopped())
            self._queue.clear()

    async def _linger(self) -> None:
        """Waits while more keeps coming and what waits is still small."""
        for _ in range(_LINGERS_MAX):
            waiting = len(self._queue)
            await asyncio.sleep(_LINGER_SECONDS)
            if len(self._queue) == waiting or not self._is_small() or self._closing:
                return

    def _is_small(self) -> bool:
        """Whether what waits is not worth a transaction yet."""
        return len(self._queue) < _REQUESTS_WORTH_A_COMMIT and self._points < _POINTS_WORTH_A_COMMIT

    def _check_room(self, batch: Batch) -> None:
        sizes = (
            ("points", self._points + len(batch.points), self._limits.queue_points),
            ("bytes", self._bytes + batch.size_bytes, self._limits.queue_bytes),
            ("requests", len(self._queue) + 1, self._limits.queue_requests),
        )
        if self._queue:
            for what, size, limit in sizes:
                self._check(what, size, limit)

    def _check(self, what: str, size: int, limit: int) -> None:
        if size > limit:
            self.figures.refused_requests += 1
            raise Overloaded(
                f"the ingest queue holds {size:,} {what}, at most {limit:,}: nothing was stored, send again",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
                metadata={"value": size, "limit": limit, "unit": what},
            )

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        points = 0
        while self._queue and len(group) < self._limits.group_requests:
            points += len(self._queue[0].batch.points)
            if group and points > self._limits.group_points:
                break
            group.append(self._queue.popleft())
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        batches = [waiting.batch for waiting in group]
        points = sum(len(batch.points) for batch in batches)
        begun = time.perf_counter()
        try:
            outcomes = await self._outcomes(batches)
        except asyncio.CancelledError:
            _tell_all(group, _stopped())
            raise
        finally:
            self._requests -= len(group)
            self._points -= points
            self._bytes -= sum(batch.size_bytes for batch in batches)
        seconds = time.perf_counter() - begun
        self.figures.add(seconds, len(group), points)
        links = [waiting.asked_in for waiting in group if waiting.asked_in is not None]
        self._traces.record("commit", seconds, {"trackwire.requests": len(group), "trackwire.points": points}, links)
        self.figures.stored_points += sum(
            outcome.stored_points for outcome in outcomes if isinstance(outcome, Appended)
        )
        for waiting, outcome in zip(group, outcomes, strict=True):
            _tell(waiting.outcome, outcome)
        self._arrivals.announce({batch.run_id for batch in batches})

    async def _outcomes(self, batches: Sequence[Batch]) -> Sequence[Appended | BaseException]:
        """An outcome a batch. A store that fails on a group may do so for one of them: then each is tried alone."""
        try:
            return await self._store.append(batches, now_ms=self._clock())
        except (StorageFull, StoreUnavailable) as error:
            return [error] * len(batches)
        except Exception as error:
            if len(batches) == 1:
                return [error]
        return [outcome for batch in batches for outcome in await self._outcomes([batch])]


def _is_pipelined(group: Sequence[_Waiting]) -> bool:
    """Whether some writer has several requests under way at a time."""
    stamped = [(waiting.batch.run_id, waiting.batch.stamp.writer_id) for waiting in group if waiting.batch.stamp]
    return len(set(stamped)) < len(stamped)


def _stopped() -> StoreUnavailable:
    return StoreUnavailable("the server stopped before this was known to be stored: send again", reason="DRAINING")


def _tell_all(group: Iterable[_Waiting], outcome: BaseException) -> None:
    for waiting in group:
        _tell(waiting.outcome, outcome)


def _tell(future: "asyncio.Future[Appended]", outcome: Appended | BaseException) -> None:
    if future.done():
        return
    if isinstance(outcome, TrackwireError):
        # Waiters of one group may share the error: each raises its own, so that tracebacks don't grow into each other.
        future.set_exception(outcome.with_traceback(None))
    elif isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
