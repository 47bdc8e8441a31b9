"""The exactly-once stream: whatever happens on the way, each point is stored once, in order, or told of."""

import contextlib
import random
import threading
import time

import grpc
import pytest
from tests.client.scripted_server import MetricStore, ScriptedServer, abort

from trackwire.client import Client
from trackwire.columns import MetricColumns
from trackwire.errors import (
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
)
from trackwire.internal.v1 import errors_pb2
from trackwire.v1.metrics_pb2 import IngestMetricsRequest

NO_SPACE = grpc.StatusCode.RESOURCE_EXHAUSTED


def point(value: float) -> MetricColumns:
    return MetricColumns(["loss"], [1], [int(value)], [1_000], [value])


def add_points(client: Client, count: int, **options: int) -> None:
    with client.metric_writer("r1", **options) as writer:
        for number in range(count):
            writer.add(point(number))
        writer.flush(20)
        assert writer.points_acknowledged == count
        assert writer.points_pending == 0


def test_requests_are_numbered_and_name_the_one_before(scripted_client: Client, metric_store: MetricStore) -> None:
    add_points(scripted_client, 5, in_flight=1)
    stamps = [request.writer for request in metric_store.stored]
    assert [(stamp.previous_sequence, stamp.sequence) for stamp in stamps] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert len({stamp.writer_id for stamp in stamps}) == 1


def test_pipelined_requests_that_overtake_each_other_are_stored_once_in_order(
    scripted_client: Client, metric_store: MetricStore
) -> None:
    seeded = random.Random(7)
    metric_store.before = lambda _request, _attempt, _context: time.sleep(seeded.uniform(0, 0.01))
    add_points(scripted_client, 100)
    assert metric_store.values == list(range(100))


def test_overload_is_waited_out_for_as_long_as_the_server_says(
    scripted_client: Client, metric_store: MetricStore
) -> None:
    came: list[float] = []

    def before(request: IngestMetricsRequest, attempt: int, context: grpc.ServicerContext) -> None:
        if request.writer.sequence == 3:
            came.append(time.monotonic())
            if attempt == 1:
                delay = errors_pb2.RetryInfo()
                delay.retry_delay.nanos = 300_000_000
                info = errors_pb2.ErrorInfo(reason="OVERLOADED", domain="trackwire")
                abort(context, NO_SPACE, "the queue is full", info, delay)

    metric_store.before = before
    add_points(scripted_client, 20, in_flight=1)
    assert metric_store.values == list(range(20))
    assert came[1] - came[0] >= 0.3


def test_request_stored_but_not_answered_is_not_stored_again(
    scripted_client: Client, metric_store: MetricStore
) -> None:
    def after(request: IngestMetricsRequest, attempt: int, context: grpc.ServicerContext) -> None:
        if request.writer.sequence % 5 == 0 and attempt == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone before it could answer")

    metric_store.after = after
    add_points(scripted_client, 30)
    assert metric_store.values == list(range(30))


def test_refused_request_is_reported_once_and_the_next_names_the_last_that_stands(
    scripted_client: Client, metric_store: MetricStore
) -> None:
    def before(request: IngestMetricsRequest, _attempt: int, context: grpc.ServicerContext) -> None:
        if request.values[0] in (2, 3):
            abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "keys[0]: 'loss': not today",
                errors_pb2.ErrorInfo(reason="INVALID_ARGUMENT", domain="trackwire", metadata={"field": "keys[0]"}),
            )

    metric_store.before = before
    with scripted_client.metric_writer("r1") as writer:
        for number in range(10):
            writer.add(point(number))
        with pytest.raises(InvalidArgumentError, match=r"keys\[0\]") as caught:
            writer.flush(20)
        assert "1 more" in caught.value.__notes__[0]
        assert (writer.points_acknowledged, writer.points_rejected) == (8, 2)
        writer.flush(20)
    assert metric_store.values == [0, 1, 4, 5, 6, 7, 8, 9]
    after_the_refused = next(request.writer for request in metric_store.stored if request.values[0] == 4)
    assert (after_the_refused.previous_sequence, after_the_refused.sequence) == (2, 5)


def test_message_too_large_is_refused_and_not_sent_for_ever(scripted_client: Client, metric_store: MetricStore) -> None:
    def before(request: IngestMetricsRequest, _attempt: int, context: grpc.ServicerContext) -> None:
        if request.values[0] == 0:
            context.abort(NO_SPACE, "Received message larger than max")

    metric_store.before = before
    with scripted_client.metric_writer("r1") as writer:
        writer.add(point(0))
        writer.add(point(1))
        with pytest.raises(Exception, match="larger than max"):
            writer.flush(20)
    assert metric_store.values == [1]


def test_server_that_comes_back_gets_everything_once(metric_store: MetricStore, scripted: ScriptedServer) -> None:
    # gRPC itself may try until the deadline: by then a failure must be known.
    with Client(scripted.address, timeout_seconds=1) as client, client.metric_writer("r1") as writer:
        for number in range(50):
            writer.add(point(number))
        scripted.stop()
        for number in range(50, 100):
            writer.add(point(number))
        with pytest.raises(DeadlineExceededError, match="not acknowledged after 4 s; last failure"):
            writer.flush(4)
        scripted.start(int(scripted.address.rpartition(":")[2]))
        writer.flush(30)
    assert metric_store.values == list(range(100))


def test_store_that_forgot_what_it_acknowledged_is_told_of_and_gone_on_with(
    scripted_client: Client, metric_store: MetricStore
) -> None:
    with scripted_client.metric_writer("r1") as writer:
        writer.add(point(0))
        writer.flush(10)
        metric_store.marks.clear()
        metric_store.stored.clear()
        metric_store.marks[writer.writer_id] = 0
        writer.add(point(1))
        with pytest.raises(DataLossError, match="acknowledged request 1"):
            writer.flush(10)
    assert metric_store.values == [1]


def test_adding_waits_once_too_much_is_not_acknowledged(scripted_client: Client, metric_store: MetricStore) -> None:
    gate = threading.Event()
    metric_store.before = lambda _request, _attempt, _context: gate.wait(60)
    with scripted_client.metric_writer("r1", pending_bytes_max=200) as writer:
        writer.add(point(0))
        taken = 1
        with contextlib.suppress(DeadlineExceededError):
            while taken < 50:
                writer.add(point(taken), timeout_seconds=0.2)
                taken += 1
        assert taken < 10
        assert writer.points_pending == taken
        gate.set()
        writer.flush(10)
    assert metric_store.values == list(range(taken))


def test_writer_of_a_closed_client_says_so(scripted: ScriptedServer, metric_store: MetricStore) -> None:
    client = Client(scripted.address)
    writer = client.metric_writer("r1")
    client.close()
    writer.add(point(0))
    with pytest.raises(FailedPreconditionError, match="closed"):
        writer.close(5)
    with pytest.raises(FailedPreconditionError, match="closed"):
        writer.add(point(1))
    assert metric_store.values == []


def test_rank_makes_the_context_of_all_series(scripted_client: Client, metric_store: MetricStore) -> None:
    add_points(scripted_client, 1, rank=3)
    assert [context.rank for context in metric_store.stored[0].contexts] == [3]
