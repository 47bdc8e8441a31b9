"""Every rpc of MetricService over a real socket, on SQLite, and each bad input."""

import asyncio
import math
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import numpy as np
import pytest
from tests.conftest import NOW_MS, FakeClock, Serve
from tests.rpc.metric_door import MetricDoor, metric_door, request, stamp
from tests.rpc.refusals import refusal

from trackwire.internal.v1 import metrics_pb2 as internal
from trackwire.v1 import metrics_pb2 as pb
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import encode_token, fingerprint
from trackwire_server.rpc.metrics import SERVICE
from trackwire_server.stores.sql.database import Database

CODE = grpc.StatusCode
SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1]


@pytest.fixture
async def door(database: Database, clock: FakeClock, serve: Serve) -> AsyncIterator[MetricDoor]:
    async with metric_door(database, clock, serve) as opened:
        yield opened


def series(count: int) -> dict[str, object]:
    """One point of each of many series."""
    return {
        "keys": [f"k{i}" for i in range(count)],
        "counts": [1] * count,
        "steps": [0] * count,
        "times_ms": [0] * count,
        "values": [0.0] * count,
    }


BAD = {
    "unknown run": ({"run_id": "nobody"}, CODE.NOT_FOUND, "RUN_NOT_FOUND", "run_id"),
    "no run": ({"run_id": ""}, CODE.INVALID_ARGUMENT, "REQUIRED", "run_id"),
    "bad run id": ({"run_id": "../a"}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "run_id"),
    "deleted run": ({"run_id": "gone"}, CODE.FAILED_PRECONDITION, "RUN_DELETED", "run_id"),
    "fewer times": ({"times_ms": [1, 2]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "times_ms"),
    "more values": ({"values": [1.0] * 4}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "values"),
    "counts short": ({"counts": [2]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "counts"),
    "counts don't add up": ({"counts": [1, 1]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "counts"),
    "counts overflow": ({"counts": [2**32 - 1, 4]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "counts"),
    "a series without points": ({"counts": [3, 0]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "counts[1]"),
    "no points": (
        {"keys": [], "counts": [], "steps": [], "times_ms": [], "values": []},
        CODE.INVALID_ARGUMENT,
        "REQUIRED",
        "keys",
    ),
    "long key": ({"keys": ["loss", "k" * 251]}, CODE.INVALID_ARGUMENT, "TOO_LONG", "keys[1]"),
    "empty key": ({"keys": ["", "acc"]}, CODE.INVALID_ARGUMENT, "REQUIRED", "keys[0]"),
    "control character": ({"keys": ["lo\nss", "acc"]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "keys[0]"),
    "NUL in a key": ({"keys": ["lo\0ss", "acc"]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "keys[0]"),
    "path in a key": ({"keys": ["a/../b", "acc"]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "keys[0]"),
    "negative time": ({"times_ms": [1, -2, 3]}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "times_ms[1]"),
    "nanoseconds": ({"times_ms": [1, 2, 1_790_000_000_000_000_000]}, CODE.INVALID_ARGUMENT, "", "times_ms[2]"),
    "too many series": (series(65_537), CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "keys"),
    "context index": ({"context_indexes": [0, 1]}, CODE.INVALID_ARGUMENT, "", "context_indexes[1]"),
    "context indexes short": ({"context_indexes": [0]}, CODE.INVALID_ARGUMENT, "", "context_indexes"),
    "negative rank": (
        {"contexts": [pb.SeriesContext(rank=-1)]},
        CODE.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        "contexts[0].rank",
    ),
    "no writer id": (
        {"writer": pb.WriterStamp(sequence=1)},
        CODE.INVALID_ARGUMENT,
        "REQUIRED",
        "writer.writer_id",
    ),
    "sequence 0": ({"writer": stamp(0, 0)}, CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "writer.sequence"),
    "previous not before": (
        {"writer": stamp(3, 3)},
        CODE.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        "writer.previous_sequence",
    ),
    "gap": ({"writer": stamp(5)}, CODE.ABORTED, "SEQUENCE_GAP", "writer.previous_sequence"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_requests_are_refused_by_field_and_change_nothing(door: MetricDoor, name: str) -> None:
    changes, code, reason, field = BAD[name]
    refused = await refusal(door.stub.IngestMetrics(request(**changes)))
    assert refused.code is code
    assert refused.reason == (reason or "INVALID_ARGUMENT")
    assert refused.metadata.get("field", "run_id") == field
    if code is CODE.INVALID_ARGUMENT:
        assert refused.fields == (field,)
        assert refused.metadata["value"]
        assert refused.message.startswith(field)
    assert await door.points("a", "b", "gone") == {}
    assert (await door.stub.IngestMetrics(request())).stored_points == 3


async def test_limits_are_named_in_the_refusal(door: MetricDoor) -> None:
    refused = await refusal(door.stub.IngestMetrics(request(keys=["loss", "k" * 251])))
    assert refused.metadata["limit"] == "250"
    assert "251" in refused.message
    refused = await refusal(door.stub.IngestMetrics(request(**series(65_537))))
    assert refused.metadata == {"field": "keys", "value": "65537", "limit": "65536"}


async def test_the_largest_request_is_taken_and_the_next_larger_refused(door: MetricDoor) -> None:
    def columns(count: int) -> internal.IngestMetricsColumns:
        numbers = np.arange(count)
        return internal.IngestMetricsColumns(
            run_id="a",
            keys=["m"],
            counts=[np.array([count], "<u4").tobytes()],
            steps=[numbers.tobytes()],
            times_ms=[numbers.tobytes()],
            values=[numbers.astype(float).tobytes()],
        )

    call = door.channel.unary_unary(
        f"/{SERVICE}/IngestMetrics", response_deserializer=pb.IngestMetricsResponse.FromString
    )
    refused = await refusal(call(columns(LIMITS.points_per_ingest + 1).SerializeToString()))
    assert refused.metadata["limit"] == str(LIMITS.points_per_ingest)
    assert (await call(columns(LIMITS.points_per_ingest).SerializeToString())).stored_points == 1_048_576
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(columns(1_500_000).SerializeToString())
    assert raised.value.code() is CODE.RESOURCE_EXHAUSTED
    assert "larger than max" in str(raised.value.details())


async def test_every_special_value_and_step_is_kept_bit_for_bit(door: MetricDoor) -> None:
    steps = [-(2**63), -1, 0, 1, 2, 2**62, 2**63 - 1]
    sent = request(keys=["m"], counts=[7], steps=steps, times_ms=[0] * 7, values=SPECIAL)
    assert (await door.stub.IngestMetrics(sent)).stored_points == 7
    expected = [(step, 0, struct.pack("<d", value).hex()) for step, value in zip(steps, SPECIAL, strict=True)]
    assert await door.points("a") == {("a", "m"): expected}
    [summary] = (await door.stub.GetMetricSummaries(pb.GetMetricSummariesRequest(run_ids=["a"]))).summaries
    assert (summary.count, summary.nan_count, summary.min_value, summary.max_value) == (7, 1, -math.inf, math.inf)
    assert math.isnan(summary.first_value)


async def test_a_repeated_request_is_acknowledged_and_stored_once(door: MetricDoor) -> None:
    sent = request(writer=stamp(1))
    first, second = await door.stub.IngestMetrics(sent), await door.stub.IngestMetrics(sent)
    assert (first.acknowledged_sequence, first.stored_points) == (1, 3)
    assert (second.acknowledged_sequence, second.stored_points) == (1, 0)
    assert len((await door.points("a"))["a", "loss"]) == 2


async def test_four_pipelined_writers_shuffled_and_repeated_end_exactly_once(door: MetricDoor) -> None:
    rng = random.Random(5)

    async def send(writer: str) -> None:
        requests = [
            request(keys=[writer], counts=[3], steps=[3 * n, 3 * n + 1, 3 * n + 2], writer=stamp(n, writer=writer))
            for n in range(1, 31)
        ]
        waiting = [each for each in requests for _ in range(2)]
        while waiting:
            rng.shuffle(waiting)
            answers = await asyncio.gather(
                *(door.stub.IngestMetrics(each) for each in waiting[:8]), return_exceptions=True
            )
            waiting = waiting[8:] + [
                each for each, answer in zip(waiting[:8], answers, strict=True) if isinstance(answer, BaseException)
            ]
            assert all(answer.code() is CODE.ABORTED for answer in answers if isinstance(answer, grpc.aio.AioRpcError))

    await asyncio.wait_for(asyncio.gather(*(send(writer) for writer in "wxyz")), 60)
    found = await door.points("a")
    assert {key: [row[0] for row in rows] for (_, key), rows in found.items()} == {
        writer: list(range(3, 93)) for writer in "wxyz"
    }


def _varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _split(field: int, data: bytes, at: int) -> bytes:
    tag = _varint(field << 3 | 2)
    return b"".join(tag + _varint(len(part)) + part for part in (data[:at], data[at:]))


def _unpacked(field: int, data: bytes, width: int) -> bytes:
    tag = _varint(field << 3 | (5 if width == 4 else 1))
    return b"".join(tag + data[at : at + width] for at in range(0, len(data), width))


ENCODINGS: dict[str, Callable[[int, bytes, int], bytes]] = {
    "packed": lambda field, data, width: _split(field, data, len(data)),
    "split": lambda field, data, width: _split(field, data, width),
    "unpacked": _unpacked,
    "mixed": lambda field, data, width: _split(field, data[:width], width) + _unpacked(field, data[width:], width),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_every_legal_encoding_of_columns_reads_alike(door: MetricDoor, encoding: str) -> None:
    plain = request()
    columns = [(6, "<2I", [2, 1]), (7, "<3q", [0, 1, 0]), (8, "<3q", [1, 2, 3]), (9, "<3d", [0.5, 0.25, 1.0])]
    message = pb.IngestMetricsRequest(run_id="a", keys=["loss", "acc"]).SerializeToString()
    for field, form, numbers in columns:
        message += ENCODINGS[encoding](field, struct.pack(form, *numbers), 4 if form == "<2I" else 8)
    assert pb.IngestMetricsRequest.FromString(message) == plain
    call = door.channel.unary_unary(
        f"/{SERVICE}/IngestMetrics", response_deserializer=pb.IngestMetricsResponse.FromString
    )
    assert (await call(message)).stored_points == 3
    reference = plain
    reference.run_id = "b"
    await door.stub.IngestMetrics(reference)
    found = await door.points("a", "b")
    assert found["a", "loss"] == found["b", "loss"] == [(0, 1, "000000000000e03f"), (1, 2, "000000000000d03f")]
    assert found["a", "acc"] == found["b", "acc"]


async def test_half_a_number_is_refused(door: MetricDoor) -> None:
    twin = internal.IngestMetricsColumns(run_id="a", keys=["m"], counts=[b"\1\0\0\0"], steps=[b"1234567"])
    call = door.channel.unary_unary(f"/{SERVICE}/IngestMetrics")
    refused = await refusal(call(twin.SerializeToString()))
    assert (refused.code, refused.reason, refused.fields) == (CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", ("steps",))


async def test_readable_points_are_logged_and_read(door: MetricDoor) -> None:
    points = [
        pb.MetricPoint(key="loss", value=0.5),
        pb.MetricPoint(key="loss", value=0.25, step=1, time_ms=7),
        pb.MetricPoint(key="loss", value=0.75, step=1, time_ms=7, context=pb.SeriesContext(rank=3)),
    ]
    answer = await door.stub.LogMetrics(pb.LogMetricsRequest(run_id="a", points=points, writer=stamp(1)))
    assert (answer.acknowledged_sequence, answer.stored_points) == (1, 3)
    summaries = (await door.stub.GetMetricSummaries(pb.GetMetricSummariesRequest(run_ids=["a"]))).summaries
    assert [(s.context.rank, s.primary, s.last_value) for s in summaries] == [(0, True, 0.25), (3, False, 0.75)]
    assert summaries[0].first_time_ms == NOW_MS


@pytest.mark.parametrize("count", [0, LIMITS.points_per_log + 1])
async def test_too_few_and_too_many_readable_points_are_refused(door: MetricDoor, count: int) -> None:
    sent = pb.LogMetricsRequest(run_id="a", points=[pb.MetricPoint(key="m", value=1, step=i) for i in range(count)])
    refused = await refusal(door.stub.LogMetrics(sent))
    assert (refused.fields, refused.metadata["limit"]) == (("points",), str(LIMITS.points_per_log))


async def test_unstamped_duplicates_are_stored_once(door: MetricDoor) -> None:
    sent = pb.LogMetricsRequest(run_id="a", points=[pb.MetricPoint(key="m", value=1, step=1, time_ms=1)] * 2)
    assert (await door.stub.LogMetrics(sent)).stored_points == 1
    assert (await door.stub.LogMetrics(sent)).stored_points == 0


async def test_long_series_come_in_bounded_messages_and_downsampled_on_request(door: MetricDoor) -> None:
    count = 150_000
    numbers = np.arange(count)
    values = np.sin(numbers / 1000)
    values[77_777] = 42.0
    sent = internal.IngestMetricsColumns(
        run_id="a",
        keys=["m"],
        counts=[np.array([count], "<u4").tobytes()],
        steps=[numbers.tobytes()],
        times_ms=[numbers.tobytes()],
        values=[values.tobytes()],
    )
    await door.channel.unary_unary(f"/{SERVICE}/IngestMetrics")(sent.SerializeToString())
    sizes = [len(m.steps) async for m in door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["a"]))]
    assert sum(sizes) == count
    assert max(sizes) <= LIMITS.read_message_points
    [message] = [m async for m in door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["a"], max_points=100))]
    assert len(message.steps) <= 100
    assert 42.0 in message.values
    assert (message.steps[0], message.steps[-1]) == (0, count - 1)
    assert message.tail_token
    bounded = pb.ReadMetricsRequest(run_ids=["a"], min_step=10, max_step=19, min_time_ms=12, max_time_ms=15)
    [message] = [m async for m in door.stub.ReadMetrics(bounded)]
    assert list(message.steps) == [12, 13, 14, 15]


READS = {
    "no runs": (pb.ReadMetricsRequest(), "run_ids"),
    "a run twice": (pb.ReadMetricsRequest(run_ids=["a", "a"]), "run_ids"),
    "bad run": (pb.ReadMetricsRequest(run_ids=["a", "/"]), "run_ids[1]"),
    "too many runs": (pb.ReadMetricsRequest(run_ids=[f"r{i}" for i in range(1_001)]), "run_ids"),
    "too many keys": (pb.ReadMetricsRequest(run_ids=["a"], keys=[f"k{i}" for i in range(1_001)]), "keys"),
    "too few points": (pb.ReadMetricsRequest(run_ids=["a"], max_points=3), "max_points"),
    "negative points": (pb.ReadMetricsRequest(run_ids=["a"], max_points=-1), "max_points"),
    "too many points": (pb.ReadMetricsRequest(run_ids=["a"], max_points=100_001), "max_points"),
}


@pytest.mark.parametrize("name", READS)
async def test_bad_reads_are_refused_by_field(door: MetricDoor, name: str) -> None:
    sent, field = READS[name]
    refused = await refusal(anext(aiter(door.stub.ReadMetrics(sent))))
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))


async def test_unknown_runs_are_not_found_by_any_read(door: MetricDoor) -> None:
    calls: list[Awaitable[object]] = [
        anext(aiter(door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["nobody"])))),
        anext(aiter(door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["nobody"])))),
        door.stub.GetMetricSummaries(pb.GetMetricSummariesRequest(run_ids=["nobody"])),
    ]
    for call in calls:
        assert (await refusal(call)).code is CODE.NOT_FOUND


async def test_a_client_that_disconnects_in_the_middle_harms_nobody(door: MetricDoor) -> None:
    count = 400_000
    numbers = np.arange(count)
    sent = internal.IngestMetricsColumns(
        run_id="a",
        keys=["m"],
        counts=[np.array([count], "<u4").tobytes()],
        steps=[numbers.tobytes()],
        times_ms=[numbers.tobytes()],
        values=[numbers.astype(float).tobytes()],
    )
    await door.channel.unary_unary(f"/{SERVICE}/IngestMetrics")(sent.SerializeToString())
    for _ in range(5):
        call = door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["a"]))
        await anext(aiter(call))
        call.cancel()
    assert len((await door.points("a"))["a", "m"]) == count


