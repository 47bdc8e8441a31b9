"""Whose a file in the artifact store is: from the proxy's paths and from URIs to an owner and a path in its folder.

<experiment id>/<run id>/artifacts/<path>                   a run's
<experiment id>/models/<model id>/artifacts/<path>          a logged model's
"""

from typing import NamedTuple

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.entities import ARTIFACT_SCHEME, ModelVersion
from trackwire_server.core.errors import FailedPrecondition, NotFound
from trackwire_server.core.model_names import source_of_run
from trackwire_server.mlflow_api.artifact_paths import clean_path
from trackwire_server.mlflow_api.artifact_uris import PROXY_SCHEME, uri_of

_RULE = "paths are <experiment_id>/<run_id>/artifacts/<path> and <experiment_id>/models/<model_id>/artifacts/<path>"


class Place(NamedTuple):
    """A file or folder of a run or a logged model, among the artifacts of its kind; without `path` all that it has."""

    artifacts: Artifacts
    owner_id: str
    path: str


class ArtifactPlaces:
    """Finds what belongs to whom."""

    def __init__(self, of_runs: Artifacts, of_models: Artifacts):
        self._of_runs = of_runs
        self._of_models = of_models

    def of_run(self, run_id: str, path: str) -> Place:
        """What a run has at a path."""
        return Place(self._of_runs, run_id, path)

    def of_model(self, model_id: str, path: str) -> Place:
        """What a logged model has at a path."""
        return Place(self._of_models, model_id, path)

    async def at(self, path: str) -> Place:
        """What lies at a clean path below the store's root. Raises NotFound for what is nobody's."""
        match path.split("/"):
            case [_, "models", model_id, "artifacts", *inside]:
                place = self.of_model(model_id, "/".join(inside))
            case [_, run_id, "artifacts", *inside]:
                place = self.of_run(run_id, "/".join(inside))
            case _:
                raise NotFound("artifact", path, field="path", hint=_RULE)
        try:
            root = uri_of(await place.artifacts.root_uri(place.owner_id))
        except NotFound as error:
            raise NotFound("artifact", path, field="path", hint=error.message) from error
        if f"{PROXY_SCHEME}{path}" != joined(root, place.path):
            raise NotFound("artifact", path, field="path", hint=f"{place.owner_id} keeps its artifacts at {root}")
        return place

    async def of(self, version: ModelVersion) -> Place:
        """The folder that a version of a model came from. Raises FailedPrecondition if the server can't reach it."""
        if found := source_of_run(version.source):
            run_id, path = found
            return self.of_run(run_id, clean_path(path))
        for scheme in (ARTIFACT_SCHEME, PROXY_SCHEME):
            # Behind two slashes stands a host, and it may be another server.
            if version.source.startswith(scheme) and not version.source.startswith(f"{scheme}/"):
                return await self.at(clean_path(version.source.removeprefix(scheme)))
        if version.run_id:
            root = await self._of_runs.root_uri(version.run_id)
            if f"{version.source}/".startswith(f"{root}/"):
                return self.of_run(version.run_id, clean_path(version.source.removeprefix(root).lstrip("/")))
        raise FailedPrecondition(
            f"model version {version.name}/{version.version} comes from {version.source!r}, outside of this server's"
            " artifact store: read it there",
            reason="ARTIFACTS_ELSEWHERE",
            metadata={"source": version.source},
        )


def joined(folder: str, path: str) -> str:
    """A path below a folder, either of which may be empty."""
    return f"{folder}/{path}" if folder and path else folder or path
