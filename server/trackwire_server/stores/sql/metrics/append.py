"""The ingest transaction: many requests, each judged by itself, stored together.

heads and marks, locked ──► judge each request ──► number its series ──► journal rows
                              │ refused: its own error                   summaries, one update a series
                              └ stored before: acknowledged              marks, heads ──► COMMIT
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from trackwire_server.core.columns import Appended, Batch, Integers, Layout, Points, Reals, in_sequence
from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.errors import NotFound, RunDeleted, SequenceGap, TrackwireError
from trackwire_server.core.failpoints import Failpoint
from trackwire_server.core.summaries import SummaryColumns, summarise
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import Transaction, Write
from trackwire_server.stores.sql.heads import LockedRun
from trackwire_server.stores.sql.metrics.duplicates import without_duplicates
from trackwire_server.stores.sql.metrics.journal import JournalEntry, encode_journal
from trackwire_server.stores.sql.metrics.series import GroupNumbers, SeriesNumbers
from trackwire_server.stores.sql.metrics.statements import LOCK_HEADS, IngestStatements
from trackwire_server.stores.sql.prepared import fetch_all

Outcome = Appended | TrackwireError
# The number of a run, what was accepted there, and the numbers of its series.
_Seen: TypeAlias = tuple[int, Batch, Integers]


@dataclass(slots=True)
class _Head:
    """A run's head row as this transaction changes it."""

    run: LockedRun
    deleted: bool
    arrival: int
    marks: dict[str, int] = field(default_factory=dict)
    points: int = 0
    changed_marks: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Accepted:
    """A request that will be stored."""

    head: _Head
    batch: Batch
    entry: JournalEntry
    arrival: int


class MetricAppender:
    """Writes groups of requests; one at a time."""

    def __init__(self, database: Database, numbers: SeriesNumbers, failpoint: Failpoint):
        self._failpoint = failpoint
        self._database = database
        self._numbers = numbers
        self._statements = IngestStatements.of(database.dialect)

    async def append(self, batches: Sequence[Batch], *, now_ms: int) -> list[Outcome]:
        """Stores a group in one transaction; an outcome a batch, in their order. A refused one doesn't harm others."""
        outcomes, seen = await self._database.write_in_one(lambda begun: self._store(begun, batches, now_ms))
        self._failpoint("ingest.after_commit")
        for run_no, batch, series in seen:
            if len(series) == len(batch.layout.series):
                self._numbers.remember(run_no, batch.layout, series)
        return outcomes

    async def _store(
        self, transaction: Transaction, batches: Sequence[Batch], now_ms: int
    ) -> tuple[list[Outcome], list[_Seen]]:
        """The transaction but for its ends: outcomes, and the series of what was accepted."""
        dialect = self._database.dialect
        outcomes: list[Outcome | None] = [None] * len(batches)
        seen: list[_Seen] = []
        heads = await self._lock_heads(transaction, batches)
        numbers = await self._numbers.begin(transaction, _places(heads, batches))
        waiting: list[_Accepted] = []
        for at in in_sequence(batches):
            batch = batches[at]
            try:
                head = _judge(heads, batch)
            except TrackwireError as error:
                outcomes[at] = error
                continue
            if head is None:
                outcomes[at] = Appended(_mark(heads[batch.run_id], batch), 0)
                continue
            if batch.stamp is None and any(earlier.head is head for earlier in waiting):
                # Duplicates are looked for in what is stored: what this group brought before must be there.
                await dialect.execute_all(transaction, self._written(waiting, now_ms))
                waiting = []
            accepted = await self._accept(transaction, numbers, head, batch)
            seen.append((head.run.run_no, batch, accepted.entry.series))
            outcomes[at] = Appended(_mark(head, batch), len(accepted.entry.points))
            if len(accepted.entry.points):
                waiting.append(accepted)
        await dialect.execute_all(transaction, self._written(waiting, now_ms) + self._moved(heads.values(), now_ms))
        self._failpoint("ingest.before_commit")
        return [outcome for outcome in outcomes if outcome is not None], seen

    async def _lock_heads(self, transaction: Transaction, batches: Sequence[Batch]) -> dict[str, _Head]:
        """Head rows and marks of a group."""
        stamps = (batch.stamp for batch in batches if batch.stamp is not None)
        names = {
            "run_ids": sorted({batch.run_id for batch in batches}),
            "writer_ids": sorted({stamp.writer_id for stamp in stamps}) or [""],
        }
        heads: dict[str, _Head] = {}
        if self._database.dialect.joins_before_it_locks:
            await fetch_all(transaction, LOCK_HEADS, names)
        for row in await fetch_all(transaction, LOCK_HEADS, names):
            run_no, run_id, experiment_no, stage, arrival, writer_id, mark = row
            head = heads.get(run_id)
            if head is None:
                run = LockedRun(run_no, experiment_no, run_id)
                head = heads[run_id] = _Head(run, stage != LifecycleStage.ACTIVE, arrival)
            if writer_id is not None:
                head.marks[writer_id] = mark
        return heads

    async def _accept(self, transaction: Transaction, numbers: GroupNumbers, head: _Head, batch: Batch) -> _Accepted:
        series = await numbers.of(head.run, batch.layout)
        entry = JournalEntry(series, batch.counts, batch.points)
        if batch.stamp is None:
            entry = await without_duplicates(transaction, head.run.run_no, entry)
        else:
            head.marks[batch.stamp.writer_id] = batch.stamp.sequence
            head.changed_marks.add(batch.stamp.writer_id)
        if len(entry.points):
            head.arrival += 1
            head.points += len(entry.points)
        return _Accepted(head, batch, entry, head.arrival)

    def _written(self, group: Sequence[_Accepted], now_ms: int) -> list[Write]:
        """What stores the points of a group."""
        if not group:
            return []
        payloads, sums = _prepared(group)
        journal: dict[str, Sequence[object]] = {
            "run_no": [accepted.head.run.run_no for accepted in group],
            "arrival": [accepted.arrival for accepted in group],
            "commit_time_ms": [now_ms] * len(group),
            "points": [len(accepted.entry.points) for accepted in group],
            "payload": payloads,
        }
        return [
            Write(self._statements.append_journal, journal),
            Write(self._statements.update_summaries, _summary_parameters(sums)),
        ]

    def _moved(self, heads: Iterable[_Head], now_ms: int) -> list[Write]:
        """What stores the marks and the heads that changed."""
        changed = [head for head in heads if head.points or head.changed_marks]
        marks = [(head.run.run_no, writer, head.marks[writer]) for head in changed for writer in head.changed_marks]
        moved = [head for head in changed if head.points]
        run_nos, writer_ids, numbers = zip(*marks, strict=True) if marks else ((), (), ())
        writers = {"run_no": run_nos, "writer_id": writer_ids, "mark": numbers}
        arrivals = {
            "run_no_is": [head.run.run_no for head in moved],
            "new_arrival": [head.arrival for head in moved],
            "points": [head.points for head in moved],
            "now_ms": [now_ms] * len(moved),
        }
        return [Write(self._statements.advance_writers, writers), Write(self._statements.advance_heads, arrivals)]


