"""The model registry's messages and entities, each way."""

from collections.abc import Sequence

from trackwire.v1 import model_registry_pb2 as pb
from trackwire_server.core.entities import (
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    NewModelVersion,
    RegisteredModel,
)
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.searching import SearchRequest

_STAGE_TO_PROTO = {
    ModelStage.NONE: pb.MODEL_STAGE_NONE,
    ModelStage.STAGING: pb.MODEL_STAGE_STAGING,
    ModelStage.PRODUCTION: pb.MODEL_STAGE_PRODUCTION,
    ModelStage.ARCHIVED: pb.MODEL_STAGE_ARCHIVED,
}
_STAGE_FROM_PROTO: dict[int, ModelStage] = {number: stage for stage, number in _STAGE_TO_PROTO.items()}
_STATUS_TO_PROTO = {
    ModelVersionStatus.PENDING_REGISTRATION: pb.MODEL_VERSION_STATUS_PENDING_REGISTRATION,
    ModelVersionStatus.FAILED_REGISTRATION: pb.MODEL_VERSION_STATUS_FAILED_REGISTRATION,
    ModelVersionStatus.READY: pb.MODEL_VERSION_STATUS_READY,
}
_STATUS_FROM_PROTO: dict[int, ModelVersionStatus] = {number: status for status, number in _STATUS_TO_PROTO.items()}


def status_from_proto(field: str, status: int) -> ModelVersionStatus | None:
    """A status; None where unspecified. Raises InvalidArgument."""
    if status == pb.MODEL_VERSION_STATUS_UNSPECIFIED:
        return None
    if status not in _STATUS_FROM_PROTO:
        raise InvalidArgument(field, status, f"is no status; there are {', '.join(pb.ModelVersionStatus.keys()[1:])}")
    return _STATUS_FROM_PROTO[status]


def stage_from_proto(field: str, stage: int) -> ModelStage:
    """A stage that must be there. Raises InvalidArgument."""
    if stage == pb.MODEL_STAGE_UNSPECIFIED:
        raise InvalidArgument(field, stage, "is required", reason="REQUIRED")
    if stage not in _STAGE_FROM_PROTO:
        known = ", ".join(pb.ModelStage.Name(number) for number in _STAGE_FROM_PROTO)
        raise InvalidArgument(field, stage, f"is no stage; there are {known}")
    return _STAGE_FROM_PROTO[stage]


def stages_from_proto(field: str, stages: Sequence[int]) -> list[ModelStage]:
    """Stages, of which there may be none. Raises InvalidArgument."""
    return [stage_from_proto(f"{field}[{index}]", stage) for index, stage in enumerate(stages)]


def selector_from_proto(request: pb.GetModelVersionRequest) -> int | str:
    """The number or the alias that selects a version. Raises InvalidArgument where there is neither."""
    match request.WhichOneof("selector"):
        case "version":
            return request.version
        case "alias":
            return request.alias
    raise InvalidArgument("selector", "", "a version or an alias is required", reason="REQUIRED")


def new_version_from_proto(request: pb.CreateModelVersionRequest) -> NewModelVersion:
    """What is needed to make a version; core sets its time."""
    return NewModelVersion(
        name=request.name,
        source=request.source,
        creation_time_ms=0,
        request_id=request.request_id,
        run_id=request.run_id,
        run_link=request.run_link,
        user_id=request.user_id,
        description=request.description,
        tags=dict(request.tags),
        model_id=request.model_id,
    )


def search_from_proto(request: pb.SearchRegisteredModelsRequest | pb.SearchModelVersionsRequest) -> SearchRequest:
    """A search as it was written."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        tags_required=request.tags_required,
    )


def model_to_proto(model: RegisteredModel) -> pb.RegisteredModel:
    """A registered model as it is sent."""
    return pb.RegisteredModel(
        name=model.name,
        workspace=model.workspace,
        description=model.description,
        creation_time_ms=model.creation_time_ms,
        last_update_time_ms=model.last_update_time_ms,
        tags=model.tags,
        aliases=model.aliases,
        latest_versions=[version_to_proto(version) for version in model.latest_versions],
    )


def version_to_proto(version: ModelVersion) -> pb.ModelVersion:
    """A version as it is sent."""
    return pb.ModelVersion(
        name=version.name,
        version=version.version,
        description=version.description,
        source=version.source,
        run_id=version.run_id,
        run_link=version.run_link,
        user_id=version.user_id,
        status=_STATUS_TO_PROTO[version.status],
        status_message=version.status_message,
        current_stage=_STAGE_TO_PROTO[version.current_stage],
        aliases=version.aliases,
        tags=version.tags,
        creation_time_ms=version.creation_time_ms,
        last_update_time_ms=version.last_update_time_ms,
        model_id=version.model_id,
        storage_location=version.storage_location,
    )
