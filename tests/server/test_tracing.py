"""Spans of calls, commits and compactions reach who collects them, in the traces of who called."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.ports import free_port
from tests.server.test_lean_start import loaded_by
from tests.web.connected import Refusal, connected

from trackwire.v1 import metrics_pb2, metrics_pb2_grpc, runs_pb2, runs_pb2_grpc
from trackwire_server.config_opentelemetry import traces_exporter

MakeServer = Callable[..., ServerProcess]
TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = ("traceparent", f"00-{TRACE_ID}-{PARENT_ID}-01")
GET_RUN = "trackwire.v1.RunService/GetRun"
LOG_METRICS = "trackwire.v1.MetricService/LogMetrics"


class Collector(ThreadingHTTPServer):
    """Takes spans as OpenTelemetry's collector does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> dict[str, Span]:
        """The last of each name."""
        scopes = (scope for request in self.requests for each in request.resource_spans for scope in each.scope_spans)
        return {span.name: span for scope in scopes for span in scope.spans}


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name there
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as taking:
        thread = threading.Thread(target=taking.serve_forever)
        thread.start()
        yield taking
        taking.shutdown()
        thread.join()


def attributes_of(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def log_a_point(address: str, *metadata: tuple[str, str]) -> None:
    with grpc.insecure_channel(address) as channel:
        runs_pb2_grpc.RunServiceStub(channel).CreateRun(runs_pb2.CreateRunRequest(run_id="r1"))
        point = metrics_pb2.MetricPoint(key="loss", step=1, value=0.5)
        request = metrics_pb2.LogMetricsRequest(run_id="r1", points=[point])
        metrics_pb2_grpc.MetricServiceStub(channel).LogMetrics(request, metadata=metadata)


def test_spans_are_in_the_trace_of_the_caller(make_server_process: MakeServer, collector: Collector) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "127.0.0.1", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    server = make_server_process("--http-port", "0", TRACKWIRE_COMPACTION_ROWS="1", **variables)
    log_a_point(server.start(), CALLER, ("x-request-id", "mine"))
    missing = f"{server.url}/api/2.0/mlflow/runs/get?run_id=nope"
    requests.get(missing, headers=dict([CALLER]), timeout=30)
    # Spans go out while the server lives.
    assert until(lambda: {LOG_METRICS, "GET", "commit", "compaction"} <= collector.spans.keys())
    assert server.stop() == 0

    rpc, request, commit = (collector.spans[name] for name in (LOG_METRICS, "GET", "commit"))
    for span in (rpc, request):
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
        assert span.kind == Span.SPAN_KIND_SERVER
        assert span.status.code == Status.STATUS_CODE_UNSET
    assert attributes_of(rpc) == {
        "rpc.system": "grpc",
        "rpc.service": "trackwire.v1.MetricService",
        "rpc.method": "LogMetrics",
        "rpc.response.status_code": "OK",
        "trackwire.request_id": "mine",
    }
    assert attributes_of(request)["http.response.status_code"] == 404
    assert attributes_of(request)["url.path"] == "/api/2.0/mlflow/runs/get"
    # A commit is that of many calls: it has a trace of its own, and knows them.
    assert commit.trace_id.hex() != TRACE_ID
    assert [(link.trace_id, link.span_id) for link in commit.links] == [(rpc.trace_id, rpc.span_id)]
    assert attributes_of(commit) == {"trackwire.requests": 1, "trackwire.points": 1}
    [resource] = {
        each.resource.SerializeToString(): each.resource for each in collector.requests[0].resource_spans
    }.values()
    assert ("service.name", "trackwire") in [(each.key, each.value.string_value) for each in resource.attributes]


def test_call_over_http_has_one_span_by_its_name(make_server_process: MakeServer, collector: Collector) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "127.0.0.1", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    server = make_server_process("--http-port", "0", "--static-prefix", "/a", **variables)
    server.start()
    refused = connected(f"{server.url}/a").ask("RunService/GetRun", b"", **dict([CALLER]), x_request_id="mine")
    assert isinstance(refused, Refusal)
    assert server.stop() == 0
    [span] = collector.spans.values()
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == (GET_RUN, TRACE_ID, PARENT_ID)
    assert attributes_of(span) == {
        "rpc.system": "connect_rpc",
        "rpc.service": "trackwire.v1.RunService",
        "rpc.method": "GetRun",
        "rpc.response.status_code": "INVALID_ARGUMENT",
        "trackwire.request_id": "mine",
    }


def test_exporter_that_is_not_installed_is_told_and_the_server_serves(make_server_process: MakeServer) -> None:
    server = make_server_process(OTEL_TRACES_EXPORTER="zipkin")
    log_a_point(server.start())
    assert server.stop() == 0
    words = """traces are not sent: pip install 'trackwire[otel]'  why="no exporter 'zipkin' is installed\""""
    assert words in server.log_text()


def test_collector_that_is_away_does_not_hold_up_the_stop(make_server_process: MakeServer) -> None:
    # Tried again and again for ten minutes, were it for the exporter.
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}", "NO_PROXY": "127.0.0.1"}
    server = make_server_process(OTEL_EXPORTER_OTLP_TIMEOUT="600", **variables)
    log_a_point(server.start())
    assert server.stop(timeout_seconds=60) == 0
    assert "trackwire server stopped" in server.log_text()


def test_nothing_is_loaded_where_nobody_asks_for_traces() -> None:
    loaded = loaded_by("trackwire_server.app", "trackwire_server.web.app")
    assert not any(name.startswith("opentelemetry") for name in loaded)


@pytest.mark.parametrize(
    ("environment", "exporter"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "otlp_proto_http"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, "otlp_proto_http"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "otlp_proto_grpc"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp_proto_http"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, ""),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "console"}, ""),
    ],
)
def test_exporter_is_that_of_opentelemetrys_variables(environment: dict[str, str], exporter: str) -> None:
    assert traces_exporter(environment) == exporter
