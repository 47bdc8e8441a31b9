"""What `trackwire metrics export` writes, and where."""

import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import click

from trackwire.columns import SeriesBatch
from trackwire.exporting.points import write_csv, write_csv_file, write_npz_file, write_parquet_file
from trackwire.exporting.whole import whole_file

_WRITERS = {"csv": write_csv_file, "npz": write_npz_file, "parquet": write_parquet_file}


def export(batches: Iterator[SeriesBatch], kind: str, output: Path | None) -> None:
    """Writes all points as `kind` to a file, whole or not at all; CSV also to standard output."""
    if kind not in _WRITERS:
        raise click.UsageError(f"{kind!r}: --format must be csv, npz or parquet")
    if output is None:
        if kind != "csv":
            raise click.UsageError(f"--format {kind} needs --output")
        write_csv(_asked(batches), sys.stdout)
        return
    folder = output.resolve().parent
    if not folder.is_dir():
        raise click.ClickException(f"--output {output}: there is no folder {folder}")
    batches = _asked(batches)
    with whole_file(output) as path:
        _WRITERS[kind](batches, path)


def _asked(batches: Iterator[SeriesBatch]) -> Iterator[SeriesBatch]:
    """The same batches, once the server has answered: its refusal comes before anything is written."""
    return chain(list(islice(batches, 1)), batches)
