"""The order of an import: experiments with what is in them, evaluation datasets, the registry; then a look at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlflow.entities import EvaluationDataset, Experiment
from mlflow.entities.model_registry import RegisteredModel

from trackwire.client import Client
from trackwire.importing.evaluation_datasets import EvaluationDatasetImport
from trackwire.importing.experiments import ExperimentImport, asking, noting
from trackwire.importing.files import FileCopier
from trackwire.importing.source import MlflowSource
from trackwire.importing.tally import EVALUATION_DATASETS, EXPERIMENTS, REGISTERED_MODELS, VERSIONS, Tally


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a source is imported: experiments by name, or all, and whether files are copied."""

    experiments: Sequence[str] = ()
    files: bool = True

    @property
    def registry(self) -> bool:
        """Whether registered models are: they belong to no experiment."""
        return not self.experiments


class Importer:
    """One import. What can't be copied is told to the tally, and the rest goes on."""

    def __init__(self, source: MlflowSource, client: Client, tally: Tally, wanted: Wanted) -> None:
        self._source = source
        self._tally = tally
        self._wanted = wanted
        self._files = FileCopier(source.uri) if wanted.files else None
        self._experiments = ExperimentImport(source, client, tally, self._files)
        self._datasets = EvaluationDatasetImport(source, client, tally)

    def run(self) -> None:
        """Imports all that is wanted. Raises TrackwireError if the server or the source is away."""
        try:
            with self._source.readable():
                self._take_all()
        finally:
            self._close()

    def survey(self) -> None:
        """Only counts what there is, and which runs are whole here."""
        try:
            with self._source.readable():
                self._survey_all()
        finally:
            self._close()

    def _close(self) -> None:
        self._source.close()
        self._experiments.close()
        if self._files is not None:
            self._files.close()

    def _survey_all(self) -> None:
        experiments = self._source.experiments(self._wanted.experiments)
        for experiment in experiments:
            self._experiments.survey(experiment)
        with asking(self._tally, EVALUATION_DATASETS):
            for dataset in self._datasets_of(experiments):
                self._datasets.survey(dataset)
        if self._wanted.registry:
            for model in self._source.registered_models():
                self._tally.add(REGISTERED_MODELS, found=1)
                self._tally.add(VERSIONS, found=len(self._source.versions(model)))

    def _take_all(self) -> None:
        experiments = self._source.experiments(self._wanted.experiments)
        for experiment in experiments:
            self._tally.add(EXPERIMENTS, found=1)
            with noting(self._tally, EXPERIMENTS, f"experiment {experiment.name!r}"):
                self._experiments.take(experiment)
        self._take_evaluation_datasets(experiments)
        if self._wanted.registry:
            for model in self._source.registered_models():
                self._take_registered_model(model)
        self._experiments.look_again()

    def _take_evaluation_datasets(self, experiments: Sequence[Experiment]) -> None:
        wanted = {str(experiment.experiment_id) for experiment in experiments}
        with noting(self._tally, EVALUATION_DATASETS, "evaluation datasets"), asking(self._tally, EVALUATION_DATASETS):
            for dataset in self._datasets_of(experiments):
                self._tally.add(EVALUATION_DATASETS, found=1)
                with noting(self._tally, EVALUATION_DATASETS, f"evaluation dataset {dataset.dataset_id}"):
                    self._datasets.take(dataset, wanted, self._experiments.taken)

    def _datasets_of(self, experiments: Sequence[Experiment]) -> Iterator[EvaluationDataset]:
        """The evaluation datasets that are wanted: those of experiments, or all. Raises NotServedError."""
        # What can keep any has an experiment from the start.
        if experiments:
            only = [str(experiment.experiment_id) for experiment in experiments] if self._wanted.experiments else ()
            yield from self._source.evaluation_datasets(only)

    def _take_registered_model(self, model: RegisteredModel) -> None:
        self._tally.add(REGISTERED_MODELS, found=1)
        versions = self._source.versions(model)
        self._tally.add(VERSIONS, found=len(versions))
        is_here = False
        with noting(self._tally, REGISTERED_MODELS, f"registered model {model.name!r}"):
            is_here = self._experiments.models.take_registered_model(model)
        if not is_here:
            words = f"registered model {model.name!r}: {len(versions):,} versions of it are left out"
            self._tally.fail(VERSIONS, words, count=len(versions))
            return
        for version in versions:
            with noting(self._tally, VERSIONS, f"model version '{model.name}/{version.version}'"):
                self._experiments.models.take_version(version, model.aliases)
