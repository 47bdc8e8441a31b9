"""What was written reads back the same; what is cut or damaged is named, and costs no more than what it touches."""

import os
import resource
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.client.spool.reading import read_all
from tests.faults.disks import limit_file_size

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.spool.kinds import RecordKind
from trackwire.spool.segments import MARK, PAYLOAD_BYTES_MAX, Damage, Record, SegmentWriter, read_segment

WRITER_ID = "0123456789abcdef" * 2
HEADER_BYTES = 32
FRAME_BYTES = 21

# Payloads that hold marks, and beginnings of marks, are those at which a search could go wrong.
PAYLOADS = st.one_of(
    st.binary(max_size=60), st.lists(st.sampled_from([MARK, MARK[:2], b"T"]), max_size=6).map(b"".join)
)
RECORDS = st.lists(st.tuples(st.sampled_from(RecordKind), PAYLOADS), max_size=6).map(
    lambda pairs: [Record(kind, number, payload) for number, (kind, payload) in enumerate(pairs, start=1)]
)
SAMPLE = [
    Record(RecordKind.CREATE_RUN, 1, b"run"),
    Record(RecordKind.INGEST, 2, bytes(range(256)) + MARK),
    Record(RecordKind.SET_TAGS, 3, b""),
    Record(RecordKind.INGEST, 4, b"\xff" * 30),
    Record(RecordKind.END, 5, b""),
]


def write(path: Path, records: list[Record]) -> list[int]:
    """The records in a new segment; where each ends."""
    writer = SegmentWriter(path, WRITER_ID)
    sizes = [writer.append(record.kind, record.sequence, record.payload) for record in records]
    writer.close()
    return [*accumulate(sizes, initial=HEADER_BYTES)][1:]


