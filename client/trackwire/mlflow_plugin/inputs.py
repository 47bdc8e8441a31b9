"""The tracking store's methods for what runs were given and have made."""

from collections.abc import Sequence

from mlflow.entities import DatasetInput, LoggedModelInput, LoggedModelOutput
from mlflow.entities.dataset_summary import _DatasetSummary

from trackwire.mlflow_plugin.asking import Asking, texts
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.v1 import run_inputs_pb2 as pb

# As many as mlflow's server finds.
SUMMARIES_MAX = 1_000


@raises_mlflow_errors
class InputMethods(Asking):
    """Inputs and outputs of runs, as mlflow's AbstractStore has them."""

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Says what datasets and models a run was given; what it has already stays as it is."""
        given = [_dataset_input(each) for each in datasets or ()]
        self._client.log_inputs(run_id, given, models=[model.model_id for model in models or ()])

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Says what models a run has made, each at its step."""
        self._client.log_outputs(run_id, {model.model_id: model.step for model in models})

    def _search_datasets(self, experiment_ids: Sequence[str]) -> list[_DatasetSummary]:
        """The datasets that runs of experiments were given, at most 1,000."""
        found = self._client.search_datasets([str(each) for each in experiment_ids], max_results=SUMMARIES_MAX)
        return [_DatasetSummary(each.experiment_id, each.name, each.digest, each.context or None) for each in found]


def _dataset_input(given: DatasetInput) -> pb.DatasetInput:
    said = given.dataset
    dataset = pb.Dataset(
        name=said.name,
        digest=said.digest,
        source_type=said.source_type,
        source=said.source,
        schema=said.schema,
        profile=said.profile,
    )
    return pb.DatasetInput(dataset=dataset, tags=texts(given.tags))
