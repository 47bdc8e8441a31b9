"""Columns are, byte for byte, the public messages; and however an encoder sends them, they read the same."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.columns import MetricColumns, decode_series, encode_ingest, join_series
from trackwire.errors import DataLossError
from trackwire.v1.metrics_pb2 import (
    IngestMetricsRequest,
    ReadMetricsResponse,
    SeriesContext,
    SeriesHeader,
    TailMetricsResponse,
    WriterStamp,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
POINTS = st.lists(st.tuples(INT64, st.integers(0, 2**62), st.floats(width=64)), min_size=1, max_size=20)
BATCH = st.lists(st.tuples(st.sampled_from(["loss", "acc", "lr"]), POINTS), min_size=1, max_size=5)

Batch = list[tuple[str, list[tuple[int, int, float]]]]


def flat(batch: Batch) -> tuple[list[str], list[int], list[int], list[int], list[float]]:
    points = [point for _key, of_key in batch for point in of_key]
    return (
        [key for key, _points in batch],
        [len(of_key) for _key, of_key in batch],
        [step for step, _time, _value in points],
        [time_ms for _step, time_ms, _value in points],
        [value for _step, _time, value in points],
    )


def bits(values: Sequence[float]) -> bytes:
    return np.array(values, "<f8").tobytes()


@given(BATCH, st.booleans())
def test_encoded_columns_are_the_public_message(batch: Batch, stamped: bool) -> None:
    keys, counts, steps, times_ms, values = flat(batch)
    stamp = WriterStamp(writer_id="w", sequence=3, previous_sequence=2) if stamped else None
    contexts = [SeriesContext(rank=1), SeriesContext()]
    indexes = [number % 2 for number in range(len(keys))]
    data = encode_ingest("r", MetricColumns(keys, counts, steps, times_ms, values, contexts, indexes), stamp)
    public = IngestMetricsRequest(
        run_id="r",
        writer=stamp,
        keys=keys,
        contexts=contexts,
        context_indexes=indexes,
        counts=counts,
        steps=steps,
        times_ms=times_ms,
        values=values,
    )
    assert data == public.SerializeToString()
    assert bits(IngestMetricsRequest.FromString(data).values) == bits(values)


def unpacked(number: int, wire_type: int, column: np.ndarray) -> bytes:
    tag = bytes([number << 3 | wire_type])
    return b"".join(tag + column[index : index + 1].tobytes() for index in range(len(column)))


def packed(number: int, column: np.ndarray) -> bytes:
    data = column.tobytes()
    size, length = bytearray(), len(data)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2]) + bytes([*size, length]) + data


@given(BATCH, st.lists(st.sampled_from(["packed", "split", "unpacked", "mixed"]), min_size=4, max_size=4))
def test_packed_split_unpacked_and_mixed_columns_read_the_same(batch: Batch, ways: list[str]) -> None:
    keys, counts, steps, times_ms, values = flat(batch)
    columns = [
        (2, 5, np.array(counts, "<u4")),
        (3, 1, np.array(steps, "<i8")),
        (4, 1, np.array(times_ms, "<i8")),
        (5, 1, np.array(values, "<f8")),
    ]
    data = ReadMetricsResponse(series=[SeriesHeader(run_id="r", key=key) for key in keys]).SerializeToString()
    for (number, wire_type, column), way in zip(columns, ways, strict=True):
        half = len(column) // 2
        data += {
            "packed": lambda n=number, c=column: packed(n, c),
            "split": lambda n=number, c=column, h=half: packed(n, c[:h]) + packed(n, c[h:]),
            "unpacked": lambda n=number, w=wire_type, c=column: unpacked(n, w, c),
            "mixed": lambda n=number, w=wire_type, c=column, h=half: packed(n, c[:h]) + unpacked(n, w, c[h:]),
        }[way]()
    series = decode_series(data).series
    assert [part.key for part in series] == keys
    assert [step for part in series for step in part.steps.tolist()] == steps
    assert [time_ms for part in series for time_ms in part.times_ms.tolist()] == times_ms
    assert bits([value for part in series for value in part.values.tolist()]) == bits(values)
    assert not any(part.values.flags.writeable for part in series)


def test_tail_and_read_share_the_token_s_number() -> None:
    assert decode_series(TailMetricsResponse(resume_token="t").SerializeToString()).token == "t"
    assert decode_series(ReadMetricsResponse(tail_token="t").SerializeToString()).token == "t"


def test_long_series_is_joined_over_messages_and_contexts_stay_apart() -> None:
    header, ranked = SeriesHeader(run_id="r", key="k"), SeriesHeader(run_id="r", key="k", context={"rank": 0})
    parts = [
        ReadMetricsResponse(series=[header], counts=[2], steps=[0, 1], times_ms=[5, 6], values=[1, 2]),
        ReadMetricsResponse(series=[header, ranked], counts=[1, 1], steps=[2, 0], times_ms=[7, 5], values=[3, 9]),
    ]
    plain, of_rank = join_series([decode_series(part.SerializeToString()) for part in parts])
    assert (plain.rank, plain.steps.tolist(), plain.values.tolist()) == (None, [0, 1, 2], [1, 2, 3])
    assert (of_rank.rank, of_rank.steps.tolist(), of_rank.values.tolist()) == (0, [0], [9])


def test_columns_that_disagree_are_not_read_as_points() -> None:
    message = ReadMetricsResponse(series=[SeriesHeader(run_id="r", key="k")], counts=[2], steps=[0], times_ms=[1])
    with pytest.raises(DataLossError, match="disagree"):
        decode_series(message.SerializeToString())


@pytest.mark.parametrize(
    ("columns", "expected", "words"),
    [
        (MetricColumns(["k"], [1], [1.5], [0], [0.0]), TypeError, "steps: must be whole numbers, not float64"),
        (MetricColumns(["k"], [1], [2**63], [0], [0.0]), OverflowError, "steps: 9223372036854775808"),
        (MetricColumns(["k"], [-1], [1], [0], [0.0]), OverflowError, "counts: -1"),
        (MetricColumns(["k"], [1], [1], [0], ["a"]), TypeError, "values: must be numbers"),
        (MetricColumns(["k"], [1], [[1]], [0], [0.0]), ValueError, "steps: must be a flat column"),
    ],
)
def test_numbers_that_no_column_can_hold_are_named(
    columns: MetricColumns, expected: type[Exception], words: str
) -> None:
    with pytest.raises(expected, match=words):
        encode_ingest("r", columns)
