"""The shipper beats for runs whose writers live, and passes on who should stop: over a real server and real locks."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from tests.client.scripted_server import ScriptedServer
from tests.client.shipper.shipping import Shipper, begin, log_points, until, writing_process
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.fluent.stopping import StopSign
from trackwire.spool.delivered import DeliveredFile
from trackwire.v1 import metrics_pb2, runs_pb2

FAST = ("--heartbeat-seconds", "0.2")
# Longer than an interval, the look before it and the beat's way: who has not beaten by then doesn't.
SILENCE_SECONDS = 2.0


def heartbeat_ms(client: Client, run_id: str) -> int:
    return client.get_run(run_id).heartbeat_time_ms


def beats_on(client: Client, run_id: str) -> bool:
    before = heartbeat_ms(client, run_id)
    return until(lambda: heartbeat_ms(client, run_id) > before)


def is_silent(client: Client, run_id: str) -> bool:
    before = heartbeat_ms(client, run_id)
    time.sleep(SILENCE_SECONDS)
    return heartbeat_ms(client, run_id) == before


def test_run_is_beaten_for_until_its_process_is_killed(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    shipper.start("--watch", *FAST)
    with writing_process(spool, run_id, live.address) as (writer, folder):
        assert until(lambda: DeliveredFile(folder / "delivered").read().points_stored == 50)
        assert beats_on(client, run_id)
        assert beats_on(client, run_id)
        writer.kill()
        writer.wait(10)
    assert until(lambda: not folder.exists())
    # A beat may be under way.
    assert until(lambda: is_silent(client, run_id))
    assert client.get_run(run_id).status == runs_pb2.RUN_STATUS_RUNNING


def test_living_writer_keeps_an_idle_shipper_until_it_ends(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    process = shipper.start("--idle-seconds", "0.5", *FAST)
    assert until(lambda: stream.delivered().sequence == 1)
    time.sleep(SILENCE_SECONDS)
    assert process.poll() is None
    assert beats_on(client, run_id)
    stream.close()
    assert process.wait(20) == 0
    assert not stream.place.folder.exists()


def test_living_offline_writer_is_beaten_for_only_where_there_is_a_server_for_it(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, "")
    assert shipper.run("--idle-seconds", "0.5", *FAST) == 0
    assert stream.delivered().sequence == 0
    shipper.start("--idle-seconds", "0.5", "--to", live.address, *FAST)
    assert until(lambda: stream.delivered().sequence == 1)
    assert beats_on(client, run_id)
    stream.close()


def test_stop_that_is_asked_for_shows_up_in_every_stream_of_the_run(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    streams = [begin(spool, run_id, live.address) for _ in range(2)]
    other = begin(spool, f"{run_id}-other", live.address)
    signs = [StopSign(stream.place) for stream in (*streams, other)]
    shipper.start("--watch", *FAST)
    assert until(lambda: all(stream.delivered().sequence == 1 for stream in (*streams, other)))
    assert beats_on(client, run_id)
    assert not any(sign.is_up() for sign in signs)
    client.request_run_stop(run_id)
    assert until(lambda: all(sign.is_up() for sign in signs[:2]))
    later = begin(spool, run_id, live.address)
    assert until(lambda: later.place.stop_requested)
    assert beats_on(client, f"{run_id}-other")
    assert not other.place.stop_requested
    assert len(shipper.events("stop_requested")) == 3
    for stream in (*streams, other, later):
        stream.close()
    assert until(lambda: not list((spool / "streams").iterdir()))


def test_stop_that_the_disk_does_not_take_is_told_once_and_tried_again(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    stream.place.stop_path.symlink_to(stream.place.stop_path)
    shipper.start("--watch", *FAST)
    assert until(lambda: stream.delivered().sequence == 1)
    client.request_run_stop(run_id)
    assert until(lambda: bool(shipper.events("stop_not_passed_on")))
    assert beats_on(client, run_id)
    stream.place.stop_path.unlink()
    assert until(lambda: stream.place.stop_requested)
    assert len(shipper.events("stop_not_passed_on")) == 1
    stream.close()


def test_run_of_many_streams_is_beaten_for_once_an_interval(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str
) -> None:
    scripted.on_message("CreateRun", runs_pb2.CreateRunResponse())
    scripted.on_message("HeartbeatRun", runs_pb2.HeartbeatRunResponse())
    streams = [begin(spool, run_id, scripted.address) for _ in range(4)]
    began = time.monotonic()
    shipper.start("--watch", "--heartbeat-seconds", "1")
    assert until(lambda: len(scripted.requests_of("HeartbeatRun")) >= 6)
    # The first one needs no second.
    beats, seconds = len(scripted.requests_of("HeartbeatRun")), time.monotonic() - began
    assert beats - 1 <= seconds
    for stream in streams:
        stream.close()


def test_first_beat_comes_after_the_run_is_made_and_a_beat_holds_up_nothing(
    spool: Path, shipper: Shipper, scripted: ScriptedServer, run_id: str
) -> None:
    created, heard = threading.Event(), threading.Event()

    def wait_for(event: threading.Event) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def answer(_request: bytes, _context: grpc.ServicerContext) -> bytes:
            event.wait(60)
            return b""

        return answer

    scripted.on("CreateRun", wait_for(created))
    scripted.on("HeartbeatRun", wait_for(heard))
    scripted.on_message("IngestMetrics", metrics_pb2.IngestMetricsResponse())
    stream = begin(spool, run_id, scripted.address)
    shipper.start("--watch", *FAST)
    assert until(lambda: bool(scripted.requests_of("CreateRun")))
    time.sleep(SILENCE_SECONDS)
    assert not scripted.requests_of("HeartbeatRun")
    created.set()
    assert until(lambda: bool(scripted.requests_of("HeartbeatRun")))
    for number in range(20):
        log_points(stream, [number])
    assert until(lambda: stream.delivered().points_stored == 20)
    time.sleep(SILENCE_SECONDS)
    # The next one waits until this one is answered, or too late.
    assert len(scripted.requests_of("HeartbeatRun")) == 1
    heard.set()
    assert until(lambda: len(scripted.requests_of("HeartbeatRun")) > 2)
    stream.close()


def test_next_shipper_after_a_killed_one_beats_again(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    stream = begin(spool, run_id, live.address)
    shipper.start("--watch", *FAST)
    assert until(lambda: stream.delivered().sequence == 1)
    assert beats_on(client, run_id)
    shipper.end(signal.SIGKILL)
    # A beat may be under way.
    assert until(lambda: is_silent(client, run_id))
    shipper.start("--watch", *FAST)
    assert beats_on(client, run_id)
    stream.close()


def test_beats_go_on_once_a_server_that_was_away_is_back_and_nobody_is_alarmed(
    spool: Path, shipper: Shipper, make_server_process: Callable[..., ServerProcess], run_id: str
) -> None:
    port = str(free_port())
    server = make_server_process("--port", port)
    address = server.start()
    stream = begin(spool, run_id, address)
    shipper.start("--watch", *FAST)
    assert until(lambda: stream.delivered().sequence == 1)
    with Client(address) as client:
        assert beats_on(client, run_id)
    lines = shipper.log_path.read_text()
    assert server.stop(signal.SIGKILL) != 0
    time.sleep(SILENCE_SECONDS)
    again = make_server_process("--port", port, data_dir=server.data_dir)
    assert again.start() == address
    with Client(address) as client:
        assert beats_on(client, run_id)
        client.request_run_stop(run_id)
        assert until(lambda: stream.place.stop_requested)
    assert shipper.process is not None
    assert shipper.process.poll() is None
    added = shipper.log_path.read_text().removeprefix(lines)
    assert " level=warning " not in added
    assert " level=error " not in added
    stream.close()


def test_deleted_run_is_beaten_for_no_more_in_this_life_and_that_is_told_once(
    spool: Path, shipper: Shipper, live: ServerProcess, client: Client, run_id: str
) -> None:
    deleted, other = begin(spool, run_id, live.address), begin(spool, f"{run_id}-other", live.address)
    process = shipper.start("--idle-seconds", "0.5", *FAST)
    assert until(lambda: deleted.delivered().sequence == other.delivered().sequence == 1)
    assert beats_on(client, run_id)
    client.delete_run(run_id)
    assert until(lambda: bool(shipper.events("heartbeats_refused")))
    client.restore_run(run_id)
    assert is_silent(client, run_id)
    assert beats_on(client, f"{run_id}-other")
    (line,) = shipper.events("heartbeats_refused")
    assert f" run={run_id} " in line
    other.close()
    # Its writer lives all the same, and may write.
    time.sleep(SILENCE_SECONDS)
    assert process.poll() is None
    assert shipper.end(signal.SIGTERM) == 0
    shipper.start("--watch", *FAST)
    assert beats_on(client, run_id)
    deleted.close()
