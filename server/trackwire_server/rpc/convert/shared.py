"""What several nouns' messages have in common, each way."""

from trackwire.v1 import experiments_pb2, metrics_pb2, runs_pb2
from trackwire_server.core.entities import (
    DEFAULT_CONTEXT,
    EVERYTHING,
    LifecycleStage,
    MetricSummary,
    Selection,
    SeriesContext,
    ViewType,
    WriterStamp,
)
from trackwire_server.core.errors import InvalidArgument

_STAGE_TO_PROTO = {
    LifecycleStage.ACTIVE: experiments_pb2.LIFECYCLE_STAGE_ACTIVE,
    LifecycleStage.DELETED: experiments_pb2.LIFECYCLE_STAGE_DELETED,
}
_VIEW_FROM_PROTO = {
    experiments_pb2.VIEW_TYPE_UNSPECIFIED: ViewType.ACTIVE_ONLY,
    experiments_pb2.VIEW_TYPE_ACTIVE_ONLY: ViewType.ACTIVE_ONLY,
    experiments_pb2.VIEW_TYPE_DELETED_ONLY: ViewType.DELETED_ONLY,
    experiments_pb2.VIEW_TYPE_ALL: ViewType.ALL,
}


def stage_to_proto(stage: LifecycleStage) -> experiments_pb2.LifecycleStage:
    """A lifecycle stage."""
    return _STAGE_TO_PROTO[stage]


def view_from_proto(view: experiments_pb2.ViewType) -> ViewType:
    """A view; active ones where unspecified. Raises InvalidArgument."""
    if view not in _VIEW_FROM_PROTO:
        raise InvalidArgument("view_type", view, f"is no view; there are {', '.join(experiments_pb2.ViewType.keys())}")
    return _VIEW_FROM_PROTO[view]


def stamp_from_proto(stamp: metrics_pb2.WriterStamp, *, present: bool) -> WriterStamp | None:
    """A stamp, or None where the message has none."""
    return WriterStamp(stamp.writer_id, stamp.sequence, stamp.previous_sequence) if present else None


def selection_from_proto(selection: runs_pb2.Selection, *, present: bool) -> Selection:
    """A selection; everything where the message has none."""
    if not present or selection.all:
        return EVERYTHING
    return Selection(frozenset(selection.keys))


def context_to_proto(context: SeriesContext) -> metrics_pb2.SeriesContext:
    """A series' context."""
    return metrics_pb2.SeriesContext(
        rank=context.rank,
        model_id=context.model_id,
        dataset_name=context.dataset_name,
        dataset_digest=context.dataset_digest,
    )


def summary_to_proto(summary: MetricSummary) -> metrics_pb2.MetricSummary:
    """A summary; the default context is left out."""
    return metrics_pb2.MetricSummary(
        run_id=summary.run_id,
        key=summary.key,
        context=None if summary.context == DEFAULT_CONTEXT else context_to_proto(summary.context),
        primary=summary.primary,
        count=summary.count,
        nan_count=summary.nan_count,
        last_value=summary.last_value,
        last_step=summary.last_step,
        last_time_ms=summary.last_time_ms,
        first_value=summary.first_value,
        first_step=summary.first_step,
        first_time_ms=summary.first_time_ms,
        min_value=summary.min_value,
        max_value=summary.max_value,
    )