def _places(heads: Mapping[str, _Head], batches: Iterable[Batch]) -> Iterator[tuple[int, Layout]]:
    """Where a group is about to write to, but for runs that take nothing."""
    for batch in batches:
        head = heads.get(batch.run_id)
        if head is not None and not head.deleted:
            yield head.run.run_no, batch.layout


def _judge(heads: dict[str, _Head], batch: Batch) -> _Head | None:
    """The head under which to store; None if it is stored already. Raises NotFound, RunDeleted, SequenceGap."""
    head = heads.get(batch.run_id)
    if head is None:
        raise NotFound("run", batch.run_id, field="run_id")
    if head.deleted:
        raise RunDeleted(batch.run_id)
    stamp = batch.stamp
    if stamp is not None:
        mark = head.marks.get(stamp.writer_id, 0)
        if stamp.sequence <= mark:
            return None
        if mark < stamp.previous_sequence:
            raise SequenceGap(stamp.writer_id, mark=mark, previous_sequence=stamp.previous_sequence)
    return head


def _mark(head: _Head, batch: Batch) -> int:
    return 0 if batch.stamp is None else head.marks[batch.stamp.writer_id]


def _prepared(group: Sequence[_Accepted]) -> tuple[list[bytes], SummaryColumns]:
    """The journal's payloads and the sums of a group, over all its points at once."""
    series = np.concatenate([accepted.entry.series for accepted in group])
    counts = np.concatenate([accepted.entry.counts for accepted in group])
    points = Points.joined([accepted.entry.points for accepted in group])
    return [encode_journal(accepted.entry) for accepted in group], summarise(series, counts, points)


def _summary_parameters(sums: SummaryColumns) -> dict[str, list[object]]:
    return {
        "series_no_is": sums.series.tolist(),
        "new_count": sums.count.tolist(),
        "new_nan_count": sums.nan_count.tolist(),
        "new_last_value": _nan_as_null(sums.last_value),
        "new_last_step": sums.last_step.tolist(),
        "new_last_time_ms": sums.last_time_ms.tolist(),
        "new_first_value": _nan_as_null(sums.first_value),
        "new_first_step": sums.first_step.tolist(),
        "new_first_time_ms": sums.first_time_ms.tolist(),
        "new_min_value": _nan_as_null(sums.min_value),
        "new_max_value": _nan_as_null(sums.max_value),
    }


def _nan_as_null(values: Reals) -> list[object]:
    listed: list[object] = values.tolist()
    for at in np.isnan(values).nonzero()[0]:
        listed[at] = None
    return listed
