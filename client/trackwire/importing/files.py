"""Artifacts on their way: read by mlflow's repositories, stored by the server's uploads, several at a time."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from trackwire.client import Client
from trackwire.v1.artifacts_pb2 import Artifact

AT_ONCE = 4


OWN_STORE = "trackwire-artifacts:"


def kept_place(place: str) -> str:
    """A place that something has on the server, as an import says that it keeps it."""
    return "" if place.startswith(OWN_STORE) else place


class Owner(Protocol):
    """Whose files: a run or a logged model, on the server."""

    name: str

    def listed(self, path: str) -> Iterator[Artifact]:
        """The entries right below a folder."""

    def upload(self, local: Path, path: str) -> None:
        """Stores a file."""


class OfRun:
    """The files of a run."""

    def __init__(self, client: Client, run_id: str) -> None:
        self.name = f"run {run_id}"
        self._client, self._run_id = client, run_id

    def listed(self, path: str) -> Iterator[Artifact]:
        """See Owner."""
        return self._client.list_artifacts(self._run_id, path)

    def upload(self, local: Path, path: str) -> None:
        """See Owner."""
        self._client.upload_artifact(self._run_id, local, path)


class OfLoggedModel:
    """The files of a logged model."""

    def __init__(self, client: Client, model_id: str) -> None:
        self.name = f"logged model {model_id}"
        self._client, self._model_id = client, model_id

    def listed(self, path: str) -> Iterator[Artifact]:
        """See Owner."""
        return self._client.list_logged_model_artifacts(self._model_id, path)

    def upload(self, local: Path, path: str) -> None:
        """See Owner."""
        self._client.upload_logged_model_artifact(self._model_id, local, path)


class FileCopier:
    """Copies the files of runs and logged models. A file that is there in the same size is left as it is."""

    def __init__(self, tracking_uri: str) -> None:
        self._tracking_uri = tracking_uri
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="trackwire-import-files")

    def copy(self, artifact_uri: str, owner: Owner, on_file: Callable[[bool], object]) -> "Copied":
        """Copies all files below a URI; `on_file` is told of each whether it was copied now."""
        repository = get_artifact_repository(artifact_uri, self._tracking_uri)
        wanted = sizes_at_source(repository)
        there = sizes_here(owner)
        missing = [path for path, size in wanted.items() if not _is_same(size, there.get(path))]
        for _ in range(len(wanted) - len(missing)):
            on_file(False)
        failures: dict[str, str] = {}
        uploads = {path: self._pool.submit(_copy_one, repository, owner, path) for path in missing}
        try:
            for path, upload in uploads.items():
                error = upload.exception()
                if error is None:
                    on_file(True)
                elif isinstance(error, Exception):
                    failures[path] = str(error).partition("\n")[0]
                else:
                    raise error
        finally:
            for upload in uploads.values():
                upload.cancel()
        return Copied(wanted, failures)

    def close(self) -> None:
        """Waits for what is under way; nothing further is begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Copied:
    """What the source has, by path and size, and which of it could not be copied, and why."""

    def __init__(self, wanted: Mapping[str, int | None], failures: Mapping[str, str]) -> None:
        self.wanted = wanted
        self.failures = failures

    def differences(self, owner: Owner) -> list[str]:
        """What is not on the server as it is at the source."""
        there = sizes_here(owner)
        return [
            f"file {path!r}: {_bytes(size)} at the source, {_bytes(there.get(path))} here"
            for path, size in self.wanted.items()
            if path not in self.failures and not _is_same(size, there.get(path))
        ]


def sizes_at_source(repository: ArtifactRepository) -> dict[str, int | None]:
    """All files of a repository, by path; None where the repository doesn't say how large one is."""
    found: dict[str, int | None] = {}
    folders: list[str | None] = [None]
    while folders:
        for entry in repository.list_artifacts(folders.pop()):
            if entry.is_dir:
                folders.append(entry.path)
            else:
                found[entry.path] = entry.file_size
    return found


def sizes_here(owner: Owner) -> dict[str, int]:
    """All files that the server has of a run or a logged model, by path."""
    found: dict[str, int] = {}
    folders = [""]
    while folders:
        for entry in owner.listed(folders.pop()):
            if entry.is_dir:
                folders.append(entry.path)
            else:
                found[entry.path] = entry.size_bytes
    return found


def _copy_one(repository: ArtifactRepository, owner: Owner, path: str) -> None:
    if isinstance(repository, LocalArtifactRepository):
        owner.upload(Path(repository.get_local_path(path)), path)
        return
    with tempfile.TemporaryDirectory(prefix="trackwire-import-") as folder:
        owner.upload(Path(repository.download_artifacts(path, folder)), path)


def _is_same(size: int | None, here: int | None) -> bool:
    return here is not None and size in (None, here)


def _bytes(size: int | None) -> str:
    return "none" if size is None else f"{size:,} bytes"
