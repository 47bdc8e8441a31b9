"""A store or a server of MLflow's, read by mlflow's own client."""

import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import EvaluationDataset, Experiment, Issue, LoggedModel, Metric, Run, ViewType
from mlflow.entities.dataset_record import DatasetRecord
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.file_store import FileStore
from mlflow.tracking._tracking_service.utils import _get_store

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.importing.points import Points, SeriesName

PAGE = 1_000
MODELS_PAGE = 100
HISTORY_PAGE = 25_000
# How a server says that it is older than what it is asked for, and that its own store has no such thing.
NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
NOT_SERVED = ("ENDPOINT_NOT_FOUND", "NOT_FOUND", NOT_IMPLEMENTED, "FEATURE_DISABLED")
# Databases and servers are waited for; what is read is in memory, a series for each of them.
READERS = 4
PROMPT_TAG = "mlflow.prompt.is_prompt"
# mlflow asks for this before it opens a store of files, since it no longer develops them.
FILE_STORES_ALLOWED = "MLFLOW_ALLOW_FILE_STORE"

History: TypeAlias = Mapping[SeriesName, Points]
EntryT = TypeVar("EntryT", covariant=True)


class Page(Protocol[EntryT]):
    """mlflow's list with the token of the next page."""

    token: str | None

    def __iter__(self) -> Iterator[EntryT]: ...


class NotServedError(Exception):
    """The source has no way to give what it is asked for; `code` is how it says so."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the source does not serve them ({code})")
        self.code = code


class MlflowSource:
    """What there is at a tracking URI, which is mlflow's own until `close`.

    Raises FailedPreconditionError where mlflow can't open or read it.
    """

    def __init__(self, uri: str) -> None:
        _require_store(uri)
        os.environ.setdefault(FILE_STORES_ALLOWED, "true")
        self.uri = uri
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="trackwire-import-histories")
        with self.readable("open"):
            # For histories: mlflow's client has the whole of one in memory before it gives any of it.
            self._store = _get_store(uri)
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        # Whether there may be issues and evaluation datasets: mlflow's folders never have any.
        self._has_evaluations = not isinstance(self._store, FileStore)
        self._no_issues: NotServedError | None = None
        # There a folder's registry looks its versions' models up: elsewhere it makes a store, or asks a server.
        self._uri_before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)

    @contextmanager
    def readable(self, verb: str = "read") -> Iterator[None]:
        """Says in one line what mlflow can't do. Raises FailedPreconditionError."""
        try:
            yield
        except (MlflowException, ImportError) as error:
            raise FailedPreconditionError(f"{self.uri}: mlflow can't {verb} it: {_first_line(error)}") from error

    def experiments(self, names: Sequence[str] = ()) -> list[Experiment]:
        """All experiments, deleted ones too, or those of these names. InvalidArgumentError for one that is not."""
        found = _all(lambda token: self._client.search_experiments(ViewType.ALL, max_results=PAGE, page_token=token))
        every = sorted(found, key=lambda experiment: str(experiment.experiment_id))
        missing = set(names) - {experiment.name for experiment in every}
        if missing:
            raise InvalidArgumentError(f"--experiment: {', '.join(map(repr, sorted(missing)))}: not in {self.uri}")
        return [experiment for experiment in every if not names or experiment.name in names]

    def runs(self, experiment_id: str) -> Iterator[Run]:
        """All runs of an experiment, deleted ones too, with params and tags, oldest first."""
        return _all(
            lambda token: self._client.search_runs(
                [experiment_id],
                run_view_type=ViewType.ALL,
                max_results=PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
        )

    def run(self, run_id: str) -> Run:
        """A run with its inputs and outputs."""
        return self._client.get_run(run_id)

    def histories(
        self, run_id: str, keys: Sequence[str], on_page: Callable[[int], object]
    ) -> Iterator[tuple[str, History]]:
        """All points of each key, in the order of the keys; a few are read at a time."""
        waiting: deque[tuple[str, Future[History]]] = deque()
        try:
            for key in keys:
                waiting.append((key, self._readers.submit(self._history, run_id, key, on_page)))
                if len(waiting) > READERS:
                    first, read = waiting.popleft()
                    yield first, read.result()
            for first, read in waiting:
                yield first, read.result()
        finally:
            for _, read in waiting:
                read.cancel()

    def close(self) -> None:
        """Waits for what is being read; nothing further is begun."""
        self._readers.shutdown(wait=True, cancel_futures=True)
        mlflow.set_tracking_uri(self._uri_before)

    def _history(self, run_id: str, key: str, on_page: Callable[[int], object]) -> History:
        columns: dict[SeriesName, _Columns] = {}
        token: str | None = None
        while True:
            page = self._store.get_metric_history(run_id, key, max_results=HISTORY_PAGE, page_token=token)
            gather(columns, page)
            on_page(len(page))
            token = page.token
            if not token:
                break
        return {name: gathered.points() for name, gathered in columns.items()}

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]:
        """All logged models of an experiment, with params, tags and metrics."""
        return _all(
            lambda token: self._client.search_logged_models([experiment_id], max_results=MODELS_PAGE, page_token=token)
        )

    def issues(self, experiment_id: str) -> Iterator[Issue]:
        """All issues of an experiment. Raises NotServedError."""
        if not self._has_evaluations:
            return
        if self._no_issues is not None:
            raise self._no_issues
        try:
            with _served():
                yield from _all(
                    lambda token: self._store.search_issues(experiment_id, max_results=PAGE, page_token=token)
                )
        except NotServedError as error:
            self._no_issues = error
            raise

    def evaluation_datasets(self, experiment_ids: Sequence[str] = ()) -> Iterator[EvaluationDataset]:
        """All evaluation datasets, or those that belong to one of these experiments. Raises NotServedError."""
        if not self._has_evaluations:
            return
        # A server over a folder has neither, but refuses these by a status for which mlflow asks again, for minutes.
        if self._no_issues is not None and self._no_issues.code == NOT_IMPLEMENTED:
            raise self._no_issues
        among = list(experiment_ids) or None
        with _served():
            yield from _all(lambda token: self._store.search_datasets(among, max_results=PAGE, page_token=token))

    def experiments_of(self, dataset_id: str) -> list[str]:
        """The experiments that an evaluation dataset belongs to; some may no longer be there."""
        return list(self._store.get_dataset_experiment_ids(dataset_id))

    def evaluation_records(self, dataset_id: str) -> Iterator[DatasetRecord]:
        """All records of an evaluation dataset, in the order in which they were added."""
        token: str | None = None
        while True:
            # Its public name gives all of them at once.
            page, token = self._store._load_dataset_records(dataset_id, max_results=PAGE, page_token=token)  # noqa: SLF001
            yield from page
            if not token:
                return

    def registered_models(self) -> list[RegisteredModel]:
        """All registered models, prompts too."""
        found: dict[str, RegisteredModel] = {}
        for filter_string in (None, f"tag.`{PROMPT_TAG}` = 'true'"):
            search = self._search_models(filter_string)
            found |= {model.name: model for model in _all(search)}
        return list(found.values())

    def versions(self, model: RegisteredModel) -> list[ModelVersion]:
        """All versions of a registered model, by number."""
        quoted = model.name.replace("'", "''")
        wanted = f"name='{quoted}'"
        if any(tag.key == PROMPT_TAG for tag in model.to_proto().tags):
            wanted += f" AND tag.`{PROMPT_TAG}` = 'true'"
        found = _all(
            lambda token: self._client.search_model_versions(wanted, max_results=MODELS_PAGE, page_token=token)
        )
        return sorted(found, key=lambda version: int(version.version))

    def files_of(self, version: ModelVersion) -> str:
        """Where the files of a version lie."""
        uri: str = self._client.get_model_version_download_uri(version.name, version.version)
        return uri

    def _search_models(self, filter_string: str | None) -> Callable[[str | None], Page[RegisteredModel]]:
        return lambda token: self._client.search_registered_models(
            filter_string, max_results=MODELS_PAGE, page_token=token
        )


