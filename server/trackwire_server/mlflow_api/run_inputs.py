"""What MLflow's runs were given and have made: datasets and models."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from trackwire_server.core.run_inputs import Dataset, DatasetInput, ModelOutput, RunInputs, RunOutputs
from trackwire_server.core.runs import Runs
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, to_entries
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError
from trackwire_server.mlflow_api.reading import Int64, OfRun

SEARCHED_EXPERIMENTS_MAX = 20


class DatasetMessage(Struct):
    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInputMessage(Struct):
    dataset: DatasetMessage
    tags: list[Entry] = []


class ModelInputMessage(Struct):
    model_id: str


class ModelOutputMessage(Struct):
    model_id: str
    step: Int64 = 0


class LogInputs(OfRun):
    datasets: list[DatasetInputMessage] = field(default_factory=list)
    models: list[ModelInputMessage] = field(default_factory=list)


class LogOutputs(OfRun):
    models: list[ModelOutputMessage] = field(default_factory=list)


class SearchDatasets(Struct):
    experiment_ids: list[str] = []


class RunInputDoor:
    """Inputs and outputs, as MLflow's clients log them."""

    def __init__(self, runs: Runs):
        self._runs = runs

    def rpcs(self) -> Sequence[Rpc]:
        return (
            Rpc("POST", "2.0/mlflow/runs/log-inputs", LogInputs, self.log_inputs),
            Rpc("POST", "2.0/mlflow/runs/outputs", LogOutputs, self.log_outputs),
            Rpc("POST", "2.0/mlflow/experiments/search-datasets", SearchDatasets, self.search_datasets),
        )

    async def log_inputs(self, request: LogInputs) -> Answer:
        """Adds what a run was given; what is there already stays as it is."""
        datasets = tuple(_dataset_input(each) for each in request.datasets)
        models = tuple(model.model_id for model in request.models)
        await self._runs.log_inputs(request.run, RunInputs(datasets, models))
        return EMPTY

    async def log_outputs(self, request: LogOutputs) -> Answer:
        """Adds what a run has made."""
        outputs = RunOutputs(tuple(ModelOutput(model.model_id, model.step) for model in request.models))
        await self._runs.log_outputs(request.run, outputs)
        return EMPTY

    async def search_datasets(self, request: SearchDatasets) -> Answer:
        """The datasets that runs of experiments were given; no more than a page of them."""
        if not request.experiment_ids:
            raise _bad("SearchDatasets request must specify at least one experiment_id.")
        if len(request.experiment_ids) > SEARCHED_EXPERIMENTS_MAX:
            raise _bad(
                f"SearchDatasets request cannot specify more than {SEARCHED_EXPERIMENTS_MAX} experiment_ids."
                f" Received {len(request.experiment_ids)} experiment_ids."
            )
        found, _ = await self._runs.search_datasets(request.experiment_ids)
        summaries = [
            {"experiment_id": each.experiment_id, "name": each.name, "digest": each.digest}
            | ({"context": each.context} if each.context else {})
            for each in found
        ]
        return {"dataset_summaries": summaries}


def inputs_to_json(inputs: RunInputs) -> Mapping[str, Any]:
    """What a run was given, in MLflow's shape."""
    datasets = [{"tags": to_entries(each.tags), "dataset": _dataset_to_json(each.dataset)} for each in inputs.datasets]
    return {"dataset_inputs": datasets, "model_inputs": [{"model_id": model_id} for model_id in inputs.model_ids]}


def outputs_to_json(outputs: RunOutputs) -> Mapping[str, Any]:
    """What a run has made, in MLflow's shape."""
    return {"model_outputs": [{"model_id": model.model_id, "step": model.step} for model in outputs.models]}


def _dataset_input(message: DatasetInputMessage) -> DatasetInput:
    said = message.dataset
    dataset = Dataset(said.name, said.digest, said.source_type, said.source, said.schema, said.profile)
    return DatasetInput(dataset, from_entries(message.tags))


def _dataset_to_json(dataset: Dataset) -> Mapping[str, str]:
    said = {
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
    }
    present = {name: value for name, value in said.items() if value}
    return {"name": dataset.name, "digest": dataset.digest, **present}


def _bad(message: str) -> MlflowError:
    return MlflowError(INVALID_PARAMETER_VALUE, message)
