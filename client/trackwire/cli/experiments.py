"""`trackwire experiments`."""

import csv as csv_files
from typing import TYPE_CHECKING, TextIO, Unpack, cast

import click

from trackwire.cli.output import (
    name_text,
    print_entries,
    print_fields,
    print_message,
    print_table,
    take,
    time_text,
)
from trackwire.cli.session import ListOptions, Session, filter_options, json_option, limit_option, pairs, view_option

if TYPE_CHECKING:
    from trackwire.client.experiments import ViewTypeName
    from trackwire.v1.experiments_pb2 import Experiment
    from trackwire.v1.runs_pb2 import Run


experiment_argument = click.argument("experiment", metavar="EXPERIMENT")


@click.group()
def experiments() -> None:
    """List, make and change experiments.

    EXPERIMENT is the id of one, or its name.
    """


@experiments.command("list")
@filter_options("name LIKE 'vision%'", "last_update_time DESC")
@view_option
@limit_option
@json_option
@click.pass_obj
def list_experiments(session: Session, /, view: str, **options: Unpack[ListOptions]) -> None:
    """List experiments, newest first."""
    limit = options["limit"]
    found = session.client.search_experiments(
        options["filter_string"],
        order_by=options["order_by"],
        view_type=cast("ViewTypeName", view.upper()),
        max_results=limit + 1,
    )
    listed = take(found, limit)
    if options["as_json"]:
        for experiment in listed:
            print_message(experiment)
        return
    rows = [
        (each.experiment_id, name_text(each.name), _stage(each), time_text(each.last_update_time_ms)) for each in listed
    ]
    print_table(("ID", "NAME", "STAGE", "LAST CHANGED"), rows)


experiments.add_command(list_experiments, "search")


@experiments.command()
@click.argument("name")
@click.option("--artifact-location", default="", help="Where its runs keep artifacts: a URI.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A first tag; may be repeated.")
@json_option
@click.pass_obj
def create(session: Session, name: str, artifact_location: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Create an experiment and print its id."""
    experiment = session.client.create_experiment(name, artifact_location=artifact_location, tags=pairs("--tag", tags))
    if as_json:
        print_message(experiment)
    else:
        click.echo(experiment.experiment_id)


@experiments.command()
@click.argument("experiment", metavar="EXPERIMENT", required=False)
@click.option("--name", help="In place of EXPERIMENT, of one whose name is another's id.")
@json_option
@click.pass_obj
def get(session: Session, experiment: str | None, name: str | None, as_json: bool) -> None:
    """Show an experiment, by its id or its name."""
    if (experiment is None) == (name is None):
        raise click.UsageError("give either EXPERIMENT or --name")
    found = session.client.get_experiment_by_name(name) if name is not None else session.experiment(experiment or "")
    if as_json:
        print_message(found)
        return
    print_fields(
        {
            "id": found.experiment_id,
            "name": found.name,
            "stage": _stage(found),
            "artifacts": found.artifact_location,
            "created": time_text(found.creation_time_ms),
            "last changed": time_text(found.last_update_time_ms),
        }
    )
    print_entries("tags", found.tags)


@experiments.command()
@experiment_argument
@click.argument("new_name")
@click.pass_obj
def rename(session: Session, experiment: str, new_name: str) -> None:
    """Rename an experiment."""
    experiment_id = session.experiment(experiment).experiment_id
    session.client.rename_experiment(experiment_id, new_name)
    click.echo(f"experiment {experiment_id} is now {new_name!r}")


@experiments.command()
@experiment_argument
@click.pass_obj
def delete(session: Session, experiment: str) -> None:
    """Mark an experiment and all its runs as deleted."""
    experiment_id = session.experiment(experiment).experiment_id
    session.client.delete_experiment(experiment_id)
    click.echo(f"experiment {experiment_id} is deleted; `trackwire experiments restore {experiment_id}` undoes it")


@experiments.command()
@experiment_argument
@click.pass_obj
def restore(session: Session, experiment: str) -> None:
    """Restore a deleted experiment and all its runs."""
    experiment_id = session.experiment(experiment).experiment_id
    session.client.restore_experiment(experiment_id)
    click.echo(f"experiment {experiment_id} is active")


@experiments.command()
@experiment_argument
@click.option("-o", "--output", type=click.File("w"), default="-", help="A file; standard output by default.")
@click.pass_obj
def csv(session: Session, experiment: str, output: TextIO) -> None:
    """Write an experiment's runs as CSV: a row a run, a column for each metric's last value, param and tag."""
    runs = list(session.client.search_runs(session.experiment(experiment).experiment_id))
    rows = [_csv_row(run) for run in runs]
    columns = list(_csv_row_head(runs[0]) if runs else ["run_id"])
    columns += sorted({name for row in rows for name in row} - set(columns))
    writer = csv_files.DictWriter(output, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)


def _csv_row_head(run: "Run") -> dict[str, object]:
    from trackwire.v1.runs_pb2 import RunStatus

    return {
        "experiment_id": run.experiment_id,
        "run_id": run.run_id,
        "run_name": run.run_name,
        "user_id": run.user_id,
        "status": RunStatus.Name(run.status).removeprefix("RUN_STATUS_"),
        "start_time_ms": run.start_time_ms,
        "end_time_ms": run.end_time_ms if run.HasField("end_time_ms") else "",
        "parent_run_id": run.parent_run_id,
    }


def _csv_row(run: "Run") -> dict[str, object]:
    row = _csv_row_head(run)
    row |= {f"metrics.{summary.key}": repr(summary.last_value) for summary in run.metrics}
    row |= {f"params.{key}": value for key, value in run.params.items()}
    row |= {f"tags.{key}": value for key, value in run.tags.items()}
    return row


def _stage(experiment: "Experiment") -> str:
    from trackwire.v1.experiments_pb2 import LifecycleStage

    return LifecycleStage.Name(experiment.lifecycle_stage).removeprefix("LIFECYCLE_STAGE_").lower()
