"""Streams: all that was appended is there in order, others see who writes, and no fault of the disk stops a writer."""

import fcntl
import json
import logging
import os
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.client.spool.child import child, ended, told
from tests.client.spool.reading import read_all, read_stream
from tests.client.spool.test_segments import files_of_at_most
from tests.faults.disks import can_mount, limit_file_size, mounted, remount

from trackwire.columns import MetricColumns, encode_ingest
from trackwire.errors import DataLossError, FailedPreconditionError, InvalidArgumentError
from trackwire.spool.kinds import RecordKind
from trackwire.spool.segments import PAYLOAD_BYTES_MAX, Record, SegmentWriter
from trackwire.spool.stream import SpoolStream, open_streams, unreadable_streams

INGEST, END = RecordKind.INGEST, RecordKind.END
# Enough for every stream here but those whose disk is full.
PAYLOAD_BYTES = 10_000


def create(spool: Path, run_id: str = "run-1", segment_bytes: int = 1000) -> SpoolStream:
    return SpoolStream.create(spool, run_id=run_id, tracking_uri="", segment_bytes=segment_bytes)


def request(points: int) -> bytes:
    column = np.arange(points)
    return encode_ingest("run-1", MetricColumns(["loss"], [points], column, column, column))


def test_records_are_there_in_order_over_many_segments(tmp_path: Path) -> None:
    stream = create(tmp_path)
    payloads = [bytes([number]) * (number * 7) for number in range(100)]
    assert [stream.append(INGEST, payload) for payload in payloads] == [*range(1, 101)]
    stream.close()
    segments = stream.place.segments()
    assert [path.name for path in segments] == [f"{number:08}.seg" for number in range(1, len(segments) + 1)]
    assert len(segments) > 20
    records, damages = read_stream(stream.place)
    assert not damages
    assert records == [*(Record(INGEST, n, payload) for n, payload in enumerate(payloads, 1)), Record(END, 101, b"")]


def test_stream_is_described_and_locked_while_it_is_written(tmp_path: Path) -> None:
    with closing(SpoolStream.create(tmp_path / "a/spool", run_id="run-1", tracking_uri="host:5051")) as stream:
        (place,) = open_streams(tmp_path / "a/spool")
        assert place == stream.place
        assert (place.run_id, place.tracking_uri, place.pid) == ("run-1", "host:5051", os.getpid())
        assert place.folder.name == place.writer_id
        assert place.writer_lives
        assert place.files_folder.is_dir()
        described = json.loads((place.folder / "stream.json").read_text())
        assert described["format"] == 1
    assert not place.writer_lives


def test_two_streams_in_one_spool_do_not_mix(tmp_path: Path) -> None:
    streams = [create(tmp_path, f"run-{number}") for number in range(2)]
    for number in range(50):
        for which, stream in enumerate(streams):
            assert stream.append(INGEST, bytes([which, number])) == number + 1
    streams[0].close()
    places = {place.run_id: place for place in open_streams(tmp_path)}
    assert [places["run-0"].writer_lives, places["run-1"].writer_lives] == [False, True]
    streams[1].close()
    for which in range(2):
        records, _damages = read_stream(places[f"run-{which}"])
        assert [record.payload for record in records[:-1]] == [bytes([which, number]) for number in range(50)]


def test_many_threads_number_their_records_without_gaps(tmp_path: Path) -> None:
    stream = create(tmp_path, segment_bytes=20_000)
    with ThreadPoolExecutor(8) as threads:
        payloads = [f"{number}".encode() * 50 for number in range(2000)]
        sequences = list(threads.map(lambda payload: stream.append(INGEST, payload), payloads))
    stream.close()
    assert sorted(sequences) == [*range(1, 2001)]
    records, damages = read_stream(stream.place)
    assert not damages
    assert [record.sequence for record in records] == [*range(1, 2002)]
    assert {record.sequence: record.payload for record in records[:-1]} == dict(zip(sequences, payloads, strict=True))


