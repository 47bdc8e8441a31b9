"""The stored formats, drawn in docs/formats.md: what goes in comes out bit for bit, and damage is named."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.metric_data import rows_of

from trackwire_server.core.columns import Points
from trackwire_server.core.errors import StoreCorrupt
from trackwire_server.stores.sql.metrics.checksum import sealed
from trackwire_server.stores.sql.metrics.chunks import ChunkCodec
from trackwire_server.stores.sql.metrics.journal import JournalEntry, decode_journal, encode_journal
from trackwire_server.stores.sql.metrics.thinned import decode_thinned, encode_thinned

INT64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def points(draw: st.DrawFn, size: int | None = None) -> Points:
    count = draw(st.integers(1, 60)) if size is None else size
    bits = draw(arrays(np.uint64, count, elements=st.integers(0, 2**64 - 1)))
    return Points(
        draw(arrays(np.int64, count, elements=INT64)),
        draw(arrays(np.int64, count, elements=st.integers(0, 2**48))),
        bits.view(np.float64),
    )


@given(points())
def test_chunks_come_back_bit_for_bit(given_points: Points) -> None:
    codec = ChunkCodec()
    assert rows_of(codec.decode([codec.encode(given_points)])) == rows_of(given_points)


@given(st.lists(points(), min_size=1, max_size=4))
def test_thinned_forms_are_points_of_their_chunks_bit_for_bit(chunks: list[Points]) -> None:
    ordered = [chunk.ordered() for chunk in chunks]
    payloads = [encode_thinned(chunk) for chunk in ordered]
    # 4 + 24 * 36 + 4: what fits into a row of SQLite's that has no page of its own.
    assert max(map(len, payloads)) <= 872
    each = [rows_of(decode_thinned([payload])) for payload in payloads]
    assert rows_of(decode_thinned(payloads)) == [row for rows in each for row in rows]
    for rows, chunk in zip(each, map(rows_of, ordered), strict=True):
        assert (rows[0], rows[-1]) == (chunk[0], chunk[-1])
        assert not Counter(rows) - Counter(chunk)


@given(st.data(), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_journal_rows_come_back_bit_for_bit(data: st.DataObject, counts: list[int]) -> None:
    given_points = data.draw(points(sum(counts)))
    entry = JournalEntry(np.arange(len(counts)) + 2**40, np.array(counts), given_points)
    found = decode_journal(encode_journal(entry))
    assert rows_of(found.points) == rows_of(given_points)
    assert found.series.tolist() == entry.series.tolist()
    assert found.counts.tolist() == counts


def _one_point() -> Points:
    return Points(np.array([1]), np.array([2]), np.array([3.0]))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_named_as_damage(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        ChunkCodec().decode([data])
    with pytest.raises(StoreCorrupt):
        decode_thinned([data])
    with pytest.raises(StoreCorrupt):
        decode_journal(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_value_byte_never_passes_for_data(place: int, flip: int) -> None:
    rng = np.random.default_rng(1)
    original = Points(np.arange(500), np.arange(500) * 7, rng.normal(size=500))
    payload = bytearray(ChunkCodec().encode(original))
    payload[place % len(payload)] ^= flip
    try:
        found = ChunkCodec().decode([bytes(payload)])
    except StoreCorrupt:
        return
    # The header's first step and first time have no checksum of their own; values and differences have.
    assert found.values.tobytes() == original.values.tobytes()


def test_a_newer_version_is_refused_by_number() -> None:
    payload = bytearray(ChunkCodec().encode(_one_point()))
    payload[0] = 9
    with pytest.raises(StoreCorrupt, match="version 9"):
        ChunkCodec().decode([bytes(payload)])
    thinned = bytearray(encode_thinned(_one_point()))
    thinned[0] = 9
    with pytest.raises(StoreCorrupt, match="a thinned chunk has version 9"):
        decode_thinned([bytes(thinned)])
    row = bytearray(encode_journal(JournalEntry(np.array([1]), np.array([1]), _one_point())))
    row[0] = 9
    with pytest.raises(StoreCorrupt, match="version 9"):
        decode_journal(bytes(row))


def test_thinned_form_that_ends_before_its_points_is_named() -> None:
    whole = encode_thinned(_one_point())[:-4]
    with pytest.raises(StoreCorrupt, match="1 points has 16 bytes"):
        decode_thinned([sealed((whole[:-8],))])
