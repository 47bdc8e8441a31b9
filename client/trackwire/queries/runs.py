"""Runs: to find one or many, to delete one, and the history of a metric."""

import logging
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, overload

from trackwire.errors import InvalidArgumentError
from trackwire.media.packages import import_optional
from trackwire.queries.entities import Metric, Run
from trackwire.queries.experiments import chosen_experiment_id, experiment_ids_by_name
from trackwire.queries.named_values import ViewType
from trackwire.queries.server import client_for
from trackwire.queries.views import view_type_name

if TYPE_CHECKING:
    from trackwire.client import Client

logger = logging.getLogger(__name__)

RUNS_MAX = 100_000


def get_run(run_id: str) -> Run:
    """A run with its params, its tags and the last value of each metric, also a deleted one."""
    from trackwire.queries.convert import run_of

    return run_of(client_for("get_run").get_run(run_id))


def get_parent_run(run_id: str) -> Run | None:
    """The run that this one is part of; None if it is not part of another."""
    return parent_of(client_for("get_parent_run"), run_id)


def parent_of(client: "Client", run_id: str) -> Run | None:
    """As `get_parent_run`, by this client."""
    from trackwire.queries.convert import run_of

    parent_run_id = client.get_run(run_id).parent_run_id
    return run_of(client.get_run(parent_run_id)) if parent_run_id else None


def delete_run(run_id: str) -> None:
    """Marks a run as deleted: it refuses writes until restored."""
    client_for("delete_run").delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Restores a deleted run."""
    client_for("restore_run").restore_run(run_id)


def get_metric_history(run_id: str, key: str) -> list[Metric]:
    """All points of a metric by step; of several ranks, those of the one that `metrics.<key>` means in a filter."""
    return history_of(client_for("get_metric_history"), run_id, key)


def history_of(client: "Client", run_id: str, key: str) -> list[Metric]:
    """As `get_metric_history`, by this client."""
    from trackwire.queries.convert import metrics_of
    from trackwire.v1.metrics_pb2 import SeriesContext

    primary = next((each.context for each in client.get_metric_summaries(run_id, key) if each.primary), None)
    if primary is None:
        return []
    series = client.read_metrics(run_id, key).series
    meant = [each for each in series if (SeriesContext() if each.context is None else each.context) == primary]
    return [metric for each in meant for metric in metrics_of(each)]


@overload
def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: int | str = ViewType.ACTIVE_ONLY,
    max_results: int = RUNS_MAX,
    order_by: Sequence[str] | None = None,
    *,
    output_format: Literal["list"],
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> list[Run]: ...


# A DataFrame: pandas has no types of its own.
@overload
def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: int | str = ViewType.ACTIVE_ONLY,
    max_results: int = RUNS_MAX,
    order_by: Sequence[str] | None = None,
    output_format: str | None = None,
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any: ...


def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: int | str = ViewType.ACTIVE_ONLY,
    max_results: int = RUNS_MAX,
    order_by: Sequence[str] | None = None,
    output_format: str | None = None,
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> object:
    """Runs that match a filter such as `metrics.loss < 0.5 AND params.lr = '0.1'`, newest first.

    A pandas DataFrame, or a list of Run with `output_format="list"` and where pandas is not installed. Without
    experiments, by id or by name, those of the experiment that runs are started in.
    """
    if output_format not in (None, "list", "pandas"):
        raise InvalidArgumentError(f"output_format: {output_format!r}: must be 'pandas' or 'list'")
    pandas = None if output_format == "list" else _pandas(is_wanted=output_format == "pandas")
    view_type = view_type_name("run_view_type", run_view_type)
    client = client_for("search_runs")
    searched = _experiments(client, experiment_ids, experiment_names, search_all=search_all_experiments)
    from trackwire.client.runs import Returning
    from trackwire.queries.convert import run_of

    found = client.search_runs(
        searched,
        filter_string or "",
        order_by=order_by or (),
        view_type=view_type,
        max_results=max_results,
        # A DataFrame has no column for them.
        returning=Returning(datasets="BASIC" if pandas is None else "NONE"),
    )
    runs = [run_of(message) for message in found] if searched else []
    if pandas is None:
        return runs
    from trackwire.queries.frames import frame_of

    return frame_of(runs, pandas)


def _pandas(*, is_wanted: bool) -> ModuleType | None:
    """pandas; None where there is none, and nobody has asked for it by name."""
    try:
        return import_optional("pandas", package="pandas", purpose="search_runs: output_format='pandas'")
    except ModuleNotFoundError as error:
        if is_wanted or error.name != "pandas":
            raise
        return None


def _experiments(
    client: "Client",
    experiment_ids: Sequence[str | int] | None,
    experiment_names: Sequence[str] | None,
    *,
    search_all: bool,
) -> list[str]:
    if experiment_ids and experiment_names:
        raise InvalidArgumentError("experiment_ids, experiment_names: give one of them, not both")
    if experiment_ids:
        return [str(each) for each in _listed(experiment_ids)]
    if experiment_names:
        return _named(client, [str(each) for each in _listed(experiment_names)])
    if search_all:
        return [experiment.experiment_id for experiment in client.search_experiments()]
    chosen = chosen_experiment_id(client)
    return [] if chosen is None else [chosen]


def _named(client: "Client", names: Sequence[str]) -> list[str]:
    ids = experiment_ids_by_name(client, names)
    for name, experiment_id in ids.items():
        if experiment_id is None:
            logger.warning("search_runs: there is no experiment %r", name)
    return [experiment_id for experiment_id in ids.values() if experiment_id is not None]


def _listed(given: Sequence[str | int] | Sequence[str] | str | int) -> Sequence[str | int]:
    """One alone is a list of one, not of its characters."""
    return [given] if isinstance(given, str | int) else given
