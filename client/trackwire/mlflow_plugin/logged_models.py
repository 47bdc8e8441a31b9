"""The tracking store's methods for logged models."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mlflow.entities import LoggedModel, LoggedModelParameter, LoggedModelStatus, LoggedModelTag
from mlflow.store.entities.paged_list import PagedList
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_MODELS

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.mlflow_plugin.asking import Asking, fitting, page_size, texts
from trackwire.mlflow_plugin.entities import logged_model_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.v1.logged_models_pb2 import MetricDataset

if TYPE_CHECKING:
    from mlflow.models import Model

    from trackwire.client.logged_models import LoggedModelOptions, LoggedModelStatusName

PAGE_SIZE = 100
# As many as one request may bring.
_PARAMS_PER_REQUEST = 1_000
_STATUSES: dict[LoggedModelStatus, "LoggedModelStatusName"] = {
    LoggedModelStatus.PENDING: "PENDING",
    LoggedModelStatus.READY: "READY",
    LoggedModelStatus.FAILED: "UPLOAD_FAILED",
}


@raises_mlflow_errors
class LoggedModelMethods(Asking):
    """Logged models, as mlflow's AbstractStore has them."""

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Sequence[LoggedModelTag] | None = None,
        params: Sequence[LoggedModelParameter] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Makes a logged model; a retry makes no second one."""
        said = list(texts(params).items())
        options: LoggedModelOptions = {
            "name": name or "",
            "source_run_id": source_run_id or "",
            "tags": texts(tags),
            "params": dict(said[:_PARAMS_PER_REQUEST]),
            "model_type": model_type or "",
        }
        made = self._client.create_logged_model(str(experiment_id), **options)
        if len(said) <= _PARAMS_PER_REQUEST:
            return logged_model_of(made)
        self._log_params(made.model_id, said[_PARAMS_PER_REQUEST:])
        return logged_model_of(self._client.get_logged_model(made.model_id))

    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus) -> LoggedModel:
        """Says that a model's files are there, or that they could not be stored."""
        name = _STATUSES.get(status)
        if name is None:
            allowed = ", ".join(map(str, _STATUSES))
            raise InvalidArgumentError(f"status: {status!s}: must be one of {allowed}", metadata={"field": "status"})
        return logged_model_of(self._client.update_logged_model(model_id, status=name))

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        """A logged model. One that is deleted is not found, whatever is allowed."""
        return logged_model_of(self._client.get_logged_model(model_id))

    def delete_logged_model(self, model_id: str) -> None:
        """Marks a logged model as deleted, for good."""
        self._client.delete_logged_model(model_id)

    def set_logged_model_tags(self, model_id: str, tags: Sequence[LoggedModelTag]) -> None:
        """Sets tags of a logged model."""
        if tags:
            self._client.set_logged_model_tags(model_id, texts(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Deletes one tag of a logged model."""
        self._client.delete_logged_model_tag(model_id, key)

    def log_logged_model_params(self, model_id: str, params: Sequence[LoggedModelParameter]) -> None:
        """Logs params of a logged model, which never change."""
        self._log_params(model_id, list(texts(params).items()))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """A page of the logged models that match, newest first."""
        if not experiment_ids:
            return PagedList([], None)
        terms = list(order_by or ())
        search = partial(
            self._client.search_logged_models_page,
            [str(experiment_id) for experiment_id in experiment_ids],
            filter_string or "",
            datasets=[_dataset("datasets", each) for each in datasets or ()],
            order_by=[_clause(term) for term in terms],
            order_by_datasets={
                at: _dataset("order_by", term) for at, term in enumerate(terms) if term.get("dataset_name")
            },
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        return PagedList([logged_model_of(message) for message in page.logged_models], page.next_page_token or None)

    def record_logged_model(self, run_id: str, mlflow_model: "Model") -> None:
        """Notes a model in a tag of its run, where mlflow's older clients look for it."""
        client = self._client
        noted = _noted(run_id, client.get_run(run_id).tags.get(MLFLOW_LOGGED_MODELS, ""))
        client.set_tags(run_id, {MLFLOW_LOGGED_MODELS: json.dumps([*noted, mlflow_model.get_tags_dict()])})

    def _log_params(self, model_id: str, params: Sequence[tuple[str, str]]) -> None:
        for start in range(0, len(params), _PARAMS_PER_REQUEST):
            self._client.log_logged_model_params(model_id, dict(params[start : start + _PARAMS_PER_REQUEST]))


def _noted(run_id: str, tag: str) -> list[object]:
    """The models in a run's tag; what else somebody has put there is not to be lost."""
    try:
        models = json.loads(tag or "[]")
    except ValueError:
        models = None
    if not isinstance(models, list):
        raise FailedPreconditionError(
            f"the tag {MLFLOW_LOGGED_MODELS} of run {run_id!r} is no list of models: delete it first",
            metadata={"field": f"tags[{MLFLOW_LOGGED_MODELS}]", "run_id": run_id},
        )
    return models


def _dataset(field: str, said: Mapping[str, Any]) -> MetricDataset:
    return MetricDataset(name=_required(field, said, "dataset_name"), digest=said.get("dataset_digest") or "")


def _clause(term: Mapping[str, Any]) -> str:
    return f"{_required('order_by', term, 'field_name')} {'ASC' if term.get('ascending', True) else 'DESC'}"


def _required(field: str, said: Mapping[str, Any], name: str) -> str:
    if not said.get(name):
        raise InvalidArgumentError(f"{field}: {dict(said)!r}: must have a {name!r}", metadata={"field": field})
    return cast("str", said[name])
