"""`trackwire runs`."""

import time
from typing import TYPE_CHECKING, Unpack, cast

import click

from trackwire.cli.output import (
    counted,
    duration_text,
    name_text,
    note,
    number_text,
    print_entries,
    print_fields,
    print_message,
    print_table,
    take,
    time_text,
)
from trackwire.cli.session import ListOptions, Session, filter_options, json_option, limit_option, view_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trackwire.client.experiments import ViewTypeName
    from trackwire.client.runs import RunStatusName
    from trackwire.v1.runs_pb2 import Run


# What the server takes in one search.
EXPERIMENTS_PER_SEARCH = 1_000
# Who beats does so every ten seconds.
SILENT_SECONDS = 60.0


class ListRunsOptions(ListOptions):
    """What `trackwire runs list` takes."""

    experiment_ids: tuple[str, ...]
    experiment_names: tuple[str, ...]
    view: str


@click.group()
def runs() -> None:
    """List, search and change runs."""


@runs.command("list")
@click.option("--experiment-id", "experiment_ids", multiple=True, help="Or its name. May be repeated; all by default.")
@click.option("--experiment-name", "experiment_names", multiple=True, help="May be repeated.")
@filter_options("metrics.loss < 0.5", "metrics.accuracy DESC")
@view_option
@limit_option
@json_option
@click.pass_obj
def list_runs(session: Session, /, **options: Unpack[ListRunsOptions]) -> None:
    """List or search runs, newest first, such as --filter "metrics.loss < 0.5 AND params.lr = '0.1'"."""
    listed = take(_search(session, options), options["limit"])
    if options["as_json"]:
        for run in listed:
            print_message(run)
        return
    rows = [
        (run.run_id, name_text(run.run_name), _state(run), time_text(run.start_time_ms), _duration(run), _metrics(run))
        for run in listed
    ]
    print_table(("RUN ID", "NAME", "STATUS", "STARTED", "TOOK", "METRICS"), rows)


runs.add_command(list_runs, "search")


@runs.command()
@click.argument("run_id")
@json_option
@click.pass_obj
def get(session: Session, run_id: str, as_json: bool) -> None:
    """Show a run with its params, tags and metrics."""
    run = session.client.get_run(run_id)
    if as_json:
        print_message(run)
        return
    print_fields(
        {
            "run id": run.run_id,
            "name": run.run_name,
            "experiment": run.experiment_id,
            "status": _state(run),
            "user": run.user_id,
            "parent": run.parent_run_id,
            "started": time_text(run.start_time_ms),
            "ended": time_text(run.end_time_ms),
            "took": _duration(run),
            "deleted": time_text(run.deleted_time_ms),
            "last heartbeat": time_text(run.heartbeat_time_ms),
            "asked to stop": "yes" if run.stop_requested else "",
            "artifacts": run.artifact_uri,
        }
    )
    print_entries("params", run.params)
    print_entries("tags", run.tags)
    print_entries(
        "metrics (last value)",
        {metric.key: f"{number_text(metric.last_value)}  step {metric.last_step}" for metric in run.metrics},
    )


runs.add_command(get, "describe")


@runs.command()
@click.argument("run_ids", nargs=-1, required=True)
@click.pass_obj
def delete(session: Session, run_ids: tuple[str, ...]) -> None:
    """Mark runs as deleted."""
    for run_id in run_ids:
        if session.client.get_run(run_id).HasField("deleted_time_ms"):
            click.echo(f"run {run_id} is deleted already")
            continue
        session.client.delete_run(run_id)
        click.echo(f"run {run_id} is deleted; `trackwire runs restore {run_id}` undoes it")


@runs.command()
@click.argument("run_ids", nargs=-1, required=True)
@click.pass_obj
def restore(session: Session, run_ids: tuple[str, ...]) -> None:
    """Restore deleted runs."""
    for run_id in run_ids:
        if not session.client.get_run(run_id).HasField("deleted_time_ms"):
            click.echo(f"run {run_id} is active already")
            continue
        session.client.restore_run(run_id)
        click.echo(f"run {run_id} is active")


@runs.command()
@click.argument("run_ids", nargs=-1, required=True)
@click.pass_obj
def stop(session: Session, run_ids: tuple[str, ...]) -> None:
    """Ask running runs to stop: their processes hear it with their next heartbeat."""
    for run_id in run_ids:
        run = session.client.get_run(run_id)
        if _has_ended(run):
            click.echo(f"run {run_id} has ended already: {status_text(run)}")
            continue
        session.client.request_run_stop(run_id)
        click.echo(f"run {run_id} is asked to stop")


