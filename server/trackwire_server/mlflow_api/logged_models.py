"""MLflow's logged models."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from trackwire_server.core.errors import NotFound
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus
from trackwire_server.core.logged_models import LoggedModelDraft, LoggedModels
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api.artifact_uris import uri_of
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, params_of, to_entries
from trackwire_server.mlflow_api.enums import member_of
from trackwire_server.mlflow_api.errors import CODES, MlflowError, fields_called, missing
from trackwire_server.mlflow_api.numbers import number
from trackwire_server.mlflow_api.reading import Int32
from trackwire_server.mlflow_api.searches import check_max_results
from trackwire_server.search import MetricDataset

_PREFIX = "LOGGED_MODEL_"
# What core calls otherwise than a search of MLflow's does.
_FIELDS = {
    "datasets[].name": "datasets[].dataset_name",
    "datasets[].digest": "datasets[].dataset_digest",
    "order_by_datasets[].name": "order_by[].dataset_name",
    "order_by_datasets[].digest": "order_by[].dataset_digest",
}
_STATUSES = {f"{_PREFIX}{status.value}": status for status in LoggedModelStatus}


class CreateLoggedModel(Struct):
    experiment_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Entry] = []
    tags: list[Entry] = []


class GetLoggedModel(Struct):
    model_id: str = ""


class FinalizeLoggedModel(Struct):
    model_id: str = ""
    status: str | int = ""


class SetLoggedModelTags(Struct):
    model_id: str = ""
    tags: list[Entry] = []


class DeleteLoggedModelTag(Struct):
    model_id: str = ""
    tag_key: str = ""


class LogLoggedModelParams(Struct):
    model_id: str = ""
    params: list[Entry] = []


class DatasetMessage(Struct):
    dataset_name: str
    dataset_digest: str = ""


class OrderBy(Struct):
    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Struct):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[DatasetMessage] = []
    max_results: Int32 = 50
    order_by: list[OrderBy] = []
    page_token: str = ""


class LoggedModelDoor:
    """Logged models, as MLflow's clients ask for them."""

    def __init__(self, models: LoggedModels):
        self._models = models

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/logged-models"
        return (
            Rpc("POST", at, CreateLoggedModel, self.create),
            Rpc("POST", f"{at}/search", SearchLoggedModels, self.search),
            Rpc("GET", f"{at}/{{model_id}}", GetLoggedModel, self.get),
            Rpc("PATCH", f"{at}/{{model_id}}", FinalizeLoggedModel, self.finalize),
            Rpc("DELETE", f"{at}/{{model_id}}", GetLoggedModel, self.delete),
            Rpc("PATCH", f"{at}/{{model_id}}/tags", SetLoggedModelTags, self.set_tags),
            Rpc("DELETE", f"{at}/{{model_id}}/tags/{{tag_key}}", DeleteLoggedModelTag, self.delete_tag),
            Rpc("POST", f"{at}/{{model_id}}/params", LogLoggedModelParams, self.log_params),
        )

    async def create(self, request: CreateLoggedModel) -> Answer:
        draft = LoggedModelDraft(
            experiment_id=request.experiment_id,
            name=request.name,
            model_type=request.model_type,
            source_run_id=request.source_run_id,
            params=params_of(request.params),
            tags=from_entries(request.tags),
        )
        return {"model": to_json(await self._models.create(draft))}

    async def get(self, request: GetLoggedModel) -> Answer:
        return {"model": to_json(await self._models.get(request.model_id))}

    async def finalize(self, request: FinalizeLoggedModel) -> Answer:
        if request.status == "":
            raise missing("status")
        status = member_of("status", request.status, _STATUSES)
        return {"model": to_json(await self._models.update(request.model_id, status=status))}

    async def delete(self, request: GetLoggedModel) -> Answer:
        await self._models.delete(request.model_id)
        return EMPTY

    async def set_tags(self, request: SetLoggedModelTags) -> Answer:
        await self._models.set_tags(request.model_id, from_entries(request.tags))
        return {"model": to_json(await self._models.get(request.model_id))}

    async def delete_tag(self, request: DeleteLoggedModelTag) -> Answer:
        try:
            with fields_called({"key": "tag_key"}):
                await self._models.delete_tag(request.model_id, request.tag_key)
        except NotFound as error:
            if error.kind != "tag":
                raise
            # Of a model other words are looked for than of a run.
            words = f"No tag with key '{request.tag_key}' found for model with ID '{request.model_id}'"
            raise MlflowError(CODES[NotFound], words) from error
        return EMPTY

    async def log_params(self, request: LogLoggedModelParams) -> Answer:
        await self._models.log_params(request.model_id, params_of(request.params))
        return EMPTY

    async def search(self, request: SearchLoggedModels) -> Answer:
        if not request.experiment_ids:
            return {"models": []}
        search = SearchRequest(
            filter=request.filter,
            order_by=[f"{term.field_name} {'ASC' if term.ascending else 'DESC'}" for term in request.order_by],
            page_size=check_max_results(request.max_results, LIMITS.logged_models_page_size),
            page_token=request.page_token,
            tags_required=True,
            experiment_ids=tuple(request.experiment_ids),
            datasets=tuple(MetricDataset(each.dataset_name, each.dataset_digest) for each in request.datasets),
            order_by_datasets=tuple(
                (at, MetricDataset(term.dataset_name, term.dataset_digest))
                for at, term in enumerate(request.order_by)
                if term.dataset_name
            ),
        )
        with fields_called(_FIELDS):
            found, token = await self._models.search(search)
        return {"models": [to_json(each) for each in found]} | ({"next_page_token": token} if token else {})


def to_json(model: LoggedModel) -> Answer:
    """A logged model in MLflow's shape."""
    info: Mapping[str, Any] = {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": model.creation_time_ms,
        "last_updated_timestamp_ms": model.last_update_time_ms,
        "artifact_uri": uri_of(model.artifact_uri),
        "status": f"{_PREFIX}{model.status}",
        "tags": to_entries(model.tags),
    }
    said = {
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "status_message": model.status_message,
    }
    info = {**info, **{name: value for name, value in said.items() if value}}
    metrics = [
        {
            "key": metric.key,
            "value": number(metric.last_value),
            "timestamp": metric.last_time_ms,
            "step": metric.last_step,
            "run_id": metric.run_id,
            "model_id": model.model_id,
        }
        | (
            {"dataset_name": metric.context.dataset_name, "dataset_digest": metric.context.dataset_digest}
            if metric.context.dataset_name
            else {}
        )
        for metric in model.metrics
    ]
    return {"info": info, "data": {"params": to_entries(model.params), "metrics": metrics}}
