"""The door to metrics. Columns come and go as bytes: see columns.py."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
import numpy as np

from trackwire.v1 import metrics_pb2
from trackwire_server.core.checks import check_key, check_time
from trackwire_server.core.clock import Clock
from trackwire_server.core.columns import Batch, Layouts, Points, check_context
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.metric_queries import ReadQuery, SeriesPoints
from trackwire_server.core.metrics import Metrics
from trackwire_server.rpc.columns import (
    context_in,
    decode_ingest,
    encode_series,
    messages,
    stamp_in,
    weight_of,
)
from trackwire_server.rpc.convert.summaries import add_summaries

SERVICE = metrics_pb2.DESCRIPTOR.services_by_name["MetricService"].full_name
# Decoding and encoding more than this is left to a thread: the event loop waits for neither.
_BYTES_WORTH_A_THREAD = 512 * 1024
_POINTS_WORTH_A_THREAD = LIMITS.read_message_points
_Stream: TypeAlias = AsyncGenerator[bytes, None]
_Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"


class MetricServicer:
    """MetricService over Metrics."""

    def __init__(self, metrics: Metrics, clock: Clock):
        self._metrics = metrics
        self._clock = clock
        self._layouts = Layouts()
        # Large requests are decoded one at a time: a writer's requests stay in their order.
        self._decoding = asyncio.Lock()

    async def ingest_metrics(self, request: bytes, _context: _Context) -> metrics_pb2.IngestMetricsResponse:
        """IngestMetrics."""
        with self._metrics.admitted(len(request)):
            batch = (
                decode_ingest(request, self._layouts)
                if len(request) < _BYTES_WORTH_A_THREAD
                else await self._decoded(request)
            )
            appended = await self._metrics.ingest(batch)
        return metrics_pb2.IngestMetricsResponse(
            acknowledged_sequence=appended.acknowledged_sequence, stored_points=appended.stored_points
        )

    async def log_metrics(
        self, request: metrics_pb2.LogMetricsRequest, _context: _Context
    ) -> metrics_pb2.LogMetricsResponse:
        """LogMetrics."""
        appended = await self._metrics.ingest(self._logged(request))
        return metrics_pb2.LogMetricsResponse(
            acknowledged_sequence=appended.acknowledged_sequence, stored_points=appended.stored_points
        )

    async def read_metrics(self, request: metrics_pb2.ReadMetricsRequest, _context: _Context) -> _Stream:
        """ReadMetrics."""
        gathered: list[SeriesPoints] = []
        weight = 0
        # Without aclosing, what a client that goes away has begun would wait for the garbage collector.
        async with aclosing(self._metrics.read(_query_in(request), max_points=request.max_points)) as parts:
            async for part in parts:
                if isinstance(part, str):
                    yield encode_series(gathered, part)
                    return
                gathered.append(part)
                weight += weight_of(part)
                if weight > LIMITS.read_message_points:
                    *full, gathered = messages(gathered)
                    for message in full:
                        yield encode_series(message)
                    weight = sum(map(weight_of, gathered))

    async def tail_metrics(self, request: metrics_pb2.TailMetricsRequest, _context: _Context) -> _Stream:
        """TailMetrics. A commit is never cut over two messages: each token is exact."""
        tail = self._metrics.tail(list(request.run_ids), frozenset(request.keys), request.resume_token)
        async with aclosing(tail) as arrivals:
            async for parts, token in arrivals:
                if sum(map(weight_of, parts)) > _POINTS_WORTH_A_THREAD:
                    yield await asyncio.to_thread(encode_series, parts, token)
                else:
                    yield encode_series(parts, token)

    async def get_metric_summaries(
        self, request: metrics_pb2.GetMetricSummariesRequest, _context: _Context
    ) -> metrics_pb2.GetMetricSummariesResponse:
        """GetMetricSummaries."""
        summaries, token = await self._metrics.summaries(
            list(request.run_ids),
            frozenset(request.keys),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        response = metrics_pb2.GetMetricSummariesResponse(next_page_token=token)
        add_summaries(response.summaries, summaries)
        return response

    async def _decoded(self, request: bytes) -> Batch:
        """In a thread: decoding a large request would hold up all others."""
        async with self._decoding:
            return await asyncio.to_thread(decode_ingest, request, self._layouts)

    def _logged(self, request: metrics_pb2.LogMetricsRequest) -> Batch:
        points = request.points
        if not 1 <= len(points) <= LIMITS.points_per_log:
            raise InvalidArgument(
                "points", len(points), f"must be from 1 to {LIMITS.points_per_log:,}", limit=LIMITS.points_per_log
            )
        for at, point in enumerate(points):
            _check_point(f"points[{at}]", point)
        now_ms = self._clock()
        contexts = tuple(context_in(point.context) for point in points)
        distinct = tuple(dict.fromkeys(contexts))
        place = {context: at for at, context in enumerate(distinct)}
        layout = self._layouts.get(
            tuple(point.key for point in points), distinct, tuple(place[context] for context in contexts)
        )
        columns = Points(
            np.array([point.step for point in points], dtype=np.int64),
            np.array([point.time_ms if point.HasField("time_ms") else now_ms for point in points], dtype=np.int64),
            np.array([point.value for point in points], dtype=np.float64),
        )
        stamp = stamp_in(request.writer) if request.HasField("writer") else None
        return Batch(request.run_id, stamp, layout, np.ones(len(points), dtype=np.int64), columns)


def _check_point(field: str, point: metrics_pb2.MetricPoint) -> None:
    check_key(f"{field}.key", point.key)
    if point.HasField("context"):
        check_context(f"{field}.context", context_in(point.context))
    if point.HasField("time_ms"):
        check_time(f"{field}.time_ms", point.time_ms)


def _query_in(request: metrics_pb2.ReadMetricsRequest) -> ReadQuery:
    def bound(field: str) -> int | None:
        return getattr(request, field) if request.HasField(field) else None

    return ReadQuery(
        run_ids=tuple(request.run_ids),
        keys=frozenset(request.keys),
        min_step=bound("min_step"),
        max_step=bound("max_step"),
        min_time_ms=bound("min_time_ms"),
        max_time_ms=bound("max_time_ms"),
    )


def add_to_server(servicer: MetricServicer, server: grpc.aio.Server) -> None:
    """Adds the service with its own handlers: the generated ones would make an object per point."""
    pb2 = metrics_pb2
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "IngestMetrics": unary(servicer.ingest_metrics, None, pb2.IngestMetricsResponse.SerializeToString),
        "LogMetrics": unary(
            servicer.log_metrics, pb2.LogMetricsRequest.FromString, pb2.LogMetricsResponse.SerializeToString
        ),
        "ReadMetrics": stream(servicer.read_metrics, pb2.ReadMetricsRequest.FromString, None),
        "TailMetrics": stream(servicer.tail_metrics, pb2.TailMetricsRequest.FromString, None),
        "GetMetricSummaries": unary(
            servicer.get_metric_summaries,
            pb2.GetMetricSummariesRequest.FromString,
            pb2.GetMetricSummariesResponse.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
