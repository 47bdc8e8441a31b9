"""Payloads of full chunks, and their thinned forms, fetched when a snapshot is closed: they never change."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import Table, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.stores.sql.prepared import Parameters, Prepared, fetch_groups
from trackwire_server.stores.sql.tables import metric_chunks, metric_thinned

# By series number and ordinal.
Payloads: TypeAlias = Mapping[tuple[int, int], bytes]

_NUMBERS_AT_ONCE = 256
_ORDINALS_AT_ONCE = 1_024


class PayloadColumn:
    """The payloads of a table of chunks."""

    def __init__(self, table: Table):
        row = table.c
        of_series = select(row.series_no, row.ordinal, row.payload).where(
            row.series_no.in_(bindparam("numbers", expanding=True))
        )
        self._listed = Prepared(of_series.where(row.ordinal.in_(bindparam("ordinals", expanding=True))))
        # To SQLite, which compares whole rows on its way to one, the next row is far cheaper than another one.
        self._in_a_row = Prepared(of_series.where(row.ordinal.between(bindparam("first"), bindparam("last"))))

    async def fetch(self, connection: AsyncConnection, wanted: Mapping[int, Sequence[int]]) -> Payloads:
        """Those of some ordinals, in ascending order, of each series, as far as they are there; in one trip."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for series_no, ordinals in wanted.items():
            alike.setdefault(tuple(ordinals), []).append(series_no)
        queries = [
            self._query(numbers[at : at + _NUMBERS_AT_ONCE], ordinals[start : start + _ORDINALS_AT_ONCE])
            for ordinals, numbers in alike.items()
            for start in range(0, len(ordinals), _ORDINALS_AT_ONCE)
            for at in range(0, len(numbers), _NUMBERS_AT_ONCE)
        ]
        rows = (await fetch_groups(connection, queries))[0] if queries else ()
        return {(series_no, ordinal): payload for series_no, ordinal, payload in rows}

    def _query(self, numbers: Sequence[int], ordinals: Sequence[int]) -> tuple[Prepared, Parameters]:
        first, last = ordinals[0], ordinals[-1]
        if last - first == len(ordinals) - 1:
            return self._in_a_row, {"numbers": list(numbers), "first": first, "last": last}
        return self._listed, {"numbers": list(numbers), "ordinals": list(ordinals)}


CHUNK_PAYLOADS, THINNED_PAYLOADS = PayloadColumn(metric_chunks), PayloadColumn(metric_thinned)
