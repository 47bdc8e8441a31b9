"""What a record's payload is, which rpc it becomes, and in which order records may go.

Every payload but an upload's is a request of the public contract without its `writer`, ready but for the stamp: who
sends it puts the stamp's bytes in front, because only then is it known which record before it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from trackwire.internal.v1.metrics_pb2 import IngestMetricsColumns
from trackwire.spool.kinds import RecordKind


class Order(Enum):
    """When a record may be sent."""

    PIPELINED = auto()  # While those before it are still under way.
    BARRIER = auto()  # Alone: after all before it have settled, before any behind it.
    OWN_LANE = auto()  # Beside all others, which it never holds up but for UPDATE_RUN; that waits for all before it.
    NEVER = auto()  # It is for the shipper.


@dataclass(frozen=True, slots=True)
class Way:
    """How records of a kind get to the server.

    `rpc_path` is empty where there is no rpc. `is_stamped`: the request carries a WriterStamp, and so counts among the
    records that a later stamp's `previous_sequence` may name.
    """

    rpc_path: str
    order: Order
    is_stamped: bool


WAYS: Mapping[RecordKind, Way] = {
    # A CreateRunRequest with `run_id`, and `if_exists` JOIN: the same again joins the run that it made.
    RecordKind.CREATE_RUN: Way("/trackwire.v1.RunService/CreateRun", Order.BARRIER, is_stamped=False),
    # An IngestMetricsRequest, as columns.encode_ingest makes it.
    RecordKind.INGEST: Way("/trackwire.v1.MetricService/IngestMetrics", Order.PIPELINED, is_stamped=True),
    # A LogParamsRequest.
    RecordKind.LOG_PARAMS: Way("/trackwire.v1.RunService/LogParams", Order.BARRIER, is_stamped=True),
    # A SetRunTagsRequest.
    RecordKind.SET_TAGS: Way("/trackwire.v1.RunService/SetRunTags", Order.BARRIER, is_stamped=True),
    # A DeleteRunTagRequest.
    RecordKind.DELETE_TAG: Way("/trackwire.v1.RunService/DeleteRunTag", Order.BARRIER, is_stamped=True),
    # An UpdateRunRequest.
    RecordKind.UPDATE_RUN: Way("/trackwire.v1.RunService/UpdateRun", Order.BARRIER, is_stamped=True),
    # A SpooledUpload, which names a file.
    RecordKind.UPLOAD: Way("/trackwire.v1.ArtifactService/UploadArtifact", Order.OWN_LANE, is_stamped=False),
    # A LogRunInputsRequest.
    RecordKind.LOG_INPUTS: Way("/trackwire.v1.RunService/LogRunInputs", Order.BARRIER, is_stamped=True),
    # Empty: the stream is complete.
    RecordKind.END: Way("", Order.NEVER, is_stamped=False),
}


def points_of(kind: RecordKind, payload: bytes) -> int:
    """How many points a record holds."""
    if kind is not RecordKind.INGEST:
        return 0
    return sum(len(part) for part in IngestMetricsColumns.FromString(payload).values) // 8
