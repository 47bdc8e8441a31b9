"""Where an artifact lies, as callers say it: by run and path, or by a URI.

runs:/<run_id>/<path>                              models:/<name>/<version, stage or latest>/<path>
trackwire-artifacts:/…, a run's or a logged        models:/<name>@<alias>/<path>
model's own                                        models:/m-<id>/<path>, a logged model's
"""

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from trackwire.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trackwire.client import Client
    from trackwire.client.model_registry import ModelStageName
    from trackwire.local_files import LocalPath
    from trackwire.v1.artifacts_pb2 import Artifact
    from trackwire.v1.model_registry_pb2 import ModelVersion

_RUNS = re.compile(r"runs:/(?P<run_id>[^/]+)(?P<path>/.*)?")
# What the server says of a run, and of a logged model, in its own artifact store.
_OWN = re.compile(r"trackwire-artifacts:/[^/]+/(?P<run_id>[^/]+)/artifacts(?P<path>/.*)?")
_OWN_OF_MODEL = re.compile(r"trackwire-artifacts:/[^/]+/models/(?P<model_id>[^/]+)/artifacts(?P<path>/.*)?")
_LOGGED_MODEL = re.compile(r"models:/(?P<model_id>m-[0-9a-f]{32})(?P<path>/.*)?")
_MODELS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/]+)|/(?P<version>[^/]+))(?P<path>/.*)?")
_LATEST = "latest"


@dataclass(frozen=True, slots=True)
class ArtifactPlace:
    """A file or a folder of a run or a logged model; `name` is what it is called where it is downloaded, "" for all."""

    # Relative to the root of the run or the model, which is "".
    path: str
    name: str
    run_id: str = ""
    model_id: str = ""

    @property
    def owner(self) -> str:
        """Whose it is, in words."""
        return f"logged model {self.model_id!r}" if self.model_id else f"run {self.run_id!r}"

    def entries(self, client: "Client", folder: str, max_results: int | None = None) -> "Iterator[Artifact]":
        """What lies right below a folder of the same run or model, by path."""
        if self.model_id:
            return client.list_logged_model_artifacts(self.model_id, folder, max_results=max_results)
        return client.list_artifacts(self.run_id, folder, max_results=max_results)

    def read(self, client: "Client") -> bytes:
        """A file's bytes."""
        if self.model_id:
            return client.read_logged_model_artifact(self.model_id, self.path)
        return client.read_artifact(self.run_id, self.path)

    def download(self, client: "Client", local_path: "LocalPath") -> "Path":
        """Fetches it to `local_path`, as `Client.download_artifact` does."""
        if self.model_id:
            return client.download_logged_model_artifact(self.model_id, self.path, local_path)
        return client.download_artifact(self.run_id, self.path, local_path)


def place_of(
    client: "Client", *, artifact_uri: str | None, run_id: str | None, artifact_path: str | None
) -> ArtifactPlace:
    """The place that these arguments of MLflow's mean. Raises InvalidArgumentError, NotFoundError for a model."""
    if (artifact_uri is None) == (run_id is None):
        raise InvalidArgumentError("artifact_uri, run_id: give exactly one of them")
    if artifact_uri is None:
        path = _clean("artifact_path", artifact_path or "")
        return ArtifactPlace(path, path, cast("str", run_id))
    if artifact_path is not None:
        raise InvalidArgumentError(f"artifact_path: {artifact_path!r}: goes with run_id, not with artifact_uri")
    return place_of_uri(client, artifact_uri)


def is_logged_model(uri: str) -> bool:
    """Whether a `models:/` URI is of a logged model, and not of a registered one."""
    return _LOGGED_MODEL.fullmatch(uri) is not None


def files_of(version: "ModelVersion") -> str:
    """Where a version's files lie; its source may be another version."""
    return version.storage_location or version.source


def place_of_uri(client: "Client", uri: str) -> ArtifactPlace:
    """The place of a URI; of one in the model registry, that of the version's files."""
    place = _stored_at(uri)
    if place is not None:
        return place
    version, path = version_and_path(client, uri)
    files = files_of(version)
    root = _stored_at(files)
    if root is None:
        raise FailedPreconditionError(
            f"artifact_uri: {uri!r}: its files lie at {files!r}, outside of this server: read them there",
            reason="ARTIFACTS_ELSEWHERE",
        )
    below = posixpath.join(root.path, path) if path else root.path
    return ArtifactPlace(below, path, root.run_id, root.model_id)


def version_and_path(client: "Client", uri: str) -> "tuple[ModelVersion, str]":
    """The version that a `models:/` URI means, and the path below it. Raises InvalidArgumentError, NotFoundError."""
    found = _MODELS.fullmatch(uri)
    if found is None:
        raise InvalidArgumentError(
            f"artifact_uri: {uri!r}: must be runs:/<run_id>/<path>, models:/<name>/<version or stage>/<path>,"
            " models:/<name>@<alias>/<path>, models:/m-<id>/<path> or an artifact_uri of a run on this server",
            metadata={"field": "artifact_uri", "value": uri},
        )
    path = _clean("artifact_uri", found["path"] or "")
    return _version(client, found["name"], found["version"] or "", found["alias"] or ""), path


def _version(client: "Client", name: str, version: str, alias: str) -> "ModelVersion":
    if alias or version.lower() == _LATEST:
        return client.get_model_version_by_alias(name, alias or _LATEST)
    if version.isdecimal():
        return client.get_model_version(name, int(version))
    # Any other word is a stage, and the client names those that there are.
    latest = client.get_latest_versions(name, [cast("ModelStageName", version)])
    if not latest:
        raise NotFoundError(f"no version of the model {name!r} is in the stage {version!r}")
    return latest[0]


def _stored_at(uri: str) -> ArtifactPlace | None:
    """The run's or logged model's files that a URI names itself; None for any other."""
    found = next(filter(None, (each.fullmatch(uri) for each in (_RUNS, _OWN_OF_MODEL, _OWN, _LOGGED_MODEL))), None)
    if found is None:
        return None
    named = found.groupdict()
    path = _clean("artifact_uri", named["path"] or "")
    return ArtifactPlace(path, posixpath.basename(path), named.get("run_id", ""), named.get("model_id", ""))


def _clean(field: str, path: str) -> str:
    """A path as the server wants it. It also becomes one on this machine, where it must stay below a folder."""
    if ".." in path.split("/"):
        raise InvalidArgumentError(f'{field}: {path!r}: must not contain ".."', metadata={"field": field})
    if field == "artifact_path" and path.startswith("/"):
        raise InvalidArgumentError(f"{field}: {path!r}: must be relative to the run's root", metadata={"field": field})
    cleaned = posixpath.normpath(path.strip("/"))
    return "" if cleaned == "." else cleaned
