"""Each kind of record has its way to the server, and a stamp in front of a payload is a field of the request."""

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from trackwire.client.connection import rpc_path
from trackwire.client.delivery import stamp_bytes
from trackwire.columns import MetricColumns, encode_ingest
from trackwire.spool.kinds import RecordKind
from trackwire.spool.records import WAYS, points_of
from trackwire.v1.artifacts_pb2 import UploadArtifactRequest
from trackwire.v1.metrics_pb2 import IngestMetricsRequest, WriterStamp
from trackwire.v1.runs_pb2 import (
    CreateRunRequest,
    DeleteRunTagRequest,
    LogParamsRequest,
    LogRunInputsRequest,
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
    RecordKind.LOG_INPUTS: LogRunInputsRequest,
}


def test_every_kind_has_its_way() -> None:
    assert set(WAYS) == set(RecordKind)
    assert {kind: way.rpc_path for kind, way in WAYS.items() if way.rpc_path} == {
        kind: rpc_path(request) for kind, request in REQUESTS.items()
    }


def test_those_are_stamped_whose_requests_have_a_writer() -> None:
    stamped = {kind for kind, way in WAYS.items() if way.is_stamped}
    assert stamped == {kind for kind, request in REQUESTS.items() if "writer" in request.DESCRIPTOR.fields_by_name}


@pytest.mark.parametrize("kind", [kind for kind, way in WAYS.items() if way.is_stamped])
@given(sequence=st.integers(1, 2**63 - 1), previous=st.integers(0, 2**63 - 1))
def test_stamp_becomes_the_writer_of_the_request(kind: RecordKind, sequence: int, previous: int) -> None:
    request = REQUESTS[kind](run_id="run-1")
    data = stamp_bytes("w", sequence, previous) + request.SerializeToString()
    stamp = WriterStamp(writer_id="w", sequence=sequence, previous_sequence=previous)
    assert REQUESTS[kind].FromString(data) == REQUESTS[kind](run_id="run-1", writer=stamp)


def test_points_of_a_record_are_counted() -> None:
    columns = MetricColumns(["loss", "lr"], [2, 1], [0, 1, 0], [5, 6, 7], [0.5, 0.25, 1e-3])
    assert points_of(RecordKind.INGEST, encode_ingest("run-1", columns)) == 3
    assert points_of(RecordKind.LOG_PARAMS, LogParamsRequest(params={"a": "b"}).SerializeToString()) == 0
