"""Runs: one execution each, with its params, tags and metrics."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.client.experiments import ViewTypeName, view_type_name
from trackwire.client.run_inputs import DatasetViewName, dataset_view_name
from trackwire.errors import InvalidArgumentError
from trackwire.v1.runs_pb2 import (
    CreateRunRequest,
    CreateRunResponse,
    DeleteRunRequest,
    DeleteRunResponse,
    DeleteRunTagRequest,
    DeleteRunTagResponse,
    GetRunRequest,
    GetRunResponse,
    HeartbeatRunRequest,
    HeartbeatRunResponse,
    ListRunKeysRequest,
    ListRunKeysResponse,
    LogParamsRequest,
    LogParamsResponse,
    RequestRunStopRequest,
    RequestRunStopResponse,
    RestoreRunRequest,
    RestoreRunResponse,
    Run,
    RunKey,
    SearchRunsRequest,
    SearchRunsResponse,
    Selection,
    SetRunTagsRequest,
    SetRunTagsResponse,
    UpdateRunRequest,
    UpdateRunResponse,
)

RunStatusName = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
RUN_STATUSES: tuple[str, ...] = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
RunKeyKindName = Literal["METRIC", "PARAM", "TAG"]
RUN_KEY_KINDS: tuple[str, ...] = ("METRIC", "PARAM", "TAG")


class JoinOptions(TypedDict, total=False):
    """What a new run with a known id may say of itself; the server fills in the rest."""

    experiment_name: str  # In place of the experiment's id.
    create_experiment: bool  # With `experiment_name`: make it in the same transaction if there is none.
    run_name: str  # For people; generated where missing.
    user_id: str  # Who starts it.
    status: RunStatusName  # RUNNING where missing.
    start_time_ms: int  # The server's clock where missing.
    parent_run_id: str  # The run that this one is part of.
    params: Mapping[str, str]
    tags: Mapping[str, str]
    request_id: str  # Makes the caller's own retry safe; generated where missing.


class RunOptions(JoinOptions, total=False):
    """What a new run may say of itself; the server fills in the rest."""

    run_id: str  # 32 hexadecimal digits, or of the caller's choice; generated where missing.


@dataclass(frozen=True, slots=True)
class Returning:
    """Which metrics, params and tags a search brings back: these keys, or all (None); and how much of datasets."""

    metrics: Sequence[str] | None = None
    params: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    # BASIC leaves out schema and profile, which may be large.
    datasets: DatasetViewName = "BASIC"


def run_status_name(status: str) -> str:
    """A run's status as the proto spells it."""
    return enum_name("status", status, RUN_STATUSES, prefix="RUN_STATUS")


