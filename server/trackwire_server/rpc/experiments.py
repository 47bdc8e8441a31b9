"""Experiments over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

from trackwire.v1 import experiments_pb2 as pb
from trackwire.v1 import experiments_pb2_grpc as pb_grpc
from trackwire_server.core.experiments import Experiments
from trackwire_server.rpc.convert.experiments import experiment_to_proto, reference_from_proto, search_from_proto


class ExperimentServicer(pb_grpc.ExperimentServiceServicer):
    """ExperimentService, answered by core's Experiments."""

    def __init__(self, experiments: Experiments):
        self._experiments = experiments

    async def CreateExperiment(
        self, request: pb.CreateExperimentRequest, _context: object
    ) -> pb.CreateExperimentResponse:
        experiment = await self._experiments.create(
            request.name, artifact_location=request.artifact_location, tags=dict(request.tags)
        )
        return pb.CreateExperimentResponse(experiment=experiment_to_proto(experiment))

    async def GetExperiment(self, request: pb.GetExperimentRequest, _context: object) -> pb.GetExperimentResponse:
        experiment = await self._experiments.find(reference_from_proto(request))
        return pb.GetExperimentResponse(experiment=experiment_to_proto(experiment))

    async def SearchExperiments(
        self, request: pb.SearchExperimentsRequest, _context: object
    ) -> pb.SearchExperimentsResponse:
        found, token = await self._experiments.search(search_from_proto(request))
        return pb.SearchExperimentsResponse(experiments=map(experiment_to_proto, found), next_page_token=token)

    async def UpdateExperiment(
        self, request: pb.UpdateExperimentRequest, _context: object
    ) -> pb.UpdateExperimentResponse:
        name = request.name if request.HasField("name") else None
        experiment = await self._experiments.update(request.experiment_id, name=name)
        return pb.UpdateExperimentResponse(experiment=experiment_to_proto(experiment))

    async def SetExperimentTags(
        self, request: pb.SetExperimentTagsRequest, _context: object
    ) -> pb.SetExperimentTagsResponse:
        await self._experiments.set_tags(request.experiment_id, dict(request.tags))
        return pb.SetExperimentTagsResponse()

    async def DeleteExperimentTag(
        self, request: pb.DeleteExperimentTagRequest, _context: object
    ) -> pb.DeleteExperimentTagResponse:
        await self._experiments.delete_tag(request.experiment_id, request.key)
        return pb.DeleteExperimentTagResponse()

    async def DeleteExperiment(
        self, request: pb.DeleteExperimentRequest, _context: object
    ) -> pb.DeleteExperimentResponse:
        await self._experiments.delete(request.experiment_id)
        return pb.DeleteExperimentResponse()

    async def RestoreExperiment(
        self, request: pb.RestoreExperimentRequest, _context: object
    ) -> pb.RestoreExperimentResponse:
        await self._experiments.restore(request.experiment_id)
        return pb.RestoreExperimentResponse()
