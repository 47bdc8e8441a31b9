"""What is taken over over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

import grpc

from trackwire.v1 import imports_pb2 as pb
from trackwire.v1 import imports_pb2_grpc as pb_grpc
from trackwire_server.core.evaluation_imports import EvaluationImports
from trackwire_server.core.imports import Imports
from trackwire_server.rpc.convert import logged_models, model_registry
from trackwire_server.rpc.convert.evaluation_datasets import dataset_to_proto
from trackwire_server.rpc.convert.experiments import experiment_to_proto
from trackwire_server.rpc.convert.imports import (
    evaluation_dataset_from_proto,
    evaluation_records_from_proto,
    experiment_from_proto,
    issue_from_proto,
    logged_model_from_proto,
    registered_model_from_proto,
    run_from_proto,
    version_from_proto,
)
from trackwire_server.rpc.convert.issues import issue_to_proto
from trackwire_server.rpc.convert.runs import RunMessages


class ImportServicer(pb_grpc.ImportServiceServicer):
    """ImportService, answered by core."""

    def __init__(self, imports: Imports, evaluations: EvaluationImports):
        self._imports = imports
        self._evaluations = evaluations
        self._messages = RunMessages()

    async def ImportExperiment(
        self, request: pb.ImportExperimentRequest, _context: object
    ) -> pb.ImportExperimentResponse:
        taken = await self._imports.import_experiment(experiment_from_proto(request.experiment))
        return pb.ImportExperimentResponse(experiment=experiment_to_proto(taken))

    async def ImportRun(self, request: pb.ImportRunRequest, _context: object) -> pb.ImportRunResponse:
        taken = await self._imports.import_run(run_from_proto(request.run))
        return pb.ImportRunResponse(run=self._messages.make(taken))

    async def ImportLoggedModel(
        self, request: pb.ImportLoggedModelRequest, _context: object
    ) -> pb.ImportLoggedModelResponse:
        taken = await self._imports.import_logged_model(logged_model_from_proto(request.logged_model))
        return pb.ImportLoggedModelResponse(logged_model=logged_models.model_to_proto(taken))

    async def ImportRegisteredModel(
        self, request: pb.ImportRegisteredModelRequest, _context: object
    ) -> pb.ImportRegisteredModelResponse:
        taken = await self._imports.import_registered_model(registered_model_from_proto(request.registered_model))
        return pb.ImportRegisteredModelResponse(registered_model=model_registry.model_to_proto(taken))

    async def ImportModelVersion(
        self, request: pb.ImportModelVersionRequest, _context: object
    ) -> pb.ImportModelVersionResponse:
        taken = await self._imports.import_model_version(version_from_proto(request.model_version))
        return pb.ImportModelVersionResponse(model_version=model_registry.version_to_proto(taken))

    async def ImportIssue(self, request: pb.ImportIssueRequest, _context: object) -> pb.ImportIssueResponse:
        taken = await self._imports.import_issue(issue_from_proto(request.issue))
        return pb.ImportIssueResponse(issue=issue_to_proto(taken))

    async def ImportEvaluationDataset(
        self, request: pb.ImportEvaluationDatasetRequest, _context: object
    ) -> pb.ImportEvaluationDatasetResponse:
        taken = await self._evaluations.import_dataset(evaluation_dataset_from_proto(request.dataset))
        return pb.ImportEvaluationDatasetResponse(dataset=dataset_to_proto(taken))

    async def ImportEvaluationDatasetRecords(
        self, request: pb.ImportEvaluationDatasetRecordsRequest, _context: object
    ) -> pb.ImportEvaluationDatasetRecordsResponse:
        records = evaluation_records_from_proto(request.records)
        changed = await self._evaluations.import_records(request.dataset_id, records)
        return pb.ImportEvaluationDatasetRecordsResponse(dataset=dataset_to_proto(changed))


def add_to_server(servicer: ImportServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_ImportServiceServicer_to_server(servicer, server)