class RunMethods(Calls):
    """The client's methods for runs."""

    def create_run(self, experiment_id: str | None = None, **options: Unpack[RunOptions]) -> Run:
        """Starts a run, in the experiment "0" where none is named; safe to be sent again by the channel."""
        request = _create_request(experiment_id, options)
        return self._call(request, CreateRunResponse, lambda response: response.run)

    def join_run(
        self, run_id: str, experiment_id: str | None = None, **options: Unpack[JoinOptions]
    ) -> CreateRunResponse:
        """Starts the run, or joins the one that has this id: for the ranks of one job. `created` says which.

        A run that is joined stays as it is, but for `tags`, which are added.
        """
        request = _create_request(experiment_id, {"run_id": run_id, **options})
        request.MergeFrom(CreateRunRequest(if_exists="IF_EXISTS_JOIN"))
        return self._call(request, CreateRunResponse, lambda response: response)

    def get_run(self, run_id: str) -> Run:
        """A run with all its params, tags, primary metrics, inputs and outputs, also a deleted one."""
        return self._call(GetRunRequest(run_id=run_id), GetRunResponse, lambda response: response.run)

    def search_runs(
        self,
        experiment_ids: str | Sequence[str],
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        view_type: ViewTypeName = "ACTIVE_ONLY",
        max_results: int | None = None,
        returning: Returning | None = None,
    ) -> Iterator[Run]:
        """Runs that match a filter such as `metrics.loss < 0.5 AND params.lr = '0.1'`, newest first."""
        request = _search_request(experiment_ids, filter_string, order_by, view_type, returning)
        return self._pages(request, SearchRunsResponse, lambda page: page.runs, max_results=max_results)

    def search_runs_page(
        self,
        experiment_ids: str | Sequence[str],
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        view_type: ViewTypeName = "ACTIVE_ONLY",
        page_size: int = 0,
        page_token: str = "",
        returning: Returning | None = None,
        tags_required: bool = False,
    ) -> SearchRunsResponse:
        """One page of what `search_runs` finds, at most 50,000 runs (1,000 where 0), and the token of the next one.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = _search_request(experiment_ids, filter_string, order_by, view_type, returning)
        paging = SearchRunsRequest(page_size=page_size, page_token=page_token, tags_required=tags_required)
        request.MergeFrom(paging)
        return self._call(request, SearchRunsResponse, lambda response: response)

    def list_run_keys(
        self,
        experiment_ids: str | Sequence[str],
        *,
        kinds: RunKeyKindName | Sequence[RunKeyKindName] = (),
        view_type: ViewTypeName = "ACTIVE_ONLY",
        max_results: int | None = None,
    ) -> Iterator[RunKey]:
        """What the metrics, params and tags (or only `kinds`) of runs are called: each key once, by kind and key."""
        wanted = text_list("kinds", kinds)
        request = ListRunKeysRequest(
            experiment_ids=text_list("experiment_ids", experiment_ids),
            kinds=[enum_name("kinds", kind, RUN_KEY_KINDS, prefix="RUN_KEY_KIND") for kind in wanted],
            view_type=view_type_name(view_type),
        )
        return self._pages(request, ListRunKeysResponse, lambda page: page.keys, max_results=max_results)

    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatusName | None = None,
        end_time_ms: int | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Changes an active run; FINISHED, FAILED and KILLED also set its end time where none is given."""
        request = UpdateRunRequest(
            run_id=run_id,
            status=run_status_name(status) if status else None,
            end_time_ms=end_time_ms,
            run_name=run_name,
        )
        return self._call(request, UpdateRunResponse, lambda response: response.run)

    def delete_run(self, run_id: str) -> None:
        """Marks a run as deleted: it refuses writes until restored."""
        return self._send(DeleteRunRequest(run_id=run_id), DeleteRunResponse)

    def restore_run(self, run_id: str) -> None:
        """Restores a deleted run."""
        return self._send(RestoreRunRequest(run_id=run_id), RestoreRunResponse)

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Logs params, each as `str()` gives it; another value for one that is set is FailedPreconditionError."""
        request = LogParamsRequest(run_id=run_id, params={key: str(value) for key, value in params.items()})
        return self._send(request, LogParamsResponse)

    def log_param(self, run_id: str, key: str, value: object) -> None:
        """Logs one param."""
        return self.log_params(run_id, {key: value})

    def set_tags(self, run_id: str, tags: Mapping[str, object]) -> None:
        """Sets tags, each as `str()` gives it; the last write of a key wins."""
        request = SetRunTagsRequest(run_id=run_id, tags={key: str(value) for key, value in tags.items()})
        return self._send(request, SetRunTagsResponse)

    def set_tag(self, run_id: str, key: str, value: object) -> None:
        """Sets one tag."""
        return self.set_tags(run_id, {key: value})

    def delete_tag(self, run_id: str, key: str) -> None:
        """Deletes one tag; NotFoundError if the run has no such tag."""
        return self._send(DeleteRunTagRequest(run_id=run_id, key=key), DeleteRunTagResponse)

    def heartbeat_run(self, run_id: str) -> HeartbeatRunResponse:
        """Says that a run's process lives; the answer says whether it should stop."""
        return self._call(HeartbeatRunRequest(run_id=run_id), HeartbeatRunResponse, lambda response: response)

    def request_run_stop(self, run_id: str) -> None:
        """Asks a run's process to stop: its next heartbeat answers so."""
        return self._send(RequestRunStopRequest(run_id=run_id), RequestRunStopResponse)


def _create_request(experiment_id: str | None, options: RunOptions) -> CreateRunRequest:
    experiment_name = options.get("experiment_name")
    if experiment_id is not None and experiment_name is not None:
        raise InvalidArgumentError(
            f"experiment_id: {experiment_id!r}: give this or experiment_name {experiment_name!r}, not both"
        )
    # The channel may send a request again: by its request_id the server then answers with the same run.
    status = options.pop("status", None)
    request = CreateRunRequest(request_id=uuid.uuid4().hex, status=run_status_name(status) if status else None)
    request.MergeFrom(CreateRunRequest(**options))
    if experiment_name is None:
        request.experiment_id = experiment_id or "0"
    return request


def _search_request(
    experiment_ids: str | Sequence[str],
    filter_string: str,
    order_by: str | Sequence[str],
    view_type: ViewTypeName,
    returning: Returning | None,
) -> SearchRunsRequest:
    return SearchRunsRequest(
        experiment_ids=text_list("experiment_ids", experiment_ids),
        filter=filter_string,
        order_by=text_list("order_by", order_by),
        view_type=view_type_name(view_type),
        metrics=_selection(returning.metrics if returning else None),
        params=_selection(returning.params if returning else None),
        tags=_selection(returning.tags if returning else None),
        dataset_view=dataset_view_name(returning.datasets) if returning else None,
    )


def _selection(keys: Sequence[str] | None) -> Selection | None:
    return None if keys is None else Selection(keys=text_list("returning", keys))
