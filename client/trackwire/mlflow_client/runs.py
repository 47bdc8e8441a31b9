"""Runs: one execution each, with its params and tags."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar, cast, overload

from trackwire.fluent.operations import RunOperations, operations_of
from trackwire.mlflow_client.asking import Asking, page_size, texts
from trackwire.queries.convert import run_of
from trackwire.queries.entities import DatasetInput, LoggedModelInput, LoggedModelOutput, PagedList, Run
from trackwire.queries.inputs import dataset_inputs_to_proto
from trackwire.queries.named_values import ViewType
from trackwire.queries.runs import parent_of
from trackwire.queries.views import view_type_name
from trackwire.user import user_name

if TYPE_CHECKING:
    from trackwire.client.runs import RunOptions, RunStatusName

ValueT = TypeVar("ValueT")

_USER_TAG = "mlflow.user"


class RunMethods(Asking):
    """The methods for runs."""

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, object] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Starts a run, which goes on until `set_terminated`. `start_time` is in Unix milliseconds."""
        said = texts(tags)
        options: RunOptions = {"tags": said, "run_name": run_name or "", "user_id": said.get(_USER_TAG) or user_name()}
        if start_time is not None:
            options["start_time_ms"] = start_time
        return run_of(self._client("create_run").create_run(str(experiment_id), **options))

    def get_run(self, run_id: str) -> Run:
        """A run with its params, its tags and the last value of each metric, also a deleted one."""
        return run_of(self._client("get_run").get_run(run_id))

    def get_parent_run(self, run_id: str) -> Run | None:
        """The run that this one is part of; None if it is not part of another."""
        return parent_of(self._client("get_parent_run"), run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        run_view_type: int | str = ViewType.ACTIVE_ONLY,
        max_results: int = 1_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """A page of the runs that match, newest first; at most 50,000."""
        listed = [experiment_ids] if isinstance(experiment_ids, str | int) else experiment_ids
        page = self._client("search_runs").search_runs_page(
            [str(each) for each in listed],
            filter_string or "",
            order_by=order_by or (),
            view_type=view_type_name("run_view_type", run_view_type),
            page_size=page_size(max_results),
            page_token=page_token or "",
        )
        return PagedList(map(run_of, page.runs), page.next_page_token or None)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Changes a run's status or name."""
        self._client("update_run").update_run(run_id, status=cast("RunStatusName | None", status), run_name=name)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """Ends a run, as FINISHED where no status is given. `end_time` is in Unix milliseconds."""
        ended = cast("RunStatusName", status or "FINISHED")
        self._client("set_terminated").update_run(run_id, status=ended, end_time_ms=end_time)

    def delete_run(self, run_id: str) -> None:
        """Marks a run as deleted: it refuses writes until restored."""
        self._client("delete_run").delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        """Restores a deleted run."""
        self._client("restore_run").restore_run(run_id)

    @overload
    def log_param(self, run_id: str, key: str, value: ValueT, synchronous: Literal[True] | None = None) -> ValueT: ...

    @overload
    def log_param(self, run_id: str, key: str, value: object, synchronous: Literal[False]) -> RunOperations: ...

    def log_param(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> object:
        """Logs one param, as `str()` gives it, and gives the value back; it never changes once set."""
        self._client("log_param").log_param(run_id, key, value)
        return operations_of(None, synchronous) or value

    def set_tag(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> RunOperations | None:
        """Sets one tag, as `str()` gives it; the last one wins."""
        self._client("set_tag").set_tag(run_id, key, value)
        return operations_of(None, synchronous)

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Says that a run was given these datasets and models; what it was given before stays as it is."""
        if datasets or models:
            given = [each.model_id for each in models or ()]
            self._client("log_inputs").log_inputs(run_id, dataset_inputs_to_proto(datasets or ()), models=given)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Says that a run has made these models; what it has made before stays as it is."""
        if models:
            self._client("log_outputs").log_outputs(run_id, {each.model_id: each.step for each in models})

    def delete_tag(self, run_id: str, key: str) -> None:
        """Deletes one tag; NotFoundError if the run has no such tag."""
        self._client("delete_tag").delete_tag(run_id, key)
