"""OpenTelemetry's spans of calls, commits and compactions; loaded only where its own OTEL_… variables ask for them."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from trackwire_server.core.request_ids import current_request_id
from trackwire_server.core.traces import Link

# A collector that is away would hold a stop up for as long as it is tried again.
FAREWELL_SECONDS = 3.0
_EXPORTERS = "opentelemetry_traces_exporter"
# What a server answers for, by OpenTelemetry's conventions; other codes are the caller's own.
_FAULTS = ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
_SERVER_ERROR = 500


def exporter_named(name: str) -> SpanExporter:
    """An exporter that is installed, set up by its own variables. Raises LookupError."""
    found = [point for point in entry_points(group=_EXPORTERS) if point.name == name]
    if not found:
        raise LookupError(f"no exporter {name!r} is installed")
    exporter: SpanExporter = found[0].load()()
    return exporter


class Tracing:
    """CallTraces and WorkTraces, to one exporter."""

    def __init__(self, exporter: SpanExporter, version: str):
        resource = Resource.create({SERVICE_VERSION: version})
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "trackwire"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("trackwire_server", version)

    def close(self) -> None:
        """Sends what was not sent yet, as far as the collector takes it soon. Blocks."""
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(FAREWELL_SECONDS)

    def begin_rpc(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> "_Rpc":
        """As CallTraces says."""
        said = {key: value for key, value in metadata if isinstance(value, str)}
        # gRPC keeps to itself what a request consists of; over HTTP that is one of the headers.
        system = "connect_rpc" if "content-type" in said else "grpc"
        caller = propagate.extract(said)
        name = method.removeprefix("/")
        service, _, called = name.rpartition("/")
        return _Rpc(self._begin(name, caller, {"rpc.system": system, "rpc.service": service, "rpc.method": called}))

    def begin_request(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> "_Request":
        """As CallTraces says."""
        caller = propagate.extract({key.decode("latin-1"): value.decode("latin-1") for key, value in headers})
        return _Request(self._begin(method, caller, {"http.request.method": method, "url.path": path}))

    def here(self) -> Link | None:
        """As WorkTraces says."""
        found = trace.get_current_span().get_span_context()
        return found if found.is_valid else None

    def record(self, name: str, seconds: float, attributes: Mapping[str, int], links: Sequence[Link]) -> None:
        """As WorkTraces says."""
        now_ns = time.time_ns()
        done_for = [trace.Link(link) for link in links if isinstance(link, SpanContext)]
        started_ns = now_ns - round(seconds * 1e9)
        # What is done for many is part of none of them.
        span = self._tracer.start_span(
            name, context=Context(), attributes=dict(attributes), links=done_for, start_time=started_ns
        )
        span.end(now_ns)

    def _begin(self, name: str, caller: Context, attributes: Mapping[str, AttributeValue]) -> Span:
        known = {**attributes, "trackwire.request_id": current_request_id.get()}
        return self._tracer.start_span(name, caller, SpanKind.SERVER, known)


class _Call:
    """A call's span, which is the current one until it ends."""

    def __init__(self, span: Span):
        self._span = span
        self._token = context.attach(trace.set_span_in_context(span))

    def _end(self, attributes: Mapping[str, AttributeValue], *, is_fault: bool) -> None:
        self._span.set_attributes(attributes)
        if is_fault:
            self._span.set_status(StatusCode.ERROR)
        context.detach(self._token)
        self._span.end()


class _Rpc(_Call):
    def end(self, outcome: str) -> None:
        """As CallSpan says."""
        self._end({"rpc.response.status_code": outcome}, is_fault=outcome in _FAULTS)


class _Request(_Call):
    def end(self, outcome: str) -> None:
        """As CallSpan says."""
        status = int(outcome)
        self._end({"http.response.status_code": status}, is_fault=status >= _SERVER_ERROR)
