"""The order of a whole export: experiments with what is in them, evaluation datasets, then the registry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from trackwire.client import Client
from trackwire.client.experiments import ViewTypeName
from trackwire.client.runs import Returning
from trackwire.errors import NotFoundError
from trackwire.exporting.tables import Tables
from trackwire.exporting.whole import whole_folder
from trackwire.v1.experiments_pb2 import Experiment

RUNS_AT_ONCE = 100
# Only a filter that speaks of it finds prompts and their versions.
PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is exported: all, or only the experiments that are named, and of their runs those that match a filter."""

    experiments: Sequence[Experiment] = ()
    run_filter: str = ""
    view: ViewTypeName = "ACTIVE_ONLY"

    @property
    def registry(self) -> bool:
        """Whether registered models are: they belong to no experiment and no run."""
        return not (self.experiments or self.run_filter)


def export_tables(
    client: Client, output: Path, wanted: Wanted, on_rows: Callable[[Mapping[str, int]], object]
) -> Mapping[str, int]:
    """Writes all tables into a folder, whole or not at all; how many rows each has. `on_rows` is told on the way."""
    with whole_folder(output) as folder, Tables(folder) as tables:
        for experiment in wanted.experiments or client.search_experiments(view_type=wanted.view):
            tables.add_experiment(experiment)
            _add_runs(client, tables, experiment.experiment_id, wanted, on_rows)
            if not wanted.run_filter:
                for model in client.search_logged_models(experiment.experiment_id):
                    tables.add_logged_model(model)
                for issue in client.search_issues(experiment.experiment_id):
                    tables.add_issue(issue)
        if not wanted.run_filter:
            _add_evaluation_datasets(client, tables, wanted, on_rows)
        if wanted.registry:
            _add_registry(client, tables)
        on_rows(tables.rows)
        return tables.rows


def _add_runs(
    client: Client,
    tables: Tables,
    experiment_id: str,
    wanted: Wanted,
    on_rows: Callable[[Mapping[str, int]], object],
) -> None:
    nothing = Returning(metrics=(), params=(), tags=(), datasets="NONE")
    found = client.search_runs(experiment_id, wanted.run_filter, view_type=wanted.view, returning=nothing)
    for run_ids in _parts(run.run_id for run in found):
        there = [run_id for run_id in run_ids if _add_run(client, tables, run_id)]
        for batch in client.stream_metrics(there) if there else ():
            tables.add_points(batch)
            on_rows(tables.rows)


def _add_run(client: Client, tables: Tables, run_id: str) -> bool:
    """Whether the run is still there: one that was found may have been removed for good since."""
    try:
        tables.add_run(client.get_run(run_id))
    except NotFoundError:
        return False
    return True


def _add_evaluation_datasets(
    client: Client, tables: Tables, wanted: Wanted, on_rows: Callable[[Mapping[str, int]], object]
) -> None:
    only = [experiment.experiment_id for experiment in wanted.experiments]
    for dataset in client.search_evaluation_datasets(only):
        tables.add_evaluation_dataset(dataset)
        for record in client.list_evaluation_dataset_records(dataset.dataset_id):
            tables.add_evaluation_record(record)
        on_rows(tables.rows)


def _add_registry(client: Client, tables: Tables) -> None:
    for model in chain(client.search_registered_models(), client.search_registered_models(PROMPTS)):
        tables.add_registered_model(model)
    for version in chain(client.search_model_versions(), client.search_model_versions(PROMPTS)):
        tables.add_version(version)


def _parts(run_ids: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for run_id in run_ids:
        part.append(run_id)
        if len(part) == RUNS_AT_ONCE:
            yield part
            part = []
    if part:
        yield part
