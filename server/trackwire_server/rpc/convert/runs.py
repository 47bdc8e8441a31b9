"""Runs' messages and entities, each way."""

from cachetools import LRUCache

from trackwire.v1 import runs_pb2 as pb
from trackwire_server.core.entities import ExperimentReference, Run, RunSelection, RunStatus, Summaries, WriterStamp
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.runs import RunDraft
from trackwire_server.core.searching import SearchRequest
from trackwire_server.rpc.columns import stamp_in
from trackwire_server.rpc.convert.run_inputs import dataset_view_from_proto, fill_inputs
from trackwire_server.rpc.convert.shared import (
    selection_from_proto,
    stage_to_proto,
    view_from_proto,
)
from trackwire_server.rpc.convert.summaries import add_summaries

_STATUS_TO_PROTO = {
    RunStatus.RUNNING: pb.RUN_STATUS_RUNNING,
    RunStatus.SCHEDULED: pb.RUN_STATUS_SCHEDULED,
    RunStatus.FINISHED: pb.RUN_STATUS_FINISHED,
    RunStatus.FAILED: pb.RUN_STATUS_FAILED,
    RunStatus.KILLED: pb.RUN_STATUS_KILLED,
}
_STATUS_FROM_PROTO = {number: status for status, number in _STATUS_TO_PROTO.items()}
# Some 17 MB.
SUMMARIES_KEPT = 65_536
_NOTHING: tuple[Summaries, pb.Run] = ((), pb.Run())
_JOINS = {pb.IF_EXISTS_UNSPECIFIED: False, pb.IF_EXISTS_FAIL: False, pb.IF_EXISTS_JOIN: True}


class RunMessages:
    """Makes messages of runs. Where a store gives the same summaries again, those that were made of them are copied."""

    def __init__(self) -> None:
        self._recent: LRUCache[str, tuple[Summaries, pb.Run]] = LRUCache(
            SUMMARIES_KEPT, getsizeof=lambda kept: 1 + len(kept[0])
        )

    def make(self, run: Run) -> pb.Run:
        """A run."""
        message = pb.Run()
        self.fill(message, run)
        return message

    def fill(self, message: pb.Run, run: Run) -> None:
        """Writes a run into an empty message, where it lies: a list of messages copies each one that it is given."""
        fill_without_metrics(message, run)
        summaries, made = self._recent.get(run.run_id, _NOTHING)
        if summaries is not run.metrics:
            made = pb.Run()
            add_summaries(made.metrics, run.metrics)
            if len(run.metrics) < SUMMARIES_KEPT:
                self._recent[run.run_id] = run.metrics, made
        message.metrics.MergeFrom(made.metrics)


def fill_without_metrics(message: pb.Run, run: Run) -> None:
    """All of a run but its summaries."""
    message.run_id = run.run_id
    message.run_name = run.run_name
    message.experiment_id = run.experiment_id
    message.user_id = run.user_id
    message.status = _STATUS_TO_PROTO[run.status]
    message.start_time_ms = run.start_time_ms
    if run.end_time_ms is not None:
        message.end_time_ms = run.end_time_ms
    message.lifecycle_stage = stage_to_proto(run.lifecycle_stage)
    message.artifact_uri = run.artifact_uri
    if run.deleted_time_ms is not None:
        message.deleted_time_ms = run.deleted_time_ms
    message.parent_run_id = run.parent_run_id
    if run.heartbeat_time_ms is not None:
        message.heartbeat_time_ms = run.heartbeat_time_ms
    message.stop_requested = run.stop_requested
    message.params.update(run.params)
    message.tags.update(run.tags)
    fill_inputs(message, run.inputs, run.outputs)


def draft_from_proto(request: pb.CreateRunRequest) -> RunDraft:
    """What CreateRun asks for. Raises InvalidArgument."""
    if request.if_exists not in _JOINS:
        raise InvalidArgument("if_exists", request.if_exists, f"is none of {', '.join(pb.IfExists.keys())}")
    return RunDraft(
        request_id=request.request_id,
        run_id=request.run_id,
        join=_JOINS[request.if_exists],
        experiment=ExperimentReference(
            experiment_id=request.experiment_id, name=request.experiment_name, create=request.create_experiment
        ),
        run_name=request.run_name,
        user_id=request.user_id,
        status=status_from_proto(request.status),
        start_time_ms=request.start_time_ms if request.HasField("start_time_ms") else None,
        parent_run_id=request.parent_run_id,
        params=dict(request.params),
        tags=dict(request.tags),
    )


def status_from_proto(status: pb.RunStatus, *, field: str = "status") -> RunStatus | None:
    """A status; None where unspecified. Raises InvalidArgument."""
    if status == pb.RUN_STATUS_UNSPECIFIED:
        return None
    if status not in _STATUS_FROM_PROTO:
        raise InvalidArgument(field, status, f"is no status; there are {', '.join(pb.RunStatus.keys()[1:])}")
    return _STATUS_FROM_PROTO[status]


def search_from_proto(request: pb.SearchRunsRequest) -> SearchRequest:
    """A search. Raises InvalidArgument."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        view=view_from_proto(request.view_type),
        experiment_ids=tuple(request.experiment_ids),
        tags_required=request.tags_required,
    )


def run_selection_from_proto(request: pb.SearchRunsRequest) -> RunSelection:
    """Which entries come back, and how much of datasets. Raises InvalidArgument."""
    return RunSelection(
        metrics=selection_from_proto(request.metrics, present=request.HasField("metrics")),
        params=selection_from_proto(request.params, present=request.HasField("params")),
        tags=selection_from_proto(request.tags, present=request.HasField("tags")),
        datasets=dataset_view_from_proto(request.dataset_view),
        models=False,
    )


def stamp_of(
    request: pb.UpdateRunRequest
    | pb.LogParamsRequest
    | pb.SetRunTagsRequest
    | pb.DeleteRunTagRequest
    | pb.LogRunInputsRequest
    | pb.LogRunOutputsRequest,
) -> WriterStamp | None:
    """The stamp of a request that may have one."""
    return stamp_in(request.writer) if request.HasField("writer") else None
