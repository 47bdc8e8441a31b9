"""Whose files they are: a run's or a logged model's."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from trackwire.client import Client
from trackwire.local_files import LocalPath
from trackwire.v1.artifacts_pb2 import Artifact

_OWN = re.compile(
    r"(?:trackwire-artifacts|mlflow-artifacts):/(?://)?[^/]+/(?P<models>models/)?(?P<owner>[^/]+)/artifacts"
    r"(?:/(?P<path>.*))?"
)


class FileOwner(Protocol):
    """The files of one run or logged model, by path; "" is all of them. The client is each process's own."""

    def entries(self, client: Client, path: str) -> Iterable[Artifact]:
        """The entries right below a folder."""

    def upload(self, client: Client, local_path: LocalPath, path: str) -> None:
        """Stores a file."""

    def download(self, client: Client, path: str, local_path: LocalPath) -> None:
        """Fetches a file."""

    def delete(self, client: Client, path: str) -> None:
        """Deletes a file or a folder."""


@dataclass(frozen=True, slots=True)
class FilesOfRun:
    """Those of a run."""

    run_id: str

    def entries(self, client: Client, path: str) -> Iterable[Artifact]:
        """The entries right below a folder."""
        return client.list_artifacts(self.run_id, path)

    def upload(self, client: Client, local_path: LocalPath, path: str) -> None:
        """Stores a file."""
        client.upload_artifact(self.run_id, local_path, path)

    def download(self, client: Client, path: str, local_path: LocalPath) -> None:
        """Fetches a file."""
        client.download_artifact(self.run_id, path, local_path)

    def delete(self, client: Client, path: str) -> None:
        """Deletes a file or a folder."""
        client.delete_artifact(self.run_id, path)


@dataclass(frozen=True, slots=True)
class FilesOfLoggedModel:
    """Those of a logged model."""

    model_id: str

    def entries(self, client: Client, path: str) -> Iterable[Artifact]:
        """The entries right below a folder."""
        return client.list_logged_model_artifacts(self.model_id, path)

    def upload(self, client: Client, local_path: LocalPath, path: str) -> None:
        """Stores a file."""
        client.upload_logged_model_artifact(self.model_id, local_path, path)

    def download(self, client: Client, path: str, local_path: LocalPath) -> None:
        """Fetches a file."""
        client.download_logged_model_artifact(self.model_id, path, local_path)

    def delete(self, client: Client, path: str) -> None:
        """Deletes a file or a folder."""
        client.delete_logged_model_artifact(self.model_id, path)


def owner_and_path(artifact_uri: str) -> tuple[FileOwner, str] | None:
    """Whose files a URI of the server's own store names, and which of them; None: it is no such URI."""
    found = _OWN.fullmatch(artifact_uri)
    if found is None:
        return None
    owner = FilesOfLoggedModel(found["owner"]) if found["models"] else FilesOfRun(found["owner"])
    return owner, (found["path"] or "").strip("/")
