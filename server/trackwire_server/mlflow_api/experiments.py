"""MLflow's experiments."""

from collections.abc import Sequence

from msgspec import Struct

from trackwire_server.core.entities import Experiment
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.searching import SearchRequest
from trackwire_server.mlflow_api.artifact_uris import uri_of
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, to_entries
from trackwire_server.mlflow_api.reading import Int64
from trackwire_server.mlflow_api.searches import check_max_results, view_type


class CreateExperiment(Struct):
    name: str = ""
    artifact_location: str = ""
    tags: list[Entry] = []


class GetExperiment(Struct):
    experiment_id: str = ""


class GetExperimentByName(Struct):
    experiment_name: str = ""


class SearchExperiments(Struct):
    max_results: Int64 = 0
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: str | int = "ACTIVE_ONLY"


class UpdateExperiment(Struct):
    experiment_id: str = ""
    new_name: str | None = None


class SetExperimentTag(Struct):
    key: str
    value: str
    experiment_id: str = ""


class DeleteExperimentTag(Struct):
    key: str
    experiment_id: str = ""


class ExperimentDoor:
    """Experiments, as MLflow's clients ask for them."""

    def __init__(self, experiments: Experiments):
        self._experiments = experiments

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/experiments"
        return (
            Rpc("POST", f"{at}/create", CreateExperiment, self.create),
            Rpc("GET", f"{at}/get", GetExperiment, self.get),
            Rpc("GET", f"{at}/get-by-name", GetExperimentByName, self.get_by_name),
            Rpc("POST", f"{at}/search", SearchExperiments, self.search),
            Rpc("GET", f"{at}/search", SearchExperiments, self.search),
            Rpc("POST", f"{at}/update", UpdateExperiment, self.update),
            Rpc("POST", f"{at}/delete", GetExperiment, self.delete),
            Rpc("POST", f"{at}/restore", GetExperiment, self.restore),
            Rpc("POST", f"{at}/set-experiment-tag", SetExperimentTag, self.set_tag),
            Rpc("POST", f"{at}/delete-experiment-tag", DeleteExperimentTag, self.delete_tag),
        )

    async def create(self, request: CreateExperiment) -> Answer:
        tags = from_entries(request.tags)
        made = await self._experiments.create(request.name, artifact_location=request.artifact_location, tags=tags)
        return {"experiment_id": made.experiment_id}

    async def get(self, request: GetExperiment) -> Answer:
        return {"experiment": to_json(await self._experiments.get(request.experiment_id))}

    async def get_by_name(self, request: GetExperimentByName) -> Answer:
        return {"experiment": to_json(await self._experiments.get_by_name(request.experiment_name))}

    async def search(self, request: SearchExperiments) -> Answer:
        search = SearchRequest(
            filter=request.filter,
            order_by=request.order_by,
            page_size=check_max_results(request.max_results, LIMITS.experiments_page_size),
            page_token=request.page_token,
            tags_required=True,
            view=view_type("view_type", request.view_type),
        )
        found, token = await self._experiments.search(search)
        return {"experiments": [to_json(each) for each in found]} | ({"next_page_token": token} if token else {})

    async def update(self, request: UpdateExperiment) -> Answer:
        await self._experiments.update(request.experiment_id, name=request.new_name)
        return EMPTY

    async def delete(self, request: GetExperiment) -> Answer:
        await self._experiments.delete(request.experiment_id)
        return EMPTY

    async def restore(self, request: GetExperiment) -> Answer:
        await self._experiments.restore(request.experiment_id)
        return EMPTY

    async def set_tag(self, request: SetExperimentTag) -> Answer:
        await self._experiments.set_tags(request.experiment_id, {request.key: request.value})
        return EMPTY

    async def delete_tag(self, request: DeleteExperimentTag) -> Answer:
        await self._experiments.delete_tag(request.experiment_id, request.key)
        return EMPTY


def to_json(experiment: Experiment) -> Answer:
    """An experiment in MLflow's shape."""
    return {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "artifact_location": uri_of(experiment.artifact_location),
        "lifecycle_stage": experiment.lifecycle_stage,
        "creation_time": experiment.creation_time_ms,
        "last_update_time": experiment.last_update_time_ms,
        "tags": to_entries(experiment.tags),
    }
