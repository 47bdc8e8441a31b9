"""The files of a run or a logged model, or of a folder of it, in a Trackwire server's own artifact store."""

import os
import posixpath
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository, verify_artifact_path

from trackwire.errors import InvalidArgumentError
from trackwire.local_files import LocalPath, as_artifact_path, files_below
from trackwire.mlflow_plugin.asking import Asking
from trackwire.mlflow_plugin.connections import is_ours
from trackwire.mlflow_plugin.entities import file_info_of
from trackwire.mlflow_plugin.errors import mlflow_error, raises_mlflow_errors
from trackwire.mlflow_plugin.file_owners import owner_and_path


@raises_mlflow_errors
class TrackwireArtifactRepository(Asking, ArtifactRepository):
    """Paths are relative to the URI. Safe to use from many threads, and in forked children."""

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._pool_process = 0
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        found = owner_and_path(artifact_uri)
        if found is None:
            raise mlflow_error(
                InvalidArgumentError(
                    f"artifact_uri: {artifact_uri!r}: must be trackwire-artifacts:/<experiment>/<run>/artifacts/<path>"
                    " or trackwire-artifacts:/<experiment>/models/<logged model>/artifacts/<path>"
                )
            )
        self._uri = _server_uri(artifact_uri, tracking_uri, registry_uri)
        self._owner, self._root = found

    # mlflow makes one when the repository is made and keeps it: the threads of the parent's are not in a forked child.
    @property
    def thread_pool(self) -> ThreadPoolExecutor:
        """What uploads and downloads files side by side."""
        if self._pool is None or self._pool_process != os.getpid():
            self._pool = self._create_thread_pool()
            self._pool_process = os.getpid()
        return self._pool

    @thread_pool.setter
    def thread_pool(self, pool: ThreadPoolExecutor) -> None:
        self._pool, self._pool_process = pool, os.getpid()

    def log_artifact(self, local_file: LocalPath, artifact_path: str | None = None) -> None:
        """Stores a file under its own name, in the folder `artifact_path`."""
        verify_artifact_path(artifact_path)
        name = as_artifact_path(Path(local_file).name)
        self._owner.upload(self._client, local_file, self._below(posixpath.join(artifact_path or "", name)))

    def log_artifacts(self, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        """Stores all files below a folder at the same paths below `artifact_path`, several at a time."""
        verify_artifact_path(artifact_path)
        folder = Path(local_dir)
        uploads = [self.thread_pool.submit(self._upload, file, folder, artifact_path) for file in files_below(folder)]
        try:
            for upload in uploads:
                upload.result()
        finally:
            for upload in uploads:
                upload.cancel()
            wait(uploads)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """The entries right below a folder, by path; none where there is no folder."""
        listed = self._owner.entries(self._client, self._below(path))
        return [file_info_of(entry, posixpath.relpath(entry.path, self._root or ".")) for entry in listed]

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Deletes a file, or a folder with all in it; without a path, all that lies here."""
        path = self._below(artifact_path)
        paths = [path] if path else [entry.path for entry in self._owner.entries(self._client, "")]
        for each in paths:
            self._owner.delete(self._client, each)

    def _download_file(self, remote_file_path: str, local_path: LocalPath) -> None:
        self._owner.download(self._client, self._below(remote_file_path), local_path)

    def _upload(self, file: Path, folder: Path, artifact_path: str | None) -> None:
        path = posixpath.join(artifact_path or "", as_artifact_path(file.relative_to(folder).as_posix()))
        self._owner.upload(self._client, file, self._below(path))

    def _below(self, path: str | None) -> str:
        """A path from the owner's root; "" for all of it."""
        if ".." in (path or "").split("/") or (path or "").startswith("/"):
            raise InvalidArgumentError(f'path: {path!r}: must be relative, without ".."', metadata={"field": "path"})
        joined = posixpath.normpath(posixpath.join(self._root, path or ""))
        return "" if joined == "." else joined


def _server_uri(artifact_uri: str, tracking_uri: str | None, registry_uri: str | None) -> str:
    # Later than at import: mlflow loads its plugins in the middle of this module of its own.
    from mlflow.tracking import get_registry_uri, get_tracking_uri

    for uri in (tracking_uri, registry_uri):
        if uri is not None and is_ours(uri):
            return uri
    for ask in (get_tracking_uri, get_registry_uri):
        uri = ask()
        if is_ours(uri):
            return uri
    raise mlflow_error(
        InvalidArgumentError(
            f"artifact_uri: {artifact_uri!r}: lies in a Trackwire server: the tracking URI must say where that is,"
            f" as grpc://HOST:PORT, and is {tracking_uri or get_tracking_uri()!r}"
        )
    )
