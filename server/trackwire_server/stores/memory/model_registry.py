"""The model registry in memory. Nothing here awaits, so every method is atomic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trackwire_server.core.entities import (
    ModelStage,
    ModelVersion,
    NewModelVersion,
    NewRegisteredModel,
    RegisteredModel,
)
from trackwire_server.core.errors import AlreadyExists
from trackwire_server.core.model_names import alias_not_found, model_not_found, request_id_reused, version_not_found
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, FieldKind, Scalar
from trackwire_server.stores.memory.search import search_items


@dataclass(slots=True, eq=False)
class StoredModel:
    """A registered model; its versions carry neither its name nor its aliases, so that both change in one place."""

    model: RegisteredModel
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    last_version: int = 0

    def version(self, version: int) -> ModelVersion:
        """The version as callers see it. Raises NotFound."""
        stored = self.versions.get(version)
        if stored is None:
            raise version_not_found(self.model.name, version)
        pointing = sorted(alias for alias, target in self.aliases.items() if target == version)
        return replace(stored, name=self.model.name, aliases=tuple(pointing))

    def whole(self) -> RegisteredModel:
        """The registered model as callers see it."""
        # Versions stand in the order of their numbers, so the last of a stage is its highest.
        latest = {stored.current_stage: number for number, stored in self.versions.items()}
        versions = tuple(self.version(number) for number in sorted(latest.values()))
        return replace(self.model, aliases=dict(self.aliases), latest_versions=versions)

    def change(self, version: int, *, now_ms: int, **changes: object) -> None:
        """Puts a changed version in its place. Raises NotFound."""
        if version not in self.versions:
            raise version_not_found(self.model.name, version)
        self.versions[version] = replace(
            self.versions[version],
            last_update_time_ms=now_ms,
            **changes,  # type: ignore[arg-type]  # field names are the callers' own
        )

    def touch(self, now_ms: int) -> None:
        """Notes that the model changed, or which versions it has in which stage."""
        self.model = replace(self.model, last_update_time_ms=now_ms)


@dataclass(slots=True)
class ModelRegistryState:
    """What the two stores share: registered models by name."""

    models: dict[str, StoredModel] = field(default_factory=dict)
    version_of_request: dict[str, tuple[StoredModel, int]] = field(default_factory=dict)

    def model(self, name: str) -> StoredModel:
        """The registered model. Raises NotFound."""
        stored = self.models.get(name)
        if stored is None:
            raise model_not_found(name)
        return stored

    def forget_requests(self, model: StoredModel, version: int | None = None) -> None:
        """Drops the request ids of one version, or of all."""
        self.version_of_request = {
            request_id: made
            for request_id, made in self.version_of_request.items()
            if made[0] is not model or (version is not None and made[1] != version)
        }


def _with_tags(tags: Mapping[str, str], changed: Mapping[str, str], deleted: Sequence[str]) -> dict[str, str]:
    return {key: value for key, value in {**tags, **changed}.items() if key not in deleted}


def _model_field(model: RegisteredModel, wanted: Field) -> Scalar | None:
    if wanted.kind is FieldKind.TAG:
        return model.tags.get(wanted.key)
    attributes: dict[str, Scalar] = {
        "name": model.name,
        "creation_timestamp": model.creation_time_ms,
        "last_updated_timestamp": model.last_update_time_ms,
        "description": model.description,
    }
    return attributes[wanted.key]


def _version_field(version: ModelVersion, wanted: Field) -> Scalar | None:
    if wanted.kind is FieldKind.TAG:
        return version.tags.get(wanted.key)
    attributes: dict[str, Scalar] = {
        "name": version.name,
        "run_id": version.run_id,
        "source_path": version.source,
        "version_number": version.version,
        "creation_timestamp": version.creation_time_ms,
        "last_updated_timestamp": version.last_update_time_ms,
        "current_stage": version.current_stage.value,
        "status": version.status.value,
    }
    return attributes[wanted.key]


class MemoryRegisteredModels:
    """RegisteredModelStore over ModelRegistryState."""

    def __init__(self, state: ModelRegistryState):
        self._state = state

    async def create_registered_model(self, new: NewRegisteredModel) -> RegisteredModel:
        if new.name in self._state.models:
            raise AlreadyExists("registered model", new.name, field="name")
        model = RegisteredModel(
            name=new.name,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            description=new.description,
            tags=dict(new.tags),
            workspace=new.workspace,
        )
        self._state.models[new.name] = StoredModel(model)
        return model

    async def get_registered_model(self, name: str) -> RegisteredModel:
        return self._state.model(name).whole()

    async def search_registered_models(self, query: SearchQuery) -> Page[RegisteredModel]:
        return search_items([stored.whole() for stored in self._state.models.values()], query, _model_field)

    async def update_registered_model(
        self, name: str, *, new_name: str | None = None, description: str | None = None, now_ms: int
    ) -> RegisteredModel:
        stored = self._state.model(name)
        if new_name is not None and new_name != name:
            if new_name in self._state.models:
                raise AlreadyExists("registered model", new_name, field="new_name")
            self._state.models[new_name] = self._state.models.pop(name)
            stored.model = replace(stored.model, name=new_name)
        if description is not None:
            stored.model = replace(stored.model, description=description)
        stored.touch(now_ms)
        return stored.whole()

    async def delete_registered_model(self, name: str) -> None:
        self._state.forget_requests(self._state.model(name))
        del self._state.models[name]

    async def change_registered_model_tags(
        self, name: str, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        stored = self._state.model(name)
        stored.model = replace(stored.model, tags=_with_tags(stored.model.tags, changed, deleted))
        stored.touch(now_ms)

    async def set_alias(self, name: str, alias: str, version: int | None, *, now_ms: int) -> None:
        stored = self._state.model(name)
        if version is None:
            stored.aliases.pop(alias, None)
        else:
            stored.version(version)
            stored.aliases[alias] = version
        stored.touch(now_ms)


class MemoryModelVersions:
    """ModelVersionStore over ModelRegistryState."""

    def __init__(self, state: ModelRegistryState):
        self._state = state

    async def create_model_version(self, new: NewModelVersion) -> ModelVersion:
        stored = self._state.model(new.name)
        if new.request_id in self._state.version_of_request:
            owner, made = self._state.version_of_request[new.request_id]
            if owner is not stored:
                raise request_id_reused(new.request_id, f"{owner.model.name}/{made}")
            return stored.version(made)
        stored.last_version += 1
        stored.versions[stored.last_version] = ModelVersion(
            name="",
            version=stored.last_version,
            source=new.source,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            description=new.description,
            run_id=new.run_id,
            run_link=new.run_link,
            user_id=new.user_id,
            tags=dict(new.tags),
            model_id=new.model_id,
            storage_location=new.storage_location,
        )
        if new.request_id:
            self._state.version_of_request[new.request_id] = (stored, stored.last_version)
        stored.touch(new.creation_time_ms)
        return stored.version(stored.last_version)

    async def get_model_version(self, name: str, selector: int | str) -> ModelVersion:
        stored = self._state.model(name)
        if isinstance(selector, int):
            return stored.version(selector)
        if selector not in stored.aliases:
            raise alias_not_found(name, selector)
        return stored.version(stored.aliases[selector])

    async def search_model_versions(self, query: SearchQuery) -> Page[ModelVersion]:
        models = self._state.models.values()
        versions = [stored.version(number) for stored in models for number in stored.versions]
        return search_items(versions, query, _version_field)

    async def update_model_version(
        self, name: str, version: int, *, description: str | None, now_ms: int
    ) -> ModelVersion:
        stored = self._state.model(name)
        changes = {} if description is None else {"description": description}
        stored.change(version, now_ms=now_ms, **changes)
        return stored.version(version)

    async def transition_stage(
        self, name: str, version: int, stage: ModelStage, *, archive_existing: bool, now_ms: int
    ) -> ModelVersion:
        stored = self._state.model(name)
        stored.change(version, now_ms=now_ms, current_stage=stage)
        stored.touch(now_ms)
        if archive_existing:
            others = [n for n, other in stored.versions.items() if n != version and other.current_stage == stage]
            for number in others:
                stored.change(number, now_ms=now_ms, current_stage=ModelStage.ARCHIVED)
        return stored.version(version)

    async def delete_model_version(self, name: str, version: int, *, now_ms: int) -> None:
        stored = self._state.model(name)
        stored.version(version)
        del stored.versions[version]
        stored.aliases = {alias: target for alias, target in stored.aliases.items() if target != version}
        self._state.forget_requests(stored, version)
        stored.touch(now_ms)

    async def change_model_version_tags(
        self, name: str, version: int, *, changed: Mapping[str, str], deleted: Sequence[str] = (), now_ms: int
    ) -> None:
        stored = self._state.model(name)
        tags = _with_tags(stored.version(version).tags, changed, deleted)
        stored.change(version, now_ms=now_ms, tags=tags)
