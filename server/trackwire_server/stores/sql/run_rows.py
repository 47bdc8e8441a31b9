"""Rows of runs as core's values: a page is read by one statement a table, whatever its size."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter

from cachetools import LRUCache
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import (
    LifecycleStage,
    MetricSummary,
    Run,
    RunSelection,
    RunStatus,
    Summaries,
)
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.entries import by_owner, entry_queries, selected
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.metrics.summaries import SUMMARY_COLUMNS, summaries_of
from trackwire_server.stores.sql.prepared import Prepared, Rows, fetch_groups, parts
from trackwire_server.stores.sql.run_input_rows import NO_LINKS, Links, input_queries, links_by_run, model_queries
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    metric_keys,
    metric_summaries,
    run_heads,
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
# Some 27 MB.
SUMMARIES_KEPT = 65_536
_NEVER: tuple[int, Summaries] = (-1, ())
_SELECT_METRICS = select(*SUMMARY_COLUMNS).where(
    metric_summaries.c.run_no.in_(bindparam("owner_nos", expanding=True)), metric_summaries.c.is_primary
)
_METRICS = Prepared(_SELECT_METRICS)
_ARRIVALS = Prepared(
    select(run_heads.c.run_no, run_heads.c.arrival).where(
        run_heads.c.run_no.in_(bindparam("owner_nos", expanding=True))
    )
)
_METRICS_OF_KEYS = Prepared(
    _SELECT_METRICS.where(
        metric_summaries.c.key_no.in_(
            select(metric_keys.c.key_no).where(metric_keys.c.key.in_(bindparam("keys", expanding=True)))
        )
    )
)


class RunReader:
    """Reads what hangs on rows of runs, and keeps summaries: a page that somebody looks at is asked for repeatedly."""

    def __init__(self) -> None:
        # As of an arrival of the run: nothing else changes them, and a run's number is not given out twice.
        self._recent: LRUCache[int, tuple[int, Summaries]] = LRUCache(
            SUMMARIES_KEPT, getsizeof=lambda kept: 1 + len(kept[1])
        )

    async def read(self, connection: AsyncConnection, rows: Sequence[AnyRow], selection: RunSelection) -> list[Run]:
        """Runs from their rows, with what of their data is wanted."""
        run_nos = [row.run_no for row in rows]
        wants_all = selection.metrics.keys is None
        param_rows, tag_rows, metric_rows, input_rows, model_rows = await fetch_groups(
            connection,
            entry_queries(run_params, run_nos, selection.params),
            entry_queries(run_tags, run_nos, selection.tags),
            [
                (_ARRIVALS if wants_all else _METRICS_OF_KEYS, parameters)
                for parameters in selected(run_nos, selection.metrics)
            ],
            input_queries(run_nos, selection),
            model_queries(run_nos, selection),
        )
        params, tags = by_owner(param_rows), by_owner(tag_rows)
        run_ids = {row.run_no: row.run_id for row in rows}
        if wants_all:
            metrics = await self._summaries(connection, run_ids, dict(metric_rows))
        else:
            metrics = await _by_run(connection, run_ids, metric_rows)
        links = await links_by_run(connection, input_rows, model_rows, selection.datasets)
        return [
            run_of(
                row,
                params.get(row.run_no),
                tags.get(row.run_no),
                metrics.get(row.run_no, ()),
                links.get(row.run_no, NO_LINKS),
            )
            for row in rows
        ]

    async def _summaries(
        self, connection: AsyncConnection, run_ids: Mapping[int, str], arrivals: Mapping[int, int]
    ) -> dict[int, Summaries]:
        kept = {run_no: self._recent.get(run_no, _NEVER) for run_no in arrivals}
        metrics = {run_no: summaries for run_no, (at, summaries) in kept.items() if at == arrivals[run_no]}
        changed = [run_no for run_no in arrivals if run_no not in metrics]
        [rows] = await fetch_groups(connection, [(_METRICS, {"owner_nos": part}) for part in parts(changed)])
        read = await _by_run(connection, run_ids, rows)
        for run_no in changed:
            metrics[run_no] = read.get(run_no, ())
            if len(metrics[run_no]) < SUMMARIES_KEPT:
                self._recent[run_no] = arrivals[run_no], metrics[run_no]
        return metrics


async def _by_run(connection: AsyncConnection, run_ids: Mapping[int, str], rows: Rows) -> dict[int, Summaries]:
    """Rows of SUMMARY_COLUMNS as summaries of each run, by key."""
    gathered: dict[int, list[MetricSummary]] = defaultdict(list)
    for row, summary in zip(rows, await summaries_of(connection, run_ids, rows), strict=True):
        gathered[row[0]].append(summary)
    return {run_no: tuple(sorted(summaries, key=attrgetter("key"))) for run_no, summaries in gathered.items()}


def run_of(
    row: AnyRow,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: Summaries = (),
    links: Links = NO_LINKS,
) -> Run:
    """A run from its row and its data."""
    inputs, outputs = links
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
        stop_requested=bool(row.stop_requested),
        params=params or {},
        tags=tags or {},
        metrics=metrics,
        inputs=inputs,
        outputs=outputs,
    )
