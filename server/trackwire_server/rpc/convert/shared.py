"""What several nouns' messages have in common, each way."""

from trackwire.v1 import experiments_pb2, runs_pb2
from trackwire_server.core.entities import (
    EVERYTHING,
    LifecycleStage,
    Selection,
    ViewType,
)
from trackwire_server.core.errors import InvalidArgument

_STAGE_TO_PROTO = {
    LifecycleStage.ACTIVE: experiments_pb2.LIFECYCLE_STAGE_ACTIVE,
    LifecycleStage.DELETED: experiments_pb2.LIFECYCLE_STAGE_DELETED,
}
_STAGE_FROM_PROTO = {
    experiments_pb2.LIFECYCLE_STAGE_UNSPECIFIED: LifecycleStage.ACTIVE,
    experiments_pb2.LIFECYCLE_STAGE_ACTIVE: LifecycleStage.ACTIVE,
    experiments_pb2.LIFECYCLE_STAGE_DELETED: LifecycleStage.DELETED,
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


def stage_from_proto(field: str, stage: experiments_pb2.LifecycleStage) -> LifecycleStage:
    """A lifecycle stage; ACTIVE where unspecified. Raises InvalidArgument."""
    if stage not in _STAGE_FROM_PROTO:
        known = ", ".join(experiments_pb2.LifecycleStage.keys()[1:])
        raise InvalidArgument(field, stage, f"is no lifecycle stage; there are {known}")
    return _STAGE_FROM_PROTO[stage]


def view_from_proto(view: experiments_pb2.ViewType) -> ViewType:
    """A view; active ones where unspecified. Raises InvalidArgument."""
    if view not in _VIEW_FROM_PROTO:
        raise InvalidArgument("view_type", view, f"is no view; there are {', '.join(experiments_pb2.ViewType.keys())}")
    return _VIEW_FROM_PROTO[view]


def selection_from_proto(selection: runs_pb2.Selection, *, present: bool) -> Selection:
    """A selection; everything where the message has none."""
    if not present or selection.all:
        return EVERYTHING
    return Selection(frozenset(selection.keys))
