"""The shipper as a process, and a real server: what is in the spool arrives, once, and the spool is empty."""

import json
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
from tests.client.scripted_server import ScriptedServer, abort
from tests.client.shipper.shipping import (
    NO_ADDRESS,
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
from trackwire.errors import ERRORS_BY_CODE, DeadlineExceededError, TrackwireError, UnavailableError
from trackwire.internal.v1 import errors_pb2
from trackwire.shipper.lock import SpoolLock
from trackwire.shipper.patience import waits_out
from trackwire.shipper.rejected import read_rejections
from trackwire.shipper.shipping import STREAMS_AT_A_TIME
from trackwire.spool.delivered import Delivered
from trackwire.spool.places import absence_of, shipper_lock
from trackwire.spool.stream import SpoolStream
from trackwire.v1 import metrics_pb2, runs_pb2

ONCE = ("--once", "--timeout-seconds", "40")


@pytest.fixture
def run_id() -> str:
    return uuid.uuid4().hex


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
    assert shipper.run("--watch", timeout_seconds=20) == 0
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


def test_refused_record_is_kept_with_the_servers_words_and_those_behind_it_arrive(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    log_params(stream, lr="0.1")
    log_points(stream, [0])
    log_params(stream, lr="0.2")
    log_points(stream, [1])
    assert shipper.run(*ONCE) == 0
    # The next shipper has to name the last that stands, and not the last.
    log_params(stream, lr="0.3")
    assert shipper.run(*ONCE) == 0
    log_points(stream, [2])
    finish(stream)
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id) == [0, 1, 2]
    assert client.get_run(run_id).params["lr"] == "0.1"
    first, second = read_rejections(stream.place)
    assert (first.sequence, first.kind, second.sequence) == (4, "LOG_PARAMS", 6)
    assert first.reason == "PARAM_ALREADY_SET"
    assert "0.2" in first.message
    assert stream.delivered().rejected_records == 2
    assert not shipper.events("server_forgot")
    # Nothing but that is left; and once somebody has told of it, the folder goes.
    assert stream.place.segments() == []
    for path in stream.place.rejected_folder.iterdir():
        path.unlink()
    assert shipper.run(*ONCE) == 0
    assert not stream.place.folder.exists()


def test_points_of_a_deleted_run_are_kept_and_counted(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    log_points(stream, [0])
    assert shipper.run(*ONCE) == 0
    client.delete_run(run_id)
    for number in range(1, 40):
        log_points(stream, [number, number])
    stream.close()
    assert shipper.run(*ONCE) == 0
    rejections = list(read_rejections(stream.place))
    assert [rejection.sequence for rejection in rejections] == list(range(3, 42))
    assert sum(rejection.points for rejection in rejections) == 78
    client.restore_run(run_id)
    assert stored_values(live.address, run_id) == [0]


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
    # One server that is away holds up nobody else's streams.
    assert shipper.run("--once", "--timeout-seconds", "3") == 1
    assert stored_values(live.address, run_id) == [1]
    assert away.delivered().sequence == 0
    shipper.start("--idle-seconds", "0")
    assert not until(lambda: shipper.process is not None and shipper.process.poll() is not None, seconds=3)
    assert shipper.end(signal.SIGTERM) == 0
    assert away.place.segments()


def test_damage_is_told_of_once_and_all_else_arrives(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    sizes = [damage_at(stream)]
    for number in range(20):
        log_points(stream, [number])
        sizes.append(damage_at(stream))
    segment = stream.place.segment_path(1)
    data = bytearray(segment.read_bytes())
    data[sizes[5] + 30] ^= 0xFF
    segment.write_bytes(data)
    assert shipper.run(*ONCE) == 0
    assert shipper.run(*ONCE) == 0
    stream.close()
    assert shipper.run(*ONCE) == 0
    assert stored_values(live.address, run_id) == [number for number in range(20) if number != 5]
    (line,) = shipper.events("damaged")
    assert f" path={segment} offset={sizes[5]} length_bytes={sizes[6] - sizes[5]} " in line
    (note,) = stream.place.rejected_folder.glob("damage-*.json")
    assert json.loads(note.read_text())["offset"] == sizes[5]
    assert not shipper.events("server_forgot")


def damage_at(stream: SpoolStream) -> int:
    return stream.place.segment_path(1).stat().st_size


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


def test_upload_whose_snapshot_is_gone_or_changed_is_refused_and_the_run_still_ends(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    for name in ("1", "2", "3"):
        spool_file(stream, name, name.encode() * 1000, f"file{name}")
    (stream.place.files_folder / "1").unlink()
    (stream.place.files_folder / "2").write_bytes(b"x" * 1000)
    finish(stream)
    assert shipper.run(*ONCE) == 0
    assert [artifact.path for artifact in client.list_artifacts(run_id)] == ["file3"]
    assert [rejection.reason for rejection in read_rejections(stream.place)] == [
        "SNAPSHOT_UNREADABLE",
        "CHECKSUM_MISMATCH",
    ]
    assert client.get_run(run_id).status == runs_pb2.RUN_STATUS_FINISHED


def test_what_was_settled_but_not_noted_down_before_a_kill_is_not_settled_otherwise(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    log_params(stream, lr="0.1")
    log_params(stream, lr="0.2")
    spool_file(stream, "1", b"one", "file")
    log_points(stream, [0, 1])
    assert shipper.run(*ONCE) == 0
    settled = stream.delivered()
    assert settled == Delivered(5, 2, 1)
    (refused,) = read_rejections(stream.place)
    stream.place.delivered_file.write(Delivered())
    # The server knows successors of what it has refused, and would take it for stored if it came again.
    assert shipper.run(*ONCE) == 0
    assert stream.delivered() == settled
    assert list(read_rejections(stream.place)) == [refused]
    assert client.read_artifact(run_id, "file") == b"one"
    assert stored_values(live.address, run_id) == [0, 1]
    stream.close()


def test_what_is_no_trackwire_server_is_waited_out(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str
) -> None:
    stream = begin(spool, run_id, scripted.address)
    log_points(stream, [0])
    stream.close()
    assert shipper.run("--once", "--timeout-seconds", "2") == 1
    assert not shipper.events("refused")
    assert "does not know this call" in shipper.events("failed")[0]
    assert stream.delivered().sequence == 0


STRANGERS = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
)


@pytest.mark.parametrize("code", STRANGERS)
def test_what_no_trackwire_server_says_is_waited_out_and_told(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str, code: grpc.StatusCode
) -> None:
    foreign = errors_pb2.ErrorInfo(reason="NO_ROUTE", domain="proxy.example")
    scripted.on("CreateRun", lambda _request, context: abort(context, code, "nothing here", foreign) or b"")
    scripted.on_message("UpdateRun", runs_pb2.UpdateRunResponse())
    stream = begin(spool, run_id, scripted.address)
    finish(stream)
    shipper.start(*ONCE)
    assert until(lambda: len(scripted.requests) >= 3)
    assert code.name in (absence_of(spool, scripted.address) or "")
    assert "as no Trackwire server does (nothing here)" in shipper.events("failed")[0]
    scripted.on_message("CreateRun", runs_pb2.CreateRunResponse())
    assert shipper.process is not None
    assert shipper.process.wait(30) == 0
    assert not shipper.events("refused")
    assert not list((spool / "streams").iterdir())


@pytest.mark.parametrize("error_class", ERRORS_BY_CODE.values())
def test_only_a_trackwire_server_can_refuse(error_class: type[TrackwireError]) -> None:
    assert waits_out(error_class("no"))
    assert waits_out(error_class("no", reason="BECAUSE")) == (error_class in (UnavailableError, DeadlineExceededError))


def test_record_that_grpc_does_not_send_is_refused_and_those_behind_it_arrive(
    spool: Path, shipper: Shipper, live: ServerProcess, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    set_tags(stream, large="x" * (33 * 1024 * 1024))
    log_points(stream, [0])
    finish(stream)
    assert shipper.run(*ONCE) == 0
    (refused,) = read_rejections(stream.place)
    assert refused.reason == "MESSAGE_TOO_LARGE"
    assert stored_values(live.address, run_id) == [0]


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
    assert until(lambda: stored_values(live.address, run_id) == [0, 1], seconds=2)
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
    assert shipper.run("--watch", "--parent-pid", str(process.pid), timeout_seconds=20) == 0
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
        assert process.wait(20) == 0
    assert spool.exists() == is_made_anew


def test_lock_says_who_has_it(spool: Path, shipper: Shipper) -> None:
    lock = SpoolLock(spool)
    assert lock.holder() is None
    process = shipper.start("--watch", "--to", NO_ADDRESS)
    holder = wait_for_shipper(spool)
    assert (holder.pid, holder.host, holder.offline_address) == (process.pid, os.uname().nodename, NO_ADDRESS)
    assert shipper.end() == 0
    assert lock.holder() is None
