"""The server as a process: how it starts, what it refuses, and how it stops."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.conftest import ROOT, ServerProcess

from trackwire.v1 import artifacts_pb2, artifacts_pb2_grpc, metrics_pb2, metrics_pb2_grpc, runs_pb2, runs_pb2_grpc

MakeServer = Callable[..., ServerProcess]
FIRST_CALL_SECONDS = 1.5
# Other processes share the cores: what is asserted is that nothing waits for seconds, the figure itself is printed.
FIRST_CALL_SECONDS_ON_A_BUSY_MACHINE = 15.0


def check_health(address: str, *, timeout_seconds: float = 60) -> int:
    """What health says of the whole server."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest()
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_seconds, wait_for_ready=True)
    return int(answer.status)


def refused(server: ServerProcess) -> tuple[int, str]:
    """The exit status and the words of a server that doesn't start."""
    process = server.launch()
    try:
        status = process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
    return status, server.log_text()


def test_ready_line_and_server_file_name_the_port_that_was_chosen(server_process: ServerProcess) -> None:
    assert server_process.ready_line.startswith(f"trackwire server ready  address={server_process.address} ")
    host, _, port = server_process.address.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    assert server_process.process is not None
    told = json.loads((server_process.data_dir / "server.json").read_text())
    assert told == {"pid": server_process.process.pid, "address": server_process.address}
    assert check_health(server_process.address) == health_pb2.HealthCheckResponse.SERVING


def test_json_format_announces_and_logs_json(make_server_process: MakeServer) -> None:
    server = make_server_process("--log-format", "json")
    address = server.start()
    assert json.loads(server.ready_line)["address"] == address
    assert server.stop() == 0
    events = [json.loads(line)["event"] for line in server.log_text().splitlines()]
    assert events[-1] == "trackwire server stopped"


def test_debug_level_logs_one_line_a_request(make_server_process: MakeServer) -> None:
    server = make_server_process("--log-level", "debug")
    check_health(server.start())
    assert server.stop() == 0
    lines = [line for line in server.log_text().splitlines() if "method=/grpc.health.v1.Health/Check" in line]
    assert len(lines) == 1
    assert "code=OK duration_ms=" in lines[0]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_signal_drains_and_exits_with_0(server_process: ServerProcess, signal_number: signal.Signals) -> None:
    assert server_process.stop(signal_number) == 0
    assert "trackwire server stopped" in server_process.log_text()
    assert not (server_process.data_dir / "server.json").exists()
    with pytest.raises(grpc.RpcError):
        check_health(server_process.address, timeout_seconds=0.2)


def test_endless_stream_does_not_hold_up_the_stop(make_server_process: MakeServer) -> None:
    server = make_server_process("--drain-seconds", "60")
    with grpc.insecure_channel(server.start()) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        started = time.perf_counter()
        assert server.stop() == 0
        assert time.perf_counter() - started < 10
        with pytest.raises(grpc.RpcError) as caught:
            for _ in watch:
                pass
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_what_was_acknowledged_before_the_stop_is_there_after_the_next_start(make_server_process: MakeServer) -> None:
    first = make_server_process()
    with grpc.insecure_channel(first.start()) as channel:
        runs_pb2_grpc.RunServiceStub(channel).CreateRun(runs_pb2.CreateRunRequest(run_id="r1"))
        metrics = metrics_pb2_grpc.MetricServiceStub(channel)
        tail = metrics.TailMetrics(metrics_pb2.TailMetricsRequest(run_ids=["r1"]))
        next(tail)
        points = [metrics_pb2.MetricPoint(key="loss", step=step, value=step / 10) for step in range(100)]
        metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id="r1", points=points))
        assert first.stop() == 0
        with pytest.raises(grpc.RpcError) as caught:
            list(tail)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    second = make_server_process()
    with grpc.insecure_channel(second.start()) as channel:
        metrics = metrics_pb2_grpc.MetricServiceStub(channel)
        answers = list(metrics.ReadMetrics(metrics_pb2.ReadMetricsRequest(run_ids=["r1"])))
    assert [value for answer in answers for value in answer.values] == [step / 10 for step in range(100)]
    assert second.stop() == 0


def test_second_signal_ends_the_server_at_once(make_server_process: MakeServer) -> None:
    server = make_server_process("--drain-seconds", "600")
    begun, release = threading.Event(), threading.Event()

    def parts() -> Iterator[artifacts_pb2.UploadArtifactRequest]:
        header = artifacts_pb2.UploadHeader(upload_id="u", run_id="r1", path="a", size_bytes=9)
        yield artifacts_pb2.UploadArtifactRequest(header=header)
        begun.set()
        release.wait(30)

    with grpc.insecure_channel(server.start()) as channel:
        runs = runs_pb2_grpc.RunServiceStub(channel)
        runs.CreateRun(runs_pb2.CreateRunRequest(run_id="r1"))
        upload = artifacts_pb2_grpc.ArtifactServiceStub(channel).UploadArtifact.future(parts())
        # What a connection brings is taken up in its order: once this is answered the upload is under way.
        assert begun.wait(60)
        runs.GetRun(runs_pb2.GetRunRequest(run_id="r1"))
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        # Two that come at once are one.
        while "signal received" not in server.log_text():
            assert server.process.poll() is None
            time.sleep(0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)
        assert server.stop(signal.SIGTERM) == 128 + signal.SIGTERM
        release.set()
        assert upload.exception(60) is not None


def test_second_server_on_the_same_data_directory_is_refused(
    server_process: ServerProcess, make_server_process: MakeServer, tmp_path: Path
) -> None:
    status, words = refused(make_server_process(data_dir=server_process.data_dir))
    assert status == 1
    assert server_process.process is not None
    assert f"pid {server_process.process.pid} on {socket.gethostname()}" in words
    assert str(server_process.data_dir) in words
    assert check_health(server_process.address) == health_pb2.HealthCheckResponse.SERVING


