"""Points as files: one row a point, in columns with types: run_id, key, rank, step, time_ms, value."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from trackwire.columns import Series, SeriesBatch
from trackwire.exporting.parquet import Columns, ParquetTable

COLUMNS: Columns = {
    "run_id": "string",
    "key": "string",
    "rank": "int32",
    "step": "int64",
    "time_ms": "int64",
    "value": "float64",
}
# In .npz, whose columns can't leave a place empty.
NO_RANK = -1


def write_csv(batches: Iterator[SeriesBatch], file: TextIO) -> None:
    """All points as text."""
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


def write_csv_file(batches: Iterator[SeriesBatch], output: Path) -> None:
    """All points as a file of text."""
    with output.open("w", newline="", encoding="utf-8") as file:
        write_csv(batches, file)


def write_npz_file(batches: Iterator[SeriesBatch], output: Path) -> None:
    """All points as numpy's arrays; they must fit in memory."""
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


def write_parquet_file(batches: Iterator[SeriesBatch], output: Path) -> None:
    """All points as Parquet."""
    with ParquetTable(output, COLUMNS) as table:
        for batch in batches:
            add_points(table, batch)


def add_points(table: ParquetTable, batch: SeriesBatch, *, with_owners: bool = False) -> None:
    """Adds points to a table of COLUMNS, or of those with the model and the dataset of each series."""
    series = batch.series
    if not series:
        return
    names: dict[str, list[object]] = {
        "run_id": [part.run_id for part in series],
        "key": [part.key for part in series],
        "rank": [part.rank for part in series],
    }
    if with_owners:
        for field in ("model_id", "dataset_name", "dataset_digest"):
            names[field] = [getattr(part.context, field) or None if part.context else None for part in series]
    columns = {
        "step": np.concatenate([part.steps for part in series]),
        "time_ms": np.concatenate([part.times_ms for part in series]),
        "value": np.concatenate([part.values for part in series]),
    }
    table.add_series(names, [len(part) for part in series], columns)


def _repeated(values: list[Any], series: list[Series], dtype: type[np.generic]) -> NDArray[Any]:
    return np.repeat(np.array(values, dtype), [len(part) for part in series])


def _whole(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.array([], dtype)
