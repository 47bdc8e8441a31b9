"""Rows of logged models, locked by id, or as core's values: a page is read by one statement a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING, LifecycleStage, MetricSummary, Summaries
from trackwire_server.core.logged_model_entities import (
    LoggedModel,
    LoggedModelStatus,
    by_series,
    logged_model_not_found,
)
from trackwire_server.search import FieldKind
from trackwire_server.stores.sql.entries import by_owner, entry_queries
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.metrics.summaries import SUMMARY_COLUMNS, summaries_of
from trackwire_server.stores.sql.model_series import NOT_DEFAULT_CONTEXT
from trackwire_server.stores.sql.prepared import Prepared, Rows, fetch_groups, parts
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    metric_contexts,
    metric_summaries,
    runs,
)

LOGGED_MODELS = Searchable(
    source=logged_models,
    columns=[*logged_models.c],
    owner=logged_models.c.logged_model_no,
    attributes={
        "name": logged_models.c.name,
        "model_id": logged_models.c.model_id,
        "status": logged_models.c.status,
        "model_type": func.nullif(logged_models.c.model_type, ""),
        "source_run_id": func.nullif(logged_models.c.source_run_id, ""),
        "experiment_id": logged_models.c.experiment_no,
        "creation_timestamp": logged_models.c.creation_time_ms,
        "last_updated_timestamp": logged_models.c.last_update_time_ms,
    },
    entries={FieldKind.PARAM: logged_model_params, FieldKind.TAG: logged_model_tags},
    stage=logged_models.c.lifecycle_stage,
    experiment=logged_models.c.experiment_no,
    model_id=logged_models.c.model_id,
)
# The columns of a summary, then the run that it is of.
_METRICS = Prepared(
    select(*SUMMARY_COLUMNS, runs.c.run_id)
    .join(metric_contexts, metric_contexts.c.context_no == metric_summaries.c.context_no)
    .join(runs, runs.c.run_no == metric_summaries.c.run_no)
    .where(metric_contexts.c.model_id.in_(bindparam("model_ids", expanding=True)), NOT_DEFAULT_CONTEXT)
)


async def read_logged_models(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[LoggedModel]:
    """The logged models of these rows, in their order."""
    model_nos = [row.logged_model_no for row in rows]
    param_rows, tag_rows, metric_rows = await fetch_groups(
        connection,
        entry_queries(logged_model_params, model_nos, EVERYTHING),
        entry_queries(logged_model_tags, model_nos, EVERYTHING),
        [(_METRICS, {"model_ids": part}) for part in parts([row.model_id for row in rows])],
    )
    params, tags = by_owner(param_rows), by_owner(tag_rows)
    metrics = await _by_model(connection, metric_rows)
    return [
        logged_model_of(
            row,
            params.get(row.logged_model_no, {}),
            tags.get(row.logged_model_no, {}),
            metrics.get(row.model_id, ()),
        )
        for row in rows
    ]


async def lock_logged_model(connection: AsyncConnection, model_id: str, *, deleted_too: bool = False) -> int:
    """Locks a logged model's row; its number. Raises NotFound, also for a deleted one unless `deleted_too`."""
    mine = select(logged_models.c.logged_model_no).where(logged_models.c.model_id == model_id)
    if not deleted_too:
        mine = mine.where(logged_models.c.lifecycle_stage == LifecycleStage.ACTIVE)
    model_no: int | None = await connection.scalar(mine.with_for_update())
    if model_no is None:
        raise logged_model_not_found(model_id)
    return model_no


async def _by_model(connection: AsyncConnection, rows: Rows) -> dict[str, Summaries]:
    """The summaries of each model, in the order of their series."""
    run_ids = {row[0]: row[-1] for row in rows}
    gathered: dict[str, list[MetricSummary]] = defaultdict(list)
    for summary in await summaries_of(connection, run_ids, [row[:-1] for row in rows]):
        gathered[summary.context.model_id].append(summary)
    return {model_id: tuple(sorted(summaries, key=by_series)) for model_id, summaries in gathered.items()}


def logged_model_of(
    row: AnyRow,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: Summaries = (),
) -> LoggedModel:
    """A logged model from its row and its data."""
    return LoggedModel(
        model_id=row.model_id,
        experiment_id=str(row.experiment_no),
        name=row.name,
        artifact_uri=row.artifact_uri,
        creation_time_ms=row.creation_time_ms,
        last_update_time_ms=row.last_update_time_ms,
        model_type=row.model_type,
        source_run_id=row.source_run_id,
        status=LoggedModelStatus(row.status),
        status_message=row.status_message,
        deleted_time_ms=row.deleted_time_ms,
        tags=tags or {},
        params=params or {},
        metrics=metrics,
    )
