"""Where an artifact lies, as callers say it: by run and path, or by a URI.

runs:/<run_id>/<path>                     models:/<name>/<version, stage or latest>/<path>
trackwire-artifacts:/…, a run's own       models:/<name>@<alias>/<path>
"""

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from trackwire.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.client.model_registry import ModelStageName
    from trackwire.v1.model_registry_pb2 import ModelVersion

_RUNS = re.compile(r"runs:/(?P<run_id>[^/]+)(?P<path>/.*)?")
# What the server says of a run in its own artifact store.
_OWN = re.compile(r"trackwire-artifacts:/[^/]+/(?P<run_id>[^/]+)/artifacts(?P<path>/.*)?")
_MODELS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/]+)|/(?P<version>[^/]+))(?P<path>/.*)?")
_LATEST = "latest"


@dataclass(frozen=True, slots=True)
class ArtifactPlace:
    """A file or a folder of a run. It is called `name` where it is downloaded; "" for all that lies there."""

    run_id: str
    # Relative to the run's root, which is "".
    path: str
    name: str


def place_of(
    client: "Client", *, artifact_uri: str | None, run_id: str | None, artifact_path: str | None
) -> ArtifactPlace:
    """The place that these arguments of MLflow's mean. Raises InvalidArgumentError, NotFoundError for a model."""
    if (artifact_uri is None) == (run_id is None):
        raise InvalidArgumentError("artifact_uri, run_id: give exactly one of them")
    if artifact_uri is None:
        path = _clean("artifact_path", artifact_path or "")
        return ArtifactPlace(cast("str", run_id), path, path)
    if artifact_path is not None:
        raise InvalidArgumentError(f"artifact_path: {artifact_path!r}: goes with run_id, not with artifact_uri")
    return place_of_uri(client, artifact_uri)


def files_of(version: "ModelVersion") -> str:
    """Where a version's files lie; its source may be another version."""
    return version.storage_location or version.source


def place_of_uri(client: "Client", uri: str) -> ArtifactPlace:
    """The place of a URI; of one in the model registry, that of the version's files."""
    place = _of_run(uri)
    if place is not None:
        return place
    version, path = version_and_path(client, uri)
    files = files_of(version)
    root = _of_run(files)
    if root is None:
        raise FailedPreconditionError(
            f"artifact_uri: {uri!r}: its files lie at {files!r}, outside of this server: read them there",
            reason="ARTIFACTS_ELSEWHERE",
        )
    return ArtifactPlace(root.run_id, posixpath.join(root.path, path) if path else root.path, path)


def version_and_path(client: "Client", uri: str) -> "tuple[ModelVersion, str]":
    """The version that a `models:/` URI means, and the path below it. Raises InvalidArgumentError, NotFoundError."""
    found = _MODELS.fullmatch(uri)
    if found is None:
        raise InvalidArgumentError(
            f"artifact_uri: {uri!r}: must be runs:/<run_id>/<path>, models:/<name>/<version or stage>/<path>,"
            " models:/<name>@<alias>/<path> or an artifact_uri of a run on this server",
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


def _of_run(uri: str) -> ArtifactPlace | None:
    found = _RUNS.fullmatch(uri) or _OWN.fullmatch(uri)
    if found is None:
        return None
    path = _clean("artifact_uri", found["path"] or "")
    return ArtifactPlace(found["run_id"], path, posixpath.basename(path))


def _clean(field: str, path: str) -> str:
    """A path as the server wants it. It also becomes one on this machine, where it must stay below a folder."""
    if ".." in path.split("/"):
        raise InvalidArgumentError(f'{field}: {path!r}: must not contain ".."', metadata={"field": field})
    if field == "artifact_path" and path.startswith("/"):
        raise InvalidArgumentError(f"{field}: {path!r}: must be relative to the run's root", metadata={"field": field})
    cleaned = posixpath.normpath(path.strip("/"))
    return "" if cleaned == "." else cleaned
