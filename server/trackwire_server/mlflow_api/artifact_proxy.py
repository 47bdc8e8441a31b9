"""MLflow's artifact proxy: files by their path below the store's root, streamed both ways.

PUT, GET, DELETE   …/2.0/mlflow-artifacts/artifacts/<path>
GET                …/2.0/mlflow-artifacts/artifacts?path=<folder>
"""

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import NotFound
from trackwire_server.core.limits import LIMITS
from trackwire_server.mlflow_api.artifact_files import file_response
from trackwire_server.mlflow_api.artifact_paths import clean_file_path, clean_path
from trackwire_server.mlflow_api.artifact_places import ArtifactPlaces, Place
from trackwire_server.mlflow_api.artifacts import to_json
from trackwire_server.mlflow_api.door import EMPTY, PREFIXES, Endpoint, json_response
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, NOT_IMPLEMENTED, MlflowError
from trackwire_server.mlflow_api.reading import read_query

PROXY = "2.0/mlflow-artifacts"
# MLflow's clients go on without when they read these words.
_NO_PARTS = "Multipart upload is not supported for the current artifact repository: PUT the whole file"
_NO_URLS = "Presigned download is not supported for the current artifact repository: GET the file from this server"


class ListFolder(Struct):
    path: str = ""


class ArtifactProxy:
    """The files of all runs that the server keeps itself."""

    def __init__(self, artifacts: Artifacts):
        self._artifacts = artifacts
        self._places = ArtifactPlaces(artifacts)

    def routes(self, log: FilteringBoundLogger) -> Sequence[BaseRoute]:
        answers = (
            ("GET", "artifacts", self.list),
            ("GET", "artifacts/{path:path}", self.download),
            ("PUT", "artifacts/{path:path}", self.upload),
            ("DELETE", "artifacts/{path:path}", self.delete),
            ("POST", "mpu/create/{path:path}", self.upload_in_parts),
            ("POST", "mpu/complete/{path:path}", self.upload_in_parts),
            ("POST", "mpu/abort/{path:path}", self.upload_in_parts),
            ("GET", "presigned/{path:path}", self.presign),
        )
        return tuple(
            Route(f"{prefix}{PROXY}/{path}", Endpoint(answer, log), methods=[method])
            for prefix in PREFIXES
            for method, path, answer in answers
        )

    async def list(self, request: Request) -> Response:
        """All entries of a folder by their bare names: MLflow's clients know no pages here."""
        folder = await self._places.at(clean_path(read_query(request.query_params.multi_items(), ListFolder).path))
        files = [to_json(entry, entry.path.rpartition("/")[2]) for entry in await self._entries(folder)]
        return json_response({"files": files})

    async def download(self, request: Request) -> Response:
        """A file, or a range of it."""
        place = await self._places.at(clean_file_path(_path(request)))
        return await file_response(self._artifacts, place, request)

    async def upload(self, request: Request) -> Response:
        """Stores the request's body; a connection that is cut leaves nothing."""
        place = await self._places.at(clean_file_path(_path(request)))
        if not place.path:
            raise MlflowError(INVALID_PARAMETER_VALUE, "Artifact path must include a filename")
        await self._artifacts.store(place.run_id, place.path, request.stream())
        return json_response(EMPTY)

    async def delete(self, request: Request) -> Response:
        """Deletes a file or a folder with all in it, or all that a run has; what isn't there is deleted already."""
        place = await self._places.at(clean_path(_path(request)))
        paths = [place.path] if place.path else [entry.path for entry in await self._entries(place)]
        for path in paths:
            try:
                await self._artifacts.delete_artifact(place.run_id, path)
            except NotFound as error:
                if error.reason != "ARTIFACT_NOT_FOUND":
                    raise
        return json_response(EMPTY)

    async def upload_in_parts(self, request: Request) -> Response:
        clean_path(_path(request))
        raise MlflowError(NOT_IMPLEMENTED, _NO_PARTS)

    async def presign(self, request: Request) -> Response:
        clean_path(_path(request))
        raise MlflowError(NOT_IMPLEMENTED, _NO_URLS)

    async def _entries(self, folder: Place) -> Sequence[Artifact]:
        found: list[Artifact] = []
        token = ""
        while True:
            page = await self._artifacts.list_artifacts(
                folder.run_id, folder.path, page_size=LIMITS.artifacts_page_size, page_token=token
            )
            found += page.artifacts
            token = page.next_page_token
            if not token:
                return found


def _path(request: Request) -> str:
    return str(request.path_params["path"])
