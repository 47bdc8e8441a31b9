"""Metrics in memory: arrivals of each run in order, and of each series its points."""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trackwire_server.core.columns import Appended, Batch, Points, SeriesName, in_sequence, primary_order
from trackwire_server.core.downsampling import Downsampler
from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.errors import InvalidArgument, NotFound, TailTokenExpired, TrackwireError
from trackwire_server.core.metric_queries import Arrival, Arrived, Backlog, ReadQuery, SeriesPoints, Snapshot
from trackwire_server.core.paging import Page, Position
from trackwire_server.core.summaries import SummaryColumns, summarise
from trackwire_server.stores.memory.state import MemoryState

_ARRIVALS_AT_ONCE = 256


@dataclass(slots=True)
class _RunMetrics:
    """One run's metrics; `arrivals[i]` has number `pruned + i + 1`."""

    series: dict[SeriesName, list[Points]] = field(default_factory=dict)
    arrivals: list[list[tuple[SeriesName, Points]]] = field(default_factory=list)
    times_ms: list[int] = field(default_factory=list)
    pruned: int = 0

    @property
    def arrival(self) -> int:
        return self.pruned + len(self.arrivals)


class MemoryMetricStore:
    """A MetricStore for a process's lifetime."""

    def __init__(self, state: MemoryState, *, tail_retention_ms: int = 120_000):
        self._state = state
        self._tail_retention_ms = tail_retention_ms
        self._runs: dict[str, _RunMetrics] = {}

    def forget(self, run_id: str) -> None:
        """Forgets a run that was removed for good."""
        self._runs.pop(run_id, None)

    async def append(self, batches: Sequence[Batch], *, now_ms: int) -> Sequence[Appended | TrackwireError]:
        """As MetricStore says."""
        outcomes: dict[int, Appended | TrackwireError] = {}
        for at in in_sequence(batches):
            try:
                outcomes[at] = self._append(batches[at], now_ms)
            except TrackwireError as error:
                outcomes[at] = error
        return [outcomes[at] for at in range(len(batches))]

    async def open_snapshot(self, query: ReadQuery) -> Snapshot:
        """As MetricStore says."""
        found = [self._metrics_of(run_id) for run_id in query.run_ids]
        readers = [
            _MemorySeries(run_id, name, tuple(parts), query)
            for run_id, metrics in self._by_creation(query.run_ids)
            for name, parts in metrics.series.items()
            if not query.keys or name.key in query.keys
        ]
        return _MemorySnapshot(readers, tuple(metrics.arrival for metrics in found))

    async def read_arrivals(
        self, run_ids: Sequence[str], keys: frozenset[str], positions: Sequence[int] | None
    ) -> Arrived:
        """As MetricStore says."""
        found = [self._metrics_of(run_id) for run_id in run_ids]
        if positions is None:
            return Arrived((), tuple(metrics.arrival for metrics in found), more=False)
        for run_id, metrics, position in zip(run_ids, found, positions, strict=True):
            _check_position(run_id, metrics, position)
        arrivals: list[Arrival] = []
        reached = list(positions)
        for at, (run_id, metrics) in enumerate(zip(run_ids, found, strict=True)):
            start = reached[at] - metrics.pruned
            for parts in metrics.arrivals[start : start + _ARRIVALS_AT_ONCE]:
                reached[at] += 1
                wanted = [SeriesPoints(run_id, name, points) for name, points in parts if not keys or name.key in keys]
                arrivals.append(Arrival(at, reached[at], wanted))
        more = any(reached[at] < metrics.arrival for at, metrics in enumerate(found))
        return Arrived(arrivals, tuple(reached), more)

    async def summaries(
        self, run_ids: Sequence[str], keys: frozenset[str], *, page_size: int, after: Position | None
    ) -> Page[MetricSummary]:
        """As MetricStore says."""
        for run_id in run_ids:
            self._metrics_of(run_id)
        order = {run_id: at for at, run_id in enumerate(self._state.runs)}
        found = [
            ((order[run_id], at), summary)
            for run_id in sorted(run_ids, key=order.__getitem__)
            for at, summary in enumerate(self._state.summaries.get(run_id, {}).values())
            if not keys or summary.key in keys
        ]
        if after is not None:
            found = [entry for entry in found if entry[0] > after]
        shown = found[:page_size]
        return Page([summary for _, summary in shown], shown[-1][0] if len(found) > page_size else None)

    async def compact(self, *, now_ms: int) -> bool:
        """Nothing to do: points lie by series from the start."""
        return False

    async def prune(self, *, now_ms: int) -> bool:
        """As MetricStore says."""
        for metrics in self._runs.values():
            old = sum(time_ms <= now_ms - self._tail_retention_ms for time_ms in metrics.times_ms)
            del metrics.arrivals[:old], metrics.times_ms[:old]
            metrics.pruned += old
        return False

    async def backlog(self) -> Backlog:
        """Nothing waits."""
        return Backlog(0, 0)

    def _metrics_of(self, run_id: str) -> _RunMetrics:
        if run_id not in self._state.runs:
            raise NotFound("run", run_id, field="run_ids")
        return self._runs.get(run_id) or _RunMetrics()

    def _by_creation(self, run_ids: Sequence[str]) -> Iterator[tuple[str, _RunMetrics]]:
        wanted = frozenset(run_ids)
        return ((run_id, self._metrics_of(run_id)) for run_id in self._state.runs if run_id in wanted)

    def _append(self, batch: Batch, now_ms: int) -> Appended:
        self._state.active_run(batch.run_id)
        if not self._state.advance_writer(batch.run_id, batch.stamp):
            return Appended(self._mark(batch), 0)
        metrics = self._runs.setdefault(batch.run_id, _RunMetrics())
        parts = list(_parts(batch))
        if batch.stamp is None:
            parts = _without_duplicates(metrics, parts)
        for name, points in parts:
            metrics.series.setdefault(name, []).append(points)
        if parts:
            metrics.arrivals.append(parts)
            metrics.times_ms.append(now_ms)
            self._summarise(batch.run_id, parts)
        return Appended(self._mark(batch), sum(len(points) for _, points in parts))

    def _mark(self, batch: Batch) -> int:
        return 0 if batch.stamp is None else self._state.marks[batch.run_id, batch.stamp.writer_id]

    def _summarise(self, run_id: str, parts: Sequence[tuple[SeriesName, Points]]) -> None:
        summaries = self._state.summaries.setdefault(run_id, {})
        names = list(dict.fromkeys(name for name, _ in parts))
        numbers = {name: at for at, name in enumerate(names)}
        sums = summarise(
            np.array([numbers[name] for name, _ in parts]),
            np.array([len(points) for _, points in parts]),
            Points.joined([points for _, points in parts]),
        )
        for at, name in enumerate(names):
            place = (name.key, name.context)
            new = _summary(run_id, name, sums, at)
            summaries[place] = _merged(summaries[place], new) if place in summaries else new
        for key in {name.key for name in names}:
            least = min((place for place in summaries if place[0] == key), key=lambda place: primary_order(place[1]))
            for place in [place for place in summaries if place[0] == key]:
                summaries[place] = replace(summaries[place], primary=place == least)


