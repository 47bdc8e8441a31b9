"""What a snapshot saw of a series, and the windows that it is read in: parts of bounded size, in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from trackwire_server.core.columns import Points, SeriesName
from trackwire_server.core.metric_queries import ReadQuery

WINDOW_POINTS = 1_048_576


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a chunk lies and what it spans."""

    ordinal: int
    points: int
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(slots=True)
class StoredSeries:
    """A series as a snapshot saw it; `pending` are its points in the journal, as they came.

    `payloads`, by ordinals, are those that may still change: of the unfilled chunk.
    """

    series_no: int
    run_id: str
    name: SeriesName
    chunks: list[ChunkPlace] = field(default_factory=list)
    payloads: dict[int, bytes] = field(default_factory=dict)
    pending: list[Points] = field(default_factory=list)

    def ordered_pending(self, query: ReadQuery) -> Points:
        """What the query asks for of the points in the journal."""
        return query.cut(Points.joined(self.pending).ordered())


@dataclass(frozen=True, slots=True)
class Window:
    """Chunks, and pending points that come among them: points in order if these and those are joined and ordered."""

    chunks: Sequence[ChunkPlace]
    pending: Points
    # Nothing has to be ordered: the chunks are, one after the other.
    in_order: bool

    def assembled(self, stored: Points, query: ReadQuery) -> Points:
        """What the query asks for of the chunks' points and those among them."""
        return query.cut(stored if self.in_order else Points.joined([stored, self.pending]).ordered())


def windows_of(chunks: Sequence[ChunkPlace], pending: Points) -> list[Window]:
    """The windows of a series' chunks and its ordered pending points; at least one."""
    windows: list[Window] = []
    groups: list[list[ChunkPlace]] = []
    points = 0
    for group in overlapping(chunks):
        groups.append(group)
        points += sum(chunk.points for chunk in group)
        if points >= WINDOW_POINTS:
            due = _before(pending, max(chunk.last for chunk in group))
            windows.append(_window(groups, pending.take(slice(0, due))))
            groups, points, pending = [], 0, pending.take(slice(due, None))
    if groups or len(pending) or not windows:
        windows.append(_window(groups, pending))
    return windows


def overlapping(chunks: Sequence[ChunkPlace]) -> Iterable[list[ChunkPlace]]:
    """Chunks in order, those together whose ranges overlap: only they have to be ordered anew."""
    group: list[ChunkPlace] = []
    end, ordinal = (0, 0), 0
    for chunk in sorted(chunks, key=lambda chunk: (chunk.first, chunk.ordinal)):
        # Equal points that lie in a chunk further back were logged later: they follow anyway.
        if group and (chunk.first > end or (chunk.first == end and chunk.ordinal > ordinal)):
            yield group
            group = []
        end = max(end, chunk.last) if group else chunk.last
        ordinal = max(ordinal, chunk.ordinal) if group else chunk.ordinal
        group.append(chunk)
    if group:
        yield group


def _window(groups: Sequence[Sequence[ChunkPlace]], pending: Points) -> Window:
    chunks = [chunk for group in groups for chunk in group]
    in_order = len(chunks) == len(groups) and not len(pending)
    if not in_order:
        # Equal steps and times keep the order in which they were logged: that of the ordinals.
        chunks.sort(key=lambda chunk: chunk.ordinal)
    return Window(chunks, pending, in_order)


def _before(points: Points, place: tuple[int, int]) -> int:
    """How many ordered points come before a (step, time)."""
    step, time_ms = place
    first, end = (int(np.searchsorted(points.steps, step, side=side)) for side in ("left", "right"))
    return first + int(np.searchsorted(points.times_ms[first:end], time_ms, side="left"))
