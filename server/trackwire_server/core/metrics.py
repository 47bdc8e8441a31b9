"""Metrics: what may be ingested, read and tailed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager

from trackwire_server.core.arrivals import Arrivals
from trackwire_server.core.checks import INT64_MAX, check_key, check_page_size, check_run_id
from trackwire_server.core.clock import Clock
from trackwire_server.core.columns import Appended, Batch, check_batch, check_stamp
from trackwire_server.core.committer import Committer
from trackwire_server.core.downsampling import POINTS_MIN
from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.errors import InvalidArgument, Overloaded, StoreUnavailable
from trackwire_server.core.figures import CommitFigures, CompactionFigures, QueueDepth
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.maintenance import Maintenance
from trackwire_server.core.metric_queries import Arrival, Backlog, ReadQuery, SeriesPoints, SeriesReader
from trackwire_server.core.paging import decode_token, encode_token, fingerprint
from trackwire_server.core.stores import MetricStore
from trackwire_server.core.traces import NO_TRACES, WorkTraces

# A replica that another one wrote through hears nothing: tails look for themselves now and then.
_TAIL_LOOK_SECONDS = 1.0
_TAIL_RETRY_SECONDS = 5.0


class Metrics:
    """The rules of metrics. Works only inside `running()`."""

    def __init__(self, store: MetricStore, clock: Clock, traces: WorkTraces = NO_TRACES):
        self._store = store
        self._arrivals = Arrivals()
        self._committer = Committer(store, self._arrivals, clock, traces=traces)
        self._maintenance = Maintenance(store, clock, traces)
        self._draining = asyncio.Event()
        self._tails = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commits and compacts as long as the block lasts; at its end all that was queued is stored."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._committer.run(), name="committer")
            compaction = tasks.create_task(self._maintenance.run(), name="compaction")
            try:
                yield
            finally:
                self.end_tails()
                self._committer.close()
                compaction.cancel()

    def end_tails(self) -> None:
        """Ends every tail: its caller resumes at another server."""
        self._draining.set()

    @property
    def queue(self) -> QueueDepth:
        """What waits in the ingest queue."""
        return self._committer.queue

    @property
    def commits(self) -> CommitFigures:
        """What this server has committed."""
        return self._committer.figures

    @property
    def compaction(self) -> CompactionFigures:
        """What this server has compacted."""
        return self._maintenance.figures

    @property
    def tails(self) -> int:
        """Tails that are open."""
        return self._tails

    async def backlog(self) -> Backlog:
        """What waits to be compacted."""
        return await self._store.backlog()

    def admitted(self, size_bytes: int) -> AbstractContextManager[None]:
        """Around a request of so many bytes, from its arrival to its answer. Raises Overloaded."""
        return self._committer.admitted(size_bytes)

    async def ingest(self, batch: Batch) -> Appended:
        """Stores a batch; it is durable when this returns. Raises InvalidArgument and what MetricStore.append says."""
        check_run_id("run_id", batch.run_id)
        check_stamp(batch.stamp)
        check_batch(batch)
        return await self._committer.submit(batch)

    async def read(self, query: ReadQuery, *, max_points: int) -> AsyncGenerator[SeriesPoints | str, None]:
        """The points of each series in order, in parts; at the end the token for a tail from here. Raises NotFound."""
        _check_selection(query.run_ids, query.keys)
        _check_max_points(max_points)
        snapshot = await self._store.open_snapshot(query)
        async with aclosing(snapshot.thinned(max_points) if max_points else _whole(snapshot.series)) as parts:
            async for part in parts:
                if len(part.points):
                    yield part
        yield encode_token(_tail_fingerprint(query.run_ids), snapshot.arrivals)

    async def tail(
        self, run_ids: Sequence[str], keys: frozenset[str], resume_token: str
    ) -> AsyncGenerator[tuple[Sequence[SeriesPoints], str], None]:
        """What arrives, whole commits with the token behind them; first the token alone.

        Raises NotFound, TailTokenExpired, Overloaded, and StoreUnavailable when the server drains.
        """
        _check_selection(run_ids, keys)
        query = _tail_fingerprint(run_ids)
        positions = _numbers_in(query, resume_token, field="resume_token", count=len(run_ids))
        with self._place_for_tail(), self._arrivals.watch(run_ids) as arrived:
            arrived.set()
            if positions is None:
                positions = (await self._store.read_arrivals(run_ids, keys, None)).positions
            yield (), encode_token(query, positions)
            while not self._draining.is_set():
                await self._next_arrival(arrived)
                arrived.clear()
                more = True
                while more and not self._draining.is_set():
                    found = await self._store.read_arrivals(run_ids, keys, positions)
                    more = found.more
                    for parts, reached in _messages(found.arrivals, positions):
                        yield parts, encode_token(query, reached)
                    positions = found.positions
        raise StoreUnavailable("the server is shutting down: resume the tail with its last token", reason="DRAINING")

    @contextmanager
    def _place_for_tail(self) -> Iterator[None]:
        if self._tails >= LIMITS.tails:
            raise Overloaded(
                f"{self._tails:,} tails are open, at most {LIMITS.tails:,}: ask again later",
                retry_after_seconds=_TAIL_RETRY_SECONDS,
                metadata={"value": self._tails, "limit": LIMITS.tails, "unit": "tails"},
            )
        self._tails += 1
        try:
            yield
        finally:
            self._tails -= 1

    async def _next_arrival(self, arrived: asyncio.Event) -> None:
        """Waits until something may have arrived, or the server drains."""
        waits = [asyncio.ensure_future(event.wait()) for event in (arrived, self._draining)]
        try:
            await asyncio.wait(waits, timeout=_TAIL_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def summaries(
        self, run_ids: Sequence[str], keys: frozenset[str], *, page_size: int, page_token: str
    ) -> tuple[Sequence[MetricSummary], str]:
        """One page of summaries and the token of the next. Raises NotFound, InvalidArgument."""
        _check_selection(run_ids, keys)
        size = check_page_size(page_size, default=LIMITS.page_size_default, maximum=LIMITS.summaries_page_size)
        query = fingerprint("summaries", tuple(run_ids), tuple(sorted(keys)))
        after = _numbers_in(query, page_token, field="page_token", count=2)
        page = await self._store.summaries(run_ids, keys, page_size=size, after=after)
        return page.items, encode_token(query, page.next_position)


def _tail_fingerprint(run_ids: Sequence[str]) -> str:
    return fingerprint("tail", tuple(run_ids))


def _numbers_in(query: str, token: str, *, field: str, count: int) -> tuple[int, ...] | None:
    """The numbers in a token. Tokens are not signed: what can't come from a column must not reach one."""
    position = decode_token(query, token, field=field)
    if position is None:
        return None
    numbers = tuple(number for number in position if isinstance(number, int) and 0 <= number <= INT64_MAX)
    if len(position) != count or len(numbers) != count:
        raise InvalidArgument(field, token, "is not a token of this server", reason=f"BAD_{field.upper()}")
    return numbers


