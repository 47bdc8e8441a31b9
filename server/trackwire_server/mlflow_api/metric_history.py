"""A metric's history as MLflow reads it: by key alone, whatever rank, model or dataset its points belong to."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
from cachetools import TTLCache
from msgspec import Struct

from trackwire_server.core.columns import Flags, Integers, Points
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.metric_queries import ReadQuery, SeriesPoints
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.paging import decode_token, encode_token, fingerprint
from trackwire_server.mlflow_api.door import Answer, Rpc
from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError, missing
from trackwire_server.mlflow_api.numbers import number
from trackwire_server.mlflow_api.reading import Int32, OfRun

BULK_RUNS_MAX = 100
BULK_POINTS_MAX = 25_000
INTERVAL_POINTS_MAX = 2_500
INTERVAL_POINTS_DEFAULT = 2_500
# Making more of these is left to a thread: the event loop waits for none of it.
_POINTS_WORTH_A_THREAD = 2_000
# Points that were read and put in order for one page are kept for the next ones, where they have room.
_PAGED_BYTES_MAX = 128 * 1024 * 1024
_PAGED_SECONDS = 60

# What each point says of its run, and the points.
_OfRun: TypeAlias = tuple[Mapping[str, str], Points]


class GetMetricHistory(OfRun):
    metric_key: str = ""
    page_token: str = ""
    max_results: Int32 | None = None


class GetMetricHistoryBulk(Struct):
    metric_key: str = ""
    run_id: list[str] = []
    max_results: Int32 = BULK_POINTS_MAX


class GetMetricHistoryBulkInterval(Struct):
    run_ids: list[str] = []
    metric_key: str = ""
    start_step: Int32 | None = None
    end_step: Int32 | None = None
    max_results: Int32 = INTERVAL_POINTS_DEFAULT


class MetricHistoryDoor:
    """Reads of metrics, as MLflow's clients and pages ask for them."""

    def __init__(self, metrics: Metrics):
        self._metrics = metrics
        self._paged: TTLCache[str, Points] = TTLCache(_PAGED_BYTES_MAX, _PAGED_SECONDS, getsizeof=_size_bytes)

    def rpcs(self) -> Sequence[Rpc]:
        at = "2.0/mlflow/metrics"
        return (
            Rpc("GET", f"{at}/get-history", GetMetricHistory, self.get),
            Rpc("GET", f"{at}/get-history-bulk", GetMetricHistoryBulk, self.get_bulk),
            Rpc("GET", f"{at}/get-history-bulk-interval", GetMetricHistoryBulkInterval, self.get_interval),
        )

    async def get(self, request: GetMetricHistory) -> Answer:
        """A page of points by (time, step, value); an unknown run or key has none.

        What comes while somebody turns pages may be on none of them.
        """
        run_id, key, limit = request.run, _key(request.metric_key), request.max_results
        if limit is not None and limit < 1:
            raise InvalidArgument("max_results", limit, "must be 1 or more", limit=1)
        query = fingerprint("history", run_id, key)
        begin = _offset(query, request.page_token)
        points = self._paged.get(query) if begin else None
        if points is None:
            points = await self._points(run_id, key)
        end = len(points) if limit is None else begin + limit
        if end >= len(points):
            # Nothing else would free it until the next history is read.
            self._paged.pop(query, None)
        elif _size_bytes(points) <= _PAGED_BYTES_MAX:
            self._paged[query] = points
        answer: dict[str, Any] = {"metrics": await _listed(key, [({}, points.take(slice(begin, end)))])}
        return answer | ({"next_page_token": encode_token(query, (end,))} if end < len(points) else {})

    async def get_bulk(self, request: GetMetricHistoryBulk) -> Answer:
        """The points of many runs, run after run; no more than so many altogether."""
        if not request.run_id:
            raise _bad("GetMetricHistoryBulk request must specify at least one run_id.")
        if len(request.run_id) > BULK_RUNS_MAX:
            raise _bad(
                f"GetMetricHistoryBulk request cannot specify more than {BULK_RUNS_MAX} run_ids."
                f" Received {len(request.run_id)} run_ids."
            )
        if not request.metric_key:
            raise _bad("GetMetricHistoryBulk request must specify a metric_key.")
        if request.max_results < 1:
            raise InvalidArgument("max_results", request.max_results, "must be 1 or more", limit=1)
        left = min(request.max_results, BULK_POINTS_MAX)
        found: list[_OfRun] = []
        for run_id in sorted(set(request.run_id)):
            points = (await self._points(run_id, request.metric_key)).take(slice(0, left))
            found.append(({"run_id": run_id}, points))
            left -= len(points)
            if not left:
                break
        return {"metrics": await _listed(request.metric_key, found)}

    async def get_interval(self, request: GetMetricHistoryBulkInterval) -> Answer:
        """Of the steps of all runs together a bounded number, evenly spread, and the last one of each run."""
        _check_interval(request)
        key = _key(request.metric_key)
        steps = (request.start_step, request.end_step)
        points = {run_id: await self._points(run_id, key, steps) for run_id in dict.fromkeys(request.run_ids)}
        every = np.unique(np.concatenate([found.steps for found in points.values()]))
        last = [found.steps.max() for found in points.values() if len(found)]
        sampled = np.append(_sampled(every, request.max_results), np.array(last, np.int64))
        shown: list[_OfRun] = []
        for run_id, found in points.items():
            some = found.take(np.isin(found.steps, sampled))
            by_step = some.take(np.lexsort((some.values, some.times_ms, some.steps)))
            shown.append(({"run_id": run_id}, by_step))
        return {"metrics": await _listed(key, shown)}

    async def _points(self, run_id: str, key: str, steps: tuple[int | None, int | None] = (None, None)) -> Points:
        """All points of a key by (time, step, value); none of a run that is not there."""
        query = ReadQuery((run_id,), frozenset({key}), min_step=steps[0], max_step=steps[1])
        try:
            parts = [part async for part in self._metrics.read(query, max_points=0) if isinstance(part, SeriesPoints)]
        except NotFound:
            return Points.empty()
        points = Points.joined([part.points for part in parts])
        is_of_several = len({part.name for part in parts}) > 1
        if len(points) < _POINTS_WORTH_A_THREAD:
            return _by_time(points, is_of_several=is_of_several)
        return await asyncio.to_thread(_by_time, points, is_of_several=is_of_several)


