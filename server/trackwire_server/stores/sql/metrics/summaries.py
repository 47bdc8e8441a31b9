"""Rows of metric_summaries as core's values."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, and_, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.paging import Page, Position
from trackwire_server.stores.sql.metrics.names import contexts_of, keys_of
from trackwire_server.stores.sql.metrics.places import find_runs
from trackwire_server.stores.sql.tables import metric_keys, metric_summaries

# In the order in which summaries_of takes them.
SUMMARY_COLUMNS = (
    metric_summaries.c.run_no,
    metric_summaries.c.key_no,
    metric_summaries.c.context_no,
    # A Boolean would be converted row by row, which takes longer than to fetch it.
    type_coerce(metric_summaries.c.is_primary, Integer),
    metric_summaries.c.count,
    metric_summaries.c.nan_count,
    metric_summaries.c.last_value,
    metric_summaries.c.last_step,
    metric_summaries.c.last_time_ms,
    metric_summaries.c.first_value,
    metric_summaries.c.first_step,
    metric_summaries.c.first_time_ms,
    metric_summaries.c.min_value,
    metric_summaries.c.max_value,
)
_NAN = math.nan


async def summaries_of(
    connection: AsyncConnection, run_ids: Mapping[int, str], rows: Sequence[Sequence[Any]]
) -> list[MetricSummary]:
    """Summaries from rows of SUMMARY_COLUMNS, in their order; a value that is NULL was NaN."""
    keys = await keys_of(connection, (row[1] for row in rows))
    contexts = await contexts_of(connection, (row[2] for row in rows))
    # By position, in the order of the fields: naming them takes as long again.
    made: list[MetricSummary] = []
    for row in rows:
        run_no, key_no, context_no, is_primary, count, nan_count, last, last_step, last_time_ms = row[:9]
        first, first_step, first_time_ms, min_value, max_value = row[9:]
        made.append(
            MetricSummary(
                run_ids[run_no],
                keys[key_no],
                contexts[context_no],
                is_primary == 1,
                count,
                nan_count,
                _NAN if last is None else last,
                last_step,
                last_time_ms,
                _NAN if first is None else first,
                first_step,
                first_time_ms,
                min_value,
                max_value,
            )
        )
    return made


async def read_summaries(
    connection: AsyncConnection,
    run_ids: Sequence[str],
    keys: Collection[str],
    *,
    page_size: int,
    after: Position | None,
) -> Page[MetricSummary]:
    """A page by run and then by series. Raises NotFound."""
    ids = {place.run_no: place.run_id for place in await find_runs(connection, run_ids)}
    summary = metric_summaries.c
    statement = (
        select(*SUMMARY_COLUMNS, summary.series_no)
        .where(summary.run_no.in_(ids))
        .order_by(summary.run_no, summary.series_no)
        .limit(page_size + 1)
    )
    if keys:
        statement = statement.where(summary.key_no.in_(select(metric_keys.c.key_no).where(metric_keys.c.key.in_(keys))))
    if after is not None:
        run_no, series_no = after
        later = and_(summary.run_no == run_no, summary.series_no > series_no)
        statement = statement.where(or_(summary.run_no > run_no, later))
    rows = (await connection.execute(statement)).all()
    shown = rows[:page_size]
    position = (shown[-1].run_no, shown[-1].series_no) if len(rows) > page_size else None
    return Page(await summaries_of(connection, ids, [row[:-1] for row in shown]), position)