async def test_summaries_page(door: MetricDoor) -> None:
    await door.stub.IngestMetrics(request(**series(25)))
    keys: list[str] = []
    token = ""
    while True:
        page = await door.stub.GetMetricSummaries(
            pb.GetMetricSummariesRequest(run_ids=["a"], page_size=10, page_token=token)
        )
        keys += [summary.key for summary in page.summaries]
        token = page.next_page_token
        if not token:
            break
    assert keys == [f"k{i}" for i in range(25)]
    other = pb.GetMetricSummariesRequest(run_ids=["b"], page_token=page.next_page_token or "x")
    assert (await refusal(door.stub.GetMetricSummaries(other))).fields == ("page_token",)


async def test_token_with_numbers_of_nobody_is_refused(door: MetricDoor) -> None:
    query = fingerprint("summaries", ("a",), ())
    for position in (("x", 1), (1,), (1, 2**63), (1, -1), (1.5, 1)):
        request = pb.GetMetricSummariesRequest(run_ids=["a"], page_token=encode_token(query, position))
        refused = await refusal(door.stub.GetMetricSummaries(request))
        assert (refused.reason, refused.fields) == ("BAD_PAGE_TOKEN", ("page_token",))


async def test_many_contexts_are_refused_before_they_become_objects(door: MetricDoor) -> None:
    refused = await refusal(door.stub.IngestMetrics(request(contexts=[pb.SeriesContext()] * 65_537)))
    assert (refused.reason, refused.fields) == ("INVALID_ARGUMENT", ("contexts",))


async def test_many_long_names_come_in_messages_within_the_limit(door: MetricDoor) -> None:
    context = pb.SeriesContext(dataset_name="😀" * 500)
    count = 20_000
    await door.stub.IngestMetrics(request(**series(count), contexts=[context], context_indexes=[0] * count))
    sizes = [
        (len(message.series), message.ByteSize())
        async for message in door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["a"]))
    ]
    assert sum(names for names, _ in sizes) == count
    assert max(size for _, size in sizes) < LIMITS.message_bytes