def _size_bytes(points: Points) -> int:
    return points.steps.nbytes + points.times_ms.nbytes + points.values.nbytes


def _by_time(points: Points, *, is_of_several: bool) -> Points:
    """Points by (time, step, value); of several series, each point once."""
    ordered = points.take(np.lexsort((points.values, points.steps, points.times_ms)))
    return ordered.take(_first_of_equals(ordered)) if is_of_several else ordered


def _first_of_equals(points: Points) -> Flags:
    """A point that was logged of a run and again of its model is one point of the key."""
    columns = (points.times_ms, points.steps, points.values.view(np.int64))
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    first: Flags = np.append(True, changes)
    return first


async def _listed(key: str, found: Sequence[_OfRun]) -> msgspec.Raw:
    """The points of runs, one list, as JSON already: encoding many takes as long as listing them."""
    if sum(len(points) for _, points in found) < _POINTS_WORTH_A_THREAD:
        return _encoded(key, found)
    return await asyncio.to_thread(_encoded, key, found)


def _encoded(key: str, found: Sequence[_OfRun]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode([point for run, points in found for point in _list(key, points, run)]))


def _list(key: str, points: Points, more: Answer) -> list[Answer]:
    values: list[float | str] = points.values.tolist()
    if not np.isfinite(points.values).all():
        values = [number(value) for value in points.values.tolist()]
    return [
        {"key": key, "value": value, "timestamp": time_ms, "step": step, **more}
        for value, time_ms, step in zip(values, points.times_ms.tolist(), points.steps.tolist(), strict=True)
    ]


def _sampled(steps: Integers, most: int) -> Integers:
    """So many of the steps, evenly spread."""
    if len(steps) <= most:
        return steps
    sampled: Integers = steps[np.arange(most) * len(steps) // most]
    return sampled


def _check_interval(request: GetMetricHistoryBulkInterval) -> None:
    if not request.run_ids:
        raise missing("run_ids")
    if len(request.run_ids) > BULK_RUNS_MAX:
        raise _bad(f"GetMetricHistoryBulkInterval request must specify at most {BULK_RUNS_MAX} run_ids.")
    if not 1 <= request.max_results <= INTERVAL_POINTS_MAX:
        raise _bad(f"max_results: {request.max_results}: max_results must be between 1 and {INTERVAL_POINTS_MAX}.")
    if (request.start_step is None) != (request.end_step is None):
        raise _bad("If either start step or end step are specified, both must be specified.")
    if request.start_step is not None and request.end_step is not None and request.start_step > request.end_step:
        raise _bad(
            "end_step must be greater than start_step. "
            f"Found start_step={request.start_step} and end_step={request.end_step}."
        )


def _key(metric_key: str) -> str:
    if not metric_key:
        raise missing("metric_key")
    return metric_key


def _offset(query: str, token: str) -> int:
    position = decode_token(query, token)
    if position is None:
        return 0
    if len(position) != 1 or not isinstance(position[0], int) or position[0] < 0:
        raise InvalidArgument("page_token", token, "is not a token of this server", reason="BAD_PAGE_TOKEN")
    return position[0]


def _bad(message: str) -> MlflowError:
    return MlflowError(INVALID_PARAMETER_VALUE, message)