def test_closed_stream_takes_no_record(tmp_path: Path) -> None:
    stream = create(tmp_path)
    stream.close()
    stream.close()
    with pytest.raises(FailedPreconditionError, match=f"{stream.place.writer_id} of run 'run-1' is closed"):
        stream.append(INGEST, b"late")
    stream.sync()
    assert [record.kind for record in read_stream(stream.place)[0]] == [END]


def test_stream_refuses_what_no_record_can_be(tmp_path: Path) -> None:
    with closing(create(tmp_path)) as stream:
        with pytest.raises(InvalidArgumentError, match="payload"):
            stream.append(INGEST, bytes(PAYLOAD_BYTES_MAX + 1))
        with pytest.raises(ValueError, match="END"):
            stream.append(END, b"")
        assert stream.append(INGEST, b"x") == 1
        stream.sync()
    assert stream.dropped_records == 0


def test_stream_that_can_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    with files_of_at_most(10), pytest.raises(OSError, match="File too large"):
        create(tmp_path)
    assert not list((tmp_path / "streams").iterdir())
    # Now the segment has room, and the description has not.
    with files_of_at_most(50), pytest.raises(OSError, match="File too large"):
        create(tmp_path)
    assert not list((tmp_path / "streams").iterdir())
    create(tmp_path).close()


def test_spool_that_is_not_there_has_no_streams(tmp_path: Path) -> None:
    assert open_streams(tmp_path / "none") == []
    assert unreadable_streams(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "is of format 2, this program reads format 1"),
        ({"pid": "1"}, "pid: '1': must be of the type int"),
        ({"writer_id": "another"}, "writer_id: 'another': must be its folder's name"),
        (None, "doesn't describe a stream"),
    ],
)
def test_unreadable_description_is_named(tmp_path: Path, change: dict[str, object] | None, words: str) -> None:
    for run_id in ("bad", "good"):
        create(tmp_path, run_id).close()
    bad = next(place for place in open_streams(tmp_path) if place.run_id == "bad")
    path = bad.folder / "stream.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    assert [place.run_id for place in open_streams(tmp_path)] == ["good"]
    ((folder, error),) = unreadable_streams(tmp_path).items()
    assert folder == bad.folder
    assert isinstance(error, DataLossError | FailedPreconditionError)
    assert str(path) in str(error)
    assert words in str(error)


def test_deleted_spool_is_told_once_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stream = create(tmp_path)
    assert stream.append(INGEST, request(3)) == 1
    shutil.rmtree(tmp_path / "streams")
    for _ in range(10):
        assert stream.append(INGEST, request(3)) == 0
    assert (stream.dropped_records, stream.dropped_points) == (10, 30)
    assert "deleted" in caplog.text
    assert len(caplog.records) == 1
    stream.close()
    assert "10 records with 30 points were dropped" in caplog.text


def test_segment_that_can_not_be_made_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    stream = create(tmp_path, segment_bytes=100)
    stream.append(INGEST, bytes(200))
    # A folder in the way: the name can't be taken by a file.
    stream.place.segment_path(2).mkdir()
    assert stream.append(INGEST, b"in the old one") == 2
    stream.place.segment_path(2).rmdir()
    assert stream.append(INGEST, b"in the new one") == 3
    stream.close()
    assert [len(read_all(path)[0]) for path in stream.place.segments()] == [2, 2]
    assert stream.dropped_records == 0


def test_segment_that_readers_take_for_complete_gets_no_record(tmp_path: Path) -> None:
    stream = create(tmp_path)
    stream.append(INGEST, b"before")
    # As Ctrl-C leaves it that comes when the next segment has just been made.
    stream._is_rolling = True
    SegmentWriter(stream.place.segment_path(2), stream.place.writer_id).close()
    assert stream.append(INGEST, b"behind") == 2
    stream._is_rolling = True
    stream.place.segment_path(3).mkdir()
    assert stream.append(INGEST, request(1)) == 0
    stream.place.segment_path(3).rmdir()
    assert stream.append(INGEST, b"in the third") == 3
    stream.close()
    assert [[record.sequence for record in read_all(path)[0]] for path in stream.place.segments()] == [[1], [2], [3, 4]]
    assert stream.dropped_records == 1


