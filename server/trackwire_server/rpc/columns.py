"""Columns on the wire: bytes in, numpy arrays out, and back, without an object per point.

See protos/trackwire/internal/v1/metrics.proto for the twins, and why there are two ways to read a request.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

from trackwire.internal.v1 import metrics_pb2 as internal_pb2
from trackwire.v1 import metrics_pb2
from trackwire_server.core.columns import Batch, Integers, Layouts, Points, check_lengths
from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext, WriterStamp
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.metric_queries import SeriesPoints

_COLUMN_NUMBERS = frozenset(
    internal_pb2.IngestMetricsColumns.DESCRIPTOR.fields_by_name[name].number
    for name in ("context_indexes", "counts", "steps", "times_ms", "values")
)
# A message with more fields that we don't know is not looked through: the typed message reads all of them alike.
_UNKNOWN_FIELDS_SEEN = 64
# 4,096 of the longest headers, with 3.5 kB of names each, still fit a message.
_HEADER_POINTS = 16


def decode_ingest(message: bytes, layouts: Layouts) -> Batch:
    """A batch from the bytes of an IngestMetricsRequest. Raises InvalidArgument."""
    twin = internal_pb2.IngestMetricsColumns()
    try:
        twin.ParseFromString(message)
        if _may_be_unpacked(UnknownFieldSet(twin)):
            # Some numbers came one by one: the typed message knows every encoding.
            return _from_typed(metrics_pb2.IngestMetricsRequest.FromString(message), layouts)
    except DecodeError as error:
        raise InvalidArgument(
            "request", f"{len(message)} bytes", "is not an IngestMetricsRequest", reason="MALFORMED_MESSAGE"
        ) from error
    points = Points(
        np.frombuffer(_bytes("steps", twin.steps, 8), "<i8"),
        np.frombuffer(_bytes("times_ms", twin.times_ms, 8), "<i8"),
        np.frombuffer(_bytes("values", twin.values, 8), "<f8"),
    )
    indexes = np.frombuffer(_bytes("context_indexes", twin.context_indexes, 4), "<u4")
    counts = np.frombuffer(_bytes("counts", twin.counts, 4), "<u4").astype(np.int64)
    return _batch(twin, layouts, indexes, counts, points)


def _may_be_unpacked(unknown: UnknownFieldSet) -> bool:
    if len(unknown) > _UNKNOWN_FIELDS_SEEN:
        return True
    return any(unknown[at].field_number in _COLUMN_NUMBERS for at in range(len(unknown)))


def _from_typed(request: metrics_pb2.IngestMetricsRequest, layouts: Layouts) -> Batch:
    points = Points(
        np.array(request.steps, dtype=np.int64),
        np.array(request.times_ms, dtype=np.int64),
        np.array(request.values, dtype=np.float64),
    )
    indexes = np.array(request.context_indexes, dtype=np.uint32)
    return _batch(request, layouts, indexes, np.array(request.counts, dtype=np.int64), points)


def _batch(
    message: metrics_pb2.IngestMetricsRequest | internal_pb2.IngestMetricsColumns,
    layouts: Layouts,
    indexes: NDArray[np.uint32],
    counts: Integers,
    points: Points,
) -> Batch:
    check_lengths(keys=len(message.keys), contexts=len(message.contexts), indexes=len(indexes))
    contexts = tuple(context_in(context) for context in message.contexts)
    layout = layouts.get(tuple(message.keys), contexts, tuple(indexes.tolist()))
    return Batch(
        message.run_id, stamp_in(message.writer) if message.HasField("writer") else None, layout, counts, points
    )


def _bytes(field: str, parts: Sequence[bytes], width: int) -> bytes:
    for part in parts:
        # No number reaches over the end of a run, even if the next run would go on with it.
        if len(part) % width:
            raise InvalidArgument(
                field, f"{len(part)} bytes", f"must be packed numbers of {width} bytes", reason="MALFORMED_MESSAGE"
            )
    return parts[0] if len(parts) == 1 else b"".join(parts)


def stamp_in(writer: metrics_pb2.WriterStamp) -> WriterStamp:
    """A stamp from its message."""
    return WriterStamp(writer.writer_id, writer.sequence, writer.previous_sequence)


def context_in(context: metrics_pb2.SeriesContext) -> SeriesContext:
    """A context from its message."""
    return SeriesContext(
        context.rank if context.HasField("rank") else None,
        context.model_id,
        context.dataset_name,
        context.dataset_digest,
    )


def context_out(context: SeriesContext) -> metrics_pb2.SeriesContext | None:
    """A context's message; None for the default one."""
    if context is DEFAULT_CONTEXT or context == DEFAULT_CONTEXT:
        return None
    return metrics_pb2.SeriesContext(
        rank=context.rank,
        model_id=context.model_id,
        dataset_name=context.dataset_name,
        dataset_digest=context.dataset_digest,
    )


def header_out(series: SeriesPoints) -> metrics_pb2.SeriesHeader:
    """A series' name."""
    return metrics_pb2.SeriesHeader(run_id=series.run_id, key=series.name.key, context=context_out(series.name.context))


def encode_series(parts: Sequence[SeriesPoints], token: str = "") -> bytes:
    """The bytes of a ReadMetricsResponse or TailMetricsResponse."""
    points = Points.joined([part.points for part in parts])
    twin = internal_pb2.SeriesColumns(series=[header_out(part) for part in parts], token=token)
    if parts:
        twin.counts.append(np.array([len(part.points) for part in parts], dtype="<u4").tobytes())
        twin.steps.append(points.steps.astype("<i8", copy=False).tobytes())
        twin.times_ms.append(points.times_ms.astype("<i8", copy=False).tobytes())
        twin.values.append(points.values.astype("<f8", copy=False).tobytes())
    return twin.SerializeToString()


def sliced(part: SeriesPoints) -> Iterator[SeriesPoints]:
    """A part in slices that each fit a message."""
    if len(part.points) <= LIMITS.read_message_points:
        yield part
        return
    for at in range(0, len(part.points), LIMITS.read_message_points):
        some = part.points.take(slice(at, at + LIMITS.read_message_points))
        yield SeriesPoints(part.run_id, part.name, some)


def weight_of(part: SeriesPoints) -> int:
    """What a part takes in a message, in points: its header may be larger than its points."""
    return len(part.points) + _HEADER_POINTS


def messages(parts: Iterable[SeriesPoints]) -> Iterator[list[SeriesPoints]]:
    """Parts gathered so that each list fills about one message."""
    gathered: list[SeriesPoints] = []
    weight = 0
    for part in parts:
        for some in sliced(part):
            if gathered and weight + weight_of(some) > LIMITS.read_message_points:
                yield gathered
                gathered, weight = [], 0
            gathered.append(some)
            weight += weight_of(some)
    if gathered:
        yield gathered
