"""Rows of runs as core's values: a page is read by one statement a table, whatever its size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    NOTHING,
    LifecycleStage,
    MetricSummary,
    Run,
    RunSelection,
    RunStatus,
)
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.entries import by_owner, entry_queries, selected
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.metrics.summaries import SUMMARY_COLUMNS, summaries_of
from trackwire_server.stores.sql.prepared import Prepared, fetch_groups
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    metric_keys,
    metric_summaries,
    run_params,
    run_tags,
    runs,
)

RUNS = Searchable(
    source=runs,
    columns=[*runs.c],
    owner=runs.c.run_no,
    attributes={
        "run_id": runs.c.run_id,
        "run_name": runs.c.run_name,
        "status": runs.c.status,
        "artifact_uri": runs.c.artifact_uri,
        "user_id": runs.c.user_id,
        "experiment_id": runs.c.experiment_no,
        "parent_run_id": func.nullif(runs.c.parent_run_id, ""),
        "lifecycle_stage": runs.c.lifecycle_stage,
        "start_time": runs.c.start_time_ms,
        "end_time": runs.c.end_time_ms,
        "heartbeat_time": runs.c.heartbeat_time_ms,
    },
    entries={FieldKind.PARAM: run_params, FieldKind.TAG: run_tags},
    stage=runs.c.lifecycle_stage,
    experiment=runs.c.experiment_no,
)
WITHOUT_DATA = RunSelection(metrics=NOTHING, params=NOTHING, tags=NOTHING)
_SELECT_METRICS = select(*SUMMARY_COLUMNS).where(
    metric_summaries.c.run_no.in_(bindparam("owner_nos", expanding=True)), metric_summaries.c.is_primary
)
_METRICS = Prepared(_SELECT_METRICS)
_METRICS_OF_KEYS = Prepared(
    _SELECT_METRICS.where(
        metric_summaries.c.key_no.in_(
            select(metric_keys.c.key_no).where(metric_keys.c.key.in_(bindparam("keys", expanding=True)))
        )
    )
)


async def read_runs(connection: AsyncConnection, rows: Sequence[AnyRow], selection: RunSelection) -> list[Run]:
    """Runs from their rows, with what of their data is wanted."""
    run_nos = [row.run_no for row in rows]
    statement = _METRICS if selection.metrics.keys is None else _METRICS_OF_KEYS
    param_rows, tag_rows, metric_rows = await fetch_groups(
        connection,
        entry_queries(run_params, run_nos, selection.params),
        entry_queries(run_tags, run_nos, selection.tags),
        [(statement, parameters) for parameters in selected(run_nos, selection.metrics)],
    )
    params, tags = by_owner(param_rows), by_owner(tag_rows)
    metrics: dict[str, list[MetricSummary]] = defaultdict(list)
    for summary in await summaries_of(connection, {row.run_no: row.run_id for row in rows}, metric_rows):
        metrics[summary.run_id].append(summary)
    for summaries in metrics.values():
        summaries.sort(key=attrgetter("key"))
    return [
        run_of(row, params.get(row.run_no, {}), tags.get(row.run_no, {}), tuple(metrics.get(row.run_id, ())))
        for row in rows
    ]


def run_of(
    row: AnyRow,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: tuple[MetricSummary, ...] = (),
) -> Run:
    """A run from its row and its data."""
    return Run(
        run_id=row.run_id,
        run_name=row.run_name,
        experiment_id=str(row.experiment_no),
        user_id=row.user_id,
        status=RunStatus(row.status),
        start_time_ms=row.start_time_ms,
        end_time_ms=row.end_time_ms,
        lifecycle_stage=LifecycleStage(row.lifecycle_stage),
        artifact_uri=row.artifact_uri,
        deleted_time_ms=row.deleted_time_ms,
        parent_run_id=row.parent_run_id,
        heartbeat_time_ms=row.heartbeat_time_ms,
        stop_requested=row.stop_requested,
        params=params or {},
        tags=tags or {},
        metrics=metrics,
    )
