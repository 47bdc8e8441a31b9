"""The model registry: to register what a run has logged, and to find versions again."""

import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from trackwire.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, NotFoundError
from trackwire.queries.artifact_uris import ArtifactPlace, files_of, is_logged_model, place_of_uri, version_and_path
from trackwire.queries.entities import ModelVersion, RegisteredModel
from trackwire.queries.server import client_for
from trackwire.user import user_name

if TYPE_CHECKING:
    from trackwire.client import Client


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: float | None = 300,
    *,
    tags: Mapping[str, object] | None = None,
) -> ModelVersion:
    """Makes the next version of a registered model, which is made with it if there is none.

    `model_uri` is runs:/<run_id>/<path>, of what lies there, or models:/… of another version, whose source it gets.
    Versions are ready at once: `await_registration_for` is taken and changes nothing.
    """
    from trackwire.queries.convert import model_version_of

    client = client_for("register_model")
    source, run_id = _source(client, model_uri)
    with suppress(AlreadyExistsError):
        client.create_registered_model(name)
    texts = {key: str(value) for key, value in (tags or {}).items()}
    return model_version_of(client.create_model_version(name, source, run_id=run_id, user_id=user_name(), tags=texts))


def get_model_version(name: str, version: str | int) -> ModelVersion:
    """A version by its number."""
    from trackwire.queries.convert import model_version_of

    return model_version_of(client_for("get_model_version").get_model_version(name, version_number(version)))


def get_model_version_by_alias(name: str, alias: str) -> ModelVersion:
    """A version by an alias; "latest" is the highest number."""
    from trackwire.queries.convert import model_version_of

    return model_version_of(client_for("get_model_version_by_alias").get_model_version_by_alias(name, alias))


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[RegisteredModel]:
    """Registered models that match a filter such as `name LIKE 'digits%'`, by name."""
    from trackwire.queries.convert import registered_model_of

    found = client_for("search_registered_models").search_registered_models(
        filter_string or "", order_by=order_by or (), max_results=max_results
    )
    return [registered_model_of(message) for message in found]


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[ModelVersion]:
    """Versions that match a filter such as `name = 'digits' AND run_id = '…'`, last changed first."""
    from trackwire.queries.convert import model_version_of

    found = client_for("search_model_versions").search_model_versions(
        filter_string or "", order_by=order_by or (), max_results=max_results
    )
    return [model_version_of(message) for message in found]


def set_registered_model_alias(name: str, alias: str, version: str | int) -> None:
    """Points an alias at a version; it leaves the version it pointed at before."""
    client_for("set_registered_model_alias").set_registered_model_alias(name, alias, version_number(version))


def delete_registered_model_alias(name: str, alias: str) -> None:
    """Deletes an alias; one that is not there is fine."""
    client_for("delete_registered_model_alias").delete_registered_model_alias(name, alias)


def set_model_version_tag(name: str, version: str | int, key: str, value: object) -> None:
    """Sets one tag of a version, as `str()` gives it."""
    client_for("set_model_version_tag").set_model_version_tag(name, version_number(version), key=key, value=str(value))


def version_number(version: str | int) -> int:
    """The number of a version, which MLflow gives as text."""
    try:
        return int(version)
    except ValueError:
        raise InvalidArgumentError(
            f"version: {version!r}: must be a number, such as 1", metadata={"field": "version", "value": str(version)}
        ) from None


def _source(client: "Client", model_uri: str) -> tuple[str, str]:
    """What a new version's files are called, and the run that made them."""
    if model_uri.startswith("models:/") and not is_logged_model(model_uri):
        version, path = version_and_path(client, model_uri)
        files = files_of(version)
        return posixpath.join(files, path) if path else files, version.run_id
    place = place_of_uri(client, model_uri)
    _check_there(client, place, model_uri)
    if place.model_id:
        return model_uri, client.get_logged_model(place.model_id).source_run_id
    return f"runs:/{place.run_id}/{place.path}".rstrip("/"), place.run_id


def _check_there(client: "Client", place: ArtifactPlace, model_uri: str) -> None:
    folder = place.path.rpartition("/")[0]
    try:
        is_folder = any(place.entries(client, place.path, max_results=1))
        if is_folder or any(entry.path == place.path for entry in place.entries(client, folder)):
            return
    except FailedPreconditionError as error:
        # In a bucket of the user's: the server can't look.
        if error.reason != "ARTIFACTS_ELSEWHERE":
            raise
        return
    raise NotFoundError(f"model_uri: {model_uri!r}: {place.owner} has no artifact {place.path!r}")
