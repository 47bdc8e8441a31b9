"""MLflow's runs, with their params and tags."""

from collections.abc import Sequence

from msgspec import Struct

from trackwire_server.core.entities import ExperimentReference, Run, RunSelection, RunStatus
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.runs import RunDraft, Runs
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api.artifact_uris import uri_of
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, to_entries
from trackwire_server.mlflow_api.enums import member_of
from trackwire_server.mlflow_api.numbers import number
from trackwire_server.mlflow_api.reading import Int32, Int64, OfRun
from trackwire_server.mlflow_api.run_inputs import inputs_to_json, outputs_to_json
from trackwire_server.mlflow_api.searches import check_max_results, view_type

_STATUSES = {status.value: status for status in RunStatus}


class CreateRun(Struct):
    experiment_id: str = ""
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[Entry] = []


class GetRun(OfRun):
    pass


class UpdateRun(OfRun):
    status: str | int = ""
    end_time: Int64 | None = None
    run_name: str = ""


class SearchRuns(Struct):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: str | int = "ACTIVE_ONLY"
    max_results: Int32 = 1_000
    order_by: list[str] = []
    page_token: str = ""


class LogParam(OfRun):
    key: str
    value: str


class SetTag(OfRun):
    key: str
    value: str


class DeleteTag(OfRun):
    key: str


class RunDoor:
    """Runs, as MLflow's clients ask for them."""

    def __init__(self, runs: Runs):
        self._runs = runs

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/runs"
        return (
            Rpc("POST", f"{at}/create", CreateRun, self.create),
            Rpc("GET", f"{at}/get", GetRun, self.get),
            Rpc("POST", f"{at}/update", UpdateRun, self.update),
            Rpc("POST", f"{at}/delete", GetRun, self.delete),
            Rpc("POST", f"{at}/restore", GetRun, self.restore),
            Rpc("POST", f"{at}/search", SearchRuns, self.search),
            Rpc("POST", f"{at}/log-parameter", LogParam, self.log_param),
            Rpc("POST", f"{at}/set-tag", SetTag, self.set_tag),
            Rpc("POST", f"{at}/delete-tag", DeleteTag, self.delete_tag),
        )

    async def create(self, request: CreateRun) -> Answer:
        draft = RunDraft(
            experiment=ExperimentReference(request.experiment_id),
            user_id=request.user_id,
            run_name=request.run_name,
            start_time_ms=request.start_time,
            tags=from_entries(request.tags),
        )
        run, _ = await self._runs.create(draft)
        return {"run": to_json(run)}

    async def get(self, request: GetRun) -> Answer:
        return {"run": to_json(await self._runs.get(request.run))}

    async def update(self, request: UpdateRun) -> Answer:
        status = None if request.status == "" else member_of("status", request.status, _STATUSES)
        # Whoever resumes a run sends the end that it had.
        goes_on = status is not None and not status.is_terminal
        run = await self._runs.update(
            request.run,
            status=status,
            end_time_ms=None if goes_on else request.end_time,
            run_name=request.run_name or None,
        )
        return {"run_info": info_to_json(run)}

    async def delete(self, request: GetRun) -> Answer:
        await self._runs.delete(request.run)
        return EMPTY

    async def restore(self, request: GetRun) -> Answer:
        await self._runs.restore(request.run)
        return EMPTY

    async def search(self, request: SearchRuns) -> Answer:
        if not request.experiment_ids:
            return {"runs": []}
        search = SearchRequest(
            filter=request.filter,
            order_by=request.order_by,
            page_size=check_max_results(request.max_results, LIMITS.runs_page_size),
            page_token=request.page_token,
            tags_required=True,
            view=view_type("run_view_type", request.run_view_type),
            experiment_ids=tuple(request.experiment_ids),
        )
        # The models that runs were given are told one run at a time.
        found, token = await self._runs.search(search, RunSelection(models=False))
        return {"runs": [to_json(run) for run in found]} | ({"next_page_token": token} if token else {})

    async def log_param(self, request: LogParam) -> Answer:
        await self._runs.log_params(request.run, {request.key: request.value})
        return EMPTY

    async def set_tag(self, request: SetTag) -> Answer:
        await self._runs.set_tags(request.run, {request.key: request.value})
        return EMPTY

    async def delete_tag(self, request: DeleteTag) -> Answer:
        await self._runs.delete_tag(request.run, request.key)
        return EMPTY


def to_json(run: Run) -> Answer:
    """A run in MLflow's shape."""
    metrics = [
        {
            "key": metric.key,
            "value": number(metric.last_value),
            "timestamp": metric.last_time_ms,
            "step": metric.last_step,
        }
        for metric in run.metrics
    ]
    data = {"metrics": metrics, "params": to_entries(run.params), "tags": to_entries(run.tags)}
    return {
        "info": info_to_json(run),
        "data": data,
        "inputs": inputs_to_json(run.inputs),
        "outputs": outputs_to_json(run.outputs),
    }


def info_to_json(run: Run) -> Answer:
    """What a run says of itself; its id stands under both names that it has had."""
    info = {
        "run_id": run.run_id,
        "run_uuid": run.run_id,
        "run_name": run.run_name,
        "experiment_id": run.experiment_id,
        "user_id": run.user_id,
        "status": run.status,
        "start_time": run.start_time_ms,
        "artifact_uri": uri_of(run.artifact_uri),
        "lifecycle_stage": run.lifecycle_stage,
    }
    return info if run.end_time_ms is None else info | {"end_time": run.end_time_ms}
