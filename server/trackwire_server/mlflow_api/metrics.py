"""MLflow's metrics: logged point by point or in batches, which go down the same columns as IngestMetrics."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from msgspec import field

from trackwire_server.core.checks import check_key, check_time
from trackwire_server.core.columns import Batch, Layout, Layouts, Points, check_batch, check_context
from trackwire_server.core.entities import RUN_ALONE, SeriesContext
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.runs import Runs, check_params, check_tags
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.entries import Entry, from_entries, params_of
from trackwire_server.mlflow_api.reading import Int64, OfRun

BATCH_METRICS_MAX = 1_000
BATCH_PARAMS_MAX = BATCH_TAGS_MAX = 100


class Metric(OfRun):
    """A point; in a batch its run is that of the batch."""

    key: str
    value: float
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(OfRun):
    metrics: list[Metric] = field(default_factory=list)
    params: list[Entry] = field(default_factory=list)
    tags: list[Entry] = field(default_factory=list)


class MetricDoor:
    """Metrics, as MLflow's clients log them."""

    def __init__(self, metrics: Metrics, runs: Runs):
        self._metrics = metrics
        self._runs = runs
        self._layouts = Layouts()

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/runs"
        return (
            Rpc("POST", f"{at}/log-metric", Metric, self.log_metric),
            Rpc("POST", f"{at}/log-batch", LogBatch, self.log_batch),
        )

    async def log_metric(self, request: Metric) -> Answer:
        await self._metrics.ingest(self._batch(request.run, [request], ""))
        return EMPTY

    async def log_batch(self, request: LogBatch) -> Answer:
        """Each part is stored whole or not at all, params first: a param that may not change stops the rest."""
        run_id = request.run
        for name, entries, limit in (
            ("metrics", request.metrics, BATCH_METRICS_MAX),
            ("params", request.params, BATCH_PARAMS_MAX),
            ("tags", request.tags, BATCH_TAGS_MAX),
        ):
            if len(entries) > limit:
                raise InvalidArgument(name, len(entries), f"at most {limit:,} are allowed in one batch", limit=limit)
        params, tags = params_of(request.params), from_entries(request.tags)
        batch = self._batch(run_id, request.metrics, "metrics[{}].") if request.metrics else None
        # Before anything is stored.
        if params:
            check_params(params)
        if tags:
            check_tags(run_id, tags)
        if batch is None and not params and not tags:
            await self._runs.get(run_id, RUN_ALONE)
        if params:
            await self._runs.log_params(run_id, params)
        if batch is not None:
            await self._metrics.ingest(batch)
        if tags:
            await self._runs.set_tags(run_id, tags)
        return EMPTY

    def _batch(self, run_id: str, metrics: Sequence[Metric], place: str) -> Batch:
        """The same points, series after series, checked. `place` is where an entry stands in the request."""
        series: dict[tuple[str, str, str, str], list[Metric]] = {}
        for metric in metrics:
            name = (metric.key, metric.model_id, metric.dataset_name, metric.dataset_digest)
            series.setdefault(name, []).append(metric)
        ordered = list(chain.from_iterable(series.values()))
        points = Points(
            np.array([metric.step for metric in ordered], np.int64),
            np.array([metric.timestamp for metric in ordered], np.int64),
            np.array([metric.value for metric in ordered], np.float64),
        )
        try:
            batch = Batch(
                run_id=run_id,
                stamp=None,
                layout=self._layout(list(series)),
                counts=np.array([len(mine) for mine in series.values()], np.int64),
                points=points,
            )
            check_batch(batch)
        except InvalidArgument:
            # In columns nobody would know it again.
            _check_by_name(metrics, place)
            raise
        return batch

    def _layout(self, series: Sequence[tuple[str, str, str, str]]) -> Layout:
        keys = tuple(key for key, *_ in series)
        if not any(any(context) for _, *context in series):
            return self._layouts.get(keys)
        numbers: dict[tuple[str, ...], int] = {}
        indexes = tuple(numbers.setdefault(tuple(context), len(numbers)) for _, *context in series)
        return self._layouts.get(keys, tuple(SeriesContext(None, *context) for context in numbers), indexes)


def _check_by_name(metrics: Sequence[Metric], field: str) -> None:
    """Raises InvalidArgument by the name and place that a metric has in its request."""
    for at, metric in enumerate(metrics):
        place = field.format(at)
        check_key(f"{place}key", metric.key)
        check_time(f"{place}timestamp", metric.timestamp)
        context = SeriesContext(None, metric.model_id, metric.dataset_name, metric.dataset_digest)
        check_context(place.removesuffix(".") or "context", context)
