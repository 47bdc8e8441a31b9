"""The one way in which Parquet is written: typed columns, zstd, in groups of rows that bound the memory."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from trackwire.errors import FailedPreconditionError

Kind = Literal["string", "int32", "int64", "float64"]
Columns = Mapping[str, Kind]

# What waits to be written.
ROWS_AT_ONCE = 262_144
CHARACTERS_AT_ONCE = 32 * 1024 * 1024


class ParquetTable:
    """A file that is being written. Raises FailedPreconditionError where pyarrow is not installed."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._arrow, parquet = pyarrow()
        self._schema = self._arrow.schema([(name, getattr(self._arrow, kind)()) for name, kind in columns.items()])
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Sequence[object]] = []
        self._parts: list[Any] = []
        self._waiting_rows = self._waiting_characters = 0
        self.rows = 0

    def add_row(self, *values: object) -> None:
        """Adds a row; None leaves a place empty."""
        self._rows.append(values)
        self._count(1, sum(len(value) for value in values if isinstance(value, str)))

    def add_series(
        self, names: Mapping[str, Sequence[object]], counts: Sequence[int], columns: Mapping[str, Any]
    ) -> None:
        """Adds rows of which the first `counts[0]` share the first of each of `names`, and so on; `columns` differ."""
        places = self._arrow.array(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
        arrays = {name: self._array(name, values).take(places) for name, values in names.items()}
        arrays |= {name: self._array(name, values) for name, values in columns.items()}
        ordered = [arrays[name] for name in self._schema.names]
        self._parts.append(self._arrow.table(ordered, schema=self._schema))
        self._count(len(places), 0)

    def _array(self, name: str, values: Any) -> Any:
        return self._arrow.array(values, self._schema.field(name).type)

    def _count(self, rows: int, characters: int) -> None:
        self.rows += rows
        self._waiting_rows += rows
        self._waiting_characters += characters
        if self._waiting_rows >= ROWS_AT_ONCE or self._waiting_characters >= CHARACTERS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            fields = zip(columns, self._schema.types, strict=True)
            arrays = [self._arrow.array(column, kind) for column, kind in fields]
            self._parts.append(self._arrow.table(arrays, schema=self._schema))
        if self._parts:
            self._writer.write_table(self._arrow.concat_tables(self._parts).combine_chunks())
        self._rows, self._parts, self._waiting_rows, self._waiting_characters = [], [], 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()


def pyarrow() -> tuple[Any, Any]:
    """pyarrow and its writer of Parquet. Raises FailedPreconditionError where it is not installed."""
    try:
        # Not among our dependencies; whoever wants Parquet has it.
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise FailedPreconditionError("Parquet needs pyarrow: pip install 'trackwire[parquet]'") from None
