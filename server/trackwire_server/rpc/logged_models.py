"""Logged models over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

import grpc

from trackwire.v1 import logged_models_pb2 as pb
from trackwire.v1 import logged_models_pb2_grpc as pb_grpc
from trackwire_server.core.logged_models import LoggedModels
from trackwire_server.rpc.convert.logged_models import (
    draft_from_proto,
    model_to_proto,
    search_from_proto,
    status_from_proto,
)


class LoggedModelServicer(pb_grpc.LoggedModelServiceServicer):
    """LoggedModelService, answered by core."""

    def __init__(self, models: LoggedModels):
        self._models = models

    async def CreateLoggedModel(
        self, request: pb.CreateLoggedModelRequest, _context: object
    ) -> pb.CreateLoggedModelResponse:
        model = await self._models.create(draft_from_proto(request))
        return pb.CreateLoggedModelResponse(logged_model=model_to_proto(model))

    async def GetLoggedModel(self, request: pb.GetLoggedModelRequest, _context: object) -> pb.GetLoggedModelResponse:
        model = await self._models.get(request.model_id)
        return pb.GetLoggedModelResponse(logged_model=model_to_proto(model))

    async def SearchLoggedModels(
        self, request: pb.SearchLoggedModelsRequest, _context: object
    ) -> pb.SearchLoggedModelsResponse:
        models, token = await self._models.search(search_from_proto(request))
        return pb.SearchLoggedModelsResponse(logged_models=map(model_to_proto, models), next_page_token=token)

    async def UpdateLoggedModel(
        self, request: pb.UpdateLoggedModelRequest, _context: object
    ) -> pb.UpdateLoggedModelResponse:
        message = request.status_message if request.HasField("status_message") else None
        model = await self._models.update(
            request.model_id, status=status_from_proto(request.status), status_message=message
        )
        return pb.UpdateLoggedModelResponse(logged_model=model_to_proto(model))

    async def DeleteLoggedModel(
        self, request: pb.DeleteLoggedModelRequest, _context: object
    ) -> pb.DeleteLoggedModelResponse:
        await self._models.delete(request.model_id)
        return pb.DeleteLoggedModelResponse()

    async def SetLoggedModelTags(
        self, request: pb.SetLoggedModelTagsRequest, _context: object
    ) -> pb.SetLoggedModelTagsResponse:
        await self._models.set_tags(request.model_id, request.tags)
        return pb.SetLoggedModelTagsResponse()

    async def DeleteLoggedModelTag(
        self, request: pb.DeleteLoggedModelTagRequest, _context: object
    ) -> pb.DeleteLoggedModelTagResponse:
        await self._models.delete_tag(request.model_id, request.key)
        return pb.DeleteLoggedModelTagResponse()

    async def LogLoggedModelParams(
        self, request: pb.LogLoggedModelParamsRequest, _context: object
    ) -> pb.LogLoggedModelParamsResponse:
        await self._models.log_params(request.model_id, request.params)
        return pb.LogLoggedModelParamsResponse()


def add_to_server(servicer: LoggedModelServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_LoggedModelServiceServicer_to_server(servicer, server)
