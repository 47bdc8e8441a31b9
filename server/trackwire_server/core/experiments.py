"""The rules of experiments."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from trackwire_server.core.artifact_places import OWN_SCHEME, checked_location, scheme_of
from trackwire_server.core.checks import (
    INT64_MAX,
    check_characters,
    check_entries,
    check_key,
    check_required,
)
from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import (
    Experiment,
    ExperimentReference,
    LifecycleStage,
    NewExperiment,
)
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.core.stores import ExperimentStore
from trackwire_server.search import EXPERIMENTS

_EXPERIMENT_ID = re.compile(r"0|[1-9][0-9]{0,18}")


class Experiments:
    """What may be done with experiments."""

    def __init__(self, store: ExperimentStore, clock: Clock, *, working_folder: Path):
        """`working_folder` is where relative artifact locations begin."""
        self._store = store
        self._clock = clock
        self._working_folder = working_folder

    async def create(
        self, name: str, *, artifact_location: str = "", tags: Mapping[str, str] | None = None
    ) -> Experiment:
        """Makes an experiment. Raises AlreadyExists if the name is taken, also by a deleted one."""
        check_experiment_name("name", name)
        location = check_artifact_location("artifact_location", artifact_location, self._working_folder)
        check_entries("tags", tags or {}, value_limit=LIMITS.tag_value_characters, required=False)
        return await self._store.create_experiment(
            NewExperiment(name=name, creation_time_ms=self._clock(), artifact_location=location, tags=dict(tags or {}))
        )

    async def get(self, experiment_id: str) -> Experiment:
        """By id, deleted or not. Raises NotFound."""
        return await self._store.get_experiment(check_experiment_id("experiment_id", experiment_id))

    async def get_by_name(self, name: str) -> Experiment:
        """By name, deleted or not. Raises NotFound."""
        return await self._store.get_experiment_by_name(check_experiment_name("name", name))

    async def find(self, reference: ExperimentReference) -> Experiment:
        """By id or by name, deleted or not. Raises NotFound."""
        if reference.name:
            return await self.get_by_name(reference.name)
        if not reference.experiment_id:
            raise InvalidArgument("experiment", "", "an experiment_id or a name is required", reason="REQUIRED")
        return await self.get(reference.experiment_id)

    async def search(self, request: SearchRequest) -> tuple[Sequence[Experiment], str]:
        """A page of experiments, and the token of the next one."""
        search = parse_search(
            request,
            EXPERIMENTS,
            page_size_default=LIMITS.page_size_default,
            page_size_max=LIMITS.experiments_page_size,
        )
        page = await self._store.search_experiments(search.query)
        return page.items, search.token(page.next_position)

    async def update(self, experiment_id: str, *, name: str | None) -> Experiment:
        """Renames an active experiment; None leaves it as it is. Raises NotFound, ExperimentDeleted, AlreadyExists."""
        check_experiment_id("experiment_id", experiment_id)
        if name is None:
            return await self._store.get_experiment(experiment_id)
        check_experiment_name("name", name)
        return await self._store.rename_experiment(experiment_id, name, now_ms=self._clock())

    async def set_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of an active experiment. Raises NotFound, ExperimentDeleted."""
        check_experiment_id("experiment_id", experiment_id)
        check_entries("tags", tags, value_limit=LIMITS.tag_value_characters)
        await self._store.change_experiment_tags(experiment_id, changed=tags, now_ms=self._clock())

    async def delete_tag(self, experiment_id: str, key: str) -> None:
        """Deletes a tag of an active experiment. Raises NotFound, also for the tag, and ExperimentDeleted."""
        check_experiment_id("experiment_id", experiment_id)
        check_key("key", key)
        await self._store.change_experiment_tags(experiment_id, changed={}, deleted=[key], now_ms=self._clock())

    async def delete(self, experiment_id: str) -> None:
        """Deletes an active experiment with all its runs. Raises NotFound."""
        check_experiment_id("experiment_id", experiment_id)
        await self._store.set_experiment_stage(experiment_id, LifecycleStage.DELETED, now_ms=self._clock())

    async def restore(self, experiment_id: str) -> None:
        """Restores a deleted experiment with all its runs. Raises NotFound."""
        check_experiment_id("experiment_id", experiment_id)
        await self._store.set_experiment_stage(experiment_id, LifecycleStage.ACTIVE, now_ms=self._clock())


def check_experiment_id(field: str, experiment_id: str) -> str:
    """A decimal number as text, as the server gives it out."""
    if not experiment_id:
        raise InvalidArgument(field, experiment_id, "is required", reason="REQUIRED")
    if not _EXPERIMENT_ID.fullmatch(experiment_id) or int(experiment_id) > INT64_MAX:
        raise InvalidArgument(field, experiment_id, 'must be a decimal number, such as "0"')
    return experiment_id


def check_experiments_searched(experiment_ids: Sequence[str]) -> None:
    """The experiments whose contents are searched."""
    limit = LIMITS.experiments_per_search
    if not experiment_ids:
        raise InvalidArgument("experiment_ids", [], "at least one is required", reason="REQUIRED")
    if len(experiment_ids) > limit:
        raise InvalidArgument(
            "experiment_ids", len(experiment_ids), f"at most {limit:,} are allowed in one search", limit=limit
        )
    for index, experiment_id in enumerate(experiment_ids):
        check_experiment_id(f"experiment_ids[{index}]", experiment_id)


def check_experiment_name(field: str, name: str) -> str:
    """The name of an experiment."""
    return check_required(field, name, LIMITS.experiment_name_characters)


def check_artifact_location(field: str, text: str, working_folder: Path) -> str:
    """An artifact location as it is kept; empty where none is chosen."""
    check_characters(field, text, LIMITS.uri_characters)
    if not text:
        return ""
    if scheme_of(text) == OWN_SCHEME:
        raise InvalidArgument(
            field,
            text,
            "names a folder of the server's own artifact store, which each experiment gets by itself: leave it empty",
        )
    try:
        location = checked_location(text, working_folder)
    except ValueError as error:
        raise InvalidArgument(field, text, f"{error}, or empty") from error
    return check_characters(field, location, LIMITS.uri_characters)
