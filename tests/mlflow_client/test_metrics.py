"""Histories of metrics."""

import math
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from trackwire.mlflow_plugin.connections import client_of
from trackwire.mlflow_plugin.histories import KEPT_MAX
from trackwire.mlflow_plugin.tracking_store import TrackingStore
from trackwire.v1.metrics_pb2 import SeriesContext

POINTS = 60_000


@pytest.fixture
def store(uri: str) -> TrackingStore:
    return TrackingStore(uri)


@pytest.fixture
def long_run(uri: str, run_id: str) -> str:
    """A run with many points of one metric."""
    numbers = np.arange(POINTS)
    client_of(uri).ingest_metrics(run_id, ["loss"], [POINTS], numbers, 1_700_000_000_000 + numbers, numbers / 2)
    return run_id


def test_history_is_read_through_all_pages(client: MlflowClient, long_run: str) -> None:
    history = client.get_metric_history(long_run, "loss")
    assert [point.step for point in history] == list(range(POINTS))
    assert {(point.key, point.run_id) for point in history} == {("loss", long_run)}
    assert history[-1].value == (POINTS - 1) / 2


def test_pages_of_a_history(store: TrackingStore, long_run: str) -> None:
    first = store.get_metric_history(long_run, "loss", max_results=25_000)
    second = store.get_metric_history(long_run, "loss", max_results=25_000, page_token=first.token)
    third = store.get_metric_history(long_run, "loss", max_results=25_000, page_token=second.token)
    assert [(page[0].step, len(page)) for page in (first, second, third)] == [
        (0, 25_000),
        (25_000, 25_000),
        (50_000, 10_000),
    ]
    assert third.token is None
    assert not store._readings._kept
    everything = store.get_metric_history(long_run, "loss")
    assert (len(everything), everything.token) == (POINTS, None)


def test_page_of_a_forgotten_reading_is_read_again(uri: str, store: TrackingStore, long_run: str) -> None:
    page = store.get_metric_history(long_run, "loss", max_results=10)
    for _ in range(KEPT_MAX):
        store.get_metric_history(long_run, "loss", max_results=10)
    assert len(store._readings._kept) == KEPT_MAX
    for asked in (store, TrackingStore(uri)):
        again = asked.get_metric_history(long_run, "loss", max_results=5, page_token=page.token)
        assert [point.step for point in again] == [10, 11, 12, 13, 14]
        # From here on it is read no more.
        assert asked._readings.find(again.token.partition(":")[0]) is not None


def test_history_is_by_time(client: MlflowClient, run_id: str) -> None:
    for step, time_ms in ((0, 300), (5, 100), (2, 200), (1, 200)):
        client.log_metric(run_id, "loss", 1.0, timestamp=time_ms, step=step)
    assert [point.step for point in client.get_metric_history(run_id, "loss")] == [5, 1, 2, 0]


def test_same_point_is_stored_once(client: MlflowClient, run_id: str) -> None:
    for _ in range(2):
        client.log_batch(run_id, [Metric("loss", 0.5, 1_000, 1)])
    assert len(client.get_metric_history(run_id, "loss")) == 1


def test_values_that_are_no_numbers(client: MlflowClient, run_id: str) -> None:
    values = [math.nan, math.inf, -math.inf, -0.0]
    for step, value in enumerate(values):
        client.log_metric(run_id, "loss", value, timestamp=step, step=step)
    assert str([point.value for point in client.get_metric_history(run_id, "loss")]) == str(values)


def test_metric_of_a_model_on_a_dataset(client: MlflowClient, run_id: str) -> None:
    of_model: dict[str, Any] = {"model_id": "m-1", "dataset_name": "digits", "dataset_digest": "d1"}
    client.log_batch(run_id, [Metric("loss", 0.5, 1, 0), Metric("loss", 0.25, 2, 1, **of_model)])
    plain, of_one = client.get_metric_history(run_id, "loss")
    assert (plain.value, plain.model_id, plain.dataset_name) == (0.5, None, None)
    assert (of_one.value, of_one.model_id, of_one.dataset_name, of_one.dataset_digest) == (0.25, "m-1", "digits", "d1")
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}


def test_metric_that_was_never_logged_has_no_history(client: MlflowClient, run_id: str) -> None:
    assert list(client.get_metric_history(run_id, "loss")) == []


def test_ranks_are_all_in_the_history(uri: str, client: MlflowClient, run_id: str) -> None:
    contexts = [SeriesContext(rank=rank) for rank in range(2)]
    client_of(uri).ingest_metrics(
        run_id, ["loss", "loss"], [1, 1], [0, 0], [1, 2], [0.5, 0.25], contexts=contexts, context_indexes=[0, 1]
    )
    assert [point.value for point in client.get_metric_history(run_id, "loss")] == [0.5, 0.25]


def test_histories_of_many_runs(store: TrackingStore, client: MlflowClient, experiment_id: str) -> None:
    runs = sorted(client.create_run(experiment_id).info.run_id for _ in range(3))
    for run_id in runs[:2]:
        client.log_batch(run_id, [Metric("loss", step, step, step) for step in range(10)])
    found = store.get_metric_history_bulk(list(reversed(runs)), "loss", 15)
    assert [(point.run_id, point.step) for point in found] == [
        *((runs[0], step) for step in range(10)),
        *((runs[1], step) for step in range(5)),
    ]
    assert store.get_metric_history_bulk([], "loss", 10) == []


def test_intervals_of_many_runs(store: TrackingStore, client: MlflowClient, long_run: str, experiment_id: str) -> None:
    short = client.create_run(experiment_id).info.run_id
    client.log_batch(short, [Metric("loss", step, step, step) for step in range(3)])
    found = store.get_metric_history_bulk_interval([long_run, short], "loss", 5, None, None)
    assert [(point.run_id, point.step) for point in found] == [
        *((long_run, step) for step in (0, 14_999, 29_999, 44_999, 59_999)),
        *((short, step) for step in range(3)),
    ]
    bounded = store.get_metric_history_bulk_interval([long_run], "loss", 3, 10, 20)
    assert [point.step for point in bounded] == [10, 15, 20]
    assert [point.step for point in store.get_metric_history_bulk_interval([short], "loss", 1, 0, 2)] == [2]
