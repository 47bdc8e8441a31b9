"""What the shipper says of a stream's delivery is what its writer reads, also in the middle of being overwritten."""

import threading
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.errors import DataLossError, FailedPreconditionError
from trackwire.spool.delivered import Delivered, DeliveredFile

UINT64 = st.integers(0, 2**64 - 1)
BLOCK_BYTES = 40


@given(st.lists(st.builds(Delivered, UINT64, UINT64, UINT64), min_size=1, max_size=3))
def test_last_that_was_written_is_read(written: list[Delivered]) -> None:
    with TemporaryDirectory() as folder:
        file = DeliveredFile(Path(folder, "delivered"))
        for delivered in written:
            file.write(delivered)
            assert file.read() == delivered
        assert file.path.stat().st_size == BLOCK_BYTES


def test_block_is_laid_out_as_the_page_draws_it(tmp_path: Path) -> None:
    file = DeliveredFile(tmp_path / "delivered")
    file.write(Delivered(258, 3, 4))
    numbers = b"TWDELIV\1" + bytes([2, 1, 0, 0, 0, 0, 0, 0]) + bytes([3, *bytes(7)]) + bytes([4, *bytes(7)])
    assert file.path.read_bytes() == numbers + zlib.crc32(numbers).to_bytes(4, "little") + bytes(4)


def test_nothing_is_delivered_before_the_first_word(tmp_path: Path) -> None:
    file = DeliveredFile(tmp_path / "delivered")
    assert file.read() == Delivered(0, 0, 0)
    file.path.touch()
    assert file.read() == Delivered(0, 0, 0)


def test_damage_is_named(tmp_path: Path) -> None:
    file = DeliveredFile(tmp_path / "delivered")
    file.write(Delivered(1, 2, 3))
    whole = file.path.read_bytes()
    for at in (0, 7, 8, 31, 32, 35):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        file.path.write_bytes(damaged)
        with pytest.raises(DataLossError, match=f"{file.path}: is not what was written"):
            file.read()
    file.path.write_bytes(whole[:-1])
    with pytest.raises(DataLossError):
        file.read()


def test_newer_version_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = DeliveredFile(tmp_path / "delivered")
    with monkeypatch.context() as newer:
        newer.setattr("trackwire.spool.delivered._VERSION", 2)
        file.write(Delivered(1, 2, 3))
    with pytest.raises(FailedPreconditionError, match="this program reads version 1"):
        file.read()


def test_reader_sees_whole_blocks_while_they_are_overwritten(tmp_path: Path) -> None:
    file = DeliveredFile(tmp_path / "delivered")

    def write_all() -> None:
        for number in range(1, 3000):
            file.write(Delivered(number, number * 10, number * 100))

    thread = threading.Thread(target=write_all)
    thread.start()
    last = Delivered()
    while thread.is_alive():
        seen = file.read()
        assert (seen.points_stored, seen.rejected_records) == (seen.sequence * 10, seen.sequence * 100)
        assert seen.sequence >= last.sequence
        last = seen
    thread.join()
    assert file.read().sequence == 2999
