"""What `log_batch` is given, checked as a whole and in the shape of requests, before any of it is sent."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlflow.entities import Metric, Param, RunTag

from trackwire.client import Client
from trackwire.errors import InvalidArgumentError
from trackwire.fluent.checks import (
    DATASET_DIGEST_CHARACTERS_MAX,
    DATASET_NAME_CHARACTERS_MAX,
    MODEL_ID_CHARACTERS_MAX,
    checked_entries,
    checked_text,
)
from trackwire.gathering import MetricContext, as_number, check_key, check_step, check_time
from trackwire.v1.metrics_pb2 import SeriesContext


@dataclass(slots=True)
class Points:
    """Points as columns, series after series; a series is a key in a context."""

    _series: dict[tuple[str, MetricContext], list[tuple[int, int, float]]] = field(default_factory=dict)

    def add(self, metric: Metric) -> None:
        """Takes one more. Raises InvalidArgumentError."""
        key = check_key(metric.key)
        try:
            point = (_step(metric.step), _time_ms(metric.timestamp), as_number(key, metric.value))
        except TypeError as error:
            # mlflow has no other word for it.
            metric_named = f"metrics[{key!r}]: "
            raise InvalidArgumentError(metric_named + str(error).removeprefix(metric_named)) from None
        self._series.setdefault((key, _context(metric)), []).append(point)

    def ingest(self, client: Client, run_id: str) -> None:
        """Stores them by one call that answers when they are durable. Sent again, they are stored once."""
        contexts = list(dict.fromkeys(context for _, context in self._series))
        numbers = {context: number for number, context in enumerate(contexts)}
        points = [point for series in self._series.values() for point in series]
        client.ingest_metrics(
            run_id,
            [key for key, _ in self._series],
            [len(series) for series in self._series.values()],
            [step for step, _, _ in points],
            [time_ms for _, time_ms, _ in points],
            [value for _, _, value in points],
            contexts=[_message(context) for context in contexts],
            context_indexes=[numbers[context] for _, context in self._series],
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A call of `log_batch`."""

    params: dict[str, str]
    points: Points | None
    tags: dict[str, str]


def checked_batch(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]) -> Batch:
    """The batch as it can be sent. Raises InvalidArgumentError, which names what is wrong first."""
    points = Points()
    for metric in metrics:
        points.add(metric)
    return Batch(_params(params), points if metrics else None, checked_entries("tags", _pairs(tags)))


def _params(params: Sequence[Param]) -> dict[str, str]:
    texts = checked_entries("params", _pairs(params))
    for param in params:
        if str(param.value) != texts[param.key]:
            raise InvalidArgumentError(
                f"params[{param.key!r}]: {texts[param.key]!r}: Duplicate parameter keys have been submitted:"
                f" the batch has it as {param.value!r} too"
            )
    return texts


def _pairs(entries: Sequence[Param] | Sequence[RunTag]) -> dict[str, str]:
    return {entry.key: entry.value for entry in entries}


def _step(step: float) -> int:
    # mlflow takes whole floats, too.
    return check_step(int(step) if isinstance(step, float) and step.is_integer() else step)  # type: ignore[arg-type]


def _time_ms(timestamp: float) -> int:
    try:
        time_ms = int(timestamp) if isinstance(timestamp, float) else operator.index(timestamp)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(f"timestamp: {timestamp!r}: must be Unix milliseconds") from None
    check_time(time_ms)
    return time_ms


def _context(metric: Metric) -> MetricContext:
    return MetricContext(
        checked_text("model_id", metric.model_id or "", MODEL_ID_CHARACTERS_MAX),
        checked_text("dataset_name", metric.dataset_name or "", DATASET_NAME_CHARACTERS_MAX),
        checked_text("dataset_digest", metric.dataset_digest or "", DATASET_DIGEST_CHARACTERS_MAX),
    )


def _message(context: MetricContext) -> SeriesContext:
    return SeriesContext(
        model_id=context.model_id, dataset_name=context.dataset_name, dataset_digest=context.dataset_digest
    )
