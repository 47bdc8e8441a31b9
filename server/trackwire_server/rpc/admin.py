"""Administration over gRPC."""

import grpc

from trackwire.v1 import admin_pb2 as pb
from trackwire.v1 import admin_pb2_grpc as pb_grpc
from trackwire_server.core.admin import Admin
from trackwire_server.rpc.convert.admin import garbage_request_from_proto, garbage_to_proto, info_to_proto


class AdminServicer(pb_grpc.AdminServiceServicer):
    """AdminService, answered by core."""

    def __init__(self, admin: Admin):
        self._admin = admin

    async def GetServerInfo(  # noqa: N802  # the rpc's name
        self, _request: pb.GetServerInfoRequest, _context: object
    ) -> pb.GetServerInfoResponse:
        """See AdminService.GetServerInfo in protos/trackwire/v1/admin.proto."""
        return info_to_proto(await self._admin.server_info())

    async def CollectGarbage(  # noqa: N802  # the rpc's name
        self, request: pb.CollectGarbageRequest, _context: object
    ) -> pb.CollectGarbageResponse:
        """See AdminService.CollectGarbage in protos/trackwire/v1/admin.proto."""
        return garbage_to_proto(await self._admin.collect_garbage(garbage_request_from_proto(request)))


def add_to_server(servicer: AdminServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_AdminServiceServicer_to_server(servicer, server)
