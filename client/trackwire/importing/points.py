"""Points on their way from a history to the server: ordered, each once, in large requests, several under way."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trackwire.client import Client
from trackwire.columns import Float64Array, Int64Array
from trackwire.errors import InvalidArgumentError, ResourceExhaustedError
from trackwire.v1.metrics_pb2 import MetricSummary, SeriesContext

REQUEST_POINTS = 65_536
IN_FLIGHT = 4
RETRIES_MAX = 60
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, order=True)
class SeriesName:
    """One series of a run: a key, and the model and the dataset that it belongs to, if any."""

    key: str
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""

    def context(self) -> SeriesContext:
        """As the contract has it."""
        return SeriesContext(model_id=self.model_id, dataset_name=self.dataset_name, dataset_digest=self.dataset_digest)

    def __str__(self) -> str:
        of = [part for part in (self.model_id, self.dataset_name, self.dataset_digest) if part]
        return f"{self.key!r} of {'/'.join(of)}" if of else repr(self.key)


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What must be equal of a series on both sides; values as text, so that NaN equals itself."""

    count: int
    nan_count: int
    first: tuple[int, int]
    last: tuple[int, int]
    # Empty where several points share the last step and time: which of them was logged last is nobody's to say.
    last_value: str
    smallest: str
    largest: str

    def agrees_with(self, here: "SeriesFacts | None") -> bool:
        """Whether the server has the same of a series."""
        return here is not None and self == (here if self.last_value else replace(here, last_value=""))


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """Columns of one length, by step, time and the order in which they came, each point once."""

    steps: Int64Array
    times_ms: Int64Array
    values: Float64Array

    @classmethod
    def ordered(cls, steps: Int64Array, times_ms: Int64Array, values: Float64Array) -> Self:
        """From columns in any order."""
        order = np.lexsort((times_ms, steps))
        if ((np.diff(steps[order]) == 0) & (np.diff(times_ms[order]) == 0)).any():
            order = order[_first_ones(steps[order], times_ms[order], values[order].view(np.int64))]
        return cls(steps[order], times_ms[order], values[order])

    def joined(self, more: "Points | None") -> "Points":
        """With others of the same series."""
        if more is None:
            return self
        return Points.ordered(
            np.concatenate((self.steps, more.steps)),
            np.concatenate((self.times_ms, more.times_ms)),
            np.concatenate((self.values, more.values)),
        )

    def ending_in(self, latest: float) -> "Points":
        """With this value last, if several have the last step and time: stores differ in which they call the latest."""
        if not self._ends_in_a_tie():
            return self
        tied = (self.steps == self.steps[-1]) & (self.times_ms == self.times_ms[-1]) & (self.values == latest)
        [places] = np.nonzero(tied)
        if not len(places):
            return self
        order = np.concatenate((np.delete(np.arange(len(self)), places[-1]), places[-1:]))
        return Points(self.steps, self.times_ms, self.values[order])

    def __len__(self) -> int:
        return len(self.steps)

    def facts(self) -> SeriesFacts:
        """What the server must say of them."""
        numbers = self.values[~np.isnan(self.values)]
        return SeriesFacts(
            len(self),
            len(self) - len(numbers),
            (int(self.steps[0]), int(self.times_ms[0])),
            (int(self.steps[-1]), int(self.times_ms[-1])),
            "" if self._ends_in_a_tie() else _text(self.values[-1]),
            _text(numbers.min()) if len(numbers) else "",
            _text(numbers.max()) if len(numbers) else "",
        )

    def _ends_in_a_tie(self) -> bool:
        return len(self) > 1 and self.steps[-2] == self.steps[-1] and self.times_ms[-2] == self.times_ms[-1]


def _first_ones(steps: Int64Array, times_ms: Int64Array, bits: Int64Array) -> NDArray[np.bool_]:
    """Which points have none like them before."""
    order = np.lexsort((bits, times_ms, steps))
    repeated = np.ones(len(order) - 1, np.bool_)
    for column in (steps, times_ms, bits):
        repeated &= np.diff(column[order]) == 0
    first = np.ones(len(order), np.bool_)
    first[order[1:][repeated]] = False
    return first


def facts_of(summary: MetricSummary) -> SeriesFacts:
    """What the server says of a series."""
    return SeriesFacts(
        summary.count,
        summary.nan_count,
        (summary.first_step, summary.first_time_ms),
        (summary.last_step, summary.last_time_ms),
        _text(summary.last_value),
        _text(summary.min_value) if summary.HasField("min_value") else "",
        _text(summary.max_value) if summary.HasField("max_value") else "",
    )


