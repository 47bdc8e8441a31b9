"""Rows of metric_summaries as core's values."""

import math
from collections.abc import Collection, Sequence

from sqlalchemy import Integer, and_, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import MetricSummary
from trackwire_server.core.paging import Page, Position
from trackwire_server.stores.sql.metrics.names import context_of
from trackwire_server.stores.sql.metrics.places import find_runs
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import metric_keys, metric_series, metric_summaries

# In the order in which summary_of takes them.
SUMMARY_COLUMNS = (
    metric_summaries.c.run_no,
    metric_summaries.c.series_no,
    metric_keys.c.key,
    metric_series.c.rank,
    metric_series.c.model_id,
    metric_series.c.dataset_name,
    metric_series.c.dataset_digest,
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
SUMMARY_SOURCE = metric_summaries.join(metric_keys, metric_keys.c.key_no == metric_summaries.c.key_no).join(
    metric_series, metric_series.c.series_no == metric_summaries.c.series_no
)


def summary_of(run_id: str, row: AnyRow) -> MetricSummary:
    """A summary from a row of SUMMARY_COLUMNS; a value that is NULL was NaN."""
    _, _, key, rank, model_id, dataset_name, dataset_digest, primary, count, nan_count, *values = row
    last, last_step, last_time_ms, first, first_step, first_time_ms, min_value, max_value = values
    # By position, in the order of the fields: naming them takes as long again.
    return MetricSummary(
        run_id,
        key,
        context_of(rank, model_id, dataset_name, dataset_digest),
        bool(primary),
        count,
        nan_count,
        math.nan if last is None else last,
        last_step,
        last_time_ms,
        math.nan if first is None else first,
        first_step,
        first_time_ms,
        min_value,
        max_value,
    )


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
        select(*SUMMARY_COLUMNS)
        .select_from(SUMMARY_SOURCE)
        .where(summary.run_no.in_(ids))
        .order_by(summary.run_no, summary.series_no)
        .limit(page_size + 1)
    )
    if keys:
        statement = statement.where(metric_keys.c.key.in_(keys))
    if after is not None:
        run_no, series_no = after
        later = and_(summary.run_no == run_no, summary.series_no > series_no)
        statement = statement.where(or_(summary.run_no > run_no, later))
    rows = (await connection.execute(statement)).all()
    shown = rows[:page_size]
    position = (shown[-1].run_no, shown[-1].series_no) if len(rows) > page_size else None
    return Page([summary_of(ids[row.run_no], row) for row in shown], position)
