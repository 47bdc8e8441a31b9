"""The shipper as a process, and a real server: what is in the spool arrives, once, and the spool is empty."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path

import grpc
import pytest
from tests.client.scripted_server import ScriptedServer
from tests.client.shipper.shipping import (
    NO_ADDRESS,
    ONCE,
    Shipper,
    begin,
    delete_tag,
    finish,
    log_params,
    log_points,
    place_of,
    set_tags,
    spool_file,
    stored_values,
    until,
    wait_for_shipper,
    writing_process,
)
from tests.conftest import ROOT, ServerProcess

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.shipper.shipping import STREAMS_AT_A_TIME
from trackwire.spool.places import shipper_lock
from trackwire.v1 import metrics_pb2, runs_pb2


def test_all_kinds_of_records_arrive_in_order_and_the_stream_is_gone(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    log_params(stream, lr="0.1")
    set_tags(stream, phase="early", gone="soon")
    log_points(stream, [0, 1, 2])
    spool_file(stream, "1", b"weights" * 100_000, "model/weights.bin")
    set_tags(stream, phase="late")
    delete_tag(stream, "gone")
    log_points(stream, [3])
    finish(stream)
    assert shipper.run(*ONCE) == 0
    run = client.get_run(run_id)
    assert run.params["lr"] == "0.1"
    assert run.tags["phase"] == "late"
    assert "gone" not in run.tags
    assert run.status == runs_pb2.RUN_STATUS_FINISHED
    assert stored_values(live.address, run_id) == [0, 1, 2, 3]
    assert client.read_artifact(run_id, "model/weights.bin") == b"weights" * 100_000
    assert not stream.place.folder.exists()
    (delivered,) = shipper.events("stream_delivered")
    assert " records=10 points=4 rejected=0 damages=0 kept=false" in delivered


def test_second_shipper_on_a_spool_ends_at_once(spool: Path, shipper: Shipper) -> None:
    lock = SpoolLock(spool)
    assert lock.take()
    assert shipper.run("--watch", timeout_seconds=60) == 0
    assert shipper.events("another_shipper")
    lock.release()


def test_growing_stream_is_delivered_as_it_grows_and_trimmed(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address, segment_bytes=2_000)
    shipper.start("--watch")
    for number in range(200):
        log_points(stream, [number])
    assert until(lambda: stream.delivered().sequence == 201)
    assert stream.delivered().points_stored == 200
    assert until(lambda: len(stream.place.segments()) == 1)
    log_points(stream, [200])
    assert until(lambda: stream.delivered().sequence == 202)
    stream.close()
    assert until(lambda: not stream.place.folder.exists())
    assert shipper.end() == 0
    assert stored_values(live.address, run_id) == list(range(201))


def test_idle_shipper_lets_go_of_the_spool_and_ends(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    assert shipper.run(*ONCE) == 0
    assert stream.delivered().sequence == 1
    # The writer lives on, and the next shipper goes on with what it has written since.
    log_points(stream, [1])
    stream.close()
    assert shipper.run("--idle-seconds", "0.5") == 0
    lock = SpoolLock(spool)
    assert lock.take()
    lock.release()
    assert stored_values(live.address, run_id) == [1]
    assert not shipper.events("server_forgot")


def test_two_streams_into_one_run_arrive(spool: Path, shipper: Shipper, live: ServerProcess, run_id: str) -> None:
    streams = [begin(spool, run_id, live.address) for _ in range(2)]
    for number in range(100):
        log_points(streams[number % 2], [number], key=f"k{number % 2}")
    for stream in streams:
        stream.close()
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id, "k0") == list(range(0, 100, 2))
    assert stored_values(live.address, run_id, "k1") == list(range(1, 100, 2))


def test_stream_of_a_killed_writer_is_delivered_and_removed(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    with writing_process(spool, run_id, live.address) as (writer, folder):
        assert shipper.run(*ONCE) == 0
        assert folder.exists()
        writer.kill()
        writer.wait(10)
    # Half a record, as a kill in the middle of a write leaves it.
    segment = folder / "00000001.seg"
    segment.write_bytes(segment.read_bytes()[:-5])
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id) == list(range(50))


def test_offline_streams_are_left_alone_until_told_where_to(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, "")
    log_points(stream, [1])
    stream.close()
    assert shipper.run(*ONCE) == 0
    assert stream.delivered().sequence == 0
    assert shipper.run(*ONCE, "--to", f"grpc://{live.address}") == 0
    assert stored_values(live.address, run_id) == [1]
    assert place_of(spool, stream) is None


def test_server_that_is_away_is_waited_for(spool: Path, shipper: Shipper, live: ServerProcess, run_id: str) -> None:
    away, here = begin(spool, f"{run_id}-away", NO_ADDRESS), begin(spool, run_id, live.address)
    for stream in (away, here):
        log_points(stream, [1])
        stream.close()
    shipper.start("--idle-seconds", "0")
    # One server that is away holds up nobody else's streams.
    assert until(lambda: place_of(spool, here) is None)
    assert stored_values(live.address, run_id) == [1]
    assert not until(lambda: shipper.process is not None and shipper.process.poll() is not None, seconds=3)
    assert shipper.end(signal.SIGTERM) == 0
    assert shipper.run("--once", "--timeout-seconds", "1") == 1
    assert away.delivered().sequence == 0
    assert away.place.segments()


def test_segment_of_a_newer_version_is_left_alone(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    stream.close()
    segment = stream.place.segment_path(1)
    data = bytearray(segment.read_bytes())
    data[8] = 99
    data[28:32] = zlib.crc32(data[:28]).to_bytes(4, "little")
    segment.write_bytes(data)
    assert shipper.run(*ONCE) == 0
    assert "version 99" in shipper.events("stream_left_alone")[0]
    assert segment.exists()


def test_stream_whose_description_the_disk_does_not_give_is_told_and_all_others_arrive(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    unreadable = begin(spool, uuid.uuid4().hex, live.address)
    unreadable.close()
    description = unreadable.place.folder / "stream.json"
    description.unlink()
    description.mkdir()
    # What can't be deleted: here since it is no folder.
    (spool / "streams" / "a.gone").touch()
    stream = begin(spool, run_id, live.address)
    log_points(stream, [0])
    finish(stream)
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id) == [0]
    (left_alone,) = shipper.events("stream_left_alone")
    assert "can't be read" in left_alone
    assert len(shipper.events("delivered_stream_stays")) == 1
    assert description.is_dir()


def test_live_stream_that_ends_within_a_record_keeps_nobody_busy(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    log_points(stream, [0])
    log_points(stream, [1])
    segment = stream.place.segment_path(1)
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-5])
    assert shipper.run(*ONCE) == 0
    assert stream.delivered().sequence == 2
    segment.write_bytes(whole)
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id) == [0, 1]
    stream.close()


def test_more_streams_than_threads_are_all_delivered(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    streams = [begin(spool, f"{run_id}-{number}", live.address) for number in range(STREAMS_AT_A_TIME * 2)]
    for number, stream in enumerate(streams):
        log_points(stream, [number])
        stream.close()
    assert shipper.run(*ONCE) == 0
    for number in range(len(streams)):
        assert stored_values(live.address, f"{run_id}-{number}") == [number]
    assert not list((spool / "streams").iterdir())


def test_barriers_are_sent_alone_and_points_are_pipelined(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str
) -> None:
    seen = Overlaps()
    for name, answer in (
        ("CreateRun", runs_pb2.CreateRunResponse()),
        ("IngestMetrics", metrics_pb2.IngestMetricsResponse()),
        ("LogParams", runs_pb2.LogParamsResponse()),
        ("SetRunTags", runs_pb2.SetRunTagsResponse()),
        ("UpdateRun", runs_pb2.UpdateRunResponse()),
    ):
        scripted.on(name, partial(seen.answer, name, answer.SerializeToString()))
    stream = begin(spool, run_id, scripted.address)
    for number in range(60):
        log_points(stream, [number])
        if number % 20 == 10:
            log_params(stream, **{f"p{number}": "1"})
            set_tags(stream, phase=str(number))
    finish(stream)
    assert shipper.run(*ONCE) == 0
    assert seen.most_at_a_time["IngestMetrics"] > 4
    assert {name: most for name, most in seen.most_at_a_time.items() if name != "IngestMetrics"} == {
        "CreateRun": 1,
        "LogParams": 1,
        "SetRunTags": 1,
        "UpdateRun": 1,
    }
    stamps = [
        message.FromString(data).writer
        for path, data in scripted.requests
        for name, message in STAMPED.items()
        if path.endswith(name)
    ]
    # CREATE_RUN has a sequence but no stamp.
    assert {stamp.sequence: stamp.previous_sequence for stamp in stamps} == {2: 0} | {at: at - 1 for at in range(3, 68)}
    assert {stamp.writer_id for stamp in stamps} == {stream.place.writer_id}


STAMPED: dict[str, type[metrics_pb2.IngestMetricsRequest | runs_pb2.LogParamsRequest | runs_pb2.SetRunTagsRequest]] = {
    "IngestMetrics": metrics_pb2.IngestMetricsRequest,
    "LogParams": runs_pb2.LogParamsRequest,
    "SetRunTags": runs_pb2.SetRunTagsRequest,
}


class Overlaps:
    """Answers slowly, and notes how many calls there were at a time with one of a name among them."""

    def __init__(self) -> None:
        self.most_at_a_time: dict[str, int] = {}
        self._lock = threading.Lock()
        self._active: list[str] = []

    def answer(self, name: str, answer: bytes, _request: bytes, _context: grpc.ServicerContext) -> bytes:
        with self._lock:
            self._active.append(name)
            for active in self._active:
                self.most_at_a_time[active] = max(self.most_at_a_time.get(active, 0), len(self._active))
        time.sleep(0.02)
        with self._lock:
            self._active.remove(name)
        return answer


def test_points_pass_a_large_file_and_its_upload_goes_on_after_a_stop(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    client.create_run(run_id=run_id)
    stream = begin(spool, run_id, live.address)
    content = bytes(192 * 1024 * 1024)
    spool_file(stream, "1", content, "large")
    log_points(stream, [0, 1])
    finish(stream)
    shipper.start("--watch")
    assert until(lambda: client.get_upload_status(run_id, f"{stream.place.writer_id}-2").received_bytes > 0)
    assert until(lambda: stored_values(live.address, run_id) == [0, 1])
    assert shipper.end(signal.SIGTERM) == 0
    assert not list(client.list_artifacts(run_id))
    assert client.get_run(run_id).status == runs_pb2.RUN_STATUS_RUNNING
    assert client.get_upload_status(run_id, f"{stream.place.writer_id}-2").received_bytes > 0
    assert shipper.run(*ONCE) == 0
    assert [artifact.size_bytes for artifact in client.list_artifacts(run_id)] == [len(content)]
    assert client.get_run(run_id).status == runs_pb2.RUN_STATUS_FINISHED


@pytest.mark.slow
def test_stop_gives_up_on_a_server_that_does_not_answer(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str
) -> None:
    gate = threading.Event()

    def wait(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        gate.wait(60)
        return b""

    scripted.on("CreateRun", wait)
    stream = begin(spool, run_id, scripted.address)
    shipper.start("--watch")
    assert until(lambda: bool(scripted.requests))
    assert shipper.end(signal.SIGTERM) == 0
    gate.set()
    assert stream.delivered().sequence == 0
    stream.close()


def test_bad_arguments_are_told(spool: Path, tmp_path: Path) -> None:
    for arguments, word in (
        (["--spool", str(tmp_path / "nowhere")], "is not a folder"),
        (["--spool", str(spool), "--to", "http://x"], "speaks HTTP"),
        (["--spool", str(spool), "--idle-seconds", "-1"], "must be a number of seconds"),
        (["--spool", str(spool), "--timeout-seconds", "1"], "is for --once"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "trackwire.shipper", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
            check=False,
        )
        assert done.returncode == 2
        assert word in done.stderr


def test_shipper_of_another_parent_ends(spool: Path, shipper: Shipper) -> None:
    process = shipper.start("--watch", "--parent-pid", str(os.getpid()))
    assert not until(lambda: shipper.process is not None and shipper.process.poll() is not None, seconds=2)
    assert shipper.end() == 0
    # As one whose parent has ended meanwhile.
    assert shipper.run("--watch", "--parent-pid", str(process.pid), timeout_seconds=60) == 0
    assert shipper.events("parent_ended")


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_shipper_ends_where_its_spool_is_deleted_while_its_server_is_away(
    spool: Path, shipper: Shipper, run_id: str, is_made_anew: bool
) -> None:
    with closing(begin(spool, run_id, NO_ADDRESS)) as stream:
        log_points(stream, [0])
        process = shipper.start()
        assert until(lambda: bool(shipper.events("failed")))
        spool.rename(spool.with_name("deleted"))
        shutil.rmtree(spool.with_name("deleted"))
        if is_made_anew:
            spool.mkdir()
            shipper_lock(spool).touch()
        assert process.wait(60) == 0
    assert spool.exists() == is_made_anew


def test_lock_says_who_has_it(spool: Path, shipper: Shipper) -> None:
    lock = SpoolLock(spool)
    assert lock.holder() is None
    process = shipper.start("--watch", "--to", NO_ADDRESS)
    holder = wait_for_shipper(spool)
    assert (holder.pid, holder.host, holder.offline_address) == (process.pid, os.uname().nodename, NO_ADDRESS)
    assert shipper.end() == 0
    assert lock.holder() is None