def name_of(summary: MetricSummary) -> SeriesName:
    """Which series a summary is of; ranks, which MLflow has not, count as one."""
    context = summary.context
    return SeriesName(summary.key, context.model_id, context.dataset_name, context.dataset_digest)


def _text(value: float) -> str:
    # −0 becomes 0: the one may come before the other.
    return repr(float(value) + 0.0)


@dataclass(frozen=True, slots=True)
class Refused:
    """Points of a series that the server refused, and why."""

    points: int
    why: str

    def __str__(self) -> str:
        return f"{self.points:,} points: {self.why}"


@dataclass(slots=True)
class _Request:
    """Series of one run that go together."""

    run_id: str
    series: list[tuple[SeriesName, Points]] = field(default_factory=list)
    points: int = 0


class PointSender:
    """Sends points without a stamp: what is there already is not stored again, so that all may be sent again."""

    def __init__(self, client: Client, stored: Callable[[int, int], object]) -> None:
        """`stored` is told, of each request, how many points were new and how many were there."""
        self._client = client
        self._stored = stored
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="trackwire-import-points")
        self._under_way: set[Future[None]] = set()
        self._waiting = _Request("")
        self._refused: dict[SeriesName, Refused] = {}

    def add(self, run_id: str, name: SeriesName, points: Points) -> None:
        """Takes a series; waits while enough is under way."""
        if self._waiting.run_id != run_id:
            self._submit()
            self._waiting.run_id = run_id
        for start in range(0, len(points), REQUEST_POINTS):
            part = slice(start, start + REQUEST_POINTS)
            self._waiting.series.append((name, Points(points.steps[part], points.times_ms[part], points.values[part])))
            self._waiting.points += len(self._waiting.series[-1][1])
            if self._waiting.points >= REQUEST_POINTS:
                self._submit()
                self._waiting.run_id = run_id

    def discard(self) -> None:
        """Forgets what is not sent yet and what was refused; waits for what is under way."""
        wait(self._under_way)
        self._under_way, self._waiting, self._refused = set(), _Request(""), {}

    def finish(self) -> dict[SeriesName, Refused]:
        """Waits until all is stored; what was refused since the last call."""
        self._submit()
        done, self._under_way = self._under_way, set()
        wait(done)
        for each in done:
            each.result()
        refused, self._refused = self._refused, {}
        return refused

    def close(self) -> None:
        """Gives up what is not sent yet."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self) -> None:
        if not self._waiting.series:
            return
        if len(self._under_way) >= IN_FLIGHT:
            done, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
            for each in done:
                each.result()
        self._under_way.add(self._pool.submit(self._send, self._waiting))
        self._waiting = _Request("")

    def _send(self, request: _Request) -> None:
        try:
            stored = _ingest(self._client, request)
        except InvalidArgumentError as error:
            if len(request.series) == 1:
                [(name, points)] = request.series
                before = self._refused.get(name)
                self._refused[name] = Refused(len(points) + (before.points if before else 0), str(error))
                return
            # One of them is at fault: alone, each is stored or named.
            for name, points in request.series:
                self._send(_Request(request.run_id, [(name, points)], len(points)))
            return
        self._stored(stored, request.points - stored)


def _ingest(client: Client, request: _Request) -> int:
    for attempt in range(RETRIES_MAX + 1):
        try:
            return _ingest_once(client, request)
        except ResourceExhaustedError as error:
            # The server's queue or disk is full: it says when to come again.
            if attempt == RETRIES_MAX:
                raise
            time.sleep(error.retry_after_seconds or RETRY_SECONDS)
    raise AssertionError


def _ingest_once(client: Client, request: _Request) -> int:
    names = [name for name, _ in request.series]
    contexts = list(dict.fromkeys(SeriesName("", *_belongs(name)) for name in names))
    answer = client.ingest_metrics(
        request.run_id,
        [name.key for name in names],
        np.array([len(points) for _, points in request.series], np.uint32),
        np.concatenate([points.steps for _, points in request.series]),
        np.concatenate([points.times_ms for _, points in request.series]),
        np.concatenate([points.values for _, points in request.series]),
        contexts=[context.context() for context in contexts],
        context_indexes=np.array([contexts.index(SeriesName("", *_belongs(name))) for name in names], np.uint32),
    )
    return answer.stored_points


def _belongs(name: SeriesName) -> tuple[str, str, str]:
    return name.model_id, name.dataset_name, name.dataset_digest
