"""Columns of points: what travels from the wire to the store without an object per point."""

import dataclasses
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self, TypeAlias

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from trackwire_server.core.checks import TIME_MS_MAX, check_characters, check_key, check_time, check_token
from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext, WriterStamp
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS

Integers: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, order=True)
class SeriesName:
    """A series within its run."""

    key: str
    context: SeriesContext = DEFAULT_CONTEXT


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which series a request's columns hold, in their order. Requests alike share one object.

    Stores cache by its `identity`: an entry of theirs that nobody asks for any more doesn't keep the names in memory.
    """

    series: tuple[SeriesName, ...]
    size_bytes: int = 0
    identity: object = dataclasses.field(default_factory=object, repr=False)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one series. All three columns have one length."""

    steps: Integers
    times_ms: Integers
    values: Reals

    @classmethod
    def empty(cls) -> Self:
        """No points."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The points of several parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.steps for part in parts]),
            np.concatenate([part.times_ms for part in parts]),
            np.concatenate([part.values for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.steps)

    def take(self, where: Integers | Flags | slice) -> Self:
        """The points at these positions."""
        return type(self)(self.steps[where], self.times_ms[where], self.values[where])

    def ordered(self) -> Self:
        """By (step, time); points that are equal in both keep their order."""
        if (self.steps[1:] > self.steps[:-1]).all() or is_ordered(self.steps, self.times_ms).all():
            return self
        return self.take(np.lexsort((self.times_ms, self.steps)))


def is_ordered(steps: Integers, times_ms: Integers) -> Flags:
    """Whether each point but the first comes at or after the one before it, by (step, time)."""
    ordered: Flags = (steps[1:] > steps[:-1]) | ((steps[1:] == steps[:-1]) & (times_ms[1:] >= times_ms[:-1]))
    return ordered


@dataclass(frozen=True, slots=True)
class Batch:
    """One ingest request: points of a run, series after series; `counts[i]` of them belong to `layout.series[i]`."""

    run_id: str
    stamp: WriterStamp | None
    layout: Layout
    counts: Integers
    points: Points

    @property
    def size_bytes(self) -> int:
        """The memory that it holds, about."""
        return 24 * len(self.points) + self.layout.size_bytes + 512


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: the writer's mark (0 without a stamp) and how many points were stored now."""

    acknowledged_sequence: int
    stored_points: int


def check_batch(batch: Batch) -> None:
    """The rules that columns keep to. Raises InvalidArgument."""
    points, counts = batch.points, batch.counts
    if not batch.layout.series:
        raise InvalidArgument("keys", [], "at least one series is required", reason="REQUIRED")
    if len(counts) != len(batch.layout.series):
        raise InvalidArgument("counts", len(counts), f"must have one entry per key, {len(batch.layout.series)}")
    for field, column in (("times_ms", points.times_ms), ("values", points.values)):
        if len(column) != len(points.steps):
            raise InvalidArgument(field, len(column), f"must have as many points as steps, {len(points.steps)}")
    if int(counts.min()) < 1:
        at = int(np.argmax(counts < 1))
        raise InvalidArgument(f"counts[{at}]", int(counts[at]), "each series must have at least 1 point", limit=1)
    total = int(counts.sum())
    if total != len(points):
        raise InvalidArgument("counts", total, f"must add up to the length of the columns, {len(points)}")
    if total > LIMITS.points_per_ingest:
        raise InvalidArgument(
            "values", total, f"at most {LIMITS.points_per_ingest:,} points a request", limit=LIMITS.points_per_ingest
        )
    if int(points.times_ms.min()) < 0 or int(points.times_ms.max()) > TIME_MS_MAX:
        at = int(np.argmax((points.times_ms < 0) | (points.times_ms > TIME_MS_MAX)))
        check_time(f"times_ms[{at}]", int(points.times_ms[at]))


def check_context(field: str, context: SeriesContext) -> SeriesContext:
    """The parts of a context. Raises InvalidArgument."""
    if context.rank is not None and not 0 <= context.rank <= INT32_MAX:
        raise InvalidArgument(f"{field}.rank", context.rank, f"must be from 0 to {INT32_MAX:,}", limit=INT32_MAX)
    if context.model_id:
        check_token(f"{field}.model_id", context.model_id, LIMITS.model_id_characters)
    check_characters(f"{field}.dataset_name", context.dataset_name, LIMITS.dataset_name_characters)
    check_characters(f"{field}.dataset_digest", context.dataset_digest, LIMITS.dataset_digest_characters)
    return context


