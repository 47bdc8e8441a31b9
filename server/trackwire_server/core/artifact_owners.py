"""Whose files artifacts are: a run's or a logged model's."""

from typing import Protocol

from trackwire_server.core.artifact_paths import (
    ArtifactHome,
    home_of_model,
    home_of_run,
    model_partial_id,
    partial_id,
)
from trackwire_server.core.checks import check_run_id
from trackwire_server.core.entities import RUN_ALONE, LifecycleStage
from trackwire_server.core.errors import RunDeleted
from trackwire_server.core.logged_models import check_model_id
from trackwire_server.core.stores import LoggedModelStore, RunStore


class ArtifactOwners(Protocol):
    """Owners of one kind; `field` is what requests call their ids."""

    kind: str
    field: str

    async def find(self, owner_id: str, field: str, *, to_write: bool) -> ArtifactHome:
        """An owner's home; `field` is where the request has the id. Raises NotFound, and RunDeleted to a writer."""

    def partial_id(self, owner_id: str, upload_id: str) -> str:
        """One name for an upload, unlike that of any other owner's."""


class RunOwners:
    """Runs; deleted ones can be read from."""

    kind = "run"
    field = "run_id"

    def __init__(self, runs: RunStore):
        self._runs = runs

    async def find(self, owner_id: str, field: str, *, to_write: bool) -> ArtifactHome:
        """See ArtifactOwners."""
        run = await self._runs.get_run(check_run_id(field, owner_id), RUN_ALONE)
        if to_write and run.lifecycle_stage != LifecycleStage.ACTIVE:
            raise RunDeleted(owner_id)
        return home_of_run(run)

    def partial_id(self, owner_id: str, upload_id: str) -> str:
        """See ArtifactOwners."""
        return partial_id(owner_id, upload_id)


class LoggedModelOwners:
    """Logged models; deleted ones are not found."""

    kind = "logged model"
    field = "model_id"

    def __init__(self, models: LoggedModelStore):
        self._models = models

    async def find(self, owner_id: str, field: str, *, to_write: bool) -> ArtifactHome:
        """See ArtifactOwners."""
        model = await self._models.get_logged_model(check_model_id(field, owner_id), with_data=False)
        return home_of_model(owner_id, model.artifact_uri)

    def partial_id(self, owner_id: str, upload_id: str) -> str:
        """See ArtifactOwners."""
        return model_partial_id(owner_id, upload_id)
