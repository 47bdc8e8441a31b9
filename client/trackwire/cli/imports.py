"""`trackwire import`: takes over what another tracking server keeps."""

import importlib.util
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from trackwire.cli.output import note, print_json, print_table
from trackwire.cli.session import Session, json_option

if TYPE_CHECKING:
    from trackwire.importing.tally import Tally

FAILURES_TOLD = 20


class ImportOptions(TypedDict):
    """What is imported, and how."""

    experiments: tuple[str, ...]
    artifacts: bool
    dry_run: bool
    as_json: bool


@click.group(name="import")
def imports() -> None:
    """Take over what another tracking server keeps."""


@imports.command()
@click.argument("uri")
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    help="Only this one, with what is in it; may be repeated. Without it: all, and the model registry.",
)
@click.option(
    "--artifacts/--no-artifacts",
    default=True,
    show_default=True,
    help="Copy the files of runs and logged models to this server, or leave them and their URIs where they are.",
)
@click.option("--dry-run", is_flag=True, help="Only count what there is, and what is here already.")
@json_option
@click.pass_context
def mlflow(context: click.Context, /, uri: str, **options: Unpack[ImportOptions]) -> None:
    """Take over what MLflow keeps at URI.

    URI is that of a server (http://HOST:5000), of a database (sqlite:////data/mlflow.db) or of a folder
    (/data/mlruns); mlflow's own client reads it: pip install 'trackwire[mlflow]' for servers and folders, and mlflow
    itself for databases.

    Experiments, runs, points, params, tags, datasets, logged models, issues, evaluation datasets, registered models,
    versions and files come over with their ids, numbers, stages and times, deleted runs and experiments as deleted.
    What has an id that something else has here is refused by name, and the rest goes on. What a server is too old to be
    asked for is said, and is no failure.

    It may be interrupted at any time, by Ctrl-C or kill -9, and run again: a run gets its status and its end time
    last, after all that it has was found equal on both sides, so that what is whole is left as it is, and nothing is
    stored twice. Runs that still go on at the source are read again each time.

    With --no-artifacts, URIs of files stay as they are. Otherwise versions of registered models whose source lies with
    a run or a logged model point to the new place; any other source stays as it is.

    Exit status 0 if all is here and equal, 1 if something failed or differs, 130 after Ctrl-C.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise click.ClickException("this needs MLflow's client: pip install 'trackwire[mlflow]'")
    tally = _import(context.obj, uri, options)
    if options["as_json"]:
        print_json(_document(tally))
    else:
        _print(tally, dry_run=options["dry_run"])
    context.exit(1 if tally.failures else 0)


def _import(session: Session, uri: str, options: ImportOptions) -> "Tally":
    from trackwire.cli.import_report import ImportReport
    from trackwire.importing.importer import Importer, Wanted
    from trackwire.importing.source import MlflowSource
    from trackwire.importing.tally import Tally

    # First, so that a mistyped address is not found out by a failure in the middle.
    session.client.get_server_info()
    report = ImportReport()
    tally = Tally()
    tally.on_change, tally.on_failure = lambda: report.show(tally), report.say
    importer = Importer(MlflowSource(uri), session.client, tally, Wanted(options["experiments"], options["artifacts"]))
    try:
        if options["dry_run"]:
            importer.survey()
        else:
            importer.run()
    finally:
        report.clear()
    return tally


def _print(tally: "Tally", *, dry_run: bool) -> None:
    headings = ("", "AT THE SOURCE", "THERE ALREADY") if dry_run else _HEADINGS
    rows = []
    for kind, count in tally.counts.items():
        if not dry_run:
            rows.append((kind, *map(_number, (count.found, count.copied, count.there, count.failed))))
        elif kind in _SURVEYED:
            rows.append((kind, _number(count.found), _number(count.there)))
        elif count.found:
            rows.append((kind, _number(count.found), ""))
    print_table(headings, rows)
    for kind, why in tally.not_asked.items():
        click.echo(f"not asked: {kind}: {why}")
    if dry_run:
        return
    if not tally.failures:
        click.echo("verified: equal")
        return
    click.echo(f"not equal: {len(tally.failures):,} failures")
    for words in tally.failures[:FAILURES_TOLD]:
        click.echo(f"  {words}")
    if len(tally.failures) > FAILURES_TOLD:
        note(f"and {len(tally.failures) - FAILURES_TOLD:,} more, which stand above")


# What a dry run looks at; of the rest it can't say what is here.
_SURVEYED = ("experiments", "runs")
_HEADINGS = ("", "AT THE SOURCE", "COPIED NOW", "THERE ALREADY", "FAILED")


def _number(count: int) -> str:
    return f"{count:,}"


def _document(tally: "Tally") -> dict[str, object]:
    counts = {
        kind.replace(" ", "_"): {
            "at_source": count.found,
            "copied": count.copied,
            "there_already": count.there,
            "failed": count.failed,
        }
        for kind, count in tally.counts.items()
    }
    not_asked = {kind.replace(" ", "_"): why for kind, why in tally.not_asked.items()}
    return {**counts, "equal": not tally.failures, "failures": tally.failures, "not_asked": not_asked}
