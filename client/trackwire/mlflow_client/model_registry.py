"""The model registry: named models and their numbered versions."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from trackwire.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from trackwire.mlflow_client.asking import Asking, page_size, texts
from trackwire.queries.artifact_uris import files_of, version_and_path
from trackwire.queries.convert import model_version_of, registered_model_of
from trackwire.queries.entities import ModelVersion, PagedList, RegisteredModel
from trackwire.queries.model_registry import version_number
from trackwire.user import user_name

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.client.model_registry import ModelStageName

_STAGES = ("None", "Staging", "Production", "Archived")


class RegisteredModelMethods(Asking):
    """The methods for registered models."""

    def create_registered_model(
        self, name: str, tags: Mapping[str, object] | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Registers a name; AlreadyExistsError if it is taken."""
        client = self._client("create_registered_model")
        return registered_model_of(
            client.create_registered_model(name, description=description or "", tags=texts(tags))
        )

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A registered model with its aliases and its latest version of each stage."""
        return registered_model_of(self._client("get_registered_model").get_registered_model(name))

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """A page of the registered models that match, by name; at most 1,000."""
        page = self._client("search_registered_models").search_registered_models_page(
            filter_string or "",
            order_by=order_by or (),
            page_size=page_size(max_results),
            page_token=page_token or "",
        )
        return PagedList(map(registered_model_of, page.registered_models), page.next_page_token or None)

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModel:
        """Changes the description."""
        client = self._client("update_registered_model")
        return registered_model_of(client.update_registered_model(name, description=_described(description)))

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Renames a registered model and with it all its versions."""
        return registered_model_of(self._client("rename_registered_model").rename_registered_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        """Deletes a registered model with all its versions, for good."""
        self._client("delete_registered_model").delete_registered_model(name)

    def set_registered_model_tag(self, name: str, key: str, value: object) -> None:
        """Sets one tag of a registered model, as `str()` gives it."""
        self._client("set_registered_model_tag").set_registered_model_tag(name, key, str(value))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Deletes one tag of a registered model; one that is not there is fine."""
        self._client("delete_registered_model_tag").delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Points an alias at a version; it leaves the version it pointed at before."""
        self._client("set_registered_model_alias").set_registered_model_alias(name, alias, version_number(version))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Deletes an alias; one that is not there is fine."""
        self._client("delete_registered_model_alias").delete_registered_model_alias(name, alias)


class ModelRegistryMethods(RegisteredModelMethods):
    """The methods for registered models and their versions."""

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, object] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: float | None = 300,
    ) -> ModelVersion:
        """Creates the next version, from a URI or `runs:/<run_id>/<path>`. It is ready at once."""
        client = self._client("create_model_version")
        made = client.create_model_version(
            name,
            source,
            run_id=run_id or "",
            run_link=run_link or "",
            description=description or "",
            user_id=user_name(),
            tags=texts(tags),
        )
        return model_version_of(made)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Makes a version of another model of `models:/<name>/<version>`; that model is made if there is none."""
        client = self._client("copy_model_version")
        version, _ = version_and_path(client, src_model_uri)
        with suppress(AlreadyExistsError):
            client.create_registered_model(dst_name)
        copy = client.create_model_version(
            dst_name,
            files_of(version),
            run_id=version.run_id,
            run_link=version.run_link,
            description=version.description,
            user_id=user_name(),
            tags=version.tags,
        )
        return model_version_of(copy)

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """A version by its number."""
        return model_version_of(self._client("get_model_version").get_model_version(name, version_number(version)))

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """A version by an alias; "latest" is the highest number."""
        return model_version_of(self._client("get_model_version_by_alias").get_model_version_by_alias(name, alias))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The highest version of each of these stages (all, where none is named) that has one."""
        named = cast("Sequence[ModelStageName]", stages or ())
        return [model_version_of(each) for each in self._client("get_latest_versions").get_latest_versions(name, named)]

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:
        """The stages that a version can be in."""
        self.get_model_version(name, version)
        return list(_STAGES)

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Where a version's files lie."""
        client = self._client("get_model_version_download_uri")
        return files_of(client.get_model_version(name, version_number(version)))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """A page of the versions that match, last changed first; at most 200,000."""
        page = self._client("search_model_versions").search_model_versions_page(
            filter_string or "",
            order_by=order_by or (),
            page_size=page_size(max_results),
            page_token=page_token or "",
        )
        return PagedList(map(model_version_of, page.model_versions), page.next_page_token or None)

    def update_model_version(self, name: str, version: str | int, description: str | None = None) -> ModelVersion:
        """Changes the description."""
        client = self._client("update_model_version")
        number = version_number(version)
        return model_version_of(client.update_model_version(name, number, description=_described(description)))

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Moves a version to a stage and, where asked, all others out of it into Archived."""
        moved = self._client("transition_model_version_stage").transition_model_version_stage(
            name,
            version_number(version),
            stage=cast("ModelStageName", stage),
            archive_existing_versions=archive_existing_versions,
        )
        return model_version_of(moved)

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Deletes a version and its aliases, for good."""
        self._client("delete_model_version").delete_model_version(name, version_number(version))

    def set_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        value: object = None,
        stage: str | None = None,
    ) -> None:
        """Sets one tag, as `str()` gives it, of a version or of the highest one of a stage."""
        client = self._client("set_model_version_tag")
        client.set_model_version_tag(name, _meant(client, name, version, stage), key=key or "", value=str(value))

    def delete_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Deletes one tag of a version, or of the highest one of a stage; one that is not there is fine."""
        client = self._client("delete_model_version_tag")
        client.delete_model_version_tag(name, _meant(client, name, version, stage), key or "")


def _meant(client: "Client", name: str, version: str | int | None, stage: str | None) -> int:
    if (version is None) == (stage is None):
        raise InvalidArgumentError("version, stage: give exactly one of them")
    if version is not None:
        return version_number(version)
    latest = client.get_latest_versions(name, [cast("ModelStageName", stage)])
    if not latest:
        raise NotFoundError(f"no version of the model {name!r} is in the stage {stage!r}")
    return latest[0].version


def _described(description: str | None) -> str:
    if description is None:
        raise InvalidArgumentError("description: is required: nothing else can be changed")
    return description
