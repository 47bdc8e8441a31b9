"""A real gRPC server whose answers a test scripts: for what a well-behaved server does too seldom."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from tests.ports import free_port

from trackwire.client.connection import rpc_paths
from trackwire.internal.v1 import errors_pb2
from trackwire.v1 import metrics_pb2

INGEST_PATH = "/trackwire.v1.MetricService/IngestMetrics"

Answer = Callable[[bytes, grpc.ServicerContext], bytes | Iterator[bytes]]


@dataclass
class ScriptedServer:
    """Answers each path by what the test gave it, and keeps the requests that came."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    address: str = ""

    def start(self, port: int = 0) -> str:
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_Paths(self),))
        bound = self._server.add_insecure_port(f"127.0.0.1:{port or free_port()}")
        self._server.start()
        self.address = f"127.0.0.1:{bound}"
        return self.address

    def stop(self) -> None:
        self._server.stop(None).wait()

    def on(self, name: str, answer: Answer) -> None:
        """Answers the rpc of this name, such as "GetRun", by `answer`."""
        self.answers[next(path for path in rpc_paths().values() if path.endswith(f"/{name}"))] = answer

    def on_message(self, name: str, *messages: Message) -> None:
        """Answers the rpc of this name with these messages, one a call; the last one for ever."""
        waiting = deque(messages)

        def answer(_request: bytes, _context: grpc.ServicerContext) -> bytes:
            message = waiting[0] if len(waiting) == 1 else waiting.popleft()
            return message.SerializeToString()

        self.on(name, answer)

    def requests_of(self, name: str) -> list[bytes]:
        return [data for path, data in self.requests if path.endswith(f"/{name}")]


class _Paths(grpc.GenericRpcHandler):
    def __init__(self, server: ScriptedServer) -> None:
        self._scripted = server

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        path = details.method
        answer = self._scripted.answers.get(path)
        if answer is None:
            return None

        def respond(request: bytes, context: grpc.ServicerContext) -> bytes | Iterator[bytes]:
            self._scripted.requests.append((path, request))
            return answer(request, context)

        if path.endswith(("/ReadMetrics", "/TailMetrics", "/DownloadArtifact")):
            return grpc.unary_stream_rpc_method_handler(respond)
        return grpc.unary_unary_rpc_method_handler(respond)


def abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str, *details: Message) -> None:
    """Fails a call as the server does: with google.rpc details in the trailer."""
    status = errors_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = status.details.add()
        packed.type_url = f"type.googleapis.com/google.rpc.{detail.DESCRIPTOR.name}"
        packed.value = detail.SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)


@dataclass
class MetricStore:
    """Ingests as the specification says: one mark a writer, everything once, in order."""

    marks: dict[str, int] = field(default_factory=dict)
    stored: list[metrics_pb2.IngestMetricsRequest] = field(default_factory=list)
    # What comes before the store looks at a request: may abort it. Called with the request and how often it came.
    before: Callable[[metrics_pb2.IngestMetricsRequest, int, grpc.ServicerContext], None] | None = None
    # What comes after it is stored, before it is answered.
    after: Callable[[metrics_pb2.IngestMetricsRequest, int, grpc.ServicerContext], None] | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: dict[int, int] = {}

    def __call__(self, data: bytes, context: grpc.ServicerContext) -> bytes:
        request = metrics_pb2.IngestMetricsRequest.FromString(data)
        stamp = request.writer
        with self._lock:
            attempt = self._attempts[stamp.sequence] = self._attempts.get(stamp.sequence, 0) + 1
        if self.before:
            self.before(request, attempt, context)
        with self._lock:
            mark = self.marks.get(stamp.writer_id, 0)
            stored = 0
            if stamp.sequence > mark:
                if mark < stamp.previous_sequence:
                    self._abort_gap(context, mark)
                self.stored.append(request)
                self.marks[stamp.writer_id] = stamp.sequence
                stored = len(request.values)
        if self.after:
            self.after(request, attempt, context)
        response = metrics_pb2.IngestMetricsResponse(
            acknowledged_sequence=self.marks[stamp.writer_id], stored_points=stored
        )
        return response.SerializeToString()

    def _abort_gap(self, context: grpc.ServicerContext, mark: int) -> None:
        info = errors_pb2.ErrorInfo(reason="SEQUENCE_GAP", domain="trackwire", metadata={"mark": str(mark)})
        abort(context, grpc.StatusCode.ABORTED, "send again, in order", info)

    @property
    def values(self) -> list[float]:
        return [value for request in self.stored for value in request.values]
