"""Evaluation datasets over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

import asyncio

import grpc

from trackwire.v1 import evaluation_datasets_pb2 as pb
from trackwire.v1 import evaluation_datasets_pb2_grpc as pb_grpc
from trackwire_server.core.evaluation_datasets import EvaluationDatasets
from trackwire_server.rpc.convert.evaluation_datasets import (
    dataset_to_proto,
    draft_from_proto,
    record_to_proto,
    records_from_proto,
    search_from_proto,
)


class EvaluationDatasetServicer(pb_grpc.EvaluationDatasetServiceServicer):
    """EvaluationDatasetService, answered by core."""

    def __init__(self, datasets: EvaluationDatasets):
        self._datasets = datasets

    async def CreateEvaluationDataset(
        self, request: pb.CreateEvaluationDatasetRequest, _context: object
    ) -> pb.CreateEvaluationDatasetResponse:
        dataset = await self._datasets.create(draft_from_proto(request))
        return pb.CreateEvaluationDatasetResponse(dataset=dataset_to_proto(dataset))

    async def GetEvaluationDataset(
        self, request: pb.GetEvaluationDatasetRequest, _context: object
    ) -> pb.GetEvaluationDatasetResponse:
        dataset = await self._datasets.get(request.dataset_id)
        return pb.GetEvaluationDatasetResponse(dataset=dataset_to_proto(dataset))

    async def SearchEvaluationDatasets(
        self, request: pb.SearchEvaluationDatasetsRequest, _context: object
    ) -> pb.SearchEvaluationDatasetsResponse:
        datasets, token = await self._datasets.search(search_from_proto(request))
        return pb.SearchEvaluationDatasetsResponse(datasets=map(dataset_to_proto, datasets), next_page_token=token)

    async def DeleteEvaluationDataset(
        self, request: pb.DeleteEvaluationDatasetRequest, _context: object
    ) -> pb.DeleteEvaluationDatasetResponse:
        await self._datasets.delete(request.dataset_id)
        return pb.DeleteEvaluationDatasetResponse()

    async def SetEvaluationDatasetTags(
        self, request: pb.SetEvaluationDatasetTagsRequest, _context: object
    ) -> pb.SetEvaluationDatasetTagsResponse:
        await self._datasets.set_tags(request.dataset_id, request.tags)
        return pb.SetEvaluationDatasetTagsResponse()

    async def DeleteEvaluationDatasetTag(
        self, request: pb.DeleteEvaluationDatasetTagRequest, _context: object
    ) -> pb.DeleteEvaluationDatasetTagResponse:
        await self._datasets.delete_tag(request.dataset_id, request.key)
        return pb.DeleteEvaluationDatasetTagResponse()

    async def UpsertEvaluationDatasetRecords(
        self, request: pb.UpsertEvaluationDatasetRecordsRequest, _context: object
    ) -> pb.UpsertEvaluationDatasetRecordsResponse:
        drafts = await asyncio.to_thread(records_from_proto, request)
        inserted, updated = await self._datasets.upsert_records(
            request.dataset_id, drafts, updated_by=request.updated_by
        )
        return pb.UpsertEvaluationDatasetRecordsResponse(inserted_count=inserted, updated_count=updated)

    async def ListEvaluationDatasetRecords(
        self, request: pb.ListEvaluationDatasetRecordsRequest, _context: object
    ) -> pb.ListEvaluationDatasetRecordsResponse:
        records, token = await self._datasets.list_records(
            request.dataset_id, page_size=request.page_size, page_token=request.page_token
        )
        return pb.ListEvaluationDatasetRecordsResponse(records=map(record_to_proto, records), next_page_token=token)

    async def DeleteEvaluationDatasetRecords(
        self, request: pb.DeleteEvaluationDatasetRecordsRequest, _context: object
    ) -> pb.DeleteEvaluationDatasetRecordsResponse:
        deleted = await self._datasets.delete_records(request.dataset_id, request.record_ids)
        return pb.DeleteEvaluationDatasetRecordsResponse(deleted_count=deleted)

    async def AddEvaluationDatasetToExperiments(
        self, request: pb.AddEvaluationDatasetToExperimentsRequest, _context: object
    ) -> pb.AddEvaluationDatasetToExperimentsResponse:
        dataset = await self._datasets.add_to_experiments(request.dataset_id, request.experiment_ids)
        return pb.AddEvaluationDatasetToExperimentsResponse(dataset=dataset_to_proto(dataset))

    async def RemoveEvaluationDatasetFromExperiments(
        self, request: pb.RemoveEvaluationDatasetFromExperimentsRequest, _context: object
    ) -> pb.RemoveEvaluationDatasetFromExperimentsResponse:
        dataset = await self._datasets.remove_from_experiments(request.dataset_id, request.experiment_ids)
        return pb.RemoveEvaluationDatasetFromExperimentsResponse(dataset=dataset_to_proto(dataset))


def add_to_server(servicer: EvaluationDatasetServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_EvaluationDatasetServiceServicer_to_server(servicer, server)
