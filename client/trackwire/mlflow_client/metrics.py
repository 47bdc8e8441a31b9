"""Metrics, point by point, and batches of all that a run says."""

from collections.abc import Sequence

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.operations import RunOperations, operations_of
from trackwire.gathering import MetricValue, as_number
from trackwire.mlflow_client.asking import Asking
from trackwire.queries.entities import Metric, Param, RunTag
from trackwire.queries.runs import history_of
from trackwire.v1.metrics_pb2 import MetricPoint, SeriesContext

_POINTS_MAX = 10_000
_ENTRIES_MAX = 1_000


class MetricMethods(Asking):
    """The methods for metrics and batches."""

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: MetricValue,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Logs one point; without a step, at 0; without a timestamp (Unix milliseconds), now."""
        context = _context(model_id, dataset_name, dataset_digest)
        point = MetricPoint(key=key, value=as_number(key, value), step=step or 0, time_ms=timestamp, context=context)
        self._client("log_metric").log_points(run_id, [point])
        return operations_of(None, synchronous)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Logs params, then metrics, then tags; each kind whole or not at all. Up to 10,000 metrics, 1,000 others."""
        for field, entries, entries_max in (
            ("metrics", metrics, _POINTS_MAX),
            ("params", params, _ENTRIES_MAX),
            ("tags", tags, _ENTRIES_MAX),
        ):
            if len(entries) > entries_max:
                raise InvalidArgumentError(
                    f"{field}: has {len(entries):,} entries, at most {entries_max:,} are allowed in one batch",
                    metadata={"field": field, "limit": str(entries_max)},
                )
        params_by_key = _params_by_key(params)
        client = self._client("log_batch")
        if params_by_key:
            client.log_params(run_id, params_by_key)
        if metrics:
            client.log_points(run_id, [_point(metric) for metric in metrics])
        if tags:
            client.set_tags(run_id, {tag.key: tag.value for tag in tags})
        return operations_of(None, synchronous)

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """All points of a metric by step; of several ranks, those of the one that `metrics.<key>` means in a filter."""
        return history_of(self._client("get_metric_history"), run_id, key)


def _params_by_key(params: Sequence[Param]) -> dict[str, object]:
    found: dict[str, object] = {}
    for param in params:
        if str(found.setdefault(param.key, param.value)) != str(param.value):
            raise InvalidArgumentError(
                f"params[{param.key!r}]: {param.value!r}: is {found[param.key]!r} in the same batch",
                metadata={"field": "params"},
            )
    return found


def _point(metric: Metric) -> MetricPoint:
    return MetricPoint(
        key=metric.key,
        value=as_number(metric.key, metric.value),
        step=metric.step,
        time_ms=metric.timestamp,
        context=_context(metric.model_id, metric.dataset_name, metric.dataset_digest),
    )


def _context(model_id: str | None, dataset_name: str | None, dataset_digest: str | None) -> SeriesContext | None:
    if not (model_id or dataset_name or dataset_digest):
        return None
    return SeriesContext(model_id=model_id or "", dataset_name=dataset_name or "", dataset_digest=dataset_digest or "")
