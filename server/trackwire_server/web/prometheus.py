"""What the server tells Prometheus of itself at /metrics, where it is asked to."""

import time
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trackwire_server.core.metrics import Metrics

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Telemetry:
    """The server's figures: the data plane's when they are asked for, HTTP's as requests end."""

    def __init__(self, metrics: Metrics, version: str):
        self._metrics = metrics
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Gauge("trackwire_server_info", "The server's version.", ["version"], registry=registry).labels(version).set(1)
        stored = Counter("trackwire_metric_points_stored", "Points stored since the start.", registry=registry)
        self._stored, self._stored_so_far = stored, 0
        self._queued = Gauge("trackwire_ingest_queue_points", "Points that wait to be stored.", registry=registry)
        self._rows = Gauge("trackwire_journal_rows", "Requests that wait to be compacted.", registry=registry)
        self._points = Gauge("trackwire_journal_points", "Points that wait to be compacted.", registry=registry)
        self._tails = Gauge("trackwire_tails", "Tails that are open.", registry=registry)
        self._requests = Histogram(
            "trackwire_http_request_duration_seconds",
            "HTTP requests, until their answer was sent.",
            ["method", "status"],
            buckets=_SECONDS,
            registry=registry,
        )

    async def answer(self, _request: Request) -> Response:
        """All figures, as Prometheus reads them."""
        backlog = await self._metrics.backlog()
        self._rows.set(backlog.rows)
        self._points.set(backlog.points)
        self._queued.set(self._metrics.queued_points)
        self._tails.set(self._metrics.tails)
        stored = self._metrics.stored_points
        self._stored.inc(stored - self._stored_so_far)
        self._stored_so_far = stored
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same application, whose requests are counted and timed."""

        async def timed(scope: Scope, receive: Receive, send: Send) -> None:
            begun = time.perf_counter()
            # Where nothing was answered, nothing of it went out.
            status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

            async def noted(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noted)
            finally:
                self._requests.labels(scope["method"], status).observe(time.perf_counter() - begun)

        return timed
