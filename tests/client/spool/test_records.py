"""Each kind of record has its way to the server, and a stamp in front of a payload is a field of the request."""

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from trackwire.columns import MetricColumns, encode_ingest
from trackwire.connection import rpc_path
from trackwire.spool.records import DELIVERIES, points_of, stamped_request
from trackwire.spool.segments import Record, RecordKind
from trackwire.v1.artifacts_pb2 import UploadArtifactRequest
from trackwire.v1.metrics_pb2 import IngestMetricsRequest, WriterStamp
from trackwire.v1.runs_pb2 import (
    CreateRunRequest,
    DeleteRunTagRequest,
    LogParamsRequest,
    SetRunTagsRequest,
    UpdateRunRequest,
)

REQUESTS: dict[RecordKind, type[Message]] = {
    RecordKind.CREATE_RUN: CreateRunRequest,
    RecordKind.INGEST: IngestMetricsRequest,
    RecordKind.LOG_PARAMS: LogParamsRequest,
    RecordKind.SET_TAGS: SetRunTagsRequest,
    RecordKind.DELETE_TAG: DeleteRunTagRequest,
    RecordKind.UPDATE_RUN: UpdateRunRequest,
    RecordKind.UPLOAD: UploadArtifactRequest,
}


def test_every_kind_has_its_delivery() -> None:
    assert set(DELIVERIES) == set(RecordKind)
    assert {kind: delivery.rpc_path for kind, delivery in DELIVERIES.items() if delivery.rpc_path} == {
        kind: rpc_path(request) for kind, request in REQUESTS.items()
    }


def test_those_are_stamped_whose_requests_have_a_writer() -> None:
    stamped = {kind for kind, delivery in DELIVERIES.items() if delivery.is_stamped}
    assert stamped == {kind for kind, request in REQUESTS.items() if "writer" in request.DESCRIPTOR.fields_by_name}


@pytest.mark.parametrize("kind", [kind for kind, delivery in DELIVERIES.items() if delivery.is_stamped])
@given(sequence=st.integers(1, 2**63 - 1), previous=st.integers(0, 2**63 - 1))
def test_stamp_becomes_the_writer_of_the_request(kind: RecordKind, sequence: int, previous: int) -> None:
    request = REQUESTS[kind](run_id="run-1")
    data = stamped_request(Record(kind, sequence, request.SerializeToString()), "w", previous)
    stamp = WriterStamp(writer_id="w", sequence=sequence, previous_sequence=previous)
    assert REQUESTS[kind].FromString(data) == REQUESTS[kind](run_id="run-1", writer=stamp)


@pytest.mark.parametrize("kind", [kind for kind, delivery in DELIVERIES.items() if not delivery.is_stamped])
def test_unstamped_kinds_refuse_a_stamp(kind: RecordKind) -> None:
    with pytest.raises(ValueError, match=kind.name):
        stamped_request(Record(kind, 1, b""), "w", 0)


def test_points_of_a_record_are_counted() -> None:
    columns = MetricColumns(["loss", "lr"], [2, 1], [0, 1, 0], [5, 6, 7], [0.5, 0.25, 1e-3])
    assert points_of(RecordKind.INGEST, encode_ingest("run-1", columns)) == 3
    assert points_of(RecordKind.LOG_PARAMS, LogParamsRequest(params={"a": "b"}).SerializeToString()) == 0
