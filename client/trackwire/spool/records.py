"""What a record's payload is, which rpc it becomes, and in which order records may go.

Every payload but an upload's is a request of the public contract without its `writer`, ready but for the stamp: who
sends it puts the stamp's bytes in front, because only then is it known which record before it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from trackwire.internal.v1.metrics_pb2 import IngestMetricsColumns
from trackwire.spool.segments import Record, RecordKind
from trackwire.v1.metrics_pb2 import WriterStamp


class Order(Enum):
    """When a record may be sent."""

    PIPELINED = auto()  # While those before it are still under way.
    BARRIER = auto()  # Alone: after all before it have settled, before any behind it.
    OWN_LANE = auto()  # Beside all others, which it never holds up but for UPDATE_RUN; that waits for all before it.
    NEVER = auto()  # It is for the shipper.


@dataclass(frozen=True, slots=True)
class Delivery:
    """How records of a kind are delivered.

    `rpc_path` is empty where there is no rpc. `is_stamped`: the request carries a WriterStamp, and so counts among the
    records that a later stamp's `previous_sequence` may name.
    """

    rpc_path: str
    order: Order
    is_stamped: bool


DELIVERIES: Mapping[RecordKind, Delivery] = {
    # A CreateRunRequest with `run_id`, and `if_exists` JOIN: the same again joins the run that it made.
    RecordKind.CREATE_RUN: Delivery("/trackwire.v1.RunService/CreateRun", Order.BARRIER, is_stamped=False),
    # An IngestMetricsRequest, as columns.encode_ingest makes it.
    RecordKind.INGEST: Delivery("/trackwire.v1.MetricService/IngestMetrics", Order.PIPELINED, is_stamped=True),
    # A LogParamsRequest.
    RecordKind.LOG_PARAMS: Delivery("/trackwire.v1.RunService/LogParams", Order.BARRIER, is_stamped=True),
    # A SetRunTagsRequest.
    RecordKind.SET_TAGS: Delivery("/trackwire.v1.RunService/SetRunTags", Order.BARRIER, is_stamped=True),
    # A DeleteRunTagRequest.
    RecordKind.DELETE_TAG: Delivery("/trackwire.v1.RunService/DeleteRunTag", Order.BARRIER, is_stamped=True),
    # An UpdateRunRequest.
    RecordKind.UPDATE_RUN: Delivery("/trackwire.v1.RunService/UpdateRun", Order.BARRIER, is_stamped=True),
    # A SpooledUpload, which names a file.
    RecordKind.UPLOAD: Delivery("/trackwire.v1.ArtifactService/UploadArtifact", Order.OWN_LANE, is_stamped=False),
    # Empty: the stream is complete.
    RecordKind.END: Delivery("", Order.NEVER, is_stamped=False),
}


def stamped_request(record: Record, writer_id: str, previous_sequence: int) -> bytes:
    """The bytes of the request that a stamped record becomes.

    `previous_sequence` is that of the last stamped record before it that was not refused; 0 where there is none.
    """
    if not DELIVERIES[record.kind].is_stamped:
        raise ValueError(f"record: {record.kind.name}: has no stamp")
    stamp = WriterStamp(writer_id=writer_id, sequence=record.sequence, previous_sequence=previous_sequence)
    # Fields of a message may come in any order, and `writer` has one number in all of these requests.
    return IngestMetricsColumns(writer=stamp).SerializeToString() + record.payload


def points_of(kind: RecordKind, payload: bytes) -> int:
    """How many points a record holds."""
    if kind is not RecordKind.INGEST:
        return 0
    return sum(len(part) for part in IngestMetricsColumns.FromString(payload).values) // 8
