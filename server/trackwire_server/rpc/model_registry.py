"""The model registry over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

import grpc

from trackwire.v1 import model_registry_pb2 as pb
from trackwire.v1 import model_registry_pb2_grpc as pb_grpc
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.rpc.convert.model_registry import (
    model_to_proto,
    new_version_from_proto,
    search_from_proto,
    selector_from_proto,
    stage_from_proto,
    stages_from_proto,
    version_to_proto,
)


class ModelRegistryServicer(pb_grpc.ModelRegistryServiceServicer):
    """ModelRegistryService, answered by core's ModelRegistry."""

    def __init__(self, registry: ModelRegistry):
        self._registry = registry

    async def CreateRegisteredModel(
        self, request: pb.CreateRegisteredModelRequest, _context: object
    ) -> pb.CreateRegisteredModelResponse:
        model = await self._registry.create_registered_model(
            request.name, description=request.description, tags=request.tags
        )
        return pb.CreateRegisteredModelResponse(registered_model=model_to_proto(model))

    async def GetRegisteredModel(
        self, request: pb.GetRegisteredModelRequest, _context: object
    ) -> pb.GetRegisteredModelResponse:
        model = await self._registry.get_registered_model(request.name)
        return pb.GetRegisteredModelResponse(registered_model=model_to_proto(model))

    async def SearchRegisteredModels(
        self, request: pb.SearchRegisteredModelsRequest, _context: object
    ) -> pb.SearchRegisteredModelsResponse:
        models, token = await self._registry.search_registered_models(search_from_proto(request))
        return pb.SearchRegisteredModelsResponse(registered_models=map(model_to_proto, models), next_page_token=token)

    async def UpdateRegisteredModel(
        self, request: pb.UpdateRegisteredModelRequest, _context: object
    ) -> pb.UpdateRegisteredModelResponse:
        description = request.description if request.HasField("description") else None
        model = await self._registry.update_registered_model(request.name, description=description)
        return pb.UpdateRegisteredModelResponse(registered_model=model_to_proto(model))

    async def RenameRegisteredModel(
        self, request: pb.RenameRegisteredModelRequest, _context: object
    ) -> pb.RenameRegisteredModelResponse:
        model = await self._registry.rename_registered_model(request.name, request.new_name)
        return pb.RenameRegisteredModelResponse(registered_model=model_to_proto(model))

    async def DeleteRegisteredModel(
        self, request: pb.DeleteRegisteredModelRequest, _context: object
    ) -> pb.DeleteRegisteredModelResponse:
        await self._registry.delete_registered_model(request.name)
        return pb.DeleteRegisteredModelResponse()

    async def SetRegisteredModelTags(
        self, request: pb.SetRegisteredModelTagsRequest, _context: object
    ) -> pb.SetRegisteredModelTagsResponse:
        await self._registry.set_registered_model_tags(request.name, request.tags)
        return pb.SetRegisteredModelTagsResponse()

    async def DeleteRegisteredModelTag(
        self, request: pb.DeleteRegisteredModelTagRequest, _context: object
    ) -> pb.DeleteRegisteredModelTagResponse:
        await self._registry.delete_registered_model_tag(request.name, request.key)
        return pb.DeleteRegisteredModelTagResponse()

    async def SetRegisteredModelAlias(
        self, request: pb.SetRegisteredModelAliasRequest, _context: object
    ) -> pb.SetRegisteredModelAliasResponse:
        await self._registry.set_registered_model_alias(request.name, request.alias, request.version)
        return pb.SetRegisteredModelAliasResponse()

    async def DeleteRegisteredModelAlias(
        self, request: pb.DeleteRegisteredModelAliasRequest, _context: object
    ) -> pb.DeleteRegisteredModelAliasResponse:
        await self._registry.delete_registered_model_alias(request.name, request.alias)
        return pb.DeleteRegisteredModelAliasResponse()

    async def CreateModelVersion(
        self, request: pb.CreateModelVersionRequest, _context: object
    ) -> pb.CreateModelVersionResponse:
        version = await self._registry.create_model_version(new_version_from_proto(request))
        return pb.CreateModelVersionResponse(model_version=version_to_proto(version))

    async def GetModelVersion(self, request: pb.GetModelVersionRequest, _context: object) -> pb.GetModelVersionResponse:
        version = await self._registry.get_model_version(request.name, selector_from_proto(request))
        return pb.GetModelVersionResponse(model_version=version_to_proto(version))

    async def GetLatestModelVersions(
        self, request: pb.GetLatestModelVersionsRequest, _context: object
    ) -> pb.GetLatestModelVersionsResponse:
        stages = stages_from_proto("stages", request.stages)
        versions = await self._registry.get_latest_model_versions(request.name, stages)
        return pb.GetLatestModelVersionsResponse(model_versions=map(version_to_proto, versions))

    async def SearchModelVersions(
        self, request: pb.SearchModelVersionsRequest, _context: object
    ) -> pb.SearchModelVersionsResponse:
        versions, token = await self._registry.search_model_versions(search_from_proto(request))
        return pb.SearchModelVersionsResponse(model_versions=map(version_to_proto, versions), next_page_token=token)

    async def UpdateModelVersion(
        self, request: pb.UpdateModelVersionRequest, _context: object
    ) -> pb.UpdateModelVersionResponse:
        description = request.description if request.HasField("description") else None
        version = await self._registry.update_model_version(request.name, request.version, description=description)
        return pb.UpdateModelVersionResponse(model_version=version_to_proto(version))

    async def TransitionModelVersionStage(
        self, request: pb.TransitionModelVersionStageRequest, _context: object
    ) -> pb.TransitionModelVersionStageResponse:
        version = await self._registry.transition_model_version_stage(
            request.name,
            request.version,
            stage_from_proto("stage", request.stage),
            archive_existing_versions=request.archive_existing_versions,
        )
        return pb.TransitionModelVersionStageResponse(model_version=version_to_proto(version))

    async def DeleteModelVersion(
        self, request: pb.DeleteModelVersionRequest, _context: object
    ) -> pb.DeleteModelVersionResponse:
        await self._registry.delete_model_version(request.name, request.version)
        return pb.DeleteModelVersionResponse()

    async def SetModelVersionTags(
        self, request: pb.SetModelVersionTagsRequest, _context: object
    ) -> pb.SetModelVersionTagsResponse:
        await self._registry.set_model_version_tags(request.name, request.version, request.tags)
        return pb.SetModelVersionTagsResponse()

    async def DeleteModelVersionTag(
        self, request: pb.DeleteModelVersionTagRequest, _context: object
    ) -> pb.DeleteModelVersionTagResponse:
        await self._registry.delete_model_version_tag(request.name, request.version, request.key)
        return pb.DeleteModelVersionTagResponse()


def add_to_server(servicer: ModelRegistryServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_ModelRegistryServiceServicer_to_server(servicer, server)
