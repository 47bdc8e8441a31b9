"""Runs over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

from trackwire.v1 import runs_pb2 as pb
from trackwire.v1 import runs_pb2_grpc as pb_grpc
from trackwire_server.core.runs import Runs
from trackwire_server.rpc.convert.run_inputs import inputs_from_proto, outputs_from_proto, summary_to_proto
from trackwire_server.rpc.convert.run_keys import key_to_proto, kinds_from_proto
from trackwire_server.rpc.convert.runs import (
    RunMessages,
    draft_from_proto,
    run_selection_from_proto,
    search_from_proto,
    stamp_of,
    status_from_proto,
)
from trackwire_server.rpc.convert.shared import view_from_proto


class RunServicer(pb_grpc.RunServiceServicer):
    """RunService, answered by core's Runs."""

    def __init__(self, runs: Runs):
        self._runs = runs
        self._messages = RunMessages()

    async def CreateRun(self, request: pb.CreateRunRequest, _context: object) -> pb.CreateRunResponse:
        run, created = await self._runs.create(draft_from_proto(request))
        return pb.CreateRunResponse(run=self._messages.make(run), created=created)

    async def GetRun(self, request: pb.GetRunRequest, _context: object) -> pb.GetRunResponse:
        run = await self._runs.get(request.run_id)
        return pb.GetRunResponse(run=self._messages.make(run))

    async def UpdateRun(self, request: pb.UpdateRunRequest, _context: object) -> pb.UpdateRunResponse:
        run = await self._runs.update(
            request.run_id,
            status=status_from_proto(request.status),
            end_time_ms=request.end_time_ms if request.HasField("end_time_ms") else None,
            run_name=request.run_name if request.HasField("run_name") else None,
            stamp=stamp_of(request),
        )
        return pb.UpdateRunResponse(run=self._messages.make(run))

    async def DeleteRun(self, request: pb.DeleteRunRequest, _context: object) -> pb.DeleteRunResponse:
        await self._runs.delete(request.run_id)
        return pb.DeleteRunResponse()

    async def RestoreRun(self, request: pb.RestoreRunRequest, _context: object) -> pb.RestoreRunResponse:
        await self._runs.restore(request.run_id)
        return pb.RestoreRunResponse()

    async def SearchRuns(self, request: pb.SearchRunsRequest, _context: object) -> pb.SearchRunsResponse:
        found, token = await self._runs.search(search_from_proto(request), run_selection_from_proto(request))
        response = pb.SearchRunsResponse(next_page_token=token)
        for run in found:
            self._messages.fill(response.runs.add(), run)
        return response

    async def LogParams(self, request: pb.LogParamsRequest, _context: object) -> pb.LogParamsResponse:
        await self._runs.log_params(request.run_id, dict(request.params), stamp_of(request))
        return pb.LogParamsResponse()

    async def SetRunTags(self, request: pb.SetRunTagsRequest, _context: object) -> pb.SetRunTagsResponse:
        await self._runs.set_tags(request.run_id, dict(request.tags), stamp_of(request))
        return pb.SetRunTagsResponse()

    async def DeleteRunTag(self, request: pb.DeleteRunTagRequest, _context: object) -> pb.DeleteRunTagResponse:
        await self._runs.delete_tag(request.run_id, request.key, stamp_of(request))
        return pb.DeleteRunTagResponse()

    async def LogRunInputs(self, request: pb.LogRunInputsRequest, _context: object) -> pb.LogRunInputsResponse:
        await self._runs.log_inputs(request.run_id, inputs_from_proto(request), stamp_of(request))
        return pb.LogRunInputsResponse()

    async def LogRunOutputs(self, request: pb.LogRunOutputsRequest, _context: object) -> pb.LogRunOutputsResponse:
        await self._runs.log_outputs(request.run_id, outputs_from_proto(request), stamp_of(request))
        return pb.LogRunOutputsResponse()

    async def SearchRunDatasets(
        self, request: pb.SearchRunDatasetsRequest, _context: object
    ) -> pb.SearchRunDatasetsResponse:
        found, token = await self._runs.search_datasets(
            request.experiment_ids, page_size=request.page_size, page_token=request.page_token
        )
        return pb.SearchRunDatasetsResponse(datasets=map(summary_to_proto, found), next_page_token=token)

    async def ListRunKeys(self, request: pb.ListRunKeysRequest, _context: object) -> pb.ListRunKeysResponse:
        found, token = await self._runs.list_keys(
            request.experiment_ids,
            kinds_from_proto(request.kinds),
            view=view_from_proto(request.view_type),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListRunKeysResponse(keys=map(key_to_proto, found), next_page_token=token)

    async def HeartbeatRun(self, request: pb.HeartbeatRunRequest, _context: object) -> pb.HeartbeatRunResponse:
        answer = await self._runs.heartbeat(request.run_id)
        return pb.HeartbeatRunResponse(stop_requested=answer.stop_requested, server_time_ms=answer.server_time_ms)

    async def RequestRunStop(self, request: pb.RequestRunStopRequest, _context: object) -> pb.RequestRunStopResponse:
        await self._runs.request_stop(request.run_id)
        return pb.RequestRunStopResponse()
