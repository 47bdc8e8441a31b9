"""An experiment with its logged models and runs. What can't be copied is told to the tally, and the rest goes on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from mlflow.entities import Experiment
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from trackwire.client import Client
from trackwire.client.runs import Returning
from trackwire.errors import DeadlineExceededError, NotFoundError, TrackwireError, UnavailableError
from trackwire.importing.entities import experiment_message, run_message
from trackwire.importing.files import FileCopier, kept_place
from trackwire.importing.issues import IssueImport
from trackwire.importing.points import Points, SeriesName
from trackwire.importing.registry import ModelImport
from trackwire.importing.runs import Listed, RunImport, is_whole, listed
from trackwire.importing.source import MlflowSource, NotServedError, points_of_models
from trackwire.importing.tally import EXPERIMENTS, ISSUES, LOGGED_MODELS, POINTS, RUNS, Tally
from trackwire.v1 import experiments_pb2

RUNS_AT_ONCE = 1_000


class ExperimentImport:
    """Copies experiments, one at a time."""

    def __init__(self, source: MlflowSource, client: Client, tally: Tally, files: FileCopier | None) -> None:
        self._source = source
        self._client = client
        self._tally = tally
        self._files = files
        self._runs = RunImport(source, client, tally, files)
        self._issues = IssueImport(client, tally)
        self.models = ModelImport(source, client, tally, files)
        # The ids of those that stand here.
        self.taken: set[str] = set()
        # By experiment and run, what the source's list says of those that are whole here.
        self._whole: dict[str, dict[str, Listed]] = {}

    def close(self) -> None:
        """Gives up what is under way."""
        self._runs.close()

    def survey(self, experiment: Experiment) -> None:
        """Only counts what there is, and which runs are whole here."""
        is_here = self._experiment_here(str(experiment.experiment_id)) is not None
        self._tally.add(EXPERIMENTS, found=1, there=int(is_here))
        here = self._runs_here(experiment.experiment_id)
        for run in self._source.runs(experiment.experiment_id):
            self._tally.add(RUNS, found=1, there=int(self._is_whole(here.get(run.info.run_id), _listed_there(run))))
        self._tally.add(LOGGED_MODELS, found=sum(1 for _ in self._source.logged_models(experiment.experiment_id)))
        with asking(self._tally, ISSUES):
            self._tally.add(ISSUES, found=sum(1 for _ in self._source.issues(experiment.experiment_id)))

    def take(self, experiment: Experiment) -> None:
        """Copies an experiment with all that is in it."""
        message = experiment_message(experiment, with_place=self._files is None)
        before = self._experiment_here(message.experiment_id)
        if before is not None and self._files is None:
            message.artifact_location = kept_place(before.artifact_location)
        taken = self._client.import_experiment(message)
        self.taken.add(message.experiment_id)
        self._tally.add(EXPERIMENTS, copied=int(before != taken), there=int(before == taken))
        points = self._take_logged_models(message.experiment_id)
        self._take_runs(message.experiment_id, points)
        self._take_issues(message.experiment_id)
        for run_id, series in points.items():
            count = sum(map(len, series.values()))
            words = f"{count:,} points of logged models are of run {run_id or 'unknown'}, which the source has not"
            self._tally.add(POINTS, found=count)
            self._tally.fail(POINTS, f"experiment {experiment.name!r}: {words}", count=count)

    def look_again(self) -> None:
        """Whether all that was found whole stands here as the source's lists say. Open runs go on, here and there."""
        for experiment_id, whole in self._whole.items():
            here = self._runs_here(experiment_id)
            for run_id, said in whole.items():
                if not said.is_open and (run_id not in here or here[run_id].digest != said.digest):
                    self._tally.fail(RUNS, f"run {run_id}: does not stand here as the source has it")

    def _take_logged_models(self, experiment_id: str) -> dict[str, dict[SeriesName, Points]]:
        """Copies the logged models of an experiment; their points, by run."""
        models = list(self._source.logged_models(experiment_id))
        self._tally.add(LOGGED_MODELS, found=len(models))
        for model in models:
            with noting(self._tally, LOGGED_MODELS, f"logged model {model.model_id}"):
                self.models.take_logged_model(model)
        return points_of_models(models)

    def _take_runs(self, experiment_id: str, points: dict[str, dict[SeriesName, Points]]) -> None:
        """Copies the runs of an experiment; takes their points from those of logged models."""
        here = self._runs_here(experiment_id)
        whole = self._whole.setdefault(experiment_id, {})
        whole_before: list[str] = []
        for run in self._source.runs(experiment_id):
            run_id, said = run.info.run_id, _listed_there(run)
            of_models = points.pop(run_id, {})
            self._tally.add(RUNS, found=1)
            if self._is_whole(here.get(run_id), said):
                self.models.note_moved(said.artifact_uri, here[run_id].artifact_uri)
                self._tally.add(RUNS, there=1)
                whole[run_id] = said
                whole_before.append(run_id)
                continue
            with noting(self._tally, RUNS, f"run {run_id}"):
                taken = self._take_run(run_id, here.get(run_id), of_models)
                if taken is not None:
                    whole[run_id] = taken
        self._count_points(whole_before)

    def _take_issues(self, experiment_id: str) -> None:
        with asking(self._tally, ISSUES):
            for issue in self._source.issues(experiment_id):
                self._tally.add(ISSUES, found=1)
                with noting(self._tally, ISSUES, f"issue {issue.issue_id}"):
                    self._issues.take(issue)

    def _take_run(self, run_id: str, here: Listed | None, of_models: Mapping[SeriesName, Points]) -> Listed | None:
        """Copies a run; how it stands if it is whole."""
        read = self._source.run(run_id)
        sent = run_message(read, with_place=self._files is None)
        if here is not None and self._files is None:
            sent.artifact_uri = kept_place(here.artifact_uri)
        stored = self._runs.take(sent, read.info.artifact_uri, read.data.metrics, of_models)
        if stored is None:
            return None
        self.models.note_moved(read.info.artifact_uri, stored.artifact_uri)
        self._tally.add(RUNS, copied=1)
        return listed(sent)

    def _is_whole(self, here: Listed | None, there: Listed) -> bool:
        return is_whole(here, there, with_files=self._files is not None)

    def _runs_here(self, experiment_id: str) -> dict[str, Listed]:
        if not str(experiment_id).isdecimal():
            return {}
        returning = Returning(metrics=(), datasets="NONE")
        found = self._client.search_runs(str(experiment_id), view_type="ALL", returning=returning)
        return {run.run_id: listed(run) for run in found}

    def _experiment_here(self, experiment_id: str) -> experiments_pb2.Experiment | None:
        if not experiment_id.isdecimal():
            return None
        try:
            return self._client.get_experiment(experiment_id)
        except NotFoundError:
            return None

    def _count_points(self, run_ids: Sequence[str]) -> None:
        """Counts the points of runs that were whole before: as many as here."""
        for start in range(0, len(run_ids), RUNS_AT_ONCE):
            summaries = self._client.get_metric_summaries(run_ids[start : start + RUNS_AT_ONCE])
            count = sum(summary.count for summary in summaries)
            self._tally.add(POINTS, found=count, there=count)


@contextmanager
def noting(tally: Tally, kind: str, name: str) -> Iterator[None]:
    """Notes what can't be copied, so that the rest goes on; where the server is away, nothing can."""
    try:
        yield
    except (UnavailableError, DeadlineExceededError):
        raise
    except Exception as error:
        # mlflow's stores raise whatever their files and databases make them raise.
        said = str(error) if isinstance(error, TrackwireError | MlflowException | OSError) else repr(error)
        text = " ".join(said.split())
        rest = "; what else it has is left out" if kind == EXPERIMENTS else ""
        tally.fail(kind, (text if text.startswith(name) else f"{name}: {text}") + rest)


@contextmanager
def asking(tally: Tally, kind: str) -> Iterator[None]:
    """Notes what the source has no way to give."""
    try:
        yield
    except NotServedError as error:
        tally.leave_unasked(kind, str(error))


def _listed_there(run: MlflowRun) -> Listed:
    return listed(run_message(run, with_place=True))
