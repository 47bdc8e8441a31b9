"""Issues over gRPC: convert in, ask core, convert out. What each rpc promises stands in its proto."""

# ruff: noqa: N802  # an rpc has the name that its proto gives it

import grpc

from trackwire.v1 import issues_pb2 as pb
from trackwire.v1 import issues_pb2_grpc as pb_grpc
from trackwire_server.core.issues import Issues
from trackwire_server.rpc.convert.issues import (
    change_from_proto,
    draft_from_proto,
    issue_to_proto,
    page_to_proto,
    search_from_proto,
)


class IssueServicer(pb_grpc.IssueServiceServicer):
    """IssueService, answered by core."""

    def __init__(self, issues: Issues):
        self._issues = issues

    async def CreateIssue(self, request: pb.CreateIssueRequest, _context: object) -> pb.CreateIssueResponse:
        issue = await self._issues.create(draft_from_proto(request))
        return pb.CreateIssueResponse(issue=issue_to_proto(issue))

    async def GetIssue(self, request: pb.GetIssueRequest, _context: object) -> pb.GetIssueResponse:
        issue = await self._issues.get(request.issue_id)
        return pb.GetIssueResponse(issue=issue_to_proto(issue))

    async def UpdateIssue(self, request: pb.UpdateIssueRequest, _context: object) -> pb.UpdateIssueResponse:
        issue = await self._issues.update(request.issue_id, change_from_proto(request))
        return pb.UpdateIssueResponse(issue=issue_to_proto(issue))

    async def SearchIssues(self, request: pb.SearchIssuesRequest, _context: object) -> pb.SearchIssuesResponse:
        page = await self._issues.search(search_from_proto(request), count=request.include_total_count)
        return page_to_proto(page)


def add_to_server(servicer: IssueServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_IssueServiceServicer_to_server(servicer, server)
