"""`trackwire metrics`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from trackwire.cli.output import note, number_text, print_json, print_message, print_table, take
from trackwire.cli.session import Session, json_option, limit_option

if TYPE_CHECKING:
    from trackwire.client.metrics import ReadRange
    from trackwire.columns import SeriesBatch
    from trackwire.v1.metrics_pb2 import SeriesContext

key_option = click.option("--key", "keys", multiple=True, help="May be repeated; all by default.")


NAMES_SHOWN = 10
SERIES_LOOKED_AT = 1_000
# What people type who know other tools.
MEANT = {"show": "summaries", "get": "summaries", "list": "summaries", "download": "export", "follow": "tail"}


class MetricCommands(click.Group):
    """The commands, and what somebody probably meant who names one that is not there."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        meant = MEANT.get(args[0])
        if meant is not None:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {meant!r}?", ctx)
        return super().resolve_command(ctx, args)


class ExportOptions(TypedDict):
    """What `trackwire metrics export` takes."""

    keys: tuple[str, ...]
    kind: str | None
    output: Path | None
    min_step: int | None
    max_step: int | None
    max_points: int


@click.group(cls=MetricCommands)
def metrics() -> None:
    """List summaries of metrics, export their points, or print points as they come."""


@metrics.command()
@click.argument("run_ids", nargs=-1, required=True)
@key_option
@limit_option
@json_option
@click.pass_obj
def summaries(session: Session, run_ids: tuple[str, ...], keys: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Show the last, smallest and largest value of each series, and how many points it has."""
    listed = take(session.client.get_metric_summaries(run_ids, keys, max_results=limit + 1), limit)
    _note_missing(session, run_ids, keys, {(summary.run_id, summary.key) for summary in listed})
    if as_json:
        for summary in listed:
            print_message(summary)
        return
    rows = [
        (
            summary.run_id,
            summary.key,
            rank_of(summary.context if summary.HasField("context") else None),
            summary.count,
            summary.last_step,
            number_text(summary.last_value),
            number_text(summary.min_value) if summary.HasField("min_value") else "NaN",
            number_text(summary.max_value) if summary.HasField("max_value") else "NaN",
        )
        for summary in listed
    ]
    print_table(("RUN ID", "KEY", "RANK", "POINTS", "LAST STEP", "LAST", "MIN", "MAX"), rows)


@metrics.command()
@click.argument("run_ids", nargs=-1, required=True)
@key_option
@click.option("--format", "kind", type=click.Choice(["csv", "npz", "parquet"]), help="By the file's ending, else csv.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; CSV can go to stdout.")
@click.option("--min-step", type=int, help="Only points with this step or a greater one.")
@click.option("--max-step", type=int, help="Only points with this step or a smaller one.")
@click.option("--max-points", default=0, help="Of each series at most so many, extremes kept; 0 for all.")
@click.pass_obj
def export(session: Session, /, run_ids: tuple[str, ...], **options: Unpack[ExportOptions]) -> None:
    """Export points, a row each: run_id, key, rank, step, time_ms, value."""
    # Imported late, like all that needs numpy: `--help` doesn't wait for it.
    from trackwire.cli import points as files

    output = options["output"]
    kind = options["kind"] or (output.suffix.lstrip(".") if output is not None else "csv")
    wanted: ReadRange = {"max_points": options["max_points"]}
    if options["min_step"] is not None:
        wanted["min_step"] = options["min_step"]
    if options["max_step"] is not None:
        wanted["max_step"] = options["max_step"]
    found: set[tuple[str, str]] = set()
    batches = session.client.stream_metrics(run_ids, options["keys"], **wanted)
    files.export(_noticing(batches, found), kind, output)
    _note_missing(session, run_ids, options["keys"], found)


@metrics.command()
@click.argument("run_ids", nargs=-1, required=True)
@key_option
@click.option("--resume-token", default="", help="Go on where an earlier tail or read ended.")
@json_option
@click.pass_obj
def tail(session: Session, run_ids: tuple[str, ...], keys: tuple[str, ...], resume_token: str, as_json: bool) -> None:
    """Print points as they are committed, until Ctrl-C; a server that restarts is waited for."""
    batches = session.client.tail_metrics(run_ids, keys, resume_token=resume_token, reconnect=True)
    for batch in batches:
        for series in batch.series:
            columns = (series.steps.tolist(), series.times_ms.tolist(), series.values.tolist())
            for step, time_ms, value in zip(*columns, strict=True):
                if as_json:
                    document = {"run_id": series.run_id, "key": series.key, "rank": series.rank, "step": str(step)}
                    print_json(document | {"time_ms": str(time_ms), "value": json_number(value)})
                else:
                    rank = "" if series.rank is None else f" rank {series.rank}"
                    click.echo(f"{series.run_id}  {series.key}{rank}  step {step}  {number_text(value)}")
        if as_json:
            print_json({"resume_token": batch.token})


def _noticing(batches: "Iterator[SeriesBatch]", found: set[tuple[str, str]]) -> "Iterator[SeriesBatch]":
    for batch in batches:
        found.update((series.run_id, series.key) for series in batch.series)
        yield batch


def _note_missing(session: Session, run_ids: Iterable[str], keys: tuple[str, ...], found: set[tuple[str, str]]) -> None:
    """Names the keys that were asked for and that a run doesn't have."""
    for run_id in dict.fromkeys(run_ids):
        unseen = [key for key in dict.fromkeys(keys) if (run_id, key) not in found]
        if not unseen:
            continue
        # A limit or a range of steps may have left out a key that is there.
        there = {summary.key for summary in session.client.get_metric_summaries(run_id, unseen)}
        missing = [repr(key) for key in unseen if key not in there]
        if missing:
            note(f"run {run_id} has no metric {', '.join(missing)}; it has {_names(session, run_id)}")


def _names(session: Session, run_id: str) -> str:
    # One key has a series for each rank; of very many, those of the first page will do.
    summaries = session.client.get_metric_summaries(run_id, max_results=SERIES_LOOKED_AT)
    keys = sorted({summary.key for summary in summaries})
    if not keys:
        return "none"
    return ", ".join(keys[:NAMES_SHOWN]) + (", …" if len(keys) > NAMES_SHOWN else "")


def rank_of(context: "SeriesContext | None") -> int | None:
    """A context's rank, if it has one."""
    return context.rank if context is not None and context.HasField("rank") else None


def json_number(value: float) -> float | str:
    """A number as JSON can say it."""
    if value != value:
        return "NaN"
    return value if abs(value) != float("inf") else ("Infinity" if value > 0 else "-Infinity")
