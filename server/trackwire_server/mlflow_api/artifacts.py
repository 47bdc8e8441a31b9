"""Artifacts of runs and of models' versions by their names: MLflow's rpc that lists, and the paths of its pages."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.mlflow_api.artifact_files import file_response
from trackwire_server.mlflow_api.artifact_paths import clean_file_path, clean_path
from trackwire_server.mlflow_api.artifact_places import ArtifactPlaces, Place, joined
from trackwire_server.mlflow_api.artifact_uris import uri_of
from trackwire_server.mlflow_api.door import EMPTY, Answer, Endpoint, Rpc, json_response
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError, missing
from trackwire_server.mlflow_api.reading import OfRun, read_query

UPLOAD_BYTES_MAX = 10 * 1024 * 1024


class ListArtifacts(OfRun):
    path: str = ""
    page_token: str = ""


class GetArtifact(OfRun):
    path: str = ""


class GetVersionArtifact(Struct):
    name: str = ""
    version: str = ""
    path: str = ""


class UploadArtifact(OfRun):
    path: str = ""


class ArtifactDoor:
    """Artifacts, as MLflow's clients and pages ask for them."""

    def __init__(self, artifacts: Artifacts, models: ModelRegistry):
        self._artifacts = artifacts
        self._models = models
        self._places = ArtifactPlaces(artifacts)

    def rpcs(self) -> Sequence[Rpc]:
        return (Rpc("GET", "2.0/mlflow/artifacts/list", ListArtifacts, self.list),)

    def routes(self, log: FilteringBoundLogger) -> Sequence[BaseRoute]:
        return (
            Route("/get-artifact", Endpoint(self.download, log), methods=["GET"]),
            Route("/model-versions/get-artifact", Endpoint(self.download_of_version, log), methods=["GET"]),
            Route("/ajax-api/2.0/mlflow/upload-artifact", Endpoint(self.upload, log), methods=["POST"]),
        )

    async def list(self, request: ListArtifacts) -> Answer:
        page = await self._artifacts.list_artifacts(
            request.run,
            clean_path(request.path),
            page_size=LIMITS.artifacts_page_size,
            page_token=request.page_token,
        )
        files = [to_json(artifact, artifact.path) for artifact in page.artifacts]
        answer = {"root_uri": uri_of(page.root_uri), "files": files}
        return answer | ({"next_page_token": page.next_page_token} if page.next_page_token else {})

    async def download(self, request: Request) -> Response:
        """A run's file."""
        wanted = read_query(request.query_params.multi_items(), GetArtifact)
        place = Place(wanted.run, clean_file_path(_given("path", wanted.path)))
        return await file_response(self._artifacts, place, request)

    async def download_of_version(self, request: Request) -> Response:
        """A file below the folder that a model's version came from."""
        wanted = read_query(request.query_params.multi_items(), GetVersionArtifact)
        path = clean_file_path(_given("path", wanted.path))
        version = await self._models.get_model_version(
            _given("name", wanted.name), _number("version", _given("version", wanted.version))
        )
        folder = await self._places.of(version)
        return await file_response(self._artifacts, folder._replace(path=joined(folder.path, path)), request)

    async def upload(self, request: Request) -> Response:
        """A small file out of a page."""
        wanted = read_query(request.query_params.multi_items(), UploadArtifact)
        if not (wanted.run_id or wanted.run_uuid):
            raise _refused("Request must specify run_uuid.")
        if not wanted.path:
            raise _refused("Request must specify path.")
        await self._artifacts.store(wanted.run, clean_file_path(wanted.path), _some_bytes(request.stream()))
        return json_response(EMPTY)


def to_json(artifact: Artifact, path: str) -> Answer:
    """An entry of a folder in MLflow's shape, under the path that is asked for; folders have no size."""
    entry = {"path": path, "is_dir": artifact.is_dir}
    return entry if artifact.is_dir else entry | {"file_size": artifact.size_bytes}


async def _some_bytes(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """What a page sends: something, and not too much."""
    size_bytes = 0
    async for part in stream:
        size_bytes += len(part)
        if size_bytes > UPLOAD_BYTES_MAX:
            raise _refused("Artifact size is too large. Max size is 10MB.")
        yield part
    if not size_bytes:
        raise _refused("Request must specify data.")


def _given(parameter: str, value: str) -> str:
    if not value:
        raise missing(parameter)
    return value


def _number(parameter: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise InvalidArgument(parameter, value, "must be a decimal number")
    return int(value)


def _refused(words: str) -> MlflowError:
    return MlflowError(INVALID_PARAMETER_VALUE, words)