class _Columns:
    """Points of one series, gathered one by one."""

    def __init__(self) -> None:
        self.steps, self.times_ms, self.values = array("q"), array("q"), array("d")

    def points(self) -> Points:
        """All of them, ordered, each once."""
        return Points.ordered(
            np.frombuffer(self.steps, np.int64),
            np.frombuffer(self.times_ms, np.int64),
            np.frombuffer(self.values, np.float64),
        )


def gather(columns: "dict[SeriesName, _Columns]", metrics: Iterable[Metric]) -> None:
    """Adds points to the columns of their series."""
    for metric in metrics:
        name = SeriesName(metric.key, metric.model_id or "", metric.dataset_name or "", metric.dataset_digest or "")
        gathered = columns.get(name)
        if gathered is None:
            gathered = columns[name] = _Columns()
        gathered.steps.append(metric.step)
        gathered.times_ms.append(metric.timestamp)
        gathered.values.append(metric.value)


def points_of_models(models: Iterable[LoggedModel]) -> dict[str, dict[SeriesName, Points]]:
    """The points of logged models, by run and series."""
    by_run: dict[str, dict[SeriesName, _Columns]] = {}
    for model in models:
        for metric in model.metrics or ():
            of_model = Metric(
                metric.key,
                metric.value,
                metric.timestamp,
                metric.step,
                model_id=model.model_id,
                dataset_name=metric.dataset_name,
                dataset_digest=metric.dataset_digest,
            )
            gather(by_run.setdefault(metric.run_id or model.source_run_id or "", {}), [of_model])
    return {
        run_id: {name: gathered.points() for name, gathered in columns.items()} for run_id, columns in by_run.items()
    }


def _all(page_at: Callable[[str | None], Page[EntryT]]) -> Iterator[EntryT]:
    """The entries of all pages."""
    token: str | None = None
    while True:
        page = page_at(token)
        yield from page
        token = page.token
        if not token:
            return


@contextmanager
def _served() -> Iterator[None]:
    """Tells what a source has no way to give from what fails. Raises NotServedError."""
    try:
        yield
    except MlflowException as error:
        if error.error_code not in NOT_SERVED:
            raise
        raise NotServedError(error.error_code) from error
    except NotImplementedError as error:
        raise NotServedError(NOT_IMPLEMENTED) from error


def _require_store(uri: str) -> None:
    """A store of files or of SQLite must be there: mlflow would make an empty one. Raises InvalidArgumentError."""
    parts = urlsplit(uri)
    path: Path | None = None
    if parts.scheme in ("", "file"):
        path = Path(unquote(parts.path)) if parts.scheme else Path(uri)
        if not path.is_dir():
            raise InvalidArgumentError(f"{uri}: there is no folder {path}")
    elif parts.scheme.partition("+")[0] == "sqlite":
        # sqlite:///relative/path and sqlite:////absolute/path.
        path = Path(unquote(parts.path[1:]))
        if not path.is_file():
            raise InvalidArgumentError(f"{uri}: there is no file {path}")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
