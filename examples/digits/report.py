"""Registers the best run's model, and tells what is stored: everything here is read back through the client."""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from examples.digits.network import Digits, Network, loss_and_accuracy
from examples.digits.training import EXPERIMENT, PICTURE, WEIGHTS, Trained
from rich.console import Console
from rich.table import Table

from trackwire import AlreadyExistsError, Client, NotFoundError
from trackwire.v1.experiments_pb2 import Experiment, LifecycleStage
from trackwire.v1.model_registry_pb2 import ModelVersion
from trackwire.v1.runs_pb2 import Run

MODEL = "digits"
ALIAS = "champion"
RANKING = ("metrics.validation_accuracy DESC", "metrics.validation_loss")


class StoredOtherwiseError(Exception):
    """What is read back is not what was logged."""


def ranked_runs(client: Client, session: str) -> tuple[str, list[Run]]:
    """The filter that finds this start's runs, and the runs, best first; StoredOtherwiseError if there are none."""
    filter_string = f"tags.session = '{session}' AND status = 'FINISHED'"
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = list(client.search_runs(experiment.experiment_id, filter_string, order_by=RANKING))
    if not runs:
        raise StoredOtherwiseError(f"no finished run was found: {_why_none(experiment, filter_string)}")
    return filter_string, runs


def _why_none(experiment: Experiment, filter_string: str) -> str:
    which = f"experiment {experiment.name!r} ({experiment.experiment_id})"
    if experiment.lifecycle_stage == LifecycleStage.LIFECYCLE_STAGE_DELETED:
        return f"{which} is deleted; `trackwire experiments restore {experiment.experiment_id}` undoes it"
    return f"{which} has none with {filter_string}"


def register_best(client: Client, best: Run) -> ModelVersion:
    """Makes the best run's weights the next version of the model, and the champion if they beat the present one."""
    # From an earlier start it is there: this one adds a version.
    with suppress(AlreadyExistsError):
        client.create_registered_model(MODEL, description="Reads handwritten digits.")
    version = client.create_model_version(MODEL, f"runs:/{best.run_id}/{WEIGHTS}", run_id=best.run_id)
    champion = _champion_run(client)
    if champion is None or _rank(best) < _rank(champion):
        client.set_registered_model_alias(MODEL, ALIAS, version.version)
    return version


def _champion_run(client: Client) -> Run | None:
    """The run of the present champion; None if there is no champion, or its run is gone."""
    try:
        return client.get_run(client.get_model_version_by_alias(MODEL, ALIAS).run_id)
    except NotFoundError:
        return None


def _rank(run: Run) -> tuple[float, float]:
    """Sorts runs as RANKING does, best first; one without these metrics is last."""
    last = {metric.key: metric.last_value for metric in run.metrics}
    return -last.get("validation_accuracy", -math.inf), last.get("validation_loss", math.inf)


def print_runs(console: Console, filter_string: str, runs: Sequence[Run]) -> None:
    """The runs as a table, in the order given."""
    console.print(f"\n[bold]Runs[/bold]  {filter_string}\n      ORDER BY {', '.join(RANKING)}", highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("run", no_wrap=True, min_width=len(runs[0].run_id))
    for name in ("rate", "accuracy", "loss", "points", "took"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        last = {metric.key: metric.last_value for metric in run.metrics}
        table.add_row(
            run.run_id,
            run.params["learning_rate"],
            f"{last['validation_accuracy']:.2%}",
            f"{last['validation_loss']:.4f}",
            f"{sum(metric.count for metric in run.metrics):,}",
            f"{(run.end_time_ms - run.start_time_ms) / 1000:.1f} s",
        )
    console.print(table)


def print_points(console: Console, client: Client, runs: Sequence[Run], trained: Sequence[Trained]) -> None:
    """How many points are stored; raises StoredOtherwiseError unless these are all that were logged."""
    read = client.read_metrics([run.run_id for run in runs])
    stored = sum(len(series) for series in read.series)
    logged = sum(worker.points_logged for worker in trained)
    if stored != logged:
        raise StoredOtherwiseError(f"{logged:,} points were logged, but {stored:,} are read back")
    seconds = (max(run.end_time_ms for run in runs) - min(run.start_time_ms for run in runs)) / 1000
    console.print(
        f"\n[bold]Points[/bold]  {stored:,} in {len(read.series)} series, read back; logged in {seconds:.1f} s of"
        f" training: {stored / seconds:,.0f} points/s",
        highlight=False,
    )


def print_lineage(console: Console, client: Client, digits: Digits, added: ModelVersion) -> None:
    """Where the champion comes from, and whether it is the version added.

    Its weights are fetched and tried, and must do as well as was logged.
    """
    version = client.get_model_version_by_alias(MODEL, ALIAS)
    run = client.get_run(version.run_id)
    path = version.source.removeprefix(f"runs:/{run.run_id}/")
    weights = client.read_artifact(run.run_id, path)
    probabilities = Network.from_bytes(weights).probabilities(digits.validation_images)
    _, accuracy = loss_and_accuracy(probabilities, digits.validation_labels)
    logged = next(metric.last_value for metric in run.metrics if metric.key == "validation_accuracy")
    if accuracy != logged:
        raise StoredOtherwiseError(f"the weights read back reach {accuracy:.4%}, but {logged:.4%} was logged")
    if version.version != added.version:
        reached = -_rank(client.get_run(added.run_id))[0]
        stays = f": it stays, for version {added.version}, of this start, is not better ({reached:.2%})"
    else:
        stays = ""
    started = datetime.fromtimestamp(run.start_time_ms / 1000)
    console.print(
        f"\n[bold]Champion[/bold]  {MODEL}@{ALIAS} is version {version.version}{stays}\n"
        f"  ← {version.source}  ({len(weights):,} bytes; fetched and tried again: {accuracy:.2%})\n"
        f"  ← run {run.run_name}, {started:%Y-%m-%d %H:%M:%S}, by {run.user_id},"
        f" learning rate {run.params['learning_rate']}, seed {run.params['seed']}\n"
        f"  ← experiment {EXPERIMENT!r} ({run.experiment_id}); its picture: {PICTURE}",
        highlight=False,
    )


def print_next_steps(console: Console, address: str, run_id: str) -> None:
    """Three ways to go on, each a line to paste."""
    python = f"import trackwire; print(trackwire.Client('{address}').get_run('{run_id}').metrics[0])"
    curl = f"buf curl --protocol grpc --http2-prior-knowledge http://{address}/trackwire.v1.RunService/GetRun"
    lines = {
        "the client": f'.venv/bin/python -c "{python}"',
        "buf curl, by reflection (pip install buf-bin)": f"""{curl} --data '{{"run_id": "{run_id}"}}'""",
        "the command line": f".venv/bin/trackwire --server {address} artifacts download {run_id} {PICTURE}",
    }
    for what, line in lines.items():
        console.print(f"  {what}:", style="dim", highlight=False)
        console.print(f"    {line}", highlight=False, soft_wrap=True, markup=False)
