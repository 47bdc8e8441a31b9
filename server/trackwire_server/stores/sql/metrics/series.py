"""Series as numbers: who is who in a run, made on first sight and remembered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import Lock
from typing import TypeAlias

import numpy as np
from cachetools import LRUCache
from sqlalchemy import Table, bindparam, false, insert, select, update

from trackwire_server.core.columns import Integers, Layout, SeriesName, primary_order
from trackwire_server.core.entities import SeriesContext
from trackwire_server.stores.sql.dialect import Compiled, Dialect, Transaction, Write
from trackwire_server.stores.sql.heads import LockedRun
from trackwire_server.stores.sql.metrics.names import contexts_of, number_contexts, number_keys
from trackwire_server.stores.sql.prepared import Prepared, fetch_all, parts
from trackwire_server.stores.sql.tables import metric_series, metric_summaries

# The numbers of a key and of a context: what names a series within its run.
_Place: TypeAlias = tuple[int, int]

# What an entry takes beside its numbers, in numbers.
_ENTRY_NUMBERS = 32
_INT64 = np.iinfo(np.int64)
# A summary before its first point.
_NOTHING_YET = {
    "count": 0,
    "nan_count": 0,
    "last_step": int(_INT64.min),
    "last_time_ms": int(_INT64.min),
    "first_step": int(_INT64.max),
    "first_time_ms": int(_INT64.max),
}
_SERIES_OF_KEYS = Prepared(
    select(metric_series.c.key_no, metric_series.c.context_no, metric_series.c.series_no).where(
        metric_series.c.run_no == bindparam("run_no"),
        metric_series.c.key_no.in_(bindparam("key_nos", expanding=True)),
    )
)


class SeriesNumbers:
    """Numbers of the series of a layout in a run. What a transaction makes is remembered only once it is committed."""

    def __init__(self, dialect: Dialect, *, numbers_max: int = 4_000_000):
        self._dialect = dialect
        # A transaction may look in its connection's thread while what the last one made is remembered.
        self._lock = Lock()
        self._known: LRUCache[tuple[int, object], Integers] = LRUCache(
            numbers_max, getsizeof=lambda numbers: len(numbers) + _ENTRY_NUMBERS
        )
        self._insert_series = _insert(dialect, metric_series, "run_no", "key_no", "context_no")
        self._insert_summaries = _insert(
            dialect,
            metric_summaries,
            *("series_no", "run_no", "experiment_no", "key_no", "context_no", "is_primary"),
            *_NOTHING_YET,
        )
        row = metric_summaries.c
        given = dialect.given({"series_no_is": row.series_no.type})
        self._lose_primary = dialect.compiled(
            update(metric_summaries).where(row.series_no == given["series_no_is"]).values(is_primary=false())
        )

    def known(self, run_no: int, layout: Layout) -> Integers | None:
        """The numbers, if they are remembered."""
        with self._lock:
            return self._known.get((run_no, layout.identity))

    def remember(self, run_no: int, layout: Layout, numbers: Integers) -> None:
        """To be called after the commit."""
        with self._lock:
            self._known.setdefault((run_no, layout.identity), numbers)

    async def begin(self, transaction: Transaction, wanted: Iterable[tuple[int, Layout]]) -> "GroupNumbers":
        """For the layouts that a transaction is to write to, by the runs' numbers.

        All their names are numbered at once: two transactions that make the same ones make them in the same order.
        """
        known: dict[tuple[int, object], Integers] = {}
        new: set[SeriesName] = set()
        for run_no, layout in wanted:
            numbers = self.known(run_no, layout)
            if numbers is None:
                new.update(layout.series)
            else:
                known[run_no, layout.identity] = numbers
        keys = await number_keys(transaction, self._dialect, {name.key for name in new})
        contexts = await number_contexts(transaction, self._dialect, {name.context for name in new})
        return GroupNumbers(self, transaction, known, keys, contexts)

    async def place(
        self, transaction: Transaction, run: LockedRun, places: Sequence[_Place], key_nos: Collection[int]
    ) -> Integers:
        """The numbers of the series at places of a run; those that are new are made, each with an empty summary."""
        found = await self._found(transaction, run, key_nos)
        new = [place for place in dict.fromkeys(places) if place not in found]
        if new:
            found |= await self._make(transaction, run, found, new)
        return np.fromiter((found[place] for place in places), np.int64, len(places))

    async def _found(self, transaction: Transaction, run: LockedRun, key_nos: Collection[int]) -> dict[_Place, int]:
        found: dict[_Place, int] = {}
        for part in parts(key_nos):
            rows = await fetch_all(transaction, _SERIES_OF_KEYS, {"run_no": run.run_no, "key_nos": part})
            found |= {(key_no, context_no): series_no for key_no, context_no, series_no in rows}
        return found

    async def _make(
        self, transaction: Transaction, run: LockedRun, found: Mapping[_Place, int], new: Sequence[_Place]
    ) -> dict[_Place, int]:
        key_nos, context_nos = zip(*new, strict=True)
        series = {"run_no": [run.run_no] * len(new), "key_no": key_nos, "context_no": context_nos}
        await self._dialect.execute_all(transaction, [Write(self._insert_series, series)])
        there = {**found, **await self._found(transaction, run, set(key_nos))}
        made = {place: there[place] for place in new}
        contexts = await contexts_of(transaction, (context_no for _, context_no in there))
        before, now = _primary(found, contexts), _primary(there, contexts)
        summaries: dict[str, Sequence[object]] = {
            **series,
            "series_no": list(made.values()),
            "experiment_no": [run.experiment_no] * len(new),
            "is_primary": [now[key_no] == context_no for key_no, context_no in new],
            **{name: [start] * len(new) for name, start in _NOTHING_YET.items()},
        }
        # A lower rank came later than a higher one: the flag moves.
        lost = [found[key_no, context_no] for key_no, context_no in before.items() if now[key_no] != context_no]
        await self._dialect.execute_all(
            transaction,
            [Write(self._insert_summaries, summaries), Write(self._lose_primary, {"series_no_is": lost})],
        )
        return made


class GroupNumbers:
    """Numbers of series within one transaction."""

    def __init__(
        self,
        series: SeriesNumbers,
        transaction: Transaction,
        known: dict[tuple[int, object], Integers],
        keys: Mapping[str, int],
        contexts: Mapping[SeriesContext, int],
    ):
        self._series = series
        self._transaction = transaction
        self._known = known
        self._keys = keys
        self._contexts = contexts

    async def of(self, run: LockedRun, layout: Layout) -> Integers:
        """The numbers of a layout's series."""
        known = self._known.get((run.run_no, layout.identity))
        if known is None:
            places = [(self._keys[name.key], self._contexts[name.context]) for name in layout.series]
            key_nos = {key_no for key_no, _ in places}
            known = await self._series.place(self._transaction, run, places, key_nos)
            self._known[run.run_no, layout.identity] = known
        return known


def _primary(places: Iterable[_Place], contexts: Mapping[int, SeriesContext]) -> dict[int, int]:
    """Which context is the primary one of each key."""
    primary: dict[int, int] = {}
    for key_no, context_no in places:
        least = primary.setdefault(key_no, context_no)
        if context_no != least and primary_order(contexts[context_no]) < primary_order(contexts[least]):
            primary[key_no] = context_no
    return primary


def _insert(dialect: Dialect, table: Table, *columns: str) -> Compiled:
    return dialect.compiled(dialect.given({name: table.c[name].type for name in columns}).into(insert(table)))