@runs.command()
@click.argument("run_ids", nargs=-1, required=True)
@click.option(
    "--status",
    type=click.Choice(["FINISHED", "FAILED", "KILLED"], case_sensitive=False),
    default="FINISHED",
    show_default=True,
    help="How it ended.",
)
@click.pass_obj
def end(session: Session, run_ids: tuple[str, ...], status: str) -> None:
    """End runs that no process ends: now, with a status."""
    for run_id in run_ids:
        run = session.client.get_run(run_id)
        if not _has_ended(run):
            run = session.client.update_run(run_id, status=cast("RunStatusName", status))
            click.echo(f"run {run_id} has ended: {status_text(run)}")
        elif status_text(run) == status:
            click.echo(f"run {run_id} has ended already: {status}")
        else:
            raise click.ClickException(f"run {run_id} has ended already: {status_text(run)}, not {status}")


def status_text(run: "Run") -> str:
    """A run's status, or that it is deleted."""
    from trackwire.v1.runs_pb2 import RunStatus

    status = RunStatus.Name(run.status).removeprefix("RUN_STATUS_")
    return f"{status} (deleted)" if run.HasField("deleted_time_ms") else status


def _state(run: "Run") -> str:
    """A run's status, and of one that goes on without its process being heard, for how long."""
    silent = _silent_seconds(run)
    return f"{status_text(run)} (silent for {duration_text(silent)})" if silent else status_text(run)


def _silent_seconds(run: "Run") -> float:
    """How long a run has not been heard of that should be; 0 of one that is heard, has ended or never had a heartbeat.

    It may have been killed, or its machine cut off.
    """
    if run.HasField("end_time_ms") or not run.HasField("heartbeat_time_ms"):
        return 0.0
    seconds = time.time() - run.heartbeat_time_ms / 1000
    return seconds if seconds > SILENT_SECONDS else 0.0


def _has_ended(run: "Run") -> bool:
    # To a deleted one the server itself says no.
    return run.HasField("end_time_ms") and not run.HasField("deleted_time_ms")


def _search(session: Session, options: ListRunsOptions) -> "Iterator[Run]":
    """The runs that match, one more than the limit at most; where there is none, a note says where it looked."""
    view = cast("ViewTypeName", options["view"].upper())
    experiment_ids = _experiment_ids(session, options["experiment_ids"], options["experiment_names"], view)
    is_empty = True
    if experiment_ids:
        for run in session.client.search_runs(
            experiment_ids,
            options["filter_string"],
            order_by=options["order_by"],
            view_type=view,
            max_results=options["limit"] + 1,
        ):
            is_empty = False
            yield run
    if is_empty:
        note(f"no runs match in {counted(len(experiment_ids), 'experiment')}")


def _experiment_ids(session: Session, ids: tuple[str, ...], names: tuple[str, ...], view: "ViewTypeName") -> list[str]:
    """Those that are named; else all, with deleted ones only where deleted runs are wanted: theirs are."""
    if ids or names:
        found = [session.experiment(experiment_id) for experiment_id in ids]
        found += [session.client.get_experiment_by_name(name) for name in names]
        return list(dict.fromkeys(experiment.experiment_id for experiment in found))
    listed = session.client.search_experiments(
        view_type="ACTIVE_ONLY" if view == "ACTIVE_ONLY" else "ALL", max_results=EXPERIMENTS_PER_SEARCH + 1
    )
    everything = [experiment.experiment_id for experiment in listed]
    if len(everything) > EXPERIMENTS_PER_SEARCH:
        raise click.ClickException(
            f"there are more than {EXPERIMENTS_PER_SEARCH:,} experiments, the most that one search takes:"
            " name some with --experiment-id or --experiment-name"
        )
    return everything


def _duration(run: "Run") -> str:
    if not run.HasField("end_time_ms"):
        return duration_text(time.time() - _silent_seconds(run) - run.start_time_ms / 1000)
    return duration_text((run.end_time_ms - run.start_time_ms) / 1000)


def _metrics(run: "Run") -> str:
    shown = [f"{metric.key}={number_text(metric.last_value)}" for metric in run.metrics[:4]]
    return " ".join([*shown, f"+{len(run.metrics) - 4}"] if len(run.metrics) > 4 else shown)