def test_others_that_look_are_not_taken_for_the_writer(tmp_path: Path) -> None:
    stream = create(tmp_path)
    stream.close()
    with stream.place.lock_path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not stream.place.writer_lives


# Appends requests of three points until it is told to end, and says each time what came of it.
_APPEND_WHAT_IS_ASKED = """
columns = [0, 1, 2]
small = encode_ingest("run-1", MetricColumns(["loss"], [3], columns, columns, columns))
for line in sys.stdin:
    sequences = [stream.append(RecordKind.INGEST, small) for _ in range(int(line))]
    say(sequences=sequences, records=stream.dropped_records, points=stream.dropped_points)
stream.close()
"""


def test_full_disk_drops_counts_and_tells_once(tmp_path: Path) -> None:
    with child(tmp_path, _APPEND_WHAT_IS_ASKED) as process:
        first = json.loads(told(process, "10"))
        limit_file_size(process.pid, 5_000)
        full = json.loads(told(process, "500"))
        limit_file_size(process.pid, 1_000_000)
        again = json.loads(told(process, "10"))
        error = ended(process)
    taken = len([sequence for sequence in full["sequences"] if sequence])
    assert first == {"sequences": [*range(1, 11)], "records": 0, "points": 0}
    assert (full["records"], full["points"]) == (500 - taken, 3 * (500 - taken))
    assert 0 < taken < 60
    assert again["sequences"] == [*range(taken + 11, taken + 21)]
    assert again["records"] == full["records"]
    warnings = [line for line in error.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == 2, error
    assert "File too large" in warnings[0]
    assert f"{full['records']} records with {full['points']:,} points were dropped" in warnings[1]
    (place,) = open_streams(tmp_path)
    records, damages = read_stream(place)
    assert not damages
    assert [record.sequence for record in records] == [*range(1, taken + 22)]


@pytest.mark.skipif(not can_mount(), reason="no tmpfs can be mounted here")
def test_disk_without_room_takes_records_again_once_there_is_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mounted(tmp_path / "disk", "size=256k"):
        stream = SpoolStream.create(tmp_path / "disk", run_id="run-1", tracking_uri="")
        sequences = [stream.append(INGEST, request(400)) for _ in range(40)]
        assert sequences.count(0) == stream.dropped_records > 0
        assert stream.dropped_points == 400 * stream.dropped_records
        remount(tmp_path / "disk", "size=1m")
        assert stream.append(INGEST, request(400)) == max(sequences) + 1
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "No space left on device" in caplog.text
        stream.close()
        records, damages = read_stream(stream.place)
        assert not damages
        assert [record.sequence for record in records] == [*range(1, max(sequences) + 3)]


# What doesn't fit is cut back while others read, and the next record takes its place.
_FAIL_AND_GO_ON = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
say(folder=str(stream.place.folder))
for number in range(600):
    small = stream.append(RecordKind.INGEST, bytes([number % 251]) * (number * 31 % 9_000))
    assert small
    if number % 10 == 0:
        assert not stream.append(RecordKind.LOG_PARAMS, bytes(5_000_000))
stream.close()
"""


def test_reader_meets_no_damage_where_records_are_cut_back(tmp_path: Path) -> None:
    with child(tmp_path, _FAIL_AND_GO_ON) as process:
        path = Path(json.loads(told(process))["folder"], "00000001.seg")
        found: list[Record] = []
        offset = 0
        while not found or found[-1].kind is not END:
            records, damages, offset = read_all(path, offset)
            assert not damages
            found += records
            assert records or process.poll() is None or read_all(path, offset)[0]
        ended(process)
    assert [len(record.payload) for record in found[:-1]] == [number * 31 % 9_000 for number in range(600)]


# Ctrl-C a thousand times a second, wherever an append happens to be.
_INTERRUPTED = """
import signal

def interrupt(*_):
    if stream._lock.locked():
        raise KeyboardInterrupt

stream._segment_bytes = 20_000
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0003)
appended, interrupted = {}, 0
for number in range(20_000):
    try:
        sequence = stream.append(RecordKind.INGEST, str(number).encode() * (number % 100))
    except KeyboardInterrupt:
        interrupted += 1
    else:
        appended[sequence] = number
