"""The rpcs over HTTP: each is there, and says what it says over gRPC."""

import json
from collections.abc import Iterable

import grpc
import pytest
import requests
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.rpc.refusals import refusal_in
from tests.rpc.test_every_rpc import METHODS
from tests.web.conftest import POINTS, Doors
from tests.web.connected import Refusal, Stream

from trackwire.v1 import artifacts_pb2, experiments_pb2, metrics_pb2, runs_pb2

EVERY_METHOD = pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
UNARY = [
    ("RunService/GetRun", runs_pb2.GetRunRequest(run_id="r")),
    ("RunService/GetRun", runs_pb2.GetRunRequest(run_id="nobody")),
    ("RunService/SearchRuns", runs_pb2.SearchRunsRequest(experiment_ids=["0"], filter="params.lr = '0.1'")),
    ("ExperimentService/SearchExperiments", experiments_pb2.SearchExperimentsRequest()),
    ("MetricService/GetMetricSummaries", metrics_pb2.GetMetricSummariesRequest(run_ids=["r"])),
    ("ArtifactService/ListArtifacts", artifacts_pb2.ListArtifactsRequest(run_id="r", path="folder")),
]
STREAMS = [
    ("MetricService/ReadMetrics", metrics_pb2.ReadMetricsRequest(run_ids=["r"])),
    ("MetricService/ReadMetrics", metrics_pb2.ReadMetricsRequest(run_ids=["r", "nobody"])),
    ("MetricService/ReadMetrics", metrics_pb2.ReadMetricsRequest(run_ids=["r"], max_points=100)),
    ("ArtifactService/DownloadArtifact", artifacts_pb2.DownloadArtifactRequest(run_id="r", path="folder/w.bin")),
]


def name_of(method: MethodDescriptor) -> str:
    return f"{method.containing_service.name}/{method.name}"


@EVERY_METHOD
@pytest.mark.parametrize("codec", ["proto", "json"])
def test_every_rpc_answers_an_empty_request_or_says_in_our_words_why_not(
    doors: Doors, method: MethodDescriptor, codec: str
) -> None:
    rpc, nothing = name_of(method), b"{}" if codec == "json" else b""
    if method.client_streaming or method.server_streaming:
        stream = doors.http.stream(rpc, nothing, codec)
        refusal = stream.end()
        assert stream.response.headers["content-type"] == f"application/connect+{codec}"
    else:
        answer = doors.http.ask_json(rpc, {}) if codec == "json" else doors.http.ask(rpc)
        refusal = answer if isinstance(answer, Refusal) else None
    # As over gRPC, but for what takes a stream of requests.
    over_grpc = None if method.client_streaming else refusal_of_grpc(doors, method)
    if method.client_streaming:
        assert refusal is not None
        assert (refusal.code, refusal.reason) == ("unimplemented", "STREAM_OF_REQUESTS")
    assert method.client_streaming or (refusal and (refusal.code, refusal.reason, refusal.message)) == over_grpc


def refusal_of_grpc(doors: Doors, method: MethodDescriptor) -> tuple[str, str, str] | None:
    """What an empty request is told there."""
    try:
        list(asked(doors, name_of(method), b"", streams=method.server_streaming))
    except grpc.RpcError as error:
        refusal = refusal_in(error)
        return refusal.code.name.lower(), refusal.reason, refusal.message
    return None


def asked(doors: Doors, rpc: str, message: bytes, *, streams: bool) -> Iterable[bytes]:
    """The answers over gRPC, as bytes."""
    path = f"/trackwire.v1.{rpc}"
    if streams:
        found: Iterable[bytes] = doors.channel.unary_stream(path)(message, timeout=60)
        return found
    return [doors.channel.unary_unary(path)(message, timeout=60)]


@pytest.mark.parametrize(("rpc", "request_message"), UNARY)
def test_answer_is_that_over_grpc_byte_by_byte(doors: Doors, rpc: str, request_message: runs_pb2.GetRunRequest) -> None:
    message = request_message.SerializeToString()
    answer = doors.http.ask(rpc, message)
    try:
        assert [answer] == list(asked(doors, rpc, message, streams=False))
    except grpc.RpcError as error:
        assert isinstance(answer, Refusal)
        refusal = refusal_in(error)
        assert (answer.code, answer.reason) == (refusal.code.name.lower(), refusal.reason)


@pytest.mark.parametrize(("rpc", "request_message"), STREAMS)
def test_stream_is_that_over_grpc_byte_by_byte(
    doors: Doors, rpc: str, request_message: metrics_pb2.ReadMetricsRequest
) -> None:
    message = request_message.SerializeToString()
    stream = doors.http.stream(rpc, message)
    answers = list(stream)
    try:
        assert b"".join(answers) == b"".join(asked(doors, rpc, message, streams=True))
    except grpc.RpcError as error:
        assert stream.refusal is not None
        refusal = refusal_in(error)
        assert (stream.refusal.code, stream.refusal.reason) == (refusal.code.name.lower(), refusal.reason)
    else:
        assert stream.refusal is None


