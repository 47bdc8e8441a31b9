"""Whatever bytes come as an IngestMetricsRequest: the decoder refuses them, or reads what protobuf reads."""

import math
import os
import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from tests.fuzz import wire

from trackwire.v1 import metrics_pb2 as pb
from trackwire_server.core.columns import Batch, Layouts, SeriesName, check_batch, check_stamp
from trackwire_server.core.entities import DEFAULT_CONTEXT, SeriesContext, WriterStamp
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.rpc.columns import decode_ingest

MESSAGES = 100_000
FIELDS = {field.name: field.number for field in pb.IngestMetricsRequest.DESCRIPTOR.fields}
WIDTHS = {"context_indexes": 4, "counts": 4, "steps": 8, "times_ms": 8, "values": 8}
KEYS = ("loss", "acc", "gpu/0 util", "größe", "a:b-c_d.e", "k" * 250, "", "../x", "a\nb", "k" * 251)
STEPS = (0, 1, 7, -1, 2**63 - 1, -(2**63))
TIMES_MS = (0, 1, 1_760_000_000_000, 253_402_300_799_999, -1, 2**62)
VALUES = (0.5, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308)
RUN_IDS = (b"a", b"run-1", b"", b"\xff\xfe", b"../a")


def fields_of(source: random.Random) -> list[wire.Field]:
    """A request that is right more often than not, its columns whole, split, one by one or mixed."""
    series = source.choice((0, 1, 1, 2, 3, 5))
    counts = [source.choice((1, 1, 2, 3)) for _ in range(series)]
    total = sum(counts) + (source.random() < 0.05)
    good = source.random() < 0.8
    contexts = [context_of(source) for _ in range(source.choice((0, 0, 1, 2)))]
    indexes = [source.randrange(max(1, len(contexts)) + (not good)) for _ in range(series)] if contexts else []
    columns = {
        "context_indexes": wire.packed("I", indexes),
        "counts": wire.packed("I", counts),
        "steps": wire.packed("q", source.choices(STEPS, k=total)),
        "times_ms": wire.packed("q", source.choices(TIMES_MS[:4] if good else TIMES_MS, k=total)),
        "values": wire.packed("d", source.choices(VALUES, k=total)),
    }
    fields = [wire.length_delimited(FIELDS["run_id"], source.choice(RUN_IDS[:2] if good else RUN_IDS))]
    if source.random() < 0.5:
        stamp = pb.WriterStamp(writer_id="w" if good else "w w", sequence=source.choice((1, 2, 2**63 - 1, 0)))
        fields.append(wire.length_delimited(FIELDS["writer"], stamp.SerializeToString()))
    keys = source.choices(KEYS[:6] if good else KEYS, k=series)
    fields += [wire.length_delimited(FIELDS["keys"], key.encode()) for key in keys]
    fields += [wire.length_delimited(FIELDS["contexts"], context.SerializeToString()) for context in contexts]
    for name, content in columns.items():
        fields += column_of(source, name, content)
    return fields


def context_of(source: random.Random) -> pb.SeriesContext:
    return pb.SeriesContext(
        rank=source.choice((None, 0, 1, 2**31 - 1)), model_id=source.choice(("", "m-1")), dataset_name="Größe"
    )