def _check_selection(run_ids: Sequence[str], keys: frozenset[str]) -> None:
    if not run_ids:
        raise InvalidArgument("run_ids", [], "at least one run is required", reason="REQUIRED")
    for field, count, limit in (
        ("run_ids", len(run_ids), LIMITS.runs_per_read),
        ("keys", len(keys), LIMITS.keys_per_read),
    ):
        if count > limit:
            raise InvalidArgument(field, count, f"at most {limit:,} in one request", limit=limit)
    for at, run_id in enumerate(run_ids):
        check_run_id(f"run_ids[{at}]", run_id)
    if len(set(run_ids)) != len(run_ids):
        raise InvalidArgument("run_ids", len(run_ids), "each run may be named once only")
    for key in keys:
        check_key("keys", key)


def _check_max_points(max_points: int) -> None:
    limit = LIMITS.points_per_series_sampled
    if max_points != 0 and not POINTS_MIN <= max_points <= limit:
        raise InvalidArgument(
            "max_points", max_points, f"must be from {POINTS_MIN} to {limit:,}, or 0 for every point", limit=limit
        )


def _messages(
    arrivals: Sequence[Arrival], positions: tuple[int, ...]
) -> Iterator[tuple[Sequence[SeriesPoints], tuple[int, ...]]]:
    """Whole arrivals, so many that they fill about one message, with the positions behind them."""
    reached, gathered, points = list(positions), list[SeriesPoints](), 0
    for arrival in arrivals:
        size = sum(len(part.points) for part in arrival.parts)
        if gathered and points + size > LIMITS.read_message_points:
            yield gathered, tuple(reached)
            gathered, points = [], 0
        gathered += arrival.parts
        points += size
        reached[arrival.at] = arrival.number
    if tuple(reached) != positions:
        yield gathered, tuple(reached)


async def _whole(every: Sequence[SeriesReader]) -> AsyncGenerator[SeriesPoints, None]:
    for series in every:
        async with aclosing(series.windows()) as windows:
            async for points in windows:
                yield SeriesPoints(series.run_id, series.name, points)
