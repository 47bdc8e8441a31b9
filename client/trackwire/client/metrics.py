"""Metrics: numbers over steps, in and out as columns."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypedDict, Unpack

from numpy.typing import ArrayLike

from trackwire.client.calls import Calls, text_list
from trackwire.client.connection import rpc_path
from trackwire.client.retry import backoff_seconds
from trackwire.client.transport import Transport
from trackwire.columns import MetricColumns, Series, SeriesBatch, decode_series, encode_ingest, join_series
from trackwire.errors import UnavailableError
from trackwire.v1.metrics_pb2 import (
    GetMetricSummariesRequest,
    GetMetricSummariesResponse,
    IngestMetricsRequest,
    IngestMetricsResponse,
    LogMetricsRequest,
    LogMetricsResponse,
    MetricPoint,
    MetricSummary,
    ReadMetricsRequest,
    SeriesContext,
    TailMetricsRequest,
    WriterStamp,
)

INGEST_PATH = rpc_path(IngestMetricsRequest)


class ReadRange(TypedDict, total=False):
    """Which points are read; bounds are inclusive."""

    min_step: int
    max_step: int
    min_time_ms: int
    max_time_ms: int
    max_points: int  # Of each series at most so many, extremes kept; at least 4. 0: every point.


@dataclass(frozen=True, slots=True)
class MetricRead:
    """What a read found. `tail_token` hands over to `tail_metrics`, which goes on right behind it."""

    series: list[Series]
    tail_token: str


class MetricMethods(Calls):
    """The client's methods for metrics."""

    def ingest_metrics(
        self,
        run_id: str,
        keys: Sequence[str],
        counts: ArrayLike,
        steps: ArrayLike,
        times_ms: ArrayLike,
        values: ArrayLike,
        *,
        contexts: Sequence[SeriesContext] = (),
        context_indexes: ArrayLike | None = None,
        writer: WriterStamp | None = None,
    ) -> IngestMetricsResponse:
        """Stores columns of points of one run, series after series; answers when they are durable.

        `counts[i]` points belong to `keys[i]`; they lie one after the other in `steps`, `times_ms` and `values`, which
        are numpy arrays or plain sequences of `sum(counts)` numbers. `context_indexes[i]` says which of `contexts` the
        series belongs to. `writer` makes the call exactly once; MetricWriter stamps and pipelines by itself.
        """
        columns = MetricColumns(keys, counts, steps, times_ms, values, contexts, context_indexes)
        data = encode_ingest(run_id, columns, writer)
        return self._call_plain(INGEST_PATH, data, IngestMetricsResponse.FromString)

    def log_points(self, run_id: str, points: Sequence[MetricPoint]) -> LogMetricsResponse:
        """Stores up to 10,000 readable points, each with its own key, step, time and context."""
        return self._call(
            LogMetricsRequest(run_id=run_id, points=points), LogMetricsResponse, lambda response: response
        )

    def log_metrics(
        self, run_id: str, metrics: Mapping[str, float], *, step: int = 0, time_ms: int | None = None
    ) -> LogMetricsResponse:
        """Stores one point of each key, of one step; the time is the server's where none is given."""
        points = [MetricPoint(key=key, value=value, step=step, time_ms=time_ms) for key, value in metrics.items()]
        return self.log_points(run_id, points)

    def log_metric(
        self, run_id: str, key: str, value: float, *, step: int = 0, time_ms: int | None = None
    ) -> LogMetricsResponse:
        """Stores one point."""
        return self.log_metrics(run_id, {key: value}, step=step, time_ms=time_ms)

    def read_metrics(
        self, run_ids: str | Sequence[str], keys: str | Sequence[str] = (), **points: Unpack[ReadRange]
    ) -> MetricRead:
        """Whole series of these runs (all keys, where none is named), ordered by step, time and logged order."""
        request = ReadMetricsRequest(run_ids=text_list("run_ids", run_ids), keys=text_list("keys", keys), **points)
        return self._gather(request, decode_series, _whole_read)

    def stream_metrics(
        self, run_ids: str | Sequence[str], keys: str | Sequence[str] = (), **points: Unpack[ReadRange]
    ) -> Iterator[SeriesBatch]:
        """As `read_metrics`, part by part, for series that don't fit in memory; the last part brings the token."""
        request = ReadMetricsRequest(run_ids=text_list("run_ids", run_ids), keys=text_list("keys", keys), **points)
        return self._stream(request, decode_series)

    def tail_metrics(
        self,
        run_ids: str | Sequence[str],
        keys: str | Sequence[str] = (),
        *,
        resume_token: str = "",
        reconnect: bool = False,
    ) -> Iterator[SeriesBatch]:
        """Points as they are committed, each once; without a token, those from now on.

        The first batch may be empty and brings the first token. Ends when it is closed. With `reconnect`, a server that
        goes away is waited for, and the tail goes on where it was; otherwise that is UnavailableError.
        """
        request = TailMetricsRequest(
            run_ids=text_list("run_ids", run_ids), keys=text_list("keys", keys), resume_token=resume_token
        )
        return self._iterate(_follow(self._transport, request, reconnect=reconnect))

    def get_metric_summaries(
        self, run_ids: str | Sequence[str], keys: str | Sequence[str] = (), *, max_results: int | None = None
    ) -> Iterator[MetricSummary]:
        """Last, first, smallest, largest and count of each series, without reading its points."""
        request = GetMetricSummariesRequest(run_ids=text_list("run_ids", run_ids), keys=text_list("keys", keys))
        return self._pages(request, GetMetricSummariesResponse, lambda page: page.summaries, max_results=max_results)


def _whole_read(batches: Sequence[SeriesBatch]) -> MetricRead:
    return MetricRead(join_series(batches), batches[-1].token if batches else "")


async def _follow(
    transport: Transport, request: TailMetricsRequest, *, reconnect: bool
) -> AsyncGenerator[SeriesBatch, None]:
    failures = 0
    while True:
        try:
            async with aclosing(transport.stream(request, decode_series)) as batches:
                async for batch in batches:
                    request.resume_token = batch.token
                    failures = 0
                    yield batch
            return
        except UnavailableError as error:
            # Without a token nobody knows where to go on: what was committed meanwhile would be a silent hole.
            if not reconnect or not request.resume_token:
                raise
            failures += 1
            delay_seconds = backoff_seconds(failures, error)
        await transport.sleep(delay_seconds)
