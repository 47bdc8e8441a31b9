"""A server's figures as Prometheus reads them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from trackwire_server.core.errors import TrackwireError
from trackwire_server.core.figures import CallFigures, Distribution
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.metric_queries import Backlog
from trackwire_server.web.families import WORKER, merged, packed, text_of, unpacked
from trackwire_server.web.figures import Figures

# Prometheus waits ten seconds by default.
_STORE_SECONDS = 3.0


class Exposition:
    """The text of /metrics."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, figures: Figures):
        self._figures = figures
        # What prometheus-client tells of any process of Python's.
        self._python = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._python)

    async def text(self, now_seconds: float) -> bytes:
        """All figures, also where the store doesn't answer: then those of the store are missing."""
        backlog = await self._backlog()
        return text_of([*self._of_process(), *_of_store(backlog, now_seconds)])

    async def text_of_all(self, own: int, others: Mapping[int, bytes | None], now_seconds: float) -> bytes:
        """The same of all workers of a host: this one's number, and what each of the others has packed."""
        backlog = await self._backlog()
        told = {own: self._of_process()} | {worker: unpacked(data) for worker, data in others.items() if data}
        up = GaugeMetricFamily("trackwire_worker_up", "1 if the worker has told its figures, else 0.", labels=[WORKER])
        for worker in sorted({own, *others}):
            up.add_metric([str(worker)], float(worker in told))
        return text_of([*merged(dict(sorted(told.items()))), up, *_of_store(backlog, now_seconds)])

    def packed(self) -> bytes:
        """The figures of this process, for another worker."""
        return packed(self._of_process())

    def _of_process(self) -> Iterator[Metric]:
        """The figures of this process."""
        figures = self._figures
        yield _info(
            "trackwire_server_info",
            "Always 1; the labels say what runs.",
            {"version": figures.version, "store": figures.store},
        )
        yield from _of_ingest(figures)
        yield from _of_compaction(figures)
        yield from _of_pools(figures)
        yield from _of_rpcs(figures.rpcs)
        yield from _of_http(figures.http)
        yield from self._python.collect()

    async def _backlog(self) -> Backlog | None:
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                return await self._figures.metrics.backlog()
        except (TrackwireError, TimeoutError):
            return None


def _of_ingest(figures: Figures) -> Iterator[Metric]:
    commits, queue = figures.metrics.commits, figures.metrics.queue
    stored = commits.stored_points
    yield CounterMetricFamily("trackwire_metric_points_stored", "Points stored since the start.", stored)
    refused = commits.refused_requests
    yield CounterMetricFamily(
        "trackwire_ingest_requests_refused", "Requests refused since the start, as the queue was full.", refused
    )
    waiting = "that wait to be stored, the transaction under way included."
    yield GaugeMetricFamily("trackwire_ingest_queue_points", f"Points {waiting}", queue.points)
    yield GaugeMetricFamily("trackwire_ingest_queue_requests", f"Requests {waiting}", queue.requests)
    yield GaugeMetricFamily(
        "trackwire_ingest_queue_bytes", "Bytes of requests that wait to be stored or decoded.", queue.bytes
    )
    limits = GaugeMetricFamily(
        "trackwire_ingest_queue_limit",
        "Past it requests are refused; the units are points, requests and bytes.",
        labels=["unit"],
    )
    limits.add_metric(["points"], LIMITS.queue_points)
    limits.add_metric(["requests"], LIMITS.queue_requests)
    limits.add_metric(["bytes"], LIMITS.queue_bytes)
    yield limits
    yield _histogram("trackwire_commit_duration_seconds", "How long group commits took.", commits.seconds)
    yield _histogram("trackwire_commit_points", "Points in a group commit.", commits.points)
    yield _histogram("trackwire_commit_requests", "Requests in a group commit.", commits.requests)
    yield GaugeMetricFamily("trackwire_tails", "Tails that are open.", figures.metrics.tails)


def _of_compaction(figures: Figures) -> Iterator[Metric]:
    done = figures.metrics.compaction
    yield _histogram(
        "trackwire_compaction_duration_seconds", "How long compactions took, each of a part of a run.", done.seconds
    )
    yield CounterMetricFamily(
        "trackwire_compaction_failures", "Compactions that failed, and were tried again later.", done.failures
    )


def _of_pools(figures: Figures) -> Iterator[Metric]:
    size = GaugeMetricFamily(
        "trackwire_store_connections_limit",
        "Connections to the store that there may be, by what they are for.",
        labels=["pool"],
    )
    in_use = GaugeMetricFamily(
        "trackwire_store_connections_in_use", "Connections that have a transaction.", labels=["pool"]
    )
    waiting = GaugeMetricFamily(
        "trackwire_store_connections_waiting", "Transactions that wait for a connection.", labels=["pool"]
    )
    waits = HistogramMetricFamily(
        "trackwire_store_connection_wait_seconds",
        "How long transactions have waited for a connection.",
        labels=["pool"],
    )
    for pool in figures.pools:
        size.add_metric([pool.name], pool.size)
        in_use.add_metric([pool.name], pool.in_use)
        waiting.add_metric([pool.name], pool.waiting)
        _add(waits, [pool.name], pool.wait_seconds)
    yield from (size, in_use, waiting, waits)


def _of_rpcs(calls: CallFigures) -> Iterator[Metric]:
    words = "How long gRPC calls took until their last answer."
    yield _by_outcome("trackwire_rpc_duration_seconds", words, calls, labels=("method", "code"))
    yield GaugeMetricFamily("trackwire_rpcs_in_flight", "gRPC calls under way, tails among them.", calls.under_way)


def _of_http(calls: CallFigures) -> Iterator[Metric]:
    words = "How long HTTP requests took until their answer was sent."
    yield _by_outcome("trackwire_http_request_duration_seconds", words, calls, labels=("method", "status"))
    yield GaugeMetricFamily("trackwire_http_requests_in_flight", "HTTP requests under way.", calls.under_way)


def _by_outcome(name: str, words: str, calls: CallFigures, *, labels: tuple[str, str]) -> Metric:
    family = HistogramMetricFamily(name, words, labels=labels)
    for (called, outcome), seconds in calls.seconds.items():
        _add(family, [called.removeprefix("/"), outcome], seconds)
    return family


def _of_store(backlog: Backlog | None, now_seconds: float) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "trackwire_store_up",
        "1 if the store has answered this scrape, else 0: then what stands below is missing.",
        float(backlog is not None),
    )
    if backlog is None:
        return
    lag_seconds = 0.0 if backlog.since_ms is None else max(0.0, now_seconds - backlog.since_ms / 1e3)
    yield GaugeMetricFamily(
        "trackwire_journal_rows", "Ingest requests that wait to be compacted, in the whole store.", backlog.rows
    )
    yield GaugeMetricFamily(
        "trackwire_journal_points", "Points that wait to be compacted, in the whole store.", backlog.points
    )
    yield GaugeMetricFamily(
        "trackwire_compaction_lag_seconds",
        "How long the oldest of them has waited; up to 600 s is by design.",
        lag_seconds,
    )


def _info(name: str, words: str, labels: Mapping[str, str]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family


def _histogram(name: str, words: str, values: Distribution) -> Metric:
    family = HistogramMetricFamily(name, words, labels=())
    _add(family, (), values)
    return family


def _add(family: HistogramMetricFamily, labels: Sequence[str], values: Distribution) -> None:
    buckets, so_far = list[tuple[str, float]](), 0
    for bound, count in zip((*values.bounds, float("inf")), values.counts, strict=True):
        so_far += count
        buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), so_far))
    family.add_metric(labels, buckets, values.total)
