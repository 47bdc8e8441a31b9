"""Artifacts: files of runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from trackwire.client.calls import Calls
from trackwire.client.downloads import read_artifact
from trackwire.client.folders import download_artifact, upload_folder
from trackwire.client.sources import BytesSource, FileSource
from trackwire.client.transfers import upload
from trackwire.local_files import LocalPath, as_artifact_path
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    CompleteArtifactUploadRequest,
    CompleteArtifactUploadResponse,
    CreateArtifactDownloadUrlRequest,
    CreateArtifactDownloadUrlResponse,
    CreateArtifactPartUrlRequest,
    CreateArtifactPartUrlResponse,
    CreateArtifactUploadUrlRequest,
    CreateArtifactUploadUrlResponse,
    DeleteArtifactRequest,
    DeleteArtifactResponse,
    DownloadArtifactRequest,
    GetUploadStatusRequest,
    GetUploadStatusResponse,
    ListArtifactsRequest,
    ListArtifactsResponse,
    UploadHeader,
)


class ArtifactMethods(Calls):
    """The client's methods for artifacts. Transfers that a broken connection interrupts go on by themselves."""

    def list_artifacts(self, run_id: str, path: str = "", *, max_results: int | None = None) -> Iterator[Artifact]:
        """The entries right below a folder of a run, by path; none where there is no folder."""
        request = ListArtifactsRequest(run_id=run_id, path=path)
        return self._pages(request, ListArtifactsResponse, lambda page: page.artifacts, max_results=max_results)

    def upload_artifact(
        self, run_id: str, local_path: LocalPath, artifact_path: str | None = None, *, upload_id: str | None = None
    ) -> Artifact:
        """Stores a file at `artifact_path`, by default under its own name; a file that is there is replaced.

        With an `upload_id` (1 to 64 letters, digits, "_", "-") a later call, even by another process, goes on with what
        has arrived.
        """
        source = FileSource(Path(local_path))
        path = artifact_path if artifact_path is not None else as_artifact_path(Path(local_path).name)
        return self._run(upload(self._transport, source, run_id=run_id, path=path, upload_id=upload_id))

    def upload_bytes(self, run_id: str, data: bytes | bytearray | memoryview, artifact_path: str) -> Artifact:
        """Stores bytes as a file at `artifact_path`."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data: must be bytes, not {type(data).__name__}")
        source = BytesSource(memoryview(data).cast("B"))
        return self._run(upload(self._transport, source, run_id=run_id, path=artifact_path))

    def upload_folder(self, run_id: str, local_path: LocalPath, artifact_path: str = "") -> list[Artifact]:
        """Stores all files below a folder, at the same paths below `artifact_path`.

        Links to folders are left out, and so are folders called .trackwire.
        """
        return self._run(upload_folder(self._transport, Path(local_path), run_id=run_id, path=artifact_path))

    def download_artifact(self, run_id: str, path: str, local_path: LocalPath) -> Path:
        """Fetches a file to `local_path`, or into it where that is a folder; or a folder's files to below it.

        A `local_path` that ends in "/" is a folder, made where it is not there. An empty path is the run's root.
        A file is there whole or not at all. Gives the path of the file or folder.
        """
        return self._run(download_artifact(self._transport, path, local_path, run_id=run_id))

    def read_artifact(self, run_id: str, path: str, *, offset: int = 0, length: int = 0) -> bytes:
        """A file's bytes: `length` of them at most, or all that follow `offset` where it is 0."""
        request = DownloadArtifactRequest(run_id=run_id, path=path, offset=offset, length=length)
        return self._run(read_artifact(self._transport, request))

    def delete_artifact(self, run_id: str, path: str) -> None:
        """Deletes a file, or a folder with all in it; NotFoundError if there is neither."""
        return self._send(DeleteArtifactRequest(run_id=run_id, path=path), DeleteArtifactResponse)

    def get_upload_status(self, run_id: str, upload_id: str) -> GetUploadStatusResponse:
        """How much of an upload has arrived: 0 bytes of one that is not known."""
        request = GetUploadStatusRequest(run_id=run_id, upload_id=upload_id)
        return self._call(request, GetUploadStatusResponse, lambda response: response)

    def create_artifact_upload_url(self, run_id: str, path: str) -> CreateArtifactUploadUrlResponse:
        """A URL to PUT a file's bytes to; FailedPreconditionError where the artifact store has none."""
        request = CreateArtifactUploadUrlRequest(run_id=run_id, path=path)
        return self._call(request, CreateArtifactUploadUrlResponse, lambda response: response)

    def create_artifact_part_url(
        self, header: UploadHeader, part_number: int, part_bytes: int, *, crc32: int, parts_id: str = ""
    ) -> CreateArtifactPartUrlResponse:
        """A URL to PUT a part of a file to, as `upload_artifact` does by itself; `header.offset` is where it begins."""
        request = CreateArtifactPartUrlRequest(
            header=header, part_number=part_number, part_bytes=part_bytes, crc32=crc32, parts_id=parts_id
        )
        return self._call(request, CreateArtifactPartUrlResponse, lambda response: response)

    def complete_artifact_upload(
        self, header: UploadHeader, *, parts_id: str, crc32s: Sequence[int], sha256: bytes
    ) -> Artifact:
        """Makes a file of the parts that were PUT, visible at once and whole."""
        request = CompleteArtifactUploadRequest(header=header, parts_id=parts_id, crc32s=crc32s, sha256=sha256)
        return self._call(request, CompleteArtifactUploadResponse, lambda response: response.artifact)

    def create_artifact_download_url(self, run_id: str, path: str) -> CreateArtifactDownloadUrlResponse:
        """A URL to GET a file's bytes from; FailedPreconditionError where the artifact store has none."""
        request = CreateArtifactDownloadUrlRequest(run_id=run_id, path=path)
        return self._call(request, CreateArtifactDownloadUrlResponse, lambda response: response)