signal.setitimer(signal.ITIMER_REAL, 0)
stream.close()
say(appended=list(appended.items()), interrupted=interrupted, dropped=stream.dropped_records)
"""


def test_interrupted_appends_are_whole_or_nothing(tmp_path: Path) -> None:
    with child(tmp_path, _INTERRUPTED) as process:
        answer = json.loads(told(process))
        ended(process)
    assert answer["interrupted"] > 20
    assert answer["dropped"] == 0
    (place,) = open_streams(tmp_path)
    records, damages = read_stream(place)
    assert not damages
    assert [record.sequence for record in records] == [*range(1, len(records) + 1)]
    payloads = {record.sequence: record.payload for record in records}
    assert all(payloads[sequence] == str(number).encode() * (number % 100) for sequence, number in answer["appended"])


_APPEND_WITHOUT_END = """
payload = os.urandom(300_000)
say(ready=True)
while True:
    stream.append(RecordKind.INGEST, payload)
"""


def test_killed_writer_leaves_whole_records_and_a_free_lock(tmp_path: Path) -> None:
    for round_number in range(6):
        spool = tmp_path / str(round_number)
        with child(spool, _APPEND_WITHOUT_END) as process:
            told(process)
            (place,) = open_streams(spool)
            assert place.writer_lives
            threading.Event().wait(0.005 * (1 + round_number))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert not place.writer_lives
        records, damages = read_stream(place)
        assert [record.sequence for record in records] == [*range(1, len(records) + 1)]
        assert {len(record.payload) for record in records} <= {300_000}
        # At most the record that was under way, at the very end.
        assert all("the file ends" in damage.reason for damage in damages)
        assert len(damages) <= 1
        assert sum(path.stat().st_size for path in place.segments()) < 100_000_000


_FORK = """
stream.append(RecordKind.INGEST, b"")
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    try:
        stream.append(RecordKind.INGEST, b"")
    except Exception as error:
        os.write(writing, str(error).encode())
    stream.close()
    mine = SpoolStream.create(Path(sys.argv[1]), run_id="run-of-child", tracking_uri="")
    mine.append(RecordKind.INGEST, b"")
    os.write(writing, b"\\n")
    sys.stdin.read()
    os._exit(0)
with os.fdopen(reading) as told:
    say(error=told.readline(), child=child)
stream.append(RecordKind.INGEST, b"")
os.kill(os.getpid(), 9)
"""


def test_forked_child_holds_nothing_of_its_parent(tmp_path: Path) -> None:
    with child(tmp_path, _FORK) as process:
        answer = json.loads(told(process))
        assert "is written by process" in answer["error"]
        assert f"{process.pid}, from which this one was forked" in answer["error"]
        process.wait(timeout=60)
        places = {place.run_id: place for place in open_streams(tmp_path)}
        # The child lives on: its own lock is held, its parent's is not.
        assert places["run-of-child"].writer_lives
        assert [record.sequence for record in read_stream(places["run-1"])[0]] == [1, 2]
        assert process.stdin is not None
        process.stdin.close()
        while places["run-of-child"].writer_lives:
            threading.Event().wait(0.01)
        assert len(read_stream(places["run-of-child"])[0]) == 1


def test_nothing_of_a_spool_needs_grpc(tmp_path: Path) -> None:
    program = """
import sys
stream.append(RecordKind.INGEST, encode_ingest("run-1", MetricColumns(["loss"], [1], [0], [0], [0.5])))
stream.close()
from trackwire.spool import delivered, places, records, segments, stream as streams
from trackwire.internal.v1 import spool_pb2
(place,) = streams.open_streams(Path(sys.argv[1]))
place.delivered_file.write(delivered.Delivered(1, 1, 0))
record = next(iter(segments.read_segment(place.segments()[0])))
say(points=records.points_of(record.kind, record.payload), grpc=[name for name in sys.modules if "grpc" in name])
"""
    with child(tmp_path, program) as process:
        answer = json.loads(told(process))
        ended(process)
    assert answer == {"points": 1, "grpc": []}
