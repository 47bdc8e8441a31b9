"""Whatever happens in whatever order, the SQL store answers as the memory store does."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conftest import NOW_MS
from tests.metric_data import batch, ranked, read_all, rows_of
from tests.stores.conftest import TAIL_RETENTION_MS

from trackwire_server.core.columns import Batch, SeriesName
from trackwire_server.core.entities import ExperimentReference, LifecycleStage, NewRun, RunStatus
from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.core.stores import GarbageStore, MetricStore, RunStore
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.garbage import MemoryGarbage
from trackwire_server.stores.memory.metrics import MemoryMetricStore
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.garbage import SqlGarbage
from trackwire_server.stores.sql.metrics.compaction import CompactionSettings
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns

RUN_IDS = ("a", "b")
# Compaction that takes whatever is there, in bites of a few rows.
SMALL_BITES = CompactionSettings(
    rows_due=1, points_at_once=12, tail_retention_ms=TAIL_RETENTION_MS, prune_rows_at_once=3
)
NAMES = (SeriesName("loss"), ranked("loss", 0), ranked("loss", 1), SeriesName("accuracy"))
Answer = TypeVar("Answer")
Call: TypeAlias = "Callable[[Side], Awaitable[object]]"

run_ids = st.sampled_from(RUN_IDS)
# Few steps, times and values, so that ties and duplicates are many; -0.0 is left out: a summary doesn't tell its sign.
rows = st.tuples(st.integers(-1, 4), st.integers(1, 2), st.sampled_from([0.0, 1.5, 2.5, math.nan, math.inf, -math.inf]))
series = st.dictionaries(st.sampled_from(NAMES), st.lists(rows, min_size=1, max_size=6), min_size=1)
stamps = st.none() | st.tuples(st.sampled_from(["v", "w"]), st.integers(1, 6), st.booleans()).map(
    lambda drawn: (drawn[0], drawn[1], drawn[1] - 1 if drawn[2] else 0)
)
batches = st.builds(lambda run_id, of, stamp: batch(run_id, of, stamp), run_ids, series, stamps)


@dataclass(frozen=True, slots=True)
class Side:
    """One backend."""

    runs: RunStore
    metrics: MetricStore
    garbage: GarbageStore


def memory_side() -> Side:
    state = MemoryState.fresh(now_ms=NOW_MS)
    metrics = MemoryMetricStore(state, tail_retention_ms=TAIL_RETENTION_MS)
    return Side(MemoryRuns(state), metrics, MemoryGarbage(state, MemoryUploads(state), forget=[metrics.forget]))


def sql_side(database: Database) -> Side:
    return Side(SqlRuns(database), SqlMetricStore(database, compaction=SMALL_BITES), SqlGarbage(database))


async def told(call: Awaitable[object]) -> str:
    """An answer, or the error, as text: NaN is then equal to itself."""
    try:
        return repr(await call)
    except TrackwireError as error:
        return f"{type(error).__name__} {error.reason} {error.message}"


class Interleavings(RuleBasedStateMachine):
    """Does the same to both, and compares every answer."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.database = self.do(Database.open(f"sqlite:///{Path(self.folder.name)}/trackwire.db"))
        self.memory, self.sql = memory_side(), sql_side(self.database)
        self.now_ms = NOW_MS
        self.appended = 0
        self.positions: dict[str, list[int]] = {run_id: [0] for run_id in RUN_IDS}

    def do(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(call)

    def teardown(self) -> None:
        self.do(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    def both_tell(self, call_of: Call) -> str:
        expected, found = self.do(told(call_of(self.memory))), self.do(told(call_of(self.sql)))
        assert found == expected
        return found

    @initialize()
    def create_runs(self) -> None:
        for run_id in RUN_IDS:
            self.create_run(run_id)

    def create_run(self, run_id: str) -> None:
        new = NewRun(run_id, run_id, ExperimentReference("0"), "", RunStatus.RUNNING, NOW_MS, NOW_MS)
        self.both_tell(lambda side: side.runs.create_run(new))

    @rule(group=st.lists(batches, min_size=1, max_size=4), later_ms=st.integers(0, 20_000))
    def append(self, group: Sequence[Batch], later_ms: int) -> None:
        self.now_ms += later_ms
        self.appended += 1

        async def append(side: Side) -> list[str]:
            outcomes = await side.metrics.append(group, now_ms=self.now_ms)
            return [
                f"{type(each).__name__} {each.message}" if isinstance(each, TrackwireError) else repr(each)
                for each in outcomes
            ]

        self.both_tell(append)

    @rule()
    def compact_a_bite(self) -> None:
        self.do(self.sql.metrics.compact(now_ms=self.now_ms))

    @rule(later_ms=st.sampled_from([0, TAIL_RETENTION_MS // 2, TAIL_RETENTION_MS]))
    def prune(self, later_ms: int) -> None:
        """All that is compacted and old goes, so all is compacted first: memory knows no such difference."""
        self.now_ms += later_ms

        async def prune(side: Side) -> None:
            while await side.metrics.compact(now_ms=self.now_ms):
                pass
            while await side.metrics.prune(now_ms=self.now_ms):
                pass

        self.both_tell(prune)

    @rule(run_id=run_ids, group=st.lists(batches, min_size=1, max_size=2))
    def write_to_a_deleted_run_and_restore_it(self, run_id: str, group: Sequence[Batch]) -> None:
        self.both_tell(lambda side: side.runs.set_run_stage(run_id, LifecycleStage.DELETED, now_ms=self.now_ms))
        self.append(group, 0)
        self.both_tell(lambda side: side.runs.set_run_stage(run_id, LifecycleStage.ACTIVE, now_ms=self.now_ms))

    @precondition(lambda self: self.appended > 8)
    @rule(run_id=run_ids)
    def remove_for_good_and_begin_anew(self, run_id: str) -> None:
        self.both_tell(lambda side: side.runs.set_run_stage(run_id, LifecycleStage.DELETED, now_ms=self.now_ms))
        assert self.both_tell(lambda side: side.garbage.remove_run(run_id, before_ms=self.now_ms)) == "True"
        self.both_tell(partial(self._present, run_id=run_id))
        self.positions[run_id] = [0]
        self.appended = 0
        self.create_run(run_id)

    @rule(run_id=run_ids, at=st.integers(0, 50))
    def tail(self, run_id: str, at: int) -> None:
        """From the start, or from wherever a tail has come before."""
        position = self.positions[run_id][at % len(self.positions[run_id])]

        async def tail(side: Side) -> tuple[object, tuple[int, ...]]:
            arrived = await side.metrics.read_arrivals([run_id], frozenset(), [position])
            numbers = [arrival.number for arrival in arrived.arrivals]
            assert numbers == list(range(position + 1, position + 1 + len(numbers))), "a tail skipped something"
            parts = [[(part.name, rows_of(part.points)) for part in each.parts] for each in arrived.arrivals]
            return parts, arrived.positions

        self.both_tell(tail)
        present = self.both_tell(partial(self._present, run_id=run_id))
        if present.isdecimal():
            self.positions[run_id].append(int(present))

    @rule(low=st.none() | st.integers(-1, 4), high=st.none() | st.integers(-1, 4), keys=st.sampled_from(["", "loss"]))
    def read_a_part(self, low: int | None, high: int | None, keys: str) -> None:
        query = ReadQuery(RUN_IDS, frozenset({keys} - {""}), min_step=low, max_step=high)
        self.both_tell(lambda side: self._read(side, query))

    @invariant()
    def every_point_and_summary_is_the_same(self) -> None:
        for run_id in RUN_IDS:
            self.both_tell(partial(self._read, query=ReadQuery((run_id,))))
            self.both_tell(partial(self._summaries, run_id=run_id))

    async def _present(self, side: Side, run_id: str) -> int:
        return (await side.metrics.read_arrivals([run_id], frozenset(), None)).positions[0]

    async def _summaries(self, side: Side, run_id: str) -> object:
        return await side.metrics.summaries([run_id], frozenset(), page_size=100, after=None)

    async def _read(self, side: Side, query: ReadQuery) -> list[tuple[object, list[tuple[int, int, str]]]]:
        return [found for found in (await read_all(side.metrics, query)).items() if found[1]]


Interleavings.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# A failure is shrunk first, which takes its time.
TestInterleavings = pytest.mark.slow(pytest.mark.timeout(600)(Interleavings.TestCase))
