"""The messages of artifacts and core's values, each way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from trackwire.v1 import artifacts_pb2 as pb
from trackwire_server.core.artifacts import ArtifactPage, Artifacts, DownloadUrl, UploadStatus, UploadUrl
from trackwire_server.core.byte_stores import FilePart
from trackwire_server.core.downloads import DownloadPart, DownloadRange
from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.part_uploads import PartUploads, PartUrl
from trackwire_server.core.upload_streams import UploadFinish, UploadHeader


class OfOwner(Protocol):
    """A message that names a run or a logged model."""

    run_id: str
    model_id: str


@dataclass(frozen=True, slots=True)
class OwnerChoice:
    """The artifacts of each kind of owner."""

    of_runs: Artifacts
    of_models: Artifacts

    def of(self, message: OfOwner) -> tuple[Artifacts, str]:
        """Those that a message means, and the owner's id; that of a run where it names none."""
        return (self.of_models, message.model_id) if message.model_id else (self.of_runs, message.run_id)


async def upload_from_proto(
    requests: AsyncIterator[pb.UploadArtifactRequest], owners: OwnerChoice
) -> tuple[Artifacts, UploadHeader, AsyncIterator[bytes | UploadFinish]]:
    """Whose files, the header, and what follows it. Raises InvalidArgument if the first message is not a header."""
    async for request in requests:
        if request.WhichOneof("part") != "header":
            break
        artifacts, _ = owners.of(request.header)
        return artifacts, _header_from_proto(request.header), _parts(requests)
    raise InvalidArgument("header", "", "is required: it is the first message of an upload", reason="REQUIRED")


async def _parts(requests: AsyncIterator[pb.UploadArtifactRequest]) -> AsyncIterator[bytes | UploadFinish]:
    finished = False
    async for request in requests:
        kind = request.WhichOneof("part")
        if finished:
            raise InvalidArgument("part", kind, "nothing may follow the finish")
        match kind:
            case "data":
                yield _data_from_proto(request)
            case "finish":
                finished = True
                yield UploadFinish(request.finish.sha256)
            case _:
                raise InvalidArgument("part", kind, "must be data, or the finish, after the header")


def _data_from_proto(request: pb.UploadArtifactRequest) -> bytes:
    # Each look at the field copies its bytes.
    data = request.data
    if len(data) > LIMITS.artifact_part_bytes:
        raise InvalidArgument(
            "data",
            f"{len(data)} bytes",
            f"at most {LIMITS.artifact_part_bytes:,} bytes are allowed in one message",
            reason="TOO_LONG",
            limit=LIMITS.artifact_part_bytes,
        )
    return data


def _header_from_proto(header: pb.UploadHeader) -> UploadHeader:
    return UploadHeader(
        upload_id=header.upload_id,
        owner_id=header.model_id or header.run_id,
        path=header.path,
        size_bytes=header.size_bytes,
        offset=header.offset,
    )


def range_from_proto(request: pb.DownloadArtifactRequest) -> DownloadRange:
    """Which bytes of a file are wanted."""
    return DownloadRange(request.offset, request.length, request.version)


def part_to_proto(part: DownloadPart) -> pb.DownloadArtifactResponse:
    """Some bytes of a file."""
    return pb.DownloadArtifactResponse(size_bytes=part.size_bytes, data=part.data, version=part.version)


def page_to_proto(page: ArtifactPage) -> pb.ListArtifactsResponse:
    """One page of a folder."""
    return pb.ListArtifactsResponse(
        root_uri=page.root_uri,
        artifacts=[artifact_to_proto(artifact) for artifact in page.artifacts],
        next_page_token=page.next_page_token,
    )


def status_to_proto(status: UploadStatus) -> pb.GetUploadStatusResponse:
    """How much of an upload has arrived."""
    return pb.GetUploadStatusResponse(received_bytes=status.received_bytes, complete=status.complete)


def artifact_to_proto(artifact: Artifact) -> pb.Artifact:
    """A file or a folder."""
    return pb.Artifact(
        path=artifact.path,
        is_dir=artifact.is_dir,
        size_bytes=artifact.size_bytes,
        modification_time_ms=artifact.modification_time_ms,
    )


def upload_url_to_proto(url: UploadUrl) -> pb.CreateArtifactUploadUrlResponse:
    """A URL to PUT to."""
    presigned = url.presigned
    return pb.CreateArtifactUploadUrlResponse(
        url=presigned.url, expiry_time_ms=url.expiry_time_ms, headers=presigned.headers
    )


def download_url_to_proto(url: DownloadUrl) -> pb.CreateArtifactDownloadUrlResponse:
    """A URL to GET from."""
    file = url.file
    return pb.CreateArtifactDownloadUrlResponse(
        url=file.url,
        expiry_time_ms=url.expiry_time_ms,
        version=file.version,
        etag=file.etag,
        size_bytes=file.size_bytes,
    )


def part_request_from_proto(
    request: pb.CreateArtifactPartUrlRequest, owners: OwnerChoice
) -> tuple[PartUploads, UploadHeader, FilePart]:
    """Whose files, of which upload, and which part."""
    artifacts, _ = owners.of(request.header)
    part = FilePart(request.part_number, request.part_bytes, request.crc32)
    return artifacts.in_parts, _header_from_proto(request.header), part


def part_url_to_proto(url: PartUrl) -> pb.CreateArtifactPartUrlResponse:
    """A URL to PUT a part to."""
    presigned = url.presigned
    if presigned is None:
        return pb.CreateArtifactPartUrlResponse(complete=True)
    return pb.CreateArtifactPartUrlResponse(
        url=presigned.url, expiry_time_ms=url.expiry_time_ms, headers=presigned.headers, parts_id=url.parts_id
    )


def completed_from_proto(
    request: pb.CompleteArtifactUploadRequest, owners: OwnerChoice
) -> tuple[PartUploads, UploadHeader]:
    """Whose files, and of which upload."""
    artifacts, _ = owners.of(request.header)
    return artifacts.in_parts, _header_from_proto(request.header)
