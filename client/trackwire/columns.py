"""Columns of points between numpy and the wire, with no Python object per point.

The bytes are those of the public messages: a packed fixed-width field is a run of little-endian numbers, and so is the
`bytes` field of the private twin that is used here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import ArrayLike, NDArray

from trackwire.errors import DataLossError
from trackwire.internal.v1.metrics_pb2 import IngestMetricsColumns, SeriesColumns
from trackwire.v1.metrics_pb2 import ReadMetricsResponse, SeriesContext, SeriesHeader, WriterStamp

Int64Array: TypeAlias = NDArray[np.int64]
Float64Array: TypeAlias = NDArray[np.float64]

_UINT32 = np.dtype("<u4")
_INT64 = np.dtype("<i8")
_FLOAT64 = np.dtype("<f8")
_COLUMN_NUMBERS = frozenset({2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class MetricColumns:
    """Points of one run, series after series: each key's `counts` points lie one after the other in the columns.

    `context_indexes` says for each key which of `contexts` it belongs to; None: the first, or the default context where
    there are no contexts.
    """

    keys: Sequence[str]
    counts: ArrayLike
    steps: ArrayLike
    times_ms: ArrayLike
    values: ArrayLike
    contexts: Sequence[SeriesContext] = ()
    context_indexes: ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """The points of one key in one context of one run; the arrays are read-only and of one length."""

    run_id: str
    key: str
    context: SeriesContext | None
    steps: Int64Array
    times_ms: Int64Array
    values: Float64Array

    @property
    def rank(self) -> int | None:
        """The rank of the process that logged it; None where there is one process."""
        return self.context.rank if self.context is not None and self.context.HasField("rank") else None

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class SeriesBatch:
    """One message of a stream: parts of series, and the token that resumes behind it."""

    series: list[Series]
    token: str


def encode_ingest(run_id: str, columns: MetricColumns, writer: WriterStamp | None = None) -> bytes:
    """The bytes of an IngestMetricsRequest."""
    message = IngestMetricsColumns(run_id=run_id, writer=writer, keys=columns.keys, contexts=columns.contexts)
    if columns.context_indexes is not None:
        _put(message.context_indexes, _whole_numbers("context_indexes", columns.context_indexes, _UINT32))
    _put(message.counts, _whole_numbers("counts", columns.counts, _UINT32))
    _put(message.steps, _whole_numbers("steps", columns.steps, _INT64))
    _put(message.times_ms, _whole_numbers("times_ms", columns.times_ms, _INT64))
    _put(message.values, _numbers("values", columns.values))
    return message.SerializeToString()


def decode_series(data: bytes) -> SeriesBatch:
    """A ReadMetricsResponse or a TailMetricsResponse."""
    twin = SeriesColumns.FromString(data)
    unknown = UnknownFieldSet(twin)
    if any(unknown[index].field_number in _COLUMN_NUMBERS for index in range(len(unknown))):
        # Numbers that an encoder sent one by one; they stand among the rest, so all is parsed again.
        return _decode_typed(data)
    series = _cut(
        twin.series,
        np.frombuffer(_joined(twin.counts), _UINT32),
        np.frombuffer(_joined(twin.steps), _INT64),
        np.frombuffer(_joined(twin.times_ms), _INT64),
        np.frombuffer(_joined(twin.values), _FLOAT64),
    )
    return SeriesBatch(series, twin.token)


def join_series(batches: Sequence[SeriesBatch]) -> list[Series]:
    """Whole series out of the parts that came in several messages, in the order of their first parts."""
    parts: dict[tuple[str, str, bytes], list[Series]] = {}
    for batch in batches:
        for series in batch.series:
            context = series.context.SerializeToString(deterministic=True) if series.context is not None else b""
            parts.setdefault((series.run_id, series.key, context), []).append(series)
    return [_joined_series(of_one) for of_one in parts.values()]


def _joined_series(parts: list[Series]) -> Series:
    first = parts[0]
    if len(parts) == 1:
        return first
    steps = np.concatenate([part.steps for part in parts])
    times_ms = np.concatenate([part.times_ms for part in parts])
    values = np.concatenate([part.values for part in parts])
    _freeze(steps, times_ms, values)
    return Series(first.run_id, first.key, first.context, steps, times_ms, values)


def _decode_typed(data: bytes) -> SeriesBatch:
    message = ReadMetricsResponse.FromString(data)
    steps = np.array(message.steps, _INT64)
    times_ms = np.array(message.times_ms, _INT64)
    values = np.array(message.values, _FLOAT64)
    _freeze(steps, times_ms, values)
    counts = np.array(message.counts, _UINT32)
    return SeriesBatch(_cut(message.series, counts, steps, times_ms, values), message.tail_token)


def _cut(
    headers: Sequence[SeriesHeader],
    counts: NDArray[Any],
    steps: Int64Array,
    times_ms: Int64Array,
    values: Float64Array,
) -> list[Series]:
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    points = ends[-1] if ends else 0
    if len(headers) != len(ends) or not points == len(steps) == len(times_ms) == len(values):
        raise DataLossError(
            f"the server's columns disagree: {len(headers)} series, {len(ends)} counts that add up to {points},"
            f" {len(steps)} steps, {len(times_ms)} times, {len(values)} values"
        )
    return [
        Series(
            header.run_id,
            header.key,
            header.context if header.HasField("context") else None,
            steps[start:end],
            times_ms[start:end],
            values[start:end],
        )
        for header, start, end in zip(headers, [0, *ends], ends, strict=False)
    ]


def _freeze(*columns: NDArray[Any]) -> None:
    for column in columns:
        column.flags.writeable = False


def _joined(parts: Sequence[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _put(field: Any, column: NDArray[Any]) -> None:
    # A packed field without numbers is not on the wire at all.
    if column.size:
        field.append(column.tobytes())


def _whole_numbers(name: str, numbers: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
    array = _flat(name, numbers)
    if array.dtype == dtype:
        return array
    if array.size == 0:
        return array.astype(dtype)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: must be whole numbers, not {array.dtype}")
    if not np.can_cast(array.dtype, dtype):
        limits = np.iinfo(dtype)
        smallest, largest = int(array.min()), int(array.max())
        if smallest < limits.min or largest > limits.max:
            wrong = smallest if smallest < limits.min else largest
            raise OverflowError(f"{name}: {wrong}: must be {limits.min} to {limits.max}")
    return array.astype(dtype, copy=False)


def _numbers(name: str, numbers: ArrayLike) -> NDArray[Any]:
    array = _flat(name, numbers)
    if array.size and array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: must be numbers, not {array.dtype}")
    return array.astype(_FLOAT64, copy=False)


def _flat(name: str, numbers: ArrayLike) -> NDArray[Any]:
    array = np.asarray(numbers)
    if array.ndim != 1:
        raise ValueError(f"{name}: must be a flat column, not of the shape {array.shape}")
    return array
