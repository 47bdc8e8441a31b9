"""The rules of the model registry: names, versions, stages, aliases and lineage."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from trackwire_server.core.checks import (
    check_characters,
    check_entries,
    check_key,
    check_required,
    check_run_id,
    check_token,
)
from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import (
    RUN_ALONE,
    ModelStage,
    ModelVersion,
    NewModelVersion,
    NewRegisteredModel,
    RegisteredModel,
)
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_names import (
    check_alias,
    check_model_name,
    check_source,
    check_version,
    is_latest,
    lineage,
    version_not_found,
)
from trackwire_server.core.model_sources import (
    LoggedModelReference,
    VersionReference,
    check_local_source,
    is_local,
    model_reference,
    same_lineage,
)
from trackwire_server.core.prompts import check_prompt_source, is_prompt, without_prompts
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.core.stores import LoggedModelStore, ModelVersionStore, RegisteredModelStore, RunStore
from trackwire_server.core.tag_lists import entries_in
from trackwire_server.search import MODEL_VERSIONS, REGISTERED_MODELS

# MLflow's: a logged model tells which versions were made of it.
MODEL_VERSIONS_TAG = "mlflow.modelVersions"
_ARCHIVING_STAGES = (ModelStage.STAGING, ModelStage.PRODUCTION)


class ModelRegistry:
    """Registered models and their versions; runs and logged models are what versions come from."""

    def __init__(
        self,
        models: RegisteredModelStore,
        versions: ModelVersionStore,
        runs: RunStore,
        logged_models: LoggedModelStore,
        clock: Clock,
    ):
        self._models = models
        self._versions = versions
        self._runs = runs
        self._logged_models = logged_models
        self._clock = clock
        # Between the reading of a model's list of versions and its writing nobody else may add to it.
        self._noting = asyncio.Lock()

    async def create_registered_model(
        self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None
    ) -> RegisteredModel:
        """Registers a name. Raises AlreadyExists."""
        check_model_name("name", name)
        _check_description(description)
        _check_tags(tags or {}, required=False)
        new = NewRegisteredModel(
            name=name, creation_time_ms=self._clock(), description=description, tags=dict(tags or {})
        )
        return await self._models.create_registered_model(new)

    async def get_registered_model(self, name: str) -> RegisteredModel:
        """The registered model with its aliases and latest versions. Raises NotFound."""
        return await self._models.get_registered_model(check_model_name("name", name))

    async def search_registered_models(self, request: SearchRequest) -> tuple[Sequence[RegisteredModel], str]:
        """One page of the registered models that match, and the token of the next one; empty at the end.

        Prompts are found only by a filter that speaks of their tag.
        """
        search = parse_search(
            request,
            REGISTERED_MODELS,
            page_size_default=LIMITS.models_page_size_default,
            page_size_max=LIMITS.models_page_size,
        )
        query = replace(search.query, filter=without_prompts(search.query.filter))
        page = await self._models.search_registered_models(query)
        return page.items, search.token(page.next_position)

    async def update_registered_model(self, name: str, *, description: str | None) -> RegisteredModel:
        """Describes a registered model; None leaves it as it is. Raises NotFound."""
        check_model_name("name", name)
        if description is None:
            return await self._models.get_registered_model(name)
        _check_description(description)
        return await self._models.update_registered_model(name, description=description, now_ms=self._clock())

    async def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Renames a registered model with all its versions. Raises NotFound, AlreadyExists."""
        check_model_name("name", name)
        check_model_name("new_name", new_name)
        return await self._models.update_registered_model(name, new_name=new_name, now_ms=self._clock())

    async def delete_registered_model(self, name: str) -> None:
        """Deletes a registered model with all its versions, for good. Raises NotFound."""
        await self._models.delete_registered_model(check_model_name("name", name))

    async def set_registered_model_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Sets tags of a registered model. Raises NotFound."""
        check_model_name("name", name)
        _check_tags(tags, required=True)
        await self._models.change_registered_model_tags(name, changed=tags, now_ms=self._clock())

    async def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Deletes a tag, which may be missing. Raises NotFound for the registered model."""
        check_model_name("name", name)
        check_key("key", key)
        await self._models.change_registered_model_tags(name, changed={}, deleted=(key,), now_ms=self._clock())

    async def set_registered_model_alias(self, name: str, alias: str, version: int) -> None:
        """Points an alias at a version. Raises NotFound for the registered model or the version."""
        check_model_name("name", name)
        check_alias("alias", alias)
        check_version("version", version)
        await self._models.set_alias(name, alias, version, now_ms=self._clock())

    async def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Deletes an alias, which may be missing. Raises NotFound for the registered model."""
        check_model_name("name", name)
        check_alias("alias", alias)
        await self._models.set_alias(name, alias, None, now_ms=self._clock())

    async def create_model_version(self, new: NewModelVersion, *, as_mlflow: bool = False) -> ModelVersion:
        """Stores the next version, created now. Raises NotFound for the registered model or what it comes from.

        A retry with the same `request_id` answers with the version that the first call made. `as_mlflow` takes a
        lineage as MLflow does: the run may be another server's, so it is neither looked for nor compared with the
        source, and a local path must lie in the artifact directory of its run or its logged model. That model's tag
        MODEL_VERSIONS_TAG lists the versions that were made of it.
        """
        check_model_name("name", new.name)
        if new.request_id:
            check_token("request_id", new.request_id, LIMITS.request_id_characters)
        check_characters("run_link", new.run_link, LIMITS.uri_characters)
        check_characters("user_id", new.user_id, LIMITS.user_id_characters)
        _check_description(new.description)
        _check_tags(new.tags, required=False)
        if new.run_id:
            check_run_id("run_id", new.run_id)
        if new.model_id:
            check_token("model_id", new.model_id, LIMITS.model_id_characters)
        traced = await self._origin(new, as_mlflow=as_mlflow)
        made = await self._versions.create_model_version(replace(traced, creation_time_ms=self._clock()))
        if made.model_id:
            await self._note_version(made)
        return made

    async def _origin(self, new: NewModelVersion, *, as_mlflow: bool) -> NewModelVersion:
        """What a new version comes from, checked and filled in. Raises InvalidArgument, NotFound."""
        if is_prompt(new.tags):
            check_prompt_source("source", new.source)
            return new
        if as_mlflow and is_local(new.source):
            check_local_source("source", new.source, await self._artifacts_of(new))
            return new
        check_source("source", new.source)
        match model_reference("source", new.source):
            case VersionReference() as reference:
                return _copy_of(await self._referred(reference), new)
            case LoggedModelReference(model_id):
                same_lineage("model_id", new.model_id, model_id, new)
                origin = await self._logged_models.get_logged_model(model_id, with_data=False)
                new = replace(
                    new,
                    model_id=model_id,
                    storage_location=origin.artifact_uri,
                    # The run of a logged model may still be on its way.
                    run_id=new.run_id or (origin.source_run_id if as_mlflow else ""),
                )
        if as_mlflow:
            named = lineage(new.source, "")
            return replace(new, run_id=new.run_id or named)
        run_id = lineage(new.source, new.run_id)
        if run_id:
            await self._runs.get_run(run_id, RUN_ALONE)
        return replace(new, run_id=run_id)

    async def _artifacts_of(self, new: NewModelVersion) -> str:
        """Where what a version comes from has its artifacts; "" for nothing."""
        try:
            if new.run_id:
                return (await self._runs.get_run(new.run_id, RUN_ALONE)).artifact_uri
            if new.model_id:
                return (await self._logged_models.get_logged_model(new.model_id, with_data=False)).artifact_uri
        except NotFound:
            pass
        return ""

    async def _note_version(self, made: ModelVersion) -> None:
        """Adds a version to the list in the tag of its logged model, if there is one."""
        entry = {"name": made.name, "version": made.version}
        # A model that is not there is a name alone, or was deleted meanwhile.
        with suppress(NotFound):
            async with self._noting:
                tags = (await self._logged_models.get_logged_model(made.model_id)).tags
                listed = entries_in(tags.get(MODEL_VERSIONS_TAG, ""))
                if listed is not None and entry not in listed:
                    await self._logged_models.change_logged_model_tags(
                        made.model_id,
                        changed={MODEL_VERSIONS_TAG: json.dumps([*listed, entry])},
                        now_ms=self._clock(),
                    )

    async def _referred(self, reference: VersionReference) -> ModelVersion:
        """The version that a source refers to. Raises NotFound."""
        if not isinstance(reference.selector, ModelStage):
            return await self.get_model_version(reference.name, reference.selector)
        latest = await self.get_latest_model_versions(reference.name, (reference.selector,))
        if not latest:
            raise version_not_found(reference.name, reference.selector)
        return latest[0]

    async def get_model_version(self, name: str, selector: int | str) -> ModelVersion:
        """The version with this number or alias; "latest", in any case, is the highest number. Raises NotFound."""
        check_model_name("name", name)
        if isinstance(selector, int):
            return await self._versions.get_model_version(name, check_version("version", selector))
        check_required("alias", selector, LIMITS.alias_characters)
        if not is_latest(selector):
            return await self._versions.get_model_version(name, selector)
        latest = (await self._models.get_registered_model(name)).latest_versions
        if not latest:
            raise version_not_found(name, selector)
        return max(latest, key=lambda version: version.version)

    async def get_latest_model_versions(self, name: str, stages: Sequence[ModelStage] = ()) -> list[ModelVersion]:
        """The highest version of each stage asked for (all four where none is), by number. Raises NotFound."""
        model = await self._models.get_registered_model(check_model_name("name", name))
        wanted = frozenset(stages or ModelStage)
        return [version for version in model.latest_versions if version.current_stage in wanted]

    async def search_model_versions(self, request: SearchRequest) -> tuple[Sequence[ModelVersion], str]:
        """One page of the versions that match, and the token of the next one; empty at the end.

        Those of prompts are found only by a filter that speaks of their tag.
        """
        search = parse_search(
            request,
            MODEL_VERSIONS,
            page_size_default=LIMITS.page_size_default,
            page_size_max=LIMITS.versions_page_size,
        )
        query = replace(search.query, filter=without_prompts(search.query.filter))
        page = await self._versions.search_model_versions(query)
        return page.items, search.token(page.next_position)

    async def update_model_version(self, name: str, version: int, *, description: str | None) -> ModelVersion:
        """Describes a version; None leaves it as it is. Raises NotFound."""
        check_model_name("name", name)
        check_version("version", version)
        if description is None:
            return await self._versions.get_model_version(name, version)
        _check_description(description)
        now_ms = self._clock()
        return await self._versions.update_model_version(name, version, description=description, now_ms=now_ms)

    async def transition_model_version_stage(
        self, name: str, version: int, stage: ModelStage, *, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Moves a version to a stage, and the others there to ARCHIVED if asked. Raises NotFound."""
        check_model_name("name", name)
        check_version("version", version)
        if archive_existing_versions and stage not in _ARCHIVING_STAGES:
            raise InvalidArgument(
                "archive_existing_versions",
                archive_existing_versions,
                f"is only for the stages {' and '.join(_ARCHIVING_STAGES)}, and stage is {stage}",
            )
        return await self._versions.transition_stage(
            name, version, stage, archive_existing=archive_existing_versions, now_ms=self._clock()
        )

    async def delete_model_version(self, name: str, version: int) -> None:
        """Deletes a version with its aliases, for good; its number is not used again. Raises NotFound."""
        check_model_name("name", name)
        check_version("version", version)
        await self._versions.delete_model_version(name, version, now_ms=self._clock())

    async def set_model_version_tags(self, name: str, version: int, tags: Mapping[str, str]) -> None:
        """Sets tags of a version. Raises NotFound."""
        check_model_name("name", name)
        check_version("version", version)
        _check_tags(tags, required=True)
        await self._versions.change_model_version_tags(name, version, changed=tags, now_ms=self._clock())

    async def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        """Deletes a tag, which may be missing. Raises NotFound for the registered model or the version."""
        check_model_name("name", name)
        check_version("version", version)
        check_key("key", key)
        await self._versions.change_model_version_tags(name, version, changed={}, deleted=(key,), now_ms=self._clock())


def _copy_of(origin: ModelVersion, new: NewModelVersion) -> NewModelVersion:
    """A new version with the files and the lineage of another."""
    if is_prompt(origin.tags):
        raise InvalidArgument("source", new.source, "is a prompt, which has no files")
    return replace(
        new,
        source=f"models:/{origin.name}/{origin.version}",
        storage_location=origin.files,
        run_id=same_lineage("run_id", new.run_id, origin.run_id, new),
        model_id=same_lineage("model_id", new.model_id, origin.model_id, new),
    )


def _check_description(description: str) -> None:
    check_characters("description", description, LIMITS.description_characters)


def _check_tags(tags: Mapping[str, str], *, required: bool) -> None:
    check_entries("tags", tags, value_limit=LIMITS.registry_tag_value_characters, required=required)
