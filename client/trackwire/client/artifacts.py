"""Artifacts: files of runs."""

import io
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from trackwire.client.calls import Calls
from trackwire.client.transfers import BytesSource, FileSource, Source, download, upload
from trackwire.errors import DataLossError, NotFoundError
from trackwire.local_files import LocalPath, as_artifact_path, files_below
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    CreateArtifactDownloadUrlRequest,
    CreateArtifactDownloadUrlResponse,
    CreateArtifactUploadUrlRequest,
    CreateArtifactUploadUrlResponse,
    DeleteArtifactRequest,
    DeleteArtifactResponse,
    DownloadArtifactRequest,
    GetUploadStatusRequest,
    GetUploadStatusResponse,
    ListArtifactsRequest,
    ListArtifactsResponse,
)


class ArtifactMethods(Calls):
    """The client's methods for artifacts. Transfers that a broken connection interrupts go on by themselves."""

    @staticmethod
    def _sleep(seconds: float) -> None:
        time.sleep(seconds)

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
        return self._upload(source, run_id, path, upload_id)

    def upload_bytes(self, run_id: str, data: bytes | bytearray | memoryview, artifact_path: str) -> Artifact:
        """Stores bytes as a file at `artifact_path`."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data: must be bytes, not {type(data).__name__}")
        return self._upload(BytesSource(memoryview(data).cast("B")), run_id, artifact_path, None)

    def upload_folder(self, run_id: str, local_path: LocalPath, artifact_path: str = "") -> list[Artifact]:
        """Stores all files below a folder, at the same paths below `artifact_path`. Links to folders are left out."""
        folder = Path(local_path)
        prefix = f"{artifact_path}/" if artifact_path else ""
        return [
            self.upload_artifact(run_id, file, prefix + as_artifact_path(file.relative_to(folder).as_posix()))
            for file in files_below(folder)
        ]

    def download_artifact(self, run_id: str, path: str, local_path: LocalPath) -> Path:
        """Fetches a file to `local_path`, or into it where that is a folder; or a folder's files to below it.

        An empty path is the run's root. A file is there whole or not at all. Gives the path of the file or folder.
        """
        target = Path(local_path)
        if path:
            file = target / path.rpartition("/")[2] if target.is_dir() else target
            try:
                return self._download_file(run_id, path, file)
            except NotFoundError:
                # A folder perhaps: those are not there for a download.
                if not any(self.list_artifacts(run_id, path, max_results=1)):
                    raise
        self._download_folder(run_id, path, target)
        return target

    def read_artifact(self, run_id: str, path: str, *, offset: int = 0, length: int = 0) -> bytes:
        """A file's bytes: `length` of them at most, or all that follow `offset` where it is 0."""
        sink = io.BytesIO()
        request = DownloadArtifactRequest(run_id=run_id, path=path, offset=offset, length=length)
        download(self._connection, request, sink, sleep=self._sleep)
        return sink.getvalue()

    def delete_artifact(self, run_id: str, path: str) -> None:
        """Deletes a file, or a folder with all in it; NotFoundError if there is neither."""
        self._send(DeleteArtifactRequest(run_id=run_id, path=path), DeleteArtifactResponse)

    def get_upload_status(self, run_id: str, upload_id: str) -> GetUploadStatusResponse:
        """How much of an upload has arrived: 0 bytes of one that is not known."""
        request = GetUploadStatusRequest(run_id=run_id, upload_id=upload_id)
        return self._call(request, GetUploadStatusResponse, lambda response: response)

    def create_artifact_upload_url(self, run_id: str, path: str) -> CreateArtifactUploadUrlResponse:
        """A URL to PUT a file's bytes to; FailedPreconditionError where the artifact store has none."""
        request = CreateArtifactUploadUrlRequest(run_id=run_id, path=path)
        return self._call(request, CreateArtifactUploadUrlResponse, lambda response: response)

    def create_artifact_download_url(self, run_id: str, path: str) -> CreateArtifactDownloadUrlResponse:
        """A URL to GET a file's bytes from; FailedPreconditionError where the artifact store has none."""
        request = CreateArtifactDownloadUrlRequest(run_id=run_id, path=path)
        return self._call(request, CreateArtifactDownloadUrlResponse, lambda response: response)

    def _upload(self, source: Source, run_id: str, path: str, upload_id: str | None) -> Artifact:
        return upload(self._connection, source, run_id=run_id, path=path, upload_id=upload_id, sleep=self._sleep)

    def _download_file(self, run_id: str, path: str, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with partial.open("wb") as sink:
                download(self._connection, DownloadArtifactRequest(run_id=run_id, path=path), sink, sleep=self._sleep)
            return partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def _download_folder(self, run_id: str, path: str, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        for entry in self.list_artifacts(run_id, path):
            below = target / _name_below(path, entry.path)
            if entry.is_dir:
                self._download_folder(run_id, entry.path, below)
            else:
                self._download_file(run_id, entry.path, below)


def _name_below(folder: str, path: str) -> str:
    """The last part of a listed path. A server is not trusted with where files are written."""
    parent, _, name = path.rpartition("/")
    if parent != folder or name in ("", ".", "..") or Path(name).name != name:
        raise DataLossError(f"the server lists {path!r} in the folder {folder!r}, where it can't lie")
    return name