@examples(max_examples=40)
@given(
    st.builds(
        runs_pb2.SearchRunsRequest,
        experiment_ids=st.lists(st.sampled_from(["0", "1", "x"]), max_size=2),
        filter=st.sampled_from(["", "metrics.loss < 5", "params.lr LIKE '0%'", "tags.a = 'b'", "metrics.loss <", "é"]),
        order_by=st.lists(st.sampled_from(["metrics.loss DESC", "nonsense"]), max_size=1),
        page_size=st.integers(-1, 60_000),
        page_token=st.sampled_from(["", "", "nonsense"]),
    )
)
def test_any_search_is_told_the_same_on_both_ports_and_in_json(
    doors: Doors, search: runs_pb2.SearchRunsRequest
) -> None:
    rpc, message = "RunService/SearchRuns", search.SerializeToString()
    over_http = doors.http.ask(rpc, message)
    in_json = doors.http.ask_json(rpc, json_format.MessageToDict(search))
    try:
        [over_grpc] = asked(doors, rpc, message, streams=False)
    except grpc.RpcError as error:
        wanted = refusal_in(error)
        for refusal in (over_http, in_json):
            assert isinstance(refusal, Refusal)
            assert (refusal.code, refusal.reason) == (wanted.code.name.lower(), wanted.reason)
            assert (refusal.message, refusal.metadata) == (wanted.message, wanted.metadata)
    else:
        assert over_http == over_grpc
        found = runs_pb2.SearchRunsResponse.FromString(over_grpc)
        assert json_format.ParseDict(in_json, runs_pb2.SearchRunsResponse()) == found


def test_stream_in_json_has_every_point(doors: Doors) -> None:
    stream = doors.http.stream("MetricService/ReadMetrics", b'{"runIds": ["r"], "keys": ["loss"]}', "json")
    steps = [int(step) for part in stream for step in json.loads(part).get("steps", [])]
    assert (steps, stream.refusal) == (list(range(POINTS)), None)


def test_numbers_that_json_lacks_and_enums_go_as_text(doors: Doors) -> None:
    doors.http.ask_json("RunService/CreateRun", {"experimentId": "0", "runId": "numbers"})
    values = ["NaN", "Infinity", "-Infinity", 0.5]
    points = [{"key": "k", "value": value, "step": str(2**62 + at)} for at, value in enumerate(values)]
    stored = doors.http.ask_json("MetricService/LogMetrics", {"runId": "numbers", "points": points})
    assert stored["storedPoints"] == "4"
    first, *_ = doors.http.stream("MetricService/ReadMetrics", b'{"run_ids": ["numbers"]}', "json")
    read = json.loads(first)
    assert (read["values"], read["steps"][0]) == (values, str(2**62))
    ended = {"runId": "numbers", "status": "RUN_STATUS_FINISHED"}
    assert doors.http.ask_json("RunService/UpdateRun", ended)["run"]["status"] == "RUN_STATUS_FINISHED"


def test_tail_hears_of_points_at_once(doors: Doors) -> None:
    doors.http.ask_json("RunService/CreateRun", {"experimentId": "0", "runId": "tailed"})
    message = metrics_pb2.TailMetricsRequest(run_ids=["tailed"]).SerializeToString()
    stream = doors.http.stream("MetricService/TailMetrics", message)
    answers = iter(stream)
    assert metrics_pb2.TailMetricsResponse.FromString(next(answers)).resume_token
    point = {"runId": "tailed", "points": [{"key": "loss", "value": 0.5, "step": "7"}]}
    doors.http.ask_json("MetricService/LogMetrics", point)
    assert list(metrics_pb2.TailMetricsResponse.FromString(next(answers)).steps) == [7]
    stream.close()


def test_request_id_is_that_of_the_caller_in_header_error_and_log(doors: Doors) -> None:
    response = doors.http.post("RunService/GetRun", b"", "application/proto", x_request_id="from-a-page.7")
    assert response.headers["x-request-id"] == "from-a-page.7"
    assert Refusal.read(response.json()).request_id == "from-a-page.7"
    lines = [line for line in doors.server.log_text().splitlines() if "request_id=from-a-page.7" in line]
    assert any("/GetRun code=INVALID_ARGUMENT" in line for line in lines)
    stream = doors.http.stream("MetricService/ReadMetrics", b"")
    refusal = stream.end()
    assert refusal is not None
    assert refusal.request_id == stream.response.headers["x-request-id"]


def test_calls_are_counted_as_rpcs(doors: Doors) -> None:
    name = 'trackwire_rpc_duration_seconds_count{code="OK",method="trackwire.v1.IssueService/SearchIssues"}'

    def count() -> float:
        text = requests.get(f"{doors.server.url}/metrics", timeout=30).text
        found = [line.split()[-1] for line in text.splitlines() if line.startswith(name)]
        return float(found[0]) if found else 0

    before = count()
    doors.http.ask("IssueService/SearchIssues")
    assert count() == before + 1


def test_answers_of_a_stream_that_is_read_late_are_all_there(doors: Doors) -> None:
    message = metrics_pb2.ReadMetricsRequest(run_ids=["r"]).SerializeToString()
    stream: Stream = doors.http.stream("MetricService/ReadMetrics", message)
    # Calls on other connections are answered while nobody reads.
    assert not isinstance(doors.http.ask("AdminService/GetServerInfo"), Refusal)
    parts = [metrics_pb2.ReadMetricsResponse.FromString(part) for part in stream]
    assert sum(len(part.steps) for part in parts) == POINTS
