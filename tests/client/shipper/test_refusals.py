"""What the shipper keeps as refused: a Trackwire server's word alone, and damage; all else is waited out."""

import json
from pathlib import Path

import grpc
import pytest
from tests.client.scripted_server import ScriptedServer, abort
from tests.client.shipper.shipping import (
    ONCE,
    Shipper,
    begin,
    finish,
    log_params,
    log_points,
    set_tags,
    spool_file,
    stored_values,
    until,
)
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.errors import (
    ERRORS_BY_CODE,
    DeadlineExceededError,
    PermissionDeniedError,
    TrackwireError,
    UnauthenticatedError,
    UnavailableError,
)
from trackwire.internal.v1 import errors_pb2
from trackwire.shipper.patience import waits_out
from trackwire.shipper.rejected import read_rejections
from trackwire.spool.delivered import Delivered
from trackwire.spool.places import absence_of
from trackwire.spool.stream import SpoolStream
from trackwire.v1 import runs_pb2

STRANGERS = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
)


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
    # What is wrong with a token is wrong with no record.
    passing = (UnavailableError, DeadlineExceededError, UnauthenticatedError, PermissionDeniedError)
    assert waits_out(error_class("no", reason="BECAUSE")) == (error_class in passing)


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