def check_stamp(stamp: WriterStamp | None) -> WriterStamp | None:
    """A stamp's own rules. Raises InvalidArgument."""
    if stamp is None:
        return None
    check_token("writer.writer_id", stamp.writer_id, LIMITS.writer_id_characters)
    if stamp.sequence < 1:
        raise InvalidArgument("writer.sequence", stamp.sequence, "must be 1 or more", limit=1)
    if not 0 <= stamp.previous_sequence < stamp.sequence:
        raise InvalidArgument(
            "writer.previous_sequence",
            stamp.previous_sequence,
            f"must be from 0 to {stamp.sequence - 1}, less than writer.sequence",
            limit=stamp.sequence - 1,
        )
    return stamp


class Layouts:
    """Layouts by what was sent, checked once: a training loop sends the same keys in every request. Thread-safe."""

    def __init__(self, *, bytes_max: int = 64 * 1024 * 1024):
        self._layouts: LRUCache[object, Layout] = LRUCache(bytes_max, getsizeof=attrgetter("size_bytes"))
        self._lock = threading.Lock()

    def get(
        self, keys: tuple[str, ...], contexts: tuple[SeriesContext, ...] = (), indexes: tuple[int, ...] = ()
    ) -> Layout:
        """The layout of these keys, each in the context at its index. Raises InvalidArgument."""
        sent = (keys, contexts, indexes)
        with self._lock:
            layout = self._layouts.get(sent)
        if layout is not None:
            return layout
        checked = _checked_layout(keys, contexts, indexes)
        with self._lock:
            return self._layouts.setdefault(sent, checked)


def check_lengths(*, keys: int, contexts: int, indexes: int) -> None:
    """How many names a request may have: to be asked before an object is made of each. Raises InvalidArgument."""
    limit = LIMITS.series_per_ingest
    for name, count, what in (("keys", keys, "series"), ("contexts", contexts, "contexts")):
        if count > limit:
            raise InvalidArgument(name, count, f"at most {limit:,} {what} a request", limit=limit)
    if indexes and indexes != keys:
        raise InvalidArgument("context_indexes", indexes, f"must be absent or one per key, {keys}")


def _checked_layout(keys: tuple[str, ...], contexts: tuple[SeriesContext, ...], indexes: tuple[int, ...]) -> Layout:
    for at, key in enumerate(keys):
        check_key(f"keys[{at}]", key)
    for at, context in enumerate(contexts):
        check_context(f"contexts[{at}]", context)
    used = contexts or (DEFAULT_CONTEXT,)
    for at, index in enumerate(indexes):
        if index >= len(used):
            raise InvalidArgument(
                f"context_indexes[{at}]", index, f"there are {len(used)} contexts", limit=len(used) - 1
            )
    series = tuple(SeriesName(key, used[index]) for key, index in zip(keys, indexes or (0,) * len(keys), strict=True))
    return Layout(series, _size_bytes(keys, contexts))


def _size_bytes(keys: tuple[str, ...], contexts: tuple[SeriesContext, ...]) -> int:
    """The memory of a layout and of what it was made from, about."""
    texts = sum(map(sys.getsizeof, keys))
    for context in contexts:
        texts += sum(map(sys.getsizeof, (context.model_id, context.dataset_name, context.dataset_digest)))
    return texts + 96 * len(keys) + 96 * len(contexts) + 512


def in_sequence(batches: Sequence[Batch]) -> list[int]:
    """Positions in the order in which to judge a group: each writer's by sequence, so that it heals a reordering."""
    place: dict[tuple[str, str], int] = {}
    order: list[tuple[int, int, int]] = []
    for at, batch in enumerate(batches):
        if batch.stamp is None:
            order.append((at, 0, at))
        else:
            order.append((place.setdefault((batch.run_id, batch.stamp.writer_id), at), batch.stamp.sequence, at))
    return [at for _, _, at in sorted(order)]


def primary_order(context: SeriesContext) -> tuple[bool, int, str, str, str]:
    """The least series of a key is its primary one: those without a model and a dataset first, then by rank."""
    has_more = bool(context.model_id or context.dataset_name or context.dataset_digest)
    rank = -1 if context.rank is None else context.rank
    return has_more, rank, context.model_id, context.dataset_name, context.dataset_digest
