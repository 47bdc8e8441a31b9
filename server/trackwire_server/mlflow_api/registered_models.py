"""MLflow's registered models, with their aliases."""

from collections.abc import Sequence

from msgspec import Struct

from trackwire_server.core.entities import RegisteredModel
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api import model_versions
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, to_entries
from trackwire_server.mlflow_api.reading import Int64
from trackwire_server.mlflow_api.searches import check_max_results


class CreateRegisteredModel(Struct):
    name: str = ""
    tags: list[Entry] = []
    description: str = ""


class GetRegisteredModel(Struct):
    name: str = ""


class RenameRegisteredModel(Struct):
    name: str = ""
    new_name: str = ""


class UpdateRegisteredModel(Struct):
    name: str = ""
    description: str | None = None


class SearchRegisteredModels(Struct):
    filter: str = ""
    max_results: Int64 = 100
    order_by: list[str] = []
    page_token: str = ""


class SetRegisteredModelTag(Struct):
    key: str
    value: str
    name: str = ""


class DeleteRegisteredModelTag(Struct):
    key: str
    name: str = ""


class SetAlias(Struct):
    version: str | int
    name: str = ""
    alias: str = ""


class OfAlias(Struct):
    name: str = ""
    alias: str = ""


class RegisteredModelDoor:
    """Registered models, as MLflow's clients ask for them."""

    def __init__(self, registry: ModelRegistry):
        self._registry = registry

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/registered-models"
        return (
            Rpc("POST", f"{at}/create", CreateRegisteredModel, self.create),
            Rpc("GET", f"{at}/get", GetRegisteredModel, self.get),
            Rpc("GET", f"{at}/search", SearchRegisteredModels, self.search),
            Rpc("POST", f"{at}/rename", RenameRegisteredModel, self.rename),
            Rpc("PATCH", f"{at}/update", UpdateRegisteredModel, self.update),
            Rpc("DELETE", f"{at}/delete", GetRegisteredModel, self.delete),
            Rpc("POST", f"{at}/set-tag", SetRegisteredModelTag, self.set_tag),
            Rpc("DELETE", f"{at}/delete-tag", DeleteRegisteredModelTag, self.delete_tag),
            Rpc("POST", f"{at}/alias", SetAlias, self.set_alias),
            Rpc("DELETE", f"{at}/alias", OfAlias, self.delete_alias),
            Rpc("GET", f"{at}/alias", OfAlias, self.get_by_alias),
        )

    async def create(self, request: CreateRegisteredModel) -> Answer:
        tags = from_entries(request.tags)
        made = await self._registry.create_registered_model(request.name, description=request.description, tags=tags)
        return {"registered_model": to_json(made)}

    async def get(self, request: GetRegisteredModel) -> Answer:
        return {"registered_model": to_json(await self._registry.get_registered_model(request.name))}

    async def search(self, request: SearchRegisteredModels) -> Answer:
        search = SearchRequest(
            filter=request.filter,
            order_by=request.order_by,
            page_size=check_max_results(request.max_results, LIMITS.models_page_size),
            page_token=request.page_token,
            tags_required=True,
        )
        found, token = await self._registry.search_registered_models(search)
        return {"registered_models": [to_json(each) for each in found]} | ({"next_page_token": token} if token else {})

    async def rename(self, request: RenameRegisteredModel) -> Answer:
        model = await self._registry.rename_registered_model(request.name, request.new_name)
        return {"registered_model": to_json(model)}

    async def update(self, request: UpdateRegisteredModel) -> Answer:
        model = await self._registry.update_registered_model(request.name, description=request.description)
        return {"registered_model": to_json(model)}

    async def delete(self, request: GetRegisteredModel) -> Answer:
        await self._registry.delete_registered_model(request.name)
        return EMPTY

    async def set_tag(self, request: SetRegisteredModelTag) -> Answer:
        await self._registry.set_registered_model_tags(request.name, {request.key: request.value})
        return EMPTY

    async def delete_tag(self, request: DeleteRegisteredModelTag) -> Answer:
        await self._registry.delete_registered_model_tag(request.name, request.key)
        return EMPTY

    async def set_alias(self, request: SetAlias) -> Answer:
        version = model_versions.version_number(request.version)
        await self._registry.set_registered_model_alias(request.name, request.alias, version)
        return EMPTY

    async def delete_alias(self, request: OfAlias) -> Answer:
        await self._registry.delete_registered_model_alias(request.name, request.alias)
        return EMPTY

    async def get_by_alias(self, request: OfAlias) -> Answer:
        version = await self._registry.get_model_version(request.name, request.alias)
        return {"model_version": model_versions.to_json(version)}


def to_json(model: RegisteredModel) -> Answer:
    """A registered model in MLflow's shape."""
    return {
        "name": model.name,
        "creation_timestamp": model.creation_time_ms,
        "last_updated_timestamp": model.last_update_time_ms,
        "description": model.description,
        "latest_versions": [model_versions.to_json(version) for version in model.latest_versions],
        "tags": to_entries(model.tags),
        "aliases": [{"alias": alias, "version": str(version)} for alias, version in model.aliases.items()],
    }
