"""`trackwire export`: all that a server keeps, as Parquet."""

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

import click

from trackwire.cli.output import counted, print_json, print_table
from trackwire.cli.session import Session, json_option, view_option

if TYPE_CHECKING:
    from trackwire.client.experiments import ViewTypeName

SHOWN_SECONDS = 0.2


class ExportOptions(TypedDict):
    """What is exported, and how it is told."""

    experiments: tuple[str, ...]
    filter_string: str
    view: str
    as_json: bool


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="ID_OR_NAME",
    help="Only this one; may be repeated. Without it and --filter: all, and the model registry.",
)
@click.option("--filter", "filter_string", default="", help='Only runs such as "metrics.loss < 0.5".')
@view_option
@json_option
@click.pass_obj
def export(session: Session, /, folder: Path, **options: Unpack[ExportOptions]) -> None:
    """Export experiments, runs, points and models to FOLDER, a Parquet file a table.

    FOLDER is made; it is there whole or not at all. docs/moving.md says what the tables have. Needs pyarrow: pip
    install 'trackwire[parquet]'. Files of runs and models are not exported: see trackwire artifacts download.
    """
    from trackwire.exporting.exporter import Wanted, export_tables
    from trackwire.exporting.parquet import pyarrow

    # Before anything is asked for.
    pyarrow()
    chosen = [session.experiment(named) for named in options["experiments"]]
    wanted = Wanted(chosen, options["filter_string"], cast("ViewTypeName", options["view"].upper()))
    progress = _Progress()
    try:
        rows = export_tables(session.client, folder, wanted, progress.show)
    finally:
        progress.clear()
    if options["as_json"]:
        print_json({"folder": str(folder.resolve()), "rows": dict(rows)})
        return
    files = [(name, f"{count:,}", f"{name}.parquet") for name, count in rows.items()]
    print_table(("TABLE", "ROWS", "FILE"), files)


class _Progress:
    """A line on a terminal that says how far it is."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown_at = 0.0

    def show(self, rows: Mapping[str, int]) -> None:
        """The state as it is now, if the last one was some time ago."""
        if not self._is_terminal or time.monotonic() - self._shown_at < SHOWN_SECONDS:
            return
        self._shown_at = time.monotonic()
        line = ", ".join((counted(rows["runs"], "run"), counted(rows["metrics"], "point")))
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r{line[:width]}\x1b[K", nl=False, err=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._is_terminal and self._shown_at:
            click.echo("\r\x1b[K", nl=False, err=True)
