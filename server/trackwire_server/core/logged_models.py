"""The rules of logged models."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trackwire_server.core.checks import (
    check_characters,
    check_entries,
    check_key,
    check_required,
    check_run_id,
    check_token,
)
from trackwire_server.core.clock import Clock, NewId
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.experiments import check_experiment_id, check_experiments_searched
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus, NewLoggedModel
from trackwire_server.core.names import readable_name
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.core.stores import LoggedModelStore
from trackwire_server.search import LOGGED_MODELS, MetricDataset

# MLflow's rule: these have a meaning where a name stands in a URI or in a filter.
_NOT_OF_NAMES = re.compile(r"""[/:.%"']""")


@dataclass(frozen=True, slots=True)
class LoggedModelDraft:
    """A logged model as it is asked for; what is empty or None is chosen by `LoggedModels.create`."""

    experiment_id: str
    request_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    status: LoggedModelStatus | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class LoggedModels:
    """What may be done with logged models."""

    def __init__(self, store: LoggedModelStore, clock: Clock, new_id: NewId):
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def create(self, draft: LoggedModelDraft) -> LoggedModel:
        """Makes a logged model. Raises NotFound and ExperimentDeleted for its experiment.

        A retry with the same `request_id` answers with the model that the first call made.
        """
        _check_draft(draft)
        return await self._store.create_logged_model(
            NewLoggedModel(
                model_id=f"m-{self._new_id()}",
                experiment_id=draft.experiment_id,
                name=draft.name or readable_name(self._new_id()),
                creation_time_ms=self._clock(),
                model_type=draft.model_type,
                source_run_id=draft.source_run_id,
                status=draft.status or LoggedModelStatus.PENDING,
                request_id=draft.request_id,
                tags=dict(draft.tags),
                params=dict(draft.params),
            )
        )

    async def get(self, model_id: str) -> LoggedModel:
        """A logged model with its data. Raises NotFound."""
        return await self._store.get_logged_model(check_model_id("model_id", model_id))

    async def search(self, request: SearchRequest) -> tuple[Sequence[LoggedModel], str]:
        """A page of logged models, and the token of the next one."""
        check_experiments_searched(request.experiment_ids)
        _check_datasets(request)
        search = parse_search(
            replace(
                request,
                experiment_ids=tuple(dict.fromkeys(request.experiment_ids)),
                datasets=tuple(dict.fromkeys(request.datasets)),
            ),
            LOGGED_MODELS,
            page_size_default=LIMITS.logged_models_page_size_default,
            page_size_max=LIMITS.logged_models_page_size,
        )
        page = await self._store.search_logged_models(search.query)
        return page.items, search.token(page.next_position)

    async def update(
        self, model_id: str, *, status: LoggedModelStatus | None = None, status_message: str | None = None
    ) -> LoggedModel:
        """Changes how far a logged model has come; None leaves it as it is. Raises NotFound."""
        check_model_id("model_id", model_id)
        if status is None and status_message is None:
            return await self._store.get_logged_model(model_id)
        if status_message is not None:
            check_characters("status_message", status_message, LIMITS.description_characters)
        return await self._store.update_logged_model(
            model_id, status=status, status_message=status_message, now_ms=self._clock()
        )

    async def delete(self, model_id: str) -> None:
        """Deletes a logged model; deleted already is fine. Raises NotFound."""
        await self._store.delete_logged_model(check_model_id("model_id", model_id), now_ms=self._clock())

    async def set_tags(self, model_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags. Raises NotFound."""
        check_model_id("model_id", model_id)
        check_entries("tags", tags, value_limit=LIMITS.tag_value_characters)
        await self._store.change_logged_model_tags(model_id, changed=tags, now_ms=self._clock())

    async def delete_tag(self, model_id: str, key: str) -> None:
        """Deletes a tag. Raises NotFound, also for the tag."""
        check_model_id("model_id", model_id)
        check_key("key", key)
        await self._store.change_logged_model_tags(model_id, changed={}, deleted=[key], now_ms=self._clock())

    async def log_params(self, model_id: str, params: Mapping[str, str]) -> None:
        """Logs params, all or none. Raises NotFound, and FailedPrecondition for a param that is set already."""
        check_model_id("model_id", model_id)
        check_entries("params", params, value_limit=LIMITS.param_value_characters)
        await self._store.log_logged_model_params(model_id, params, now_ms=self._clock())


def check_model_id(field: str, model_id: str) -> str:
    """The id of a logged model; whether there is one is for the store to say."""
    return check_token(field, model_id, LIMITS.model_id_characters)


def _check_draft(draft: LoggedModelDraft) -> None:
    if draft.request_id:
        check_token("request_id", draft.request_id, LIMITS.request_id_characters)
    check_experiment_id("experiment_id", draft.experiment_id)
    check_logged_model_name("name", draft.name)
    check_characters("model_type", draft.model_type, LIMITS.model_type_characters)
    if draft.source_run_id:
        check_run_id("source_run_id", draft.source_run_id)
    check_entries("params", draft.params, value_limit=LIMITS.param_value_characters, required=False)
    check_entries("tags", draft.tags, value_limit=LIMITS.tag_value_characters, required=False)


def check_logged_model_name(field: str, name: str) -> None:
    """A logged model's name; empty is for the caller to judge."""
    check_characters(field, name, LIMITS.logged_model_name_characters)
    if other := _NOT_OF_NAMES.search(name):
        raise InvalidArgument(field, name, f"must not contain any of / : . % \" ', and has {other[0]!r}")


def _check_datasets(request: SearchRequest) -> None:
    limit = LIMITS.datasets_per_search
    if len(request.datasets) > limit:
        raise InvalidArgument(
            "datasets", len(request.datasets), f"at most {limit} are allowed in one search", limit=limit
        )
    for index, dataset in enumerate(request.datasets):
        _check_dataset(f"datasets[{index}]", dataset)
    clauses = len(request.order_by)
    for index, dataset in request.order_by_datasets:
        if not 0 <= index < clauses:
            raise InvalidArgument(
                f"order_by_datasets[{index}]",
                dataset.name,
                f"order_by has no clause {index}: it has {clauses}, counted from 0",
                limit=clauses,
            )
        _check_dataset(f"order_by_datasets[{index}]", dataset)


def _check_dataset(field: str, dataset: MetricDataset) -> None:
    check_required(f"{field}.name", dataset.name, LIMITS.dataset_name_characters)
    check_characters(f"{field}.digest", dataset.digest, LIMITS.dataset_digest_characters)
