"""The order of an import: experiments with their logged models and runs, then the registry; then a look at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.entities import Experiment
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from trackwire.client import Client
from trackwire.client.runs import Returning
from trackwire.errors import DeadlineExceededError, NotFoundError, TrackwireError, UnavailableError
from trackwire.importing.entities import experiment_message, run_message
from trackwire.importing.files import FileCopier
from trackwire.importing.registry import ModelImport
from trackwire.importing.runs import Listed, RunImport, is_whole, listed
from trackwire.importing.source import MlflowSource, points_of_models
from trackwire.importing.tally import EXPERIMENTS, LOGGED_MODELS, POINTS, REGISTERED_MODELS, RUNS, VERSIONS, Tally
from trackwire.v1 import experiments_pb2

RUNS_AT_ONCE = 1_000


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
        self._client = client
        self._tally = tally
        self._wanted = wanted
        self._files = FileCopier(source.uri) if wanted.files else None
        self._runs = RunImport(source, client, tally, self._files)
        self._models = ModelImport(source, client, tally, self._files)
        # By experiment and run, what the source's list says of those that are whole here.
        self._whole: dict[str, dict[str, Listed]] = {}

    def run(self) -> None:
        """Imports all that is wanted. Raises TrackwireError if the server is away."""
        try:
            for experiment in self._source.experiments(self._wanted.experiments):
                self._tally.add(EXPERIMENTS, found=1)
                with self._noting(EXPERIMENTS, f"experiment {experiment.name!r}"):
                    self._take_experiment(experiment)
            if self._wanted.registry:
                self._take_registry()
            self._look_again()
        finally:
            self._runs.close()
            if self._files is not None:
                self._files.close()

    def survey(self) -> None:
        """Only counts what there is, and which runs are whole here."""
        for experiment in self._source.experiments(self._wanted.experiments):
            is_here = self._experiment_here(experiment.experiment_id) is not None
            self._tally.add(EXPERIMENTS, found=1, there=int(is_here))
            here = self._runs_here(experiment.experiment_id)
            for run in self._source.runs(experiment.experiment_id):
                whole = self._is_whole(here.get(run.info.run_id), self._listed(run))
                self._tally.add(RUNS, found=1, there=int(whole))
            models = self._source.logged_models(experiment.experiment_id)
            self._tally.add(LOGGED_MODELS, found=sum(1 for _ in models))
        if self._wanted.registry:
            for model in self._source.registered_models():
                self._tally.add(REGISTERED_MODELS, found=1)
                self._tally.add(VERSIONS, found=len(self._source.versions(model)))

    def _take_experiment(self, experiment: Experiment) -> None:
        message = experiment_message(experiment, with_place=self._files is None)
        before = self._experiment_here(message.experiment_id)
        taken = self._client.import_experiment(message)
        self._tally.add(EXPERIMENTS, copied=int(before != taken), there=int(before == taken))
        models = list(self._source.logged_models(experiment.experiment_id))
        self._tally.add(LOGGED_MODELS, found=len(models))
        for model in models:
            with self._noting(LOGGED_MODELS, f"logged model {model.model_id}"):
                self._models.take_logged_model(model)
        of_models = points_of_models(models)
        here = self._runs_here(experiment.experiment_id)
        whole = self._whole.setdefault(message.experiment_id, {})
        there_before: list[str] = []
        for run in self._source.runs(experiment.experiment_id):
            self._tally.add(RUNS, found=1)
            run_id, said = run.info.run_id, self._listed(run)
            points = of_models.pop(run_id, {})
            if self._is_whole(here.get(run_id), said):
                self._models.note_moved(said.artifact_uri, here[run_id].artifact_uri)
                self._tally.add(RUNS, there=1)
                whole[run_id] = said
                there_before.append(run_id)
                continue
            with self._noting(RUNS, f"run {run_id}"):
                read = self._source.run(run_id)
                sent = run_message(read, with_place=self._files is None)
                if self._runs.take(sent, read.info.artifact_uri, read.data.metrics, points):
                    self._models.note_moved(said.artifact_uri, self._client.get_run(run_id).artifact_uri)
                    self._tally.add(RUNS, copied=1)
                    whole[run_id] = listed(sent)
        self._count_points(there_before)
        for run_id, series in of_models.items():
            count = sum(len(points) for points in series.values())
            words = f"{count:,} points of logged models are of run {run_id or 'unknown'}, which the source has not"
            self._tally.add(POINTS, found=count)
            self._tally.fail(POINTS, f"experiment {experiment.name!r}: {words}", count=count)

    def _take_registry(self) -> None:
        for model in self._source.registered_models():
            self._tally.add(REGISTERED_MODELS, found=1)
            versions = self._source.versions(model)
            self._tally.add(VERSIONS, found=len(versions))
            is_here = False
            with self._noting(REGISTERED_MODELS, f"registered model {model.name!r}"):
                is_here = self._models.take_registered_model(model)
            if not is_here:
                words = f"registered model {model.name!r}: {len(versions):,} versions of it are left out"
                self._tally.fail(VERSIONS, words, count=len(versions))
                continue
            for version in versions:
                with self._noting(VERSIONS, f"model version '{model.name}/{version.version}'"):
                    self._models.take_version(version, model.aliases)

    def _look_again(self) -> None:
        """Whether all that was found whole stands here as the source's lists say. Open runs go on, here and there."""
        for experiment_id, whole in self._whole.items():
            here = self._runs_here(experiment_id)
            for run_id, said in whole.items():
                if not said.is_open and (run_id not in here or here[run_id].digest != said.digest):
                    self._tally.fail(RUNS, f"run {run_id}: does not stand here as the source has it")

    def _is_whole(self, here: Listed | None, there: Listed) -> bool:
        return is_whole(here, there, with_files=self._wanted.files)

    def _listed(self, run: MlflowRun) -> Listed:
        return listed(run_message(run, with_place=True))

    def _runs_here(self, experiment_id: str) -> dict[str, Listed]:
        returning = Returning(metrics=(), datasets="NONE")
        found = self._client.search_runs(str(experiment_id), view_type="ALL", returning=returning)
        return {run.run_id: listed(run) for run in found}

    def _experiment_here(self, experiment_id: str) -> experiments_pb2.Experiment | None:
        try:
            return self._client.get_experiment(experiment_id)
        except TrackwireError as error:
            if isinstance(error, NotFoundError) or error.code == "INVALID_ARGUMENT":
                return None
            raise

    def _count_points(self, run_ids: Sequence[str]) -> None:
        """Counts the points of runs that were whole before: as many as here."""
        for start in range(0, len(run_ids), RUNS_AT_ONCE):
            summaries = self._client.get_metric_summaries(run_ids[start : start + RUNS_AT_ONCE])
            count = sum(summary.count for summary in summaries)
            self._tally.add(POINTS, found=count, there=count)

    @contextmanager
    def _noting(self, kind: str, name: str) -> Iterator[None]:
        """Notes what can't be copied, so that the rest goes on; where the server is away, nothing can."""
        try:
            yield
        except (UnavailableError, DeadlineExceededError):
            raise
        except (TrackwireError, MlflowException, OSError) as error:
            text = " ".join(str(error).split())
            rest = "; what else it has is left out" if kind == EXPERIMENTS else ""
            self._tally.fail(kind, (text if text.startswith(name) else f"{name}: {text}") + rest)
