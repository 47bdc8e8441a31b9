"""What waits in a stream and what has been delivered of it, as somebody beside its shipper counts it."""

from pathlib import Path

from tests.client.shipper.shipping import begin, log_points, spool_file

from trackwire.spool.contents import Amount, StreamContents
from trackwire.spool.delivered import Delivered


def test_what_was_settled_before_the_first_look_counts_nowhere(tmp_path: Path) -> None:
    stream = begin(tmp_path, "r1", "")
    log_points(stream, [0, 1, 2])
    stream.place.delivered_file.write(Delivered(2, 3, 0))
    contents = StreamContents(stream.place)
    log_points(stream, [3, 4])
    contents.look([])
    assert (contents.waiting, contents.delivered) == (Amount(2), Amount())
    stream.place.delivered_file.write(Delivered(3, 5, 0))
    contents.look([])
    assert (contents.is_waiting, contents.waiting, contents.delivered) == (False, Amount(), Amount(2))
    stream.close()


def test_refused_points_and_files_wait_no_more(tmp_path: Path) -> None:
    stream = begin(tmp_path, "r1", "")
    log_points(stream, [0, 1, 2])
    spool_file(stream, "1", b"one", "a")
    spool_file(stream, "2", b"second", "b")
    log_points(stream, [3])
    contents = StreamContents(stream.place)
    contents.look([])
    assert contents.waiting == Amount(4, 2, 9)
    (stream.place.files_folder / "2.stored").touch()
    contents.look([(2, 3), (3, 0)])
    assert (contents.waiting, contents.delivered) == (Amount(1), Amount(0, 1, 6))
    stream.close()


def test_stream_that_is_gone_was_delivered_whole(tmp_path: Path) -> None:
    stream = begin(tmp_path, "r1", "")
    log_points(stream, [0, 1, 2])
    spool_file(stream, "1", b"one", "a")
    contents = StreamContents(stream.place)
    contents.look([])
    contents.gone()
    assert (contents.is_waiting, contents.delivered) == (False, Amount(3, 1, 3))
    stream.close()


def test_stream_waits_until_the_end_of_its_writer_is_found(tmp_path: Path) -> None:
    stream = begin(tmp_path, "r1", "")
    contents = StreamContents(stream.place)
    stream.place.delivered_file.write(Delivered(1, 0, 0))
    contents.look([])
    assert (contents.is_waiting, contents.writer_lives) == (False, True)
    stream.close()
    contents.look([])
    assert (contents.is_waiting, contents.writer_lives) == (True, False)
    stream.place.segment_path(1).unlink()
    contents.look([])
    assert not contents.is_waiting


def test_growing_segments_are_read_on_and_trimmed_ones_counted(tmp_path: Path) -> None:
    stream = begin(tmp_path, "r1", "", segment_bytes=200)
    contents = StreamContents(stream.place)
    for number in range(5):
        log_points(stream, [number])
        contents.look([])
        assert contents.waiting == Amount(number + 1)
    stream.place.segment_path(1).unlink()
    stream.place.delivered_file.write(Delivered(6, 5, 0))
    log_points(stream, [5])
    contents.look([])
    assert (contents.waiting, contents.delivered) == (Amount(1), Amount(5))
    stream.close()
