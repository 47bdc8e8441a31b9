"""The registry store's methods for the versions of registered models."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from mlflow.entities.model_registry import ModelVersion, ModelVersionTag
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.store.entities.paged_list import PagedList

from trackwire.errors import NotFoundError
from trackwire.mlflow_plugin.asking import Asking, fitting, page_size, texts, version_number
from trackwire.mlflow_plugin.entities import model_version_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.queries.artifact_uris import files_of

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.client.model_registry import ModelStageName

PAGE_SIZE = 10_000


@raises_mlflow_errors
class ModelVersionMethods(Asking):
    """Versions, as mlflow's AbstractStore has them."""

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Sequence[ModelVersionTag] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Creates the next version; a retry makes no second one."""
        said = texts(tags)
        made = self._client.create_model_version(
            name,
            _source(name, source, is_prompt=IS_PROMPT_TAG_KEY in said),
            run_id=run_id or _run_of(self._client, model_id),
            tags=said,
            run_link=run_link or "",
            description=description or "",
            model_id=model_id or "",
        )
        return model_version_of(made)

    def update_model_version(self, name: str, version: str | int, description: str | None) -> ModelVersion:
        """Changes the description; None leaves it as it is."""
        if description is None:
            return model_version_of(self._client.get_model_version(name, version_number(version)))
        changed = self._client.update_model_version(name, version_number(version), description=description)
        return model_version_of(changed)

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Moves a version to a stage and, where asked, all others out of it into Archived."""
        moved = self._client.transition_model_version_stage(
            name,
            version_number(version),
            stage=cast("ModelStageName", stage),
            archive_existing_versions=archive_existing_versions,
        )
        return model_version_of(moved)

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Deletes a version and its aliases, for good."""
        self._client.delete_model_version(name, version_number(version))

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """A version by its number."""
        return model_version_of(self._client.get_model_version(name, version_number(version)))

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """A version by an alias; "latest" is the highest number."""
        return model_version_of(self._client.get_model_version_by_alias(name, alias))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The highest version of each of these stages (all, where none is named) that has one."""
        found = self._client.get_latest_versions(name, cast("Sequence[ModelStageName]", stages or ()))
        return [model_version_of(message) for message in found]

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Where the files of a version lie: its source, or those of the version or model which the source names."""
        return files_of(self._client.get_model_version(name, version_number(version)))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """A page of the versions that match, last changed first; no prompts, unless the filter speaks of them."""
        search = partial(
            self._client.search_model_versions_page,
            filter_string or "",
            order_by=order_by or (),
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        return PagedList([model_version_of(message) for message in page.model_versions], page.next_page_token or None)

    def set_model_version_tag(self, name: str, version: str | int, tag: ModelVersionTag) -> None:
        """Sets one tag of a version."""
        self._client.set_model_version_tag(name, version_number(version), key=tag.key, value=str(tag.value))

    def delete_model_version_tag(self, name: str, version: str | int, key: str) -> None:
        """Deletes one tag of a version; one that is not there is fine."""
        self._client.delete_model_version_tag(name, version_number(version), key)


def _run_of(client: "Client", model_id: str | None) -> str:
    """The run that made a logged model, as mlflow's server has it of a version; "" where there is none (yet)."""
    if not model_id:
        return ""
    try:
        run_id = client.get_logged_model(model_id).source_run_id
        return client.get_run(run_id).run_id if run_id else ""
    except NotFoundError:
        return ""


def _source(name: str, source: str, *, is_prompt: bool) -> str:
    """The source as a URI: for a prompt, whose text is a tag, mlflow gives a mere word."""
    return f"prompts:/{name}" if is_prompt and ":" not in source else source