def column_of(source: random.Random, name: str, content: bytes) -> Iterator[wire.Field]:
    number, width = FIELDS[name], WIDTHS[name]
    middle = source.randrange(len(content) // width + 1) * width
    match source.randrange(32):
        case 0 | 1 | 2:
            yield from wire.unpacked(number, content, width)
        case 3 | 4 | 5:
            yield from wire.split(number, content, middle)
        case 6:
            yield from wire.split(number, content, source.randrange(len(content) + 1))
        case 7 | 8 | 9:
            yield wire.length_delimited(number, content[:middle])
            yield from wire.unpacked(number, content[middle:], width)
        case _:
            if content:
                yield wire.length_delimited(number, content)


def decoded(message: bytes, layouts: Layouts) -> Batch | InvalidArgument:
    """The batch as the server takes it in, or why it is refused."""
    try:
        batch = decode_ingest(message, layouts)
        check_stamp(batch.stamp)
        check_batch(batch)
    except InvalidArgument as error:
        return error
    return batch


def assert_named(refused: InvalidArgument, message: bytes) -> None:
    """The error names a field of the request; the request as a whole only where protobuf refuses it too."""
    if refused.reason == "MALFORMED_MESSAGE":
        with pytest.raises(DecodeError):
            pb.IngestMetricsRequest.FromString(message)
    else:
        assert refused.field.partition("[")[0].partition(".")[0] in FIELDS, refused.message


def assert_same(batch: Batch, request: pb.IngestMetricsRequest) -> None:
    """The batch is what protobuf's own parser reads from the same bytes, bit for bit."""
    contexts = [context_in(context) for context in request.contexts] or [DEFAULT_CONTEXT]
    indexes = list(request.context_indexes) or [0] * len(request.keys)
    assert batch.run_id == request.run_id
    assert batch.layout.series == tuple(
        SeriesName(key, contexts[index]) for key, index in zip(request.keys, indexes, strict=True)
    )
    assert batch.counts.tolist() == list(request.counts)
    assert batch.points.steps.tolist() == list(request.steps)
    assert batch.points.times_ms.tolist() == list(request.times_ms)
    assert batch.points.values.tobytes() == np.array(request.values, dtype="<f8").tobytes()
    stamp = request.writer
    expected = WriterStamp(stamp.writer_id, stamp.sequence, stamp.previous_sequence)
    assert batch.stamp == (expected if request.HasField("writer") else None)


def context_in(context: pb.SeriesContext) -> SeriesContext:
    rank = context.rank if context.HasField("rank") else None
    return SeriesContext(rank, context.model_id, context.dataset_name, context.dataset_digest)


@pytest.mark.slow
def test_random_messages_are_refused_or_read_as_protobuf_reads_them() -> None:
    seed = int(os.environ.get("TRACKWIRE_FUZZ_SEED", "20261120"))
    print(f"TRACKWIRE_FUZZ_SEED={seed}")
    source = random.Random(seed)
    layouts = Layouts()
    seen: Counter[str] = Counter()
    for at in range(MESSAGES):
        message = wire.mutated(source, fields_of(source), list(FIELDS.values()))
        try:
            outcome = decoded(message, layouts)
            seen[type(outcome).__name__] += 1
            if isinstance(outcome, Batch):
                assert_same(outcome, pb.IngestMetricsRequest.FromString(message))
            else:
                assert_named(outcome, message)
        except (Exception, pytest.fail.Exception) as error:
            raise AssertionError(f"message {at} of seed {seed}: {message.hex()}: {error!r}") from error
    print(dict(seen))
    assert min(seen["Batch"], seen["InvalidArgument"]) > MESSAGES // 10


def test_unmutated_messages_are_mostly_accepted() -> None:
    source = random.Random(1)
    accepted = sum(isinstance(decoded(b"".join(fields_of(source)), Layouts()), Batch) for _ in range(1_000))
    assert accepted > 300


def test_column_cut_inside_a_number_is_refused_although_its_parts_fit_together() -> None:
    steps = wire.packed("q", [5])
    fields = [wire.length_delimited(FIELDS["run_id"], b"a"), wire.length_delimited(FIELDS["keys"], b"loss")]
    fields += [wire.length_delimited(FIELDS["counts"], wire.packed("I", [1]))]
    fields += [wire.length_delimited(FIELDS[name], bytes(8)) for name in ("times_ms", "values")]
    whole = b"".join([*fields, wire.length_delimited(FIELDS["steps"], steps)])
    assert isinstance(decoded(whole, Layouts()), Batch)
    cut = b"".join([*fields, *wire.split(FIELDS["steps"], steps, 4)])
    refused = decoded(cut, Layouts())
    assert isinstance(refused, InvalidArgument)
    assert (refused.field, refused.reason) == ("steps", "MALFORMED_MESSAGE")
    assert_named(refused, cut)
