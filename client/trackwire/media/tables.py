"""Tables as MLflow stores them: JSON in pandas' orientation "split".

{"columns": ["question", "score"], "data": [["why?", 0.5], ["how?", null]]}
"""

import importlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from trackwire.media.packages import is_instance
from trackwire.media.plain import type_name, without_arrays

# A run's tables are listed in this tag, as JSON: [{"path": "evaluation/table.json", "type": "table"}].
TABLES_TAG = "mlflow.loggedArtifacts"
TABLE_SUFFIX = ".json"

ColumnName: TypeAlias = str | int
Cell: TypeAlias = "bool | int | float | str | list[Cell] | dict[str, Cell] | None"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells that JSON knows; each has a cell for every column."""

    columns: list[ColumnName]
    rows: list[list[Cell]]


def write_table(data: object, path: Path, *, append_to: Path | None = None) -> None:
    """Writes a dict of columns, a pandas DataFrame or a Table, behind the rows of the file `append_to`.

    `path` may be `append_to` itself. Times become ISO 8601; NaN, NaT and infinities become null, as in MLflow.
    """
    if path.suffix != TABLE_SUFFIX:
        raise ValueError(f"artifact_file: {path.name!r}: a table's name must end in {TABLE_SUFFIX}")
    table = table_of(data)
    if append_to is not None:
        table = join_tables(read_table(append_to), table)
    text = json.dumps({"columns": table.columns, "data": table.rows}, allow_nan=False, separators=(",", ":"))
    path.write_text(text, encoding="ascii")


def load_table(path: Path) -> object:
    """A stored table as a pandas DataFrame; a dict of columns where there is no pandas."""
    return frame_or_columns(read_table(path))


def read_table(path: Path) -> Table:
    """A stored table; ValueError if the file holds something else."""
    try:
        stored = json.loads(path.read_bytes())
        table = Table(list(stored["columns"]), [list(row) for row in stored["data"]])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f'{path}: is no table, {{"columns": […], "data": [[…], …]}}: {error}') from None
    for number, row in enumerate(table.rows):
        if len(row) != len(table.columns):
            raise ValueError(f"{path}: data[{number}] has {len(row)} cells, and there are {len(table.columns)} columns")
    return table


def table_of(data: object) -> Table:
    """A dict of columns, or a pandas DataFrame without its index. Single values in a dict stand in every row."""
    if isinstance(data, Table):
        return data
    if is_instance(data, "pandas", "DataFrame"):
        frame: Any = data
        return _from_columns([(name, frame.iloc[:, at].tolist()) for at, name in enumerate(frame.columns)], len(frame))
    if isinstance(data, Mapping):
        columns = [(name, _column(values)) for name, values in data.items()]
        return _from_columns(columns, _row_count(columns))
    raise TypeError(f"data: must be a dict of columns or a pandas.DataFrame, not {type_name(data)}")


def join_tables(first: Table, second: Table) -> Table:
    """The rows of both, one after the other; a column that one of them lacks is null there."""
    new = [name for name in second.columns if name not in first.columns]
    place = {name: index for index, name in enumerate(second.columns)}
    chosen = [place.get(name) for name in first.columns] + [place[name] for name in new]
    rows = [row + [None] * len(new) for row in first.rows]
    rows += [[None if index is None else row[index] for index in chosen] for row in second.rows]
    return Table(first.columns + new, rows)


def with_constants(table: Table, constants: Mapping[str, object]) -> Table:
    """More columns at the end, each with one value in all rows, such as the run's id."""
    for name in constants:
        if name in table.columns:
            raise ValueError(f"extra_columns: {name!r}: the table has this column already")
    cells = [_cell(name, value) for name, value in constants.items()]
    return Table([*table.columns, *constants], [row + cells for row in table.rows])


def frame_or_columns(table: Table) -> object:
    """A pandas DataFrame where pandas is installed; otherwise a dict of columns."""
    try:
        pandas = importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        return {name: [row[index] for row in table.rows] for index, name in enumerate(table.columns)}
    return pandas.DataFrame(table.rows, columns=table.columns)


def _column(values: object) -> object:
    """A list where these are the values of many rows; a single value as it is."""
    plain = without_arrays(values)
    if isinstance(plain, Sequence) and not isinstance(plain, str | bytes | bytearray):
        return list(plain)
    return plain


def _row_count(columns: Sequence[tuple[object, object]]) -> int:
    lengths = {str(name): len(values) for name, values in columns if isinstance(values, list)}
    if len(set(lengths.values())) > 1:
        described = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise ValueError(f"data: columns must be of one length: {described}")
    return next(iter(lengths.values()), 1 if columns else 0)


def _from_columns(columns: Sequence[tuple[object, object]], row_count: int) -> Table:
    names = [_column_name(name) for name, _values in columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"data: column {twice!r} stands twice")
    filled = [
        [_cell(name, value) for value in values] if isinstance(values, list) else [_cell(name, values)] * row_count
        for name, (_given, values) in zip(names, columns, strict=True)
    ]
    return Table(names, [[column[number] for column in filled] for number in range(row_count)])


def _column_name(name: object) -> ColumnName:
    plain = without_arrays(name)
    return plain if isinstance(plain, str | int) else str(plain)


def _cell(column: ColumnName, value: object) -> Cell:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _cell(column, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cell(column, inner) for inner in value]
    plain = without_arrays(value)
    return _single(column, value) if plain is value else _cell(column, plain)


def _single(column: ColumnName, value: object) -> Cell:
    # pandas' two words for a missing value: neither can be told by a comparison.
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    for method in ("isoformat", "total_seconds"):
        if callable(convert := getattr(value, method, None)):
            converted: Cell = convert()
            return converted
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    raise TypeError(
        f"data: column {column!r}: must hold numbers, strings, bools, None, times, lists or dicts,"
        f" not {type_name(value)}"
    )
