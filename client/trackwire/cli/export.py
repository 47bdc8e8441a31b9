"""Points as files: one row a point, in columns with types: run_id, key, rank, step, time_ms, value."""

import csv
import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import click
import numpy as np
from numpy.typing import NDArray

from trackwire.columns import Series, SeriesBatch

COLUMNS = ("run_id", "key", "rank", "step", "time_ms", "value")
# In .npz, whose columns can't leave a place empty.
NO_RANK = -1


def export(batches: Iterator[SeriesBatch], kind: str, output: Path | None) -> None:
    """Writes all points as `kind` to a file, whole or not at all; CSV also to standard output."""
    if kind not in ("csv", "npz", "parquet"):
        raise click.UsageError(f"{kind!r}: --format must be csv, npz or parquet")
    if output is None:
        if kind != "csv":
            raise click.UsageError(f"--format {kind} needs --output")
        _write_csv(_asked(batches), sys.stdout)
        return
    folder = output.resolve().parent
    if not folder.is_dir():
        raise click.ClickException(f"--output {output}: there is no folder {folder}")
    write = {"csv": _export_csv, "npz": _export_npz, "parquet": _export_parquet}[kind]
    batches = _asked(batches)
    with _whole_file(output) as path:
        write(batches, path)


def _asked(batches: Iterator[SeriesBatch]) -> Iterator[SeriesBatch]:
    """The same batches, once the server has answered: its refusal comes before anything is written."""
    return chain(list(islice(batches, 1)), batches)


@contextmanager
def _whole_file(output: Path) -> Iterator[Path]:
    """A file to write in place of `output`, which it becomes at the end; a failure leaves what was there before."""
    # A link is written through; a device or a pipe can't be replaced.
    output = output.resolve()
    if output.exists() and not output.is_file():
        yield output
        return
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        yield partial
        if output.exists():
            shutil.copymode(output, partial)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


def _export_csv(batches: Iterator[SeriesBatch], output: Path) -> None:
    with output.open("w", newline="", encoding="utf-8") as file:
        _write_csv(batches, file)


def _write_csv(batches: Iterator[SeriesBatch], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for batch in batches:
        for series in batch.series:
            rank = "" if series.rank is None else series.rank
            # `repr` of a float reads back as the same bits.
            writer.writerows(
                (series.run_id, series.key, rank, step, time_ms, repr(value))
                for step, time_ms, value in zip(
                    series.steps.tolist(), series.times_ms.tolist(), series.values.tolist(), strict=True
                )
            )


def _export_npz(batches: Iterator[SeriesBatch], output: Path) -> None:
    series = [part for batch in batches for part in batch.series]
    with output.open("wb") as file:
        np.savez_compressed(
            file,
            run_id=_repeated([part.run_id for part in series], series, np.str_),
            key=_repeated([part.key for part in series], series, np.str_),
            rank=_repeated([NO_RANK if part.rank is None else part.rank for part in series], series, np.int32),
            step=_whole([part.steps for part in series], np.int64),
            time_ms=_whole([part.times_ms for part in series], np.int64),
            value=_whole([part.values for part in series], np.float64),
        )


def _export_parquet(batches: Iterator[SeriesBatch], output: Path) -> None:
    try:
        # Not among our dependencies; whoever wants Parquet has it.
        pa = importlib.import_module("pyarrow")
        pq = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise click.ClickException("Parquet needs pyarrow: pip install pyarrow") from None
    fields = zip(COLUMNS, (pa.string(), pa.string(), pa.int32(), pa.int64(), pa.int64(), pa.float64()), strict=True)
    schema = pa.schema(list(fields))
    with pq.ParquetWriter(output, schema) as writer:
        for batch in batches:
            for part in batch.series:
                points = len(part)
                columns = [[part.run_id] * points, [part.key] * points, [part.rank] * points]
                columns += [part.steps, part.times_ms, part.values]
                writer.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=schema))


def _repeated(values: list[Any], series: list[Series], dtype: type[np.generic]) -> NDArray[Any]:
    return np.repeat(np.array(values, dtype), [len(part) for part in series])


def _whole(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.array([], dtype)
