"""Artifacts over gRPC."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import grpc

from trackwire.v1 import artifacts_pb2 as pb
from trackwire.v1 import artifacts_pb2_grpc as pb_grpc
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.rpc.convert.artifacts import (
    OwnerChoice,
    artifact_to_proto,
    completed_from_proto,
    download_url_to_proto,
    page_to_proto,
    part_request_from_proto,
    part_to_proto,
    part_url_to_proto,
    range_from_proto,
    status_to_proto,
    upload_from_proto,
    upload_url_to_proto,
)


class ArtifactServicer(pb_grpc.ArtifactServiceServicer):
    """ArtifactService, answered by core. Each method is specified in protos/trackwire/v1/artifacts.proto."""

    def __init__(self, of_runs: Artifacts, of_models: Artifacts):
        self._owners = OwnerChoice(of_runs, of_models)

    async def ListArtifacts(  # noqa: N802  # the rpc's name
        self, request: pb.ListArtifactsRequest, _context: object
    ) -> pb.ListArtifactsResponse:
        """Lists a folder."""
        artifacts, owner_id = self._owners.of(request)
        page = await artifacts.list_artifacts(
            owner_id, request.path, page_size=request.page_size, page_token=request.page_token
        )
        return page_to_proto(page)

    async def UploadArtifact(  # noqa: N802  # the rpc's name
        self, requests: AsyncIterator[pb.UploadArtifactRequest], _context: object
    ) -> pb.UploadArtifactResponse:
        """Stores a file."""
        artifacts, header, data = await upload_from_proto(requests, self._owners)
        artifact = await artifacts.upload(header, data)
        return pb.UploadArtifactResponse(artifact=artifact_to_proto(artifact))

    async def GetUploadStatus(  # noqa: N802  # the rpc's name
        self, request: pb.GetUploadStatusRequest, _context: object
    ) -> pb.GetUploadStatusResponse:
        """Says how much of an upload has arrived."""
        artifacts, owner_id = self._owners.of(request)
        return status_to_proto(await artifacts.get_upload_status(owner_id, request.upload_id))

    async def DownloadArtifact(  # noqa: N802  # the rpc's name
        self, request: pb.DownloadArtifactRequest, _context: object
    ) -> AsyncGenerator[pb.DownloadArtifactResponse, None]:
        """Streams a file or a range of it."""
        artifacts, owner_id = self._owners.of(request)
        # Without aclosing, a client that goes away would leave the file open until the garbage collector comes.
        async with aclosing(artifacts.download(owner_id, request.path, range_from_proto(request))) as parts:
            async for part in parts:
                yield part_to_proto(part)

    async def DeleteArtifact(  # noqa: N802  # the rpc's name
        self, request: pb.DeleteArtifactRequest, _context: object
    ) -> pb.DeleteArtifactResponse:
        """Deletes a file or a folder."""
        artifacts, owner_id = self._owners.of(request)
        await artifacts.delete_artifact(owner_id, request.path)
        return pb.DeleteArtifactResponse()

    async def CreateArtifactUploadUrl(  # noqa: N802  # the rpc's name
        self, request: pb.CreateArtifactUploadUrlRequest, _context: object
    ) -> pb.CreateArtifactUploadUrlResponse:
        """Gives a URL to upload to."""
        artifacts, owner_id = self._owners.of(request)
        return upload_url_to_proto(await artifacts.create_upload_url(owner_id, request.path))

    async def CreateArtifactDownloadUrl(  # noqa: N802  # the rpc's name
        self, request: pb.CreateArtifactDownloadUrlRequest, _context: object
    ) -> pb.CreateArtifactDownloadUrlResponse:
        """Gives a URL to download from."""
        artifacts, owner_id = self._owners.of(request)
        return download_url_to_proto(await artifacts.create_download_url(owner_id, request.path))

    async def CreateArtifactPartUrl(  # noqa: N802  # the rpc's name
        self, request: pb.CreateArtifactPartUrlRequest, _context: object
    ) -> pb.CreateArtifactPartUrlResponse:
        """Gives a URL to upload a part to."""
        uploads, header, part = part_request_from_proto(request, self._owners)
        return part_url_to_proto(await uploads.create_url(header, part, request.parts_id))

    async def CompleteArtifactUpload(  # noqa: N802  # the rpc's name
        self, request: pb.CompleteArtifactUploadRequest, _context: object
    ) -> pb.CompleteArtifactUploadResponse:
        """Makes a file of parts."""
        uploads, header = completed_from_proto(request, self._owners)
        artifact = await uploads.complete(header, request.parts_id, request.crc32s, request.sha256)
        return pb.CompleteArtifactUploadResponse(artifact=artifact_to_proto(artifact))


def add_to_server(servicer: ArtifactServicer, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    pb_grpc.add_ArtifactServiceServicer_to_server(servicer, server)
