"""What runs are given and what they make: datasets and models."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.v1.run_inputs_pb2 import DatasetInput, DatasetSummary, ModelInput, ModelOutput
from trackwire.v1.runs_pb2 import (
    LogRunInputsRequest,
    LogRunInputsResponse,
    LogRunOutputsRequest,
    LogRunOutputsResponse,
    SearchRunDatasetsRequest,
    SearchRunDatasetsResponse,
)

DatasetViewName = Literal["BASIC", "FULL", "NONE"]
DATASET_VIEWS: tuple[str, ...] = ("BASIC", "FULL", "NONE")


def dataset_view_name(view: str) -> str:
    """How much of datasets, as the proto spells it."""
    return enum_name("datasets", view, DATASET_VIEWS, prefix="DATASET_VIEW")


class RunInputMethods(Calls):
    """The client's methods for inputs and outputs of runs."""

    def log_inputs(self, run_id: str, datasets: Iterable[DatasetInput] = (), *, models: Sequence[str] = ()) -> None:
        """Says what datasets and models (by id) a run was given; what it has already stays as it is."""
        given = [ModelInput(model_id=model_id) for model_id in text_list("models", models)]
        return self._send(LogRunInputsRequest(run_id=run_id, datasets=datasets, models=given), LogRunInputsResponse)

    def log_outputs(self, run_id: str, models: Mapping[str, int]) -> None:
        """Says what models a run has made: by id, each with its step; what it has already stays as it is."""
        made = [ModelOutput(model_id=model_id, step=step) for model_id, step in models.items()]
        return self._send(LogRunOutputsRequest(run_id=run_id, models=made), LogRunOutputsResponse)

    def search_datasets(
        self, experiment_ids: str | Sequence[str], *, max_results: int | None = None
    ) -> Iterator[DatasetSummary]:
        """The datasets that runs of experiments were given: each name, digest and context once, in this order."""
        request = SearchRunDatasetsRequest(experiment_ids=text_list("experiment_ids", experiment_ids))
        return self._pages(request, SearchRunDatasetsResponse, lambda page: page.datasets, max_results=max_results)