def test_segment_is_laid_out_as_the_page_draws_it(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    write(path, [Record(RecordKind.SET_TAGS, 258, b"payload")])
    header = b"TWSPOOL\0" + bytes([1, 0, 0, 0]) + bytes.fromhex(WRITER_ID)
    numbers = bytes([7, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 4])
    mark = bytes.fromhex("F7 54 57 FF")
    assert path.read_bytes() == (
        header + checksum_of(header) + mark + numbers + checksum_of(numbers + b"payload") + b"payload"
    )


def checksum_of(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


@given(RECORDS)
def test_records_read_back_as_written(records: list[Record]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "00000001.seg")
        ends = write(path, records)
        reader = read_segment(path, is_complete=True)
        assert list(reader) == records
        assert reader.offset == path.stat().st_size == (ends[-1] if ends else HEADER_BYTES)
        assert reader.writer_id == WRITER_ID


@given(RECORDS, st.booleans())
@example(SAMPLE, False)
@example(SAMPLE, True)
def test_cut_file_gives_all_whole_records_before_the_cut(records: list[Record], is_complete: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "00000001.seg")
        ends = [HEADER_BYTES, *write(path, records)]
        data = path.read_bytes()
        for cut in range(len(data) + 1):
            path.write_bytes(data[:cut])
            whole = max((number for number, end in enumerate(ends) if end <= cut), default=-1)
            last_end = ends[whole] if whole >= 0 else 0
            found, damages, offset = read_all(path, is_complete=is_complete)
            assert found == records[: max(whole, 0)]
            if is_complete and last_end < cut:
                (damage,) = damages
                assert (damage.offset, damage.length_bytes, offset) == (last_end, cut - last_end, cut)
            else:
                assert (damages, offset) == ([], last_end)


def test_cut_file_that_grows_again_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    write(path, SAMPLE)
    data = path.read_bytes()
    found: list[Record] = []
    offset = 0
    for size in range(0, len(data) + 1, 7):
        path.write_bytes(data[:size])
        records, damages, offset = read_all(path, offset)
        assert not damages
        found += records
    path.write_bytes(data)
    assert found + read_all(path, offset)[0] == SAMPLE


@given(RECORDS, st.data())
def test_flipped_byte_loses_only_the_record_that_it_touches(records: list[Record], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "00000001.seg")
        bounds = [0, HEADER_BYTES, *write(path, records)]
        at = data.draw(st.integers(0, bounds[-1] - 1))
        check_flip(path, records, bounds, at, data.draw(st.integers(1, 255)))


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_byte_may_be_flipped(tmp_path: Path, flip: int) -> None:
    path = tmp_path / "00000001.seg"
    bounds = [0, HEADER_BYTES, *write(path, SAMPLE)]
    for at in range(bounds[-1]):
        check_flip(path, SAMPLE, bounds, at, flip)


def check_flip(path: Path, records: list[Record], bounds: list[int], at: int, flip: int) -> None:
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[at] ^= flip
    path.write_bytes(damaged)
    touched, (begin, end) = next((n, pair) for n, pair in enumerate(pairwise(bounds)) if at < pair[1])
    found, damages, offset = read_all(path, is_complete=True)
    # The first stretch is the header: no record is lost with it.
    assert found == [record for record in records if record.sequence != touched]
    (damage,) = damages
    assert (damage.path, damage.offset, damage.length_bytes) == (path, begin, end - begin)
    assert damage.reason
    assert str(path) in str(damage)
    assert offset == len(whole)
    path.write_bytes(whole)


def test_damages_are_given_in_their_places(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    ends = write(path, SAMPLE)
    data = bytearray(path.read_bytes())
    data[ends[0] + 30] ^= 1
    data[ends[3] - 1] ^= 1
    path.write_bytes(data)
    assert [item.sequence if isinstance(item, Record) else item.offset for item in read_segment(path)] == [
        1, ends[0], 3, ends[2], 5,
    ]  # fmt: skip


def test_zeros_behind_the_records_are_a_damage_once_nobody_writes(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    end = write(path, SAMPLE)[-1]
    with path.open("ab") as file:
        file.write(bytes(4096))
    assert read_all(path) == (SAMPLE, [], end)
    found, damages, _offset = read_all(path, is_complete=True)
    assert found == SAMPLE
    assert [(damage.offset, damage.length_bytes) for damage in damages] == [(end, 4096)]


def test_search_finds_a_mark_that_lies_across_two_pieces(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    piece = 1024 * 1024
    for shift in range(-4, 5):
        # The search begins a byte behind the damaged frame: its first piece ends `piece` bytes on.
        first = Record(RecordKind.INGEST, 1, bytes(piece - FRAME_BYTES + 1 + shift))
        second = Record(RecordKind.INGEST, 2, b"here")
        write(path, [first, second])
        data = bytearray(path.read_bytes())
        data[HEADER_BYTES + 100] ^= 1
        path.write_bytes(data)
        assert read_all(path)[0] == [second]


def test_impossible_length_is_named(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    write(path, SAMPLE)
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + len(MARK) + 3] = 0xFF
    path.write_bytes(data)
    (damage,) = read_all(path)[1]
    assert damage.reason == f"a frame names a length of {0xFF000003} bytes, at most {PAYLOAD_BYTES_MAX} are possible"


def test_record_of_an_unknown_kind_is_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    writer = SegmentWriter(path, WRITER_ID)
    writer.append(99, 1, b"from the future")  # type: ignore[arg-type]
    writer.append(RecordKind.END, 2, b"")
    writer.close()
    damage, record = read_segment(path)
    assert isinstance(damage, Damage)
    assert "kind 99" in damage.reason
    assert record == Record(RecordKind.END, 2, b"")


def test_record_out_of_order_is_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    writer = SegmentWriter(path, WRITER_ID)
    for sequence in (1, 2, 2, 1, 3):
        writer.append(RecordKind.INGEST, sequence, b"x")
    writer.close()
    found, damages, _offset = read_all(path)
    assert [record.sequence for record in found] == [1, 2, 3]
    assert [damage.reason for damage in damages] == ["a record of sequence 2 stands behind one of 2"]


def test_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "00000001.seg"
    write(path, SAMPLE)
    data = bytearray(path.read_bytes())
    data[8] = 2
    data[28:32] = checksum_of(data[:28])
    path.write_bytes(data)
    for offset in (0, HEADER_BYTES):
        with pytest.raises(FailedPreconditionError, match="version 2, this program reads version 1"):
            list(read_segment(path, offset))


def test_payload_past_the_limit_is_refused(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "00000001.seg", WRITER_ID)
    with pytest.raises(InvalidArgumentError, match=f"payload: {PAYLOAD_BYTES_MAX + 1} bytes"):
        writer.append(RecordKind.INGEST, 1, bytes(PAYLOAD_BYTES_MAX + 1))
    writer.append(RecordKind.INGEST, 1, bytes(PAYLOAD_BYTES_MAX))
    writer.close()
    (record,) = read_segment(writer.path)
    assert isinstance(record, Record)
    assert len(record.payload) == PAYLOAD_BYTES_MAX


@pytest.mark.parametrize("writer_id", ["", "0123", "no hexadecimal digits at all ...", "0" * 34])
def test_bad_writer_id_is_refused_and_leaves_nothing(tmp_path: Path, writer_id: str) -> None:
    with pytest.raises(InvalidArgumentError, match="writer_id"):
        SegmentWriter(tmp_path / "00000001.seg", writer_id)
    assert not list(tmp_path.iterdir())


def test_deleted_segment_takes_no_record(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "00000001.seg", WRITER_ID)
    writer.append(RecordKind.INGEST, 1, b"kept while somebody can find it")
    writer.path.unlink()
    with pytest.raises(FileNotFoundError, match="deleted while it was written"):
        writer.append(RecordKind.INGEST, 2, b"lost")
    assert writer.last_sequence == 1
    writer.close()


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    soft, _hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit_file_size(os.getpid(), size_bytes)
    try:
        yield
    finally:
        limit_file_size(os.getpid(), soft)


def test_record_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "00000001.seg", WRITER_ID)
    writer.append(RecordKind.INGEST, 1, bytes(1000))
    with files_of_at_most(4096), pytest.raises(OSError, match="File too large"):
        writer.append(RecordKind.INGEST, 2, bytes(4000))
    assert writer.path.stat().st_size == writer.size_bytes
    writer.append(RecordKind.INGEST, 2, b"fits")
    writer.close()
    assert list(read_segment(writer.path, is_complete=True)) == [
        Record(RecordKind.INGEST, 1, bytes(1000)),
        Record(RecordKind.INGEST, 2, b"fits"),
    ]


def test_reading_while_another_thread_writes(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "00000001.seg", WRITER_ID)
    records = [
        Record(RecordKind.INGEST, number, bytes([number % 251]) * (number * 97 % 70_000)) for number in range(1, 400)
    ]

    def append_all() -> None:
        for record in records:
            writer.append(record.kind, record.sequence, record.payload)

    thread = threading.Thread(target=append_all)
    thread.start()
    found: list[Record] = []
    offset = 0
    while thread.is_alive() or offset < writer.size_bytes:
        new, damages, offset = read_all(writer.path, offset)
        assert not damages
        found += new
    thread.join()
    writer.close()
    assert found == records
