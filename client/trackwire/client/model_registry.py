"""The model registry: named models and their numbered versions, each with its lineage to a run."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypedDict, Unpack

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.v1 import model_registry_pb2 as pb
from trackwire.v1.model_registry_pb2 import ModelVersion, RegisteredModel

ModelStageName = Literal["None", "Staging", "Production", "Archived"]
MODEL_STAGES: tuple[str, ...] = ("None", "Staging", "Production", "Archived")


class ModelVersionOptions(TypedDict, total=False):
    """What a new version may say of itself."""

    run_id: str  # Lineage: the run that made it.
    model_id: str  # Lineage: the logged model that it is of.
    run_link: str  # A link to that run, where it lives on another server.
    user_id: str
    description: str
    tags: Mapping[str, str]
    request_id: str  # Makes the caller's own retry safe; generated where missing.


def model_stage_name(stage: str) -> str:
    """A stage as the proto spells it."""
    return enum_name("stage", stage, MODEL_STAGES, prefix="MODEL_STAGE")


class ModelRegistryMethods(Calls):
    """The client's methods for registered models and their versions."""

    def create_registered_model(
        self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None
    ) -> RegisteredModel:
        """Registers a name; AlreadyExistsError if it is taken."""
        request = pb.CreateRegisteredModelRequest(name=name, description=description, tags=tags)
        return self._call(request, pb.CreateRegisteredModelResponse, lambda response: response.registered_model)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A registered model with its aliases and its latest version of each stage."""
        request = pb.GetRegisteredModelRequest(name=name)
        return self._call(request, pb.GetRegisteredModelResponse, lambda response: response.registered_model)

    def search_registered_models(
        self, filter_string: str = "", *, order_by: str | Sequence[str] = (), max_results: int | None = None
    ) -> Iterator[RegisteredModel]:
        """Registered models that match a filter such as `name LIKE 'digits%'`, by name."""
        request = pb.SearchRegisteredModelsRequest(filter=filter_string, order_by=text_list("order_by", order_by))
        return self._pages(
            request,
            pb.SearchRegisteredModelsResponse,
            lambda page: page.registered_models,
            max_results=max_results,
        )

    def search_registered_models_page(
        self,
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        tags_required: bool = False,
    ) -> pb.SearchRegisteredModelsResponse:
        """One page of what `search_registered_models` finds, at most 1,000 (100 where 0), and the next one's token.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = pb.SearchRegisteredModelsRequest(
            filter=filter_string,
            order_by=text_list("order_by", order_by),
            page_size=page_size,
            page_token=page_token,
            tags_required=tags_required,
        )
        return self._call(request, pb.SearchRegisteredModelsResponse, lambda response: response)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        """Changes the description."""
        request = pb.UpdateRegisteredModelRequest(name=name, description=description)
        return self._call(request, pb.UpdateRegisteredModelResponse, lambda response: response.registered_model)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Renames a registered model and with it all its versions."""
        request = pb.RenameRegisteredModelRequest(name=name, new_name=new_name)
        return self._call(request, pb.RenameRegisteredModelResponse, lambda response: response.registered_model)

    def delete_registered_model(self, name: str) -> None:
        """Deletes a registered model with all its versions, for good."""
        return self._send(pb.DeleteRegisteredModelRequest(name=name), pb.DeleteRegisteredModelResponse)

    def set_registered_model_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Sets tags of a registered model; the last write of a key wins."""
        return self._send(pb.SetRegisteredModelTagsRequest(name=name, tags=tags), pb.SetRegisteredModelTagsResponse)

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        """Sets one tag of a registered model."""
        return self.set_registered_model_tags(name, {key: value})

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Deletes one tag of a registered model; one that is not there is fine."""
        request = pb.DeleteRegisteredModelTagRequest(name=name, key=key)
        return self._send(request, pb.DeleteRegisteredModelTagResponse)

    def set_registered_model_alias(self, name: str, alias: str, version: int) -> None:
        """Points an alias at a version; it leaves the version it pointed at before."""
        request = pb.SetRegisteredModelAliasRequest(name=name, alias=alias, version=version)
        return self._send(request, pb.SetRegisteredModelAliasResponse)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Deletes an alias; one that is not there is fine."""
        request = pb.DeleteRegisteredModelAliasRequest(name=name, alias=alias)
        return self._send(request, pb.DeleteRegisteredModelAliasResponse)

    def create_model_version(self, name: str, source: str, **options: Unpack[ModelVersionOptions]) -> ModelVersion:
        """Creates the next version, from a URI or `runs:/<run_id>/<path>`; safe to be sent again by the channel."""
        request = pb.CreateModelVersionRequest(name=name, source=source, **options)
        request.request_id = request.request_id or uuid.uuid4().hex
        return self._call(request, pb.CreateModelVersionResponse, lambda response: response.model_version)

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        """A version by its number."""
        request = pb.GetModelVersionRequest(name=name, version=version)
        return self._call(request, pb.GetModelVersionResponse, lambda response: response.model_version)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """A version by an alias; "latest" is the highest number."""
        request = pb.GetModelVersionRequest(name=name, alias=alias)
        return self._call(request, pb.GetModelVersionResponse, lambda response: response.model_version)

    def get_latest_versions(self, name: str, stages: Sequence[ModelStageName] = ()) -> list[ModelVersion]:
        """The highest version of each of these stages (all, where none is named) that has one."""
        names = [model_stage_name(stage) for stage in text_list("stages", stages)]
        request = pb.GetLatestModelVersionsRequest(name=name, stages=names)
        return self._call(request, pb.GetLatestModelVersionsResponse, lambda response: list(response.model_versions))

    def search_model_versions(
        self, filter_string: str = "", *, order_by: str | Sequence[str] = (), max_results: int | None = None
    ) -> Iterator[ModelVersion]:
        """Versions that match a filter such as `name = 'digits' AND run_id = '…'`, last changed first."""
        request = pb.SearchModelVersionsRequest(filter=filter_string, order_by=text_list("order_by", order_by))
        return self._pages(
            request, pb.SearchModelVersionsResponse, lambda page: page.model_versions, max_results=max_results
        )

    def search_model_versions_page(
        self,
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        tags_required: bool = False,
    ) -> pb.SearchModelVersionsResponse:
        """One page of what `search_model_versions` finds, at most 200,000 (1,000 where 0), and the next one's token.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = pb.SearchModelVersionsRequest(
            filter=filter_string,
            order_by=text_list("order_by", order_by),
            page_size=page_size,
            page_token=page_token,
            tags_required=tags_required,
        )
        return self._call(request, pb.SearchModelVersionsResponse, lambda response: response)

    def update_model_version(self, name: str, version: int, *, description: str) -> ModelVersion:
        """Changes the description."""
        request = pb.UpdateModelVersionRequest(name=name, version=version, description=description)
        return self._call(request, pb.UpdateModelVersionResponse, lambda response: response.model_version)

    def transition_model_version_stage(
        self, name: str, version: int, *, stage: ModelStageName, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Moves a version to a stage and, where asked, all others out of it into Archived."""
        request = pb.TransitionModelVersionStageRequest(
            name=name,
            version=version,
            stage=model_stage_name(stage),
            archive_existing_versions=archive_existing_versions,
        )
        return self._call(request, pb.TransitionModelVersionStageResponse, lambda response: response.model_version)

    def delete_model_version(self, name: str, version: int) -> None:
        """Deletes a version and its aliases, for good."""
        return self._send(pb.DeleteModelVersionRequest(name=name, version=version), pb.DeleteModelVersionResponse)

    def set_model_version_tags(self, name: str, version: int, tags: Mapping[str, str]) -> None:
        """Sets tags of a version; the last write of a key wins."""
        request = pb.SetModelVersionTagsRequest(name=name, version=version, tags=tags)
        return self._send(request, pb.SetModelVersionTagsResponse)

    def set_model_version_tag(self, name: str, version: int, *, key: str, value: str) -> None:
        """Sets one tag of a version."""
        return self.set_model_version_tags(name, version, {key: value})

    def delete_model_version_tag(self, name: str, version: int, key: str) -> None:
        """Deletes one tag of a version; one that is not there is fine."""
        request = pb.DeleteModelVersionTagRequest(name=name, version=version, key=key)
        return self._send(request, pb.DeleteModelVersionTagResponse)
