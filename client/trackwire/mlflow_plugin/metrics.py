"""The tracking store's methods for the histories of metrics."""

from collections.abc import Sequence

from mlflow.entities import Metric
from mlflow.entities.metric import MetricWithRunId
from mlflow.store.entities.paged_list import PagedList

from trackwire.client.metrics import ReadRange
from trackwire.errors import InvalidArgumentError
from trackwire.mlflow_plugin.asking import Asking, page_size
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.mlflow_plugin.histories import History, PageToken, Readings, histories_of


@raises_mlflow_errors
class MetricMethods(Asking):
    """Histories, as mlflow's AbstractStore has them. Points of all ranks, models and datasets are among them."""

    _readings: Readings

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Metric]:
        """The points by time, step and value; all of them, or a page and the token of the next one."""
        if max_results is None and page_token is None:
            return PagedList(self._history(run_id, metric_key).metrics(), None)
        token = PageToken.parse(page_token) if page_token else PageToken("", 0)
        reading, history = token.reading, self._readings.find(token.reading)
        if history is None:
            reading, history = "", self._history(run_id, metric_key)
        end = token.offset + page_size(max_results, len(history) or 1)
        page = history.metrics(slice(token.offset, end))
        if end >= len(history):
            self._readings.drop(reading)
            return PagedList(page, None)
        return PagedList(page, str(PageToken(reading or self._readings.keep(history), end)))

    def get_metric_history_bulk(
        self, run_ids: Sequence[str], metric_key: str, max_results: int
    ) -> list[MetricWithRunId]:
        """The points of many runs, run after run in the order of their ids; the first `max_results` of them."""
        found: list[MetricWithRunId] = []
        for history in self._histories(sorted(set(run_ids)), metric_key):
            found += _with_run_id(history, range(min(len(history), max_results - len(found))))
        return found

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None,
        end_step: int | None,
    ) -> list[MetricWithRunId]:
        """Of each run at most `max_results` points, by step: evenly spread, the first and the last among them."""
        if (start_step is None) != (end_step is None):
            raise InvalidArgumentError("start_step, end_step: give both or neither")
        steps: ReadRange = {}
        if start_step is not None and end_step is not None:
            steps = {"min_step": start_step, "max_step": end_step}
        found: list[MetricWithRunId] = []
        for history in self._histories(list(dict.fromkeys(run_ids)), metric_key, steps):
            found += _with_run_id(history.by_step(), _spread(len(history), page_size(max_results, 1)))
        return found

    def _history(self, run_id: str, key: str) -> History:
        return self._histories([run_id], key)[0]

    def _histories(self, run_ids: Sequence[str], key: str, steps: ReadRange | None = None) -> list[History]:
        if not run_ids:
            return []
        read = self._client.read_metrics(run_ids, key, **(steps or {}))
        return list(histories_of(read.series, run_ids, key))


def _with_run_id(history: History, where: Sequence[int]) -> list[MetricWithRunId]:
    return [MetricWithRunId(metric, history.run_id) for metric in history.metrics(where)]


def _spread(count: int, wanted: int) -> Sequence[int]:
    if count <= wanted:
        return range(count)
    if wanted == 1:
        return [count - 1]
    return [at * (count - 1) // (wanted - 1) for at in range(wanted)]