class _MemorySeries:
    """One series of a snapshot."""

    def __init__(self, run_id: str, name: SeriesName, parts: tuple[Points, ...], query: ReadQuery):
        self.run_id = run_id
        self.name = name
        self.points = query.cut(Points.joined(parts).ordered())

    async def windows(self) -> AsyncGenerator[Points, None]:
        if len(self.points):
            yield self.points


@dataclass(frozen=True, slots=True)
class _MemorySnapshot:
    """A Snapshot."""

    series: Sequence[_MemorySeries]
    arrivals: tuple[int, ...]

    async def thinned(self, max_points: int) -> AsyncGenerator[SeriesPoints, None]:
        for series in self.series:
            downsampler = Downsampler(max_points)
            await asyncio.to_thread(downsampler.add, series.points)
            yield SeriesPoints(series.run_id, series.name, downsampler.result())


def _parts(batch: Batch) -> Iterator[tuple[SeriesName, Points]]:
    ends = np.cumsum(batch.counts)
    for name, start, end in zip(batch.layout.series, ends - batch.counts, ends, strict=True):
        yield name, batch.points.take(slice(int(start), int(end)))


def _without_duplicates(
    metrics: _RunMetrics, parts: Sequence[tuple[SeriesName, Points]]
) -> list[tuple[SeriesName, Points]]:
    seen: dict[SeriesName, set[tuple[int, int, bytes]]] = {}
    kept: list[tuple[SeriesName, Points]] = []
    for name, points in parts:
        if name not in seen:
            seen[name] = set(_identities(Points.joined(metrics.series.get(name, []))))
        fresh = np.zeros(len(points), dtype=bool)
        for at, identity in enumerate(_identities(points)):
            fresh[at] = identity not in seen[name]
            seen[name].add(identity)
        if fresh.any():
            kept.append((name, points.take(fresh)))
    return kept


def _identities(points: Points) -> Iterator[tuple[int, int, bytes]]:
    for step, time_ms, value in zip(points.steps, points.times_ms, points.values, strict=True):
        yield int(step), int(time_ms), value.tobytes()


def _check_position(run_id: str, metrics: _RunMetrics, position: int) -> None:
    if position < metrics.pruned:
        raise TailTokenExpired(run_id, arrival=position, kept_from=metrics.pruned)
    if position > metrics.arrival:
        raise InvalidArgument(
            "resume_token",
            position,
            f"run {run_id!r} has only come to {metrics.arrival}: the token is of another store",
            reason="BAD_RESUME_TOKEN",
        )


def _summary(run_id: str, name: SeriesName, sums: SummaryColumns, at: int) -> MetricSummary:
    low, high = float(sums.min_value[at]), float(sums.max_value[at])
    return MetricSummary(
        run_id=run_id,
        key=name.key,
        context=name.context,
        primary=False,
        count=int(sums.count[at]),
        nan_count=int(sums.nan_count[at]),
        last_value=float(sums.last_value[at]),
        last_step=int(sums.last_step[at]),
        last_time_ms=int(sums.last_time_ms[at]),
        first_value=float(sums.first_value[at]),
        first_step=int(sums.first_step[at]),
        first_time_ms=int(sums.first_time_ms[at]),
        min_value=None if math.isnan(low) else low,
        max_value=None if math.isnan(high) else high,
    )


def _merged(old: MetricSummary, new: MetricSummary) -> MetricSummary:
    last = new if (new.last_step, new.last_time_ms) >= (old.last_step, old.last_time_ms) else old
    first = new if (new.first_step, new.first_time_ms) < (old.first_step, old.first_time_ms) else old
    lows = [value for value in (old.min_value, new.min_value) if value is not None]
    highs = [value for value in (old.max_value, new.max_value) if value is not None]
    return replace(
        old,
        count=old.count + new.count,
        nan_count=old.nan_count + new.nan_count,
        last_value=last.last_value,
        last_step=last.last_step,
        last_time_ms=last.last_time_ms,
        first_value=first.first_value,
        first_step=first.first_step,
        first_time_ms=first.first_time_ms,
        min_value=min(lows, default=None),
        max_value=max(highs, default=None),
    )
