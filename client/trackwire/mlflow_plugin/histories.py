"""All points of a metric, in the order that mlflow gives them, and cut into its pages."""

import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from mlflow.entities import Metric
from numpy.typing import NDArray

from trackwire.columns import Float64Array, Int64Array, Series
from trackwire.errors import InvalidArgumentError
from trackwire.mlflow_plugin.entities import metric_of
from trackwire.v1.metrics_pb2 import SeriesContext

KEPT_MAX = 4


@dataclass(frozen=True, eq=False)
class History:
    """The points of one key of one run, over all its contexts, by time, step and value."""

    run_id: str
    key: str
    contexts: Sequence[SeriesContext | None]
    of_context: NDArray[np.intp]
    times_ms: Int64Array
    steps: Int64Array
    values: Float64Array

    @classmethod
    def of(cls, run_id: str, key: str, series: Sequence[Series]) -> "History":
        """Out of what a read found."""
        if not series:
            empty = np.empty(0, np.int64)
            return cls(run_id, key, (), np.empty(0, np.intp), empty, empty, np.empty(0))
        times_ms = np.concatenate([each.times_ms for each in series])
        steps = np.concatenate([each.steps for each in series])
        values = np.concatenate([each.values for each in series])
        of_context = np.repeat(np.arange(len(series)), [len(each) for each in series])
        order = np.lexsort((values, steps, times_ms))
        contexts = [each.context for each in series]
        return cls(run_id, key, contexts, of_context[order], times_ms[order], steps[order], values[order])

    def __len__(self) -> int:
        return len(self.steps)

    def metrics(self, where: slice | Sequence[int] = slice(None)) -> list[Metric]:
        """The points at these positions."""
        positions = where if isinstance(where, slice) else np.asarray(where, np.intp)
        columns = (self.values, self.times_ms, self.steps, self.of_context)
        rows = zip(*(column[positions].tolist() for column in columns), strict=True)
        return [
            metric_of(self.key, value, time_ms, step, self.contexts[at], self.run_id)
            for value, time_ms, step, at in rows
        ]

    def by_step(self) -> "History":
        """The same, by step and time."""
        order = np.lexsort((self.times_ms, self.steps))
        return replace(
            self,
            of_context=self.of_context[order],
            times_ms=self.times_ms[order],
            steps=self.steps[order],
            values=self.values[order],
        )


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the next page of a history begins, and which reading of it that goes on."""

    reading: str
    offset: int

    def __str__(self) -> str:
        return f"{self.reading}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "PageToken":
        """The token that was given out. Raises InvalidArgumentError."""
        reading, _, offset = text.rpartition(":")
        if not reading or not offset.isdecimal():
            raise InvalidArgumentError(f"page_token: {text!r}: is not a token of get_metric_history")
        return cls(reading, int(offset))


class Readings:
    """The last histories of which pages are still to come, so that each page is no new read of all the points.

    One that is no longer here is read again: its pages lie at the same places, since what is logged meanwhile is later.
    """

    def __init__(self) -> None:
        # Its calls are atomic: there is no lock that a fork could find held.
        self._kept: deque[tuple[str, History]] = deque(maxlen=KEPT_MAX)

    def find(self, reading: str) -> History | None:
        """The history of a reading, if it is still here."""
        return next((history for kept, history in list(self._kept) if kept == reading), None)

    def keep(self, history: History) -> str:
        """Keeps a history; its reading."""
        reading = uuid.uuid4().hex
        self._kept.append((reading, history))
        return reading

    def drop(self, reading: str) -> None:
        """Forgets a history: its last page has been given out."""
        for entry in list(self._kept):
            if entry[0] == reading:
                with suppress(ValueError):
                    self._kept.remove(entry)


def histories_of(series: Iterable[Series], run_ids: Iterable[str], key: str) -> Iterator[History]:
    """The history of each run, in the order of `run_ids`."""
    found: dict[str, list[Series]] = {}
    for each in series:
        found.setdefault(each.run_id, []).append(each)
    for run_id in run_ids:
        yield History.of(run_id, key, found.get(run_id, ()))
