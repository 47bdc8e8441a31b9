"""MLflow's model versions. Their numbers are text on the wire."""

import re
from collections.abc import Sequence

from msgspec import Struct

from trackwire_server.core.entities import ModelVersion, NewModelVersion
from trackwire_server.core.errors import InvalidArgument, shown
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_names import VERSION_MAX, stage_named
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api.artifact_uris import location_of, uri_of
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, to_entries
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError, missing
from trackwire_server.mlflow_api.reading import Int64
from trackwire_server.mlflow_api.searches import check_max_results

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


class CreateModelVersion(Struct):
    name: str = ""
    source: str = ""
    run_id: str = ""
    tags: list[Entry] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class OfVersion(Struct, kw_only=True):
    """A request about a version of a registered model."""

    name: str = ""
    version: str | int = ""

    @property
    def number(self) -> int:
        """The version's number. Raises MlflowError, InvalidArgument."""
        return version_number(self.version)


class GetLatestVersions(Struct):
    name: str = ""
    stages: list[str] = []


class SearchModelVersions(Struct):
    filter: str = ""
    max_results: Int64 = LIMITS.versions_page_size
    order_by: list[str] = []
    page_token: str = ""


class UpdateModelVersion(OfVersion):
    description: str | None = None


class TransitionStage(OfVersion):
    stage: str
    archive_existing_versions: bool


class SetModelVersionTag(OfVersion):
    key: str
    value: str


class DeleteModelVersionTag(OfVersion):
    key: str


class ModelVersionDoor:
    """Model versions, as MLflow's clients ask for them."""

    def __init__(self, registry: ModelRegistry):
        self._registry = registry

    def rpcs(self) -> Sequence[Rpc]:
        models, at = "2.0/mlflow/registered-models", "2.0/mlflow/model-versions"
        return (
            Rpc("POST", f"{models}/get-latest-versions", GetLatestVersions, self.get_latest),
            Rpc("GET", f"{models}/get-latest-versions", GetLatestVersions, self.get_latest),
            Rpc("POST", f"{at}/create", CreateModelVersion, self.create),
            Rpc("GET", f"{at}/get", OfVersion, self.get),
            Rpc("GET", f"{at}/get-download-uri", OfVersion, self.get_download_uri),
            Rpc("GET", f"{at}/search", SearchModelVersions, self.search),
            Rpc("PATCH", f"{at}/update", UpdateModelVersion, self.update),
            Rpc("POST", f"{at}/transition-stage", TransitionStage, self.transition_stage),
            Rpc("DELETE", f"{at}/delete", OfVersion, self.delete),
            Rpc("POST", f"{at}/set-tag", SetModelVersionTag, self.set_tag),
            Rpc("DELETE", f"{at}/delete-tag", DeleteModelVersionTag, self.delete_tag),
        )

    async def create(self, request: CreateModelVersion) -> Answer:
        new = NewModelVersion(
            name=request.name,
            source=location_of(request.source),
            creation_time_ms=0,
            run_id=request.run_id,
            run_link=request.run_link,
            description=request.description,
            tags=from_entries(request.tags),
            model_id=request.model_id,
        )
        return {"model_version": to_json(await self._registry.create_model_version(new, as_mlflow=True))}

    async def get(self, request: OfVersion) -> Answer:
        return {"model_version": to_json(await self._registry.get_model_version(request.name, request.number))}

    async def get_download_uri(self, request: OfVersion) -> Answer:
        version = await self._registry.get_model_version(request.name, request.number)
        return {"artifact_uri": uri_of(version.files)}

    async def get_latest(self, request: GetLatestVersions) -> Answer:
        stages = [stage_named(f"stages[{at}]", stage) for at, stage in enumerate(request.stages)]
        found = await self._registry.get_latest_model_versions(request.name, stages)
        return {"model_versions": [to_json(version) for version in found]}

    async def search(self, request: SearchModelVersions) -> Answer:
        search = SearchRequest(
            filter=request.filter,
            order_by=request.order_by,
            page_size=check_max_results(request.max_results, LIMITS.versions_page_size),
            page_token=request.page_token,
            tags_required=True,
        )
        found, token = await self._registry.search_model_versions(search)
        return {"model_versions": [to_json(each) for each in found]} | ({"next_page_token": token} if token else {})

    async def update(self, request: UpdateModelVersion) -> Answer:
        version = await self._registry.update_model_version(
            request.name, request.number, description=request.description
        )
        return {"model_version": to_json(version)}

    async def transition_stage(self, request: TransitionStage) -> Answer:
        version = await self._registry.transition_model_version_stage(
            request.name,
            request.number,
            stage_named("stage", request.stage),
            archive_existing_versions=request.archive_existing_versions,
        )
        return {"model_version": to_json(version)}

    async def delete(self, request: OfVersion) -> Answer:
        await self._registry.delete_model_version(request.name, request.number)
        return EMPTY

    async def set_tag(self, request: SetModelVersionTag) -> Answer:
        await self._registry.set_model_version_tags(request.name, request.number, {request.key: request.value})
        return EMPTY

    async def delete_tag(self, request: DeleteModelVersionTag) -> Answer:
        await self._registry.delete_model_version_tag(request.name, request.number, request.key)
        return EMPTY


def version_number(said: str | int) -> int:
    """A version's number, which clients write as text. Raises MlflowError, InvalidArgument."""
    if said == "":
        raise missing("version")
    if not _NUMBER.fullmatch(str(said)):
        words = f"Parameter 'version' must be an integer, got {shown(str(said))}."
        raise MlflowError(INVALID_PARAMETER_VALUE, words)
    number = int(said)
    if number == 0:
        raise InvalidArgument("version", number, f"must be from 1 to {VERSION_MAX:,}", limit=VERSION_MAX)
    return number


def to_json(version: ModelVersion) -> Answer:
    """A version in MLflow's shape."""
    return {
        "name": version.name,
        "version": str(version.version),
        "creation_timestamp": version.creation_time_ms,
        "last_updated_timestamp": version.last_update_time_ms,
        "user_id": version.user_id,
        "current_stage": version.current_stage,
        "description": version.description,
        "source": uri_of(version.source),
        "run_id": version.run_id,
        "status": version.status,
        "status_message": version.status_message,
        "tags": to_entries(version.tags),
        "run_link": version.run_link,
        "aliases": list(version.aliases),
    } | ({"model_id": version.model_id} if version.model_id else {})
