"""Logged models' messages and entities, each way."""

from trackwire.v1 import logged_models_pb2 as pb
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus
from trackwire_server.core.logged_models import LoggedModelDraft
from trackwire_server.core.searching import SearchRequest
from trackwire_server.rpc.convert.summaries import add_summaries
from trackwire_server.search import MetricDataset

_STATUS_TO_PROTO = {
    LoggedModelStatus.PENDING: pb.LOGGED_MODEL_STATUS_PENDING,
    LoggedModelStatus.READY: pb.LOGGED_MODEL_STATUS_READY,
    LoggedModelStatus.UPLOAD_FAILED: pb.LOGGED_MODEL_STATUS_UPLOAD_FAILED,
}
_STATUS_FROM_PROTO = {number: status for status, number in _STATUS_TO_PROTO.items()}


def status_from_proto(status: pb.LoggedModelStatus, *, field: str = "status") -> LoggedModelStatus | None:
    """A status; None where unspecified. Raises InvalidArgument."""
    if status == pb.LOGGED_MODEL_STATUS_UNSPECIFIED:
        return None
    if status not in _STATUS_FROM_PROTO:
        known = ", ".join(pb.LoggedModelStatus.keys()[1:])
        raise InvalidArgument(field, status, f"is no status; there are {known}")
    return _STATUS_FROM_PROTO[status]


def draft_from_proto(request: pb.CreateLoggedModelRequest) -> LoggedModelDraft:
    """What CreateLoggedModel asks for. Raises InvalidArgument."""
    return LoggedModelDraft(
        experiment_id=request.experiment_id,
        request_id=request.request_id,
        name=request.name,
        model_type=request.model_type,
        source_run_id=request.source_run_id,
        status=status_from_proto(request.status),
        params=dict(request.params),
        tags=dict(request.tags),
    )


def search_from_proto(request: pb.SearchLoggedModelsRequest) -> SearchRequest:
    """A search as it was written."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        experiment_ids=tuple(request.experiment_ids),
        datasets=tuple(map(_dataset_from_proto, request.datasets)),
        order_by_datasets=tuple(
            (index, _dataset_from_proto(dataset)) for index, dataset in sorted(request.order_by_datasets.items())
        ),
        tags_required=request.tags_required,
    )


def _dataset_from_proto(dataset: pb.MetricDataset) -> MetricDataset:
    return MetricDataset(dataset.name, dataset.digest)


def model_to_proto(model: LoggedModel) -> pb.LoggedModel:
    """A logged model as it is sent."""
    message = pb.LoggedModel(
        model_id=model.model_id,
        experiment_id=model.experiment_id,
        name=model.name,
        artifact_uri=model.artifact_uri,
        model_type=model.model_type,
        source_run_id=model.source_run_id,
        status=_STATUS_TO_PROTO[model.status],
        status_message=model.status_message,
        creation_time_ms=model.creation_time_ms,
        last_update_time_ms=model.last_update_time_ms,
        tags=model.tags,
        params=model.params,
    )
    add_summaries(message.metrics, model.metrics)
    return message
