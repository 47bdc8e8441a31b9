"""The tracking store's methods for runs."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from mlflow.entities import Metric, Param, Run, RunInfo, RunStatus, RunTag

from trackwire.mlflow_plugin.asking import Asking, fitting, page_size, texts
from trackwire.mlflow_plugin.batches import checked_batch
from trackwire.mlflow_plugin.entities import run_info_of, run_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.queries.views import view_type_name

if TYPE_CHECKING:
    from trackwire.client.runs import RunOptions, RunStatusName

PAGE_SIZE = 1_000


@raises_mlflow_errors
class RunMethods(Asking):
    """Runs, as mlflow's AbstractStore has them."""

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
    ) -> Run:
        """Starts a run; a retry makes no second one."""
        options: RunOptions = {"run_name": run_name or "", "user_id": user_id or "", "tags": texts(tags)}
        if start_time is not None:
            options["start_time_ms"] = int(start_time)
        return run_of(self._client.create_run(str(experiment_id), **options))

    def get_run(self, run_id: str) -> Run:
        """A run with all its params, tags and last metrics, also a deleted one."""
        return run_of(self._client.get_run(run_id))

    def update_run_info(
        self, run_id: str, run_status: int | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        """Changes status, end time and name; what is None stays."""
        status = None if run_status is None else cast("RunStatusName", RunStatus.to_string(run_status))
        if run_status is not None and not RunStatus.is_terminated(run_status):
            # A run that mlflow resumes comes with the time at which it had ended.
            end_time = None
        changed = self._client.update_run(run_id, status=status, end_time_ms=end_time, run_name=run_name or None)
        return run_info_of(changed)

    def delete_run(self, run_id: str) -> None:
        """Marks a run as deleted: it refuses writes until restored."""
        self._client.delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        """Restores a deleted run."""
        self._client.restore_run(run_id)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Deletes one tag."""
        self._client.delete_tag(run_id, key)

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Logs params, metrics and tags, in this order; durable when it returns.

        All is checked before anything is sent. A param that has another value already keeps all from being stored.
        """
        batch = checked_batch(metrics, params, tags)
        client = self._client
        if batch.params:
            client.log_params(run_id, batch.params)
        if batch.points is not None:
            batch.points.ingest(client, run_id)
        if batch.tags:
            client.set_tags(run_id, batch.tags)

    def _search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int | None,
        order_by: Sequence[str] | None,
        page_token: str | None,
    ) -> tuple[list[Run], str | None]:
        """A page of the runs that match, newest first, and the token of the next one."""
        if not experiment_ids:
            return [], None
        search = partial(
            self._client.search_runs_page,
            [str(experiment_id) for experiment_id in experiment_ids],
            filter_string or "",
            order_by=order_by or (),
            view_type=view_type_name("run_view_type", run_view_type),
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        return [run_of(message) for message in page.runs], page.next_page_token or None
