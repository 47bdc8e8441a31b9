"""The registry store's methods for registered models."""

from collections.abc import Sequence
from functools import partial

from mlflow.entities.model_registry import RegisteredModel, RegisteredModelTag
from mlflow.store.entities.paged_list import PagedList

from trackwire.mlflow_plugin.asking import Asking, fitting, page_size, texts, version_number
from trackwire.mlflow_plugin.entities import registered_model_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors

PAGE_SIZE = 100


@raises_mlflow_errors
class RegisteredModelMethods(Asking):
    """Registered models, as mlflow's AbstractStore has them."""

    def create_registered_model(
        self,
        name: str,
        tags: Sequence[RegisteredModelTag] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Registers a name."""
        made = self._client.create_registered_model(name, description=description or "", tags=texts(tags))
        return registered_model_of(made)

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Changes the description; None leaves it as it is."""
        if description is None:
            return registered_model_of(self._client.get_registered_model(name))
        return registered_model_of(self._client.update_registered_model(name, description=description))

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Renames a registered model and with it all its versions."""
        return registered_model_of(self._client.rename_registered_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        """Deletes a registered model with all its versions, for good."""
        self._client.delete_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """A page of the registered models that match, by name; at most 1,000."""
        search = partial(
            self._client.search_registered_models_page,
            filter_string or "",
            order_by=order_by or (),
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        found = [registered_model_of(message) for message in page.registered_models]
        return PagedList(found, page.next_page_token or None)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A registered model with its aliases and its latest version of each stage."""
        return registered_model_of(self._client.get_registered_model(name))

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Sets one tag of a registered model."""
        self._client.set_registered_model_tag(name, tag.key, str(tag.value))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Deletes one tag of a registered model; one that is not there is fine."""
        self._client.delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Points an alias at a version."""
        self._client.set_registered_model_alias(name, alias, version_number(version))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Deletes an alias; one that is not there is fine."""
        self._client.delete_registered_model_alias(name, alias)
