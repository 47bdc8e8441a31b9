"""Series as numbers: who is who in a run, made on first sight and remembered."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.columns import Integers, Layout, SeriesName, primary_order
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.heads import LockedRun
from trackwire_server.stores.sql.metrics.names import NO_RANK, context_in
from trackwire_server.stores.sql.tables import metric_keys, metric_series, metric_summaries

# Parameters of one statement: SQLite allows 32,766.
_NAMES_AT_ONCE = 10_000
# What an entry takes beside its numbers, in numbers.
_ENTRY_NUMBERS = 32
_INT64 = np.iinfo(np.int64)


class SeriesNumbers:
    """Numbers of the series of a layout in a run. What a transaction makes is remembered only once it is committed."""

    def __init__(self, dialect: Dialect, *, numbers_max: int = 4_000_000):
        self._dialect = dialect
        self._numbers_max = numbers_max
        self._numbers = 0
        self._known: OrderedDict[tuple[int, object], Integers] = OrderedDict()

    def known(self, run_no: int, layout: Layout) -> Integers | None:
        """The numbers, if they are remembered."""
        numbers = self._known.get((run_no, layout.identity))
        if numbers is not None:
            self._known.move_to_end((run_no, layout.identity))
        return numbers

    def remember(self, run_no: int, layout: Layout, numbers: Integers) -> None:
        """To be called after the commit."""
        if (run_no, layout.identity) in self._known:
            return
        self._known[run_no, layout.identity] = numbers
        self._numbers += len(numbers) + _ENTRY_NUMBERS
        while self._numbers > self._numbers_max and len(self._known) > 1:
            self._numbers -= len(self._known.popitem(last=False)[1]) + _ENTRY_NUMBERS

    async def of(self, connection: AsyncConnection, run: LockedRun, layout: Layout) -> Integers:
        """The numbers of a layout's series; those that are new are made, each with an empty summary."""
        known = self.known(run.run_no, layout)
        if known is not None:
            return known
        keys = await self._key_numbers(connection, {name.key for name in layout.series})
        found = await self._found(connection, run, keys)
        new = [name for name in dict.fromkeys(layout.series) if name not in found]
        if new:
            found = await self._make(connection, run, keys, found, new)
        return np.fromiter((found[name] for name in layout.series), np.int64, len(layout.series))

    async def _key_numbers(self, connection: AsyncConnection, keys: set[str]) -> dict[str, int]:
        numbers = await self._select_keys(connection, keys)
        missing = sorted(keys - numbers.keys())
        if missing:
            statement = self._dialect.insert(metric_keys).on_conflict_do_nothing()
            await connection.execute(statement, [{"key": key} for key in missing])
            numbers |= await self._select_keys(connection, missing)
        return numbers

    async def _select_keys(self, connection: AsyncConnection, keys: Iterable[str]) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for some in _in_parts(list(keys)):
            statement = select(metric_keys.c.key, metric_keys.c.key_no).where(metric_keys.c.key.in_(some))
            numbers.update({row.key: row.key_no for row in await connection.execute(statement)})
        return numbers

    async def _found(
        self, connection: AsyncConnection, run: LockedRun, keys: Mapping[str, int]
    ) -> dict[SeriesName, int]:
        names = {number: key for key, number in keys.items()}
        found: dict[SeriesName, int] = {}
        for some in _in_parts(list(names)):
            statement = select(metric_series).where(
                metric_series.c.run_no == run.run_no, metric_series.c.key_no.in_(some)
            )
            for row in await connection.execute(statement):
                found[SeriesName(names[row.key_no], context_in(row))] = row.series_no
        return found

    async def _make(
        self,
        connection: AsyncConnection,
        run: LockedRun,
        keys: Mapping[str, int],
        found: Mapping[SeriesName, int],
        new: Sequence[SeriesName],
    ) -> dict[SeriesName, int]:
        rows = [
            {
                "run_no": run.run_no,
                "key_no": keys[name.key],
                "rank": NO_RANK if name.context.rank is None else name.context.rank,
                "model_id": name.context.model_id,
                "dataset_name": name.context.dataset_name,
                "dataset_digest": name.context.dataset_digest,
            }
            for name in new
        ]
        await connection.execute(insert(metric_series), rows)
        made = await self._found(connection, run, keys)
        primary: dict[str, SeriesName] = {}
        for name in made:
            least = primary.get(name.key)
            if least is None or primary_order(name.context) < primary_order(least.context):
                primary[name.key] = name
        await connection.execute(
            insert(metric_summaries),
            [_empty_summary(run, keys[name.key], made[name], primary[name.key] == name) for name in new],
        )
        # A lower rank came later than a higher one: the flag moves.
        moved = [{"old": found[name]} for name in found if primary[name.key] != name and primary[name.key] not in found]
        if moved:
            statement = update(metric_summaries).where(metric_summaries.c.series_no == bindparam("old"))
            await connection.execute(statement.values(is_primary=False), moved)
        return made


def _empty_summary(run: LockedRun, key_no: int, series_no: int, is_primary: bool) -> dict[str, object]:
    return {
        "series_no": series_no,
        "run_no": run.run_no,
        "experiment_no": run.experiment_no,
        "key_no": key_no,
        "is_primary": is_primary,
        "count": 0,
        "nan_count": 0,
        "last_step": int(_INT64.min),
        "last_time_ms": int(_INT64.min),
        "first_step": int(_INT64.max),
        "first_time_ms": int(_INT64.max),
    }


def _in_parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[at : at + _NAMES_AT_ONCE] for at in range(0, len(items), _NAMES_AT_ONCE))