def test_server_starts_again_after_being_killed(make_server_process: MakeServer) -> None:
    first = make_server_process()
    first.start()
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = make_server_process()
    assert check_health(second.start()) == health_pb2.HealthCheckResponse.SERVING
    assert second.stop() == 0


def test_port_that_is_taken_is_refused_by_name(server_process: ServerProcess, make_server_process: MakeServer) -> None:
    port = server_process.address.rpartition(":")[2]
    server = make_server_process("--port", port, data_dir=server_process.data_dir.parent / "other")
    status, words = refused(server)
    assert status == 1
    assert words == f"trackwire server: port {port} of 127.0.0.1 is taken; choose another with --port\n"
    assert not server.data_dir.exists()


def test_port_taken_by_a_server_that_follows_a_killed_one_is_refused(make_server_process: MakeServer) -> None:
    first = make_server_process()
    port = first.start().rpartition(":")[2]
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    with socket.create_server(("127.0.0.1", int(port))):
        status, words = refused(make_server_process("--port", port))
    assert status == 1
    assert words.endswith(f"port {port} of 127.0.0.1 is taken; choose another with --port\n")
    assert "add_port" not in words


@pytest.mark.parametrize(
    ("host", "words"),
    [("192.0.2.1", "Cannot assign requested address"), ("host.invalid", "can't be listened on")],
)
def test_host_that_is_not_ours_is_refused_by_name(make_server_process: MakeServer, host: str, words: str) -> None:
    server = make_server_process("--host", host, "--port", "5051", "--insecure")
    status, text = refused(server)
    assert status == 2
    warning, refusal = text.splitlines()
    assert "--insecure" in warning
    assert refusal.startswith(f"trackwire server: host and port: '{host}:5051': can't be listened on: ")
    assert words in refusal
    assert not server.data_dir.exists()


def test_ready_line_tells_a_data_directory_that_did_not_exist(make_server_process: MakeServer) -> None:
    for is_new in (True, False):
        server = make_server_process()
        server.start()
        assert (f'note="new data directory: {server.data_dir} did not exist"' in server.ready_line) is is_new
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--port", "65536"), {}, "--port: '65536'"),
        ((), {"TRACKWIRE_LOG_LEVEL": "loud"}, "TRACKWIRE_LOG_LEVEL: 'loud'"),
        (("--store-uri", "oracle://there"), {}, "oracle://there"),
        (("--data-dir", "/dev/null/x"), {}, "data_dir: '/dev/null/x'"),
        (("--artifacts-uri", "gopher://there"), {}, "--artifacts-uri: 'gopher://there'"),
    ],
)
def test_bad_setting_is_refused_by_name_and_value(
    make_server_process: MakeServer, arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    status, text = refused(make_server_process(*arguments, **environment))
    assert status == 2
    assert words in text
    assert "Traceback" not in text


def test_database_of_a_newer_version_is_refused(make_server_process: MakeServer) -> None:
    server = make_server_process()
    server.start()
    assert server.stop() == 0
    with sqlite3.connect(server.data_dir / "trackwire.db") as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 0, 9999)")
    connection.close()
    status, words = refused(make_server_process())
    assert status == 1
    assert "schema version 9999" in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to have a header" * 100, b"SQLite format 3\0" + b"\xff" * 8176]
)
def test_corrupt_database_file_is_refused(make_server_process: MakeServer, tmp_path: Path, content: bytes) -> None:
    server = make_server_process()
    server.data_dir.mkdir()
    (server.data_dir / "trackwire.db").write_bytes(content)
    status, words = refused(server)
    assert status == 1
    assert str(server.data_dir / "trackwire.db") in words
    assert "Traceback" not in words
    assert (server.data_dir / "trackwire.db").read_bytes() == content


def test_server_in_memory_leaves_no_database(make_server_process: MakeServer) -> None:
    server = make_server_process("--store-uri", "memory:", "--artifacts-uri", "memory:")
    assert check_health(server.start()) == health_pb2.HealthCheckResponse.SERVING
    assert server.stop() == 0
    assert sorted(path.name for path in server.data_dir.iterdir()) == ["server.lock"]


def test_check_tells_whether_the_server_serves(server_process: ServerProcess) -> None:
    command = [sys.executable, "-m", "trackwire_server", "--check", "--data-dir", str(server_process.data_dir)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))}
    serving = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (serving.returncode, serving.stdout) == (0, f"{server_process.address}: SERVING\n")
    assert server_process.stop() == 0
    gone = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert gone.returncode == 1
    words = (
        f"no server has announced itself in the data directory {server_process.data_dir}; --data-dir names another\n"
    )
    assert gone.stderr == words


@pytest.mark.parametrize(("flag", "value"), [("--port", "5051"), ("--host", "127.0.0.1")])
def test_check_refuses_an_address(tmp_path: Path, flag: str, value: str) -> None:
    command = [sys.executable, "-m", "trackwire_server", "--check", "--data-dir", str(tmp_path), flag, value]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"trackwire server: {flag}: '{value}': can't be given with --check")


def test_first_call_is_answered_soon_after_the_start(
    make_server_process: MakeServer, record_property: Callable[[str, object], None]
) -> None:
    server = make_server_process()
    started = time.perf_counter()
    check_health(server.start())
    seconds = time.perf_counter() - started
    assert server.stop() == 0
    record_property("first_call_seconds", seconds)
    print(f"first call answered {seconds:.2f} s after the start; the goal is {FIRST_CALL_SECONDS} s")
    assert seconds < FIRST_CALL_SECONDS_ON_A_BUSY_MACHINE
