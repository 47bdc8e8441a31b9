"""Logged models, registered models and their versions."""

from collections.abc import Mapping

from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from trackwire.client import Client
from trackwire.errors import NotFoundError
from trackwire.importing.entities import (
    logged_model_message,
    registered_model_message,
    stored_as_sent,
    version_message,
)
from trackwire.importing.files import FileCopier, OfLoggedModel, kept_place
from trackwire.importing.runs import file_counter
from trackwire.importing.source import PROMPT_TAG, MlflowSource
from trackwire.importing.tally import FILES, LOGGED_MODELS, REGISTERED_MODELS, VERSIONS, Tally, now_or_before
from trackwire.v1 import logged_models_pb2, model_registry_pb2


class ModelImport:
    """Copies models of all kinds."""

    def __init__(self, source: MlflowSource, client: Client, tally: Tally, files: FileCopier | None) -> None:
        self._source = source
        self._client = client
        self._tally = tally
        self._files = files
        # Where the files of runs and logged models lay, and where they lie now.
        self._moved: dict[str, str] = {}

    def note_moved(self, old: str, new: str) -> None:
        """Versions that point below the old place will point below the new one."""
        if self._files is not None:
            self._moved[_place(old)] = new

    def take_logged_model(self, model: LoggedModel) -> None:
        """Copies a logged model with its files."""
        message = logged_model_message(model, with_place=self._files is None)
        before = self._logged_model(message.model_id)
        if before is not None and self._files is None:
            message.artifact_uri = kept_place(before.artifact_uri)
        taken = self._client.import_logged_model(message)
        faults: list[str] = []
        if self._files is not None:
            self.note_moved(model.artifact_location, taken.artifact_uri)
            owner = OfLoggedModel(self._client, message.model_id)
            copied = self._files.copy(model.artifact_location, owner, file_counter(self._tally))
            self._tally.add(FILES, found=len(copied.wanted), failed=len(copied.failures))
            faults += [f"file {path!r}: {why}" for path, why in copied.failures.items()]
            faults += copied.differences(owner)
        taken.ClearField("metrics")
        if not faults and not stored_as_sent(message, taken, "artifact_uri"):
            faults.append("it is not stored as it was sent")
        if faults:
            self._tally.fail(LOGGED_MODELS, f"logged model {message.model_id}: {'; '.join(faults)}")
        else:
            self._tally.add(LOGGED_MODELS, **now_or_before(before == taken))

    def take_registered_model(self, model: RegisteredModel) -> bool:
        """Copies a registered model without its versions."""
        message = registered_model_message(model)
        before = self._registered_model(model.name)
        taken = self._client.import_registered_model(message)
        if not stored_as_sent(message, taken, "workspace", "aliases", "latest_versions"):
            self._tally.fail(REGISTERED_MODELS, f"registered model {model.name!r}: it is not stored as it was sent")
            return False
        self._tally.add(REGISTERED_MODELS, **now_or_before(before == taken))
        return True

    def take_version(self, version: ModelVersion, aliases: Mapping[str, object]) -> None:
        """Copies a version; where its files were copied, it points at them here."""
        mine = [alias for alias, number in aliases.items() if str(number) == str(version.version)]
        message = version_message(version, mine)
        files = "" if PROMPT_TAG in version.tags else self._source.files_of(version)
        message.source = self._now_at(message.source)
        if files and self._now_at(files) != message.source:
            message.storage_location = self._now_at(files)
        before = self._version(version)
        if before is not None and self._files is None:
            # Perhaps its files were copied by an earlier import.
            message.source, message.storage_location = before.source, before.storage_location
        taken = self._client.import_model_version(message)
        if not stored_as_sent(message, taken):
            name = f"{version.name}/{version.version}"
            self._tally.fail(VERSIONS, f"model version {name!r}: it is not stored as it was sent")
        else:
            self._tally.add(VERSIONS, **now_or_before(before == taken))

    def _now_at(self, uri: str) -> str:
        place = _place(uri)
        parts = place.split("/")
        for count in range(len(parts), 0, -1):
            new = self._moved.get("/".join(parts[:count]))
            if new is not None:
                return "/".join([new.rstrip("/"), *parts[count:]])
        return uri

    def _logged_model(self, model_id: str) -> logged_models_pb2.LoggedModel | None:
        try:
            found = self._client.get_logged_model(model_id)
        except NotFoundError:
            return None
        found.ClearField("metrics")
        return found

    def _registered_model(self, name: str) -> model_registry_pb2.RegisteredModel | None:
        try:
            return self._client.get_registered_model(name)
        except NotFoundError:
            return None

    def _version(self, version: ModelVersion) -> model_registry_pb2.ModelVersion | None:
        try:
            return self._client.get_model_version(version.name, int(version.version))
        except NotFoundError:
            return None


def _place(uri: str) -> str:
    """A URI without what may differ where the same place is meant."""
    return uri.removeprefix("file://").rstrip("/")
