"""The server of a data directory: the one that runs there already, or one started for as long as it is needed."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.digits.interrupts import deferred
from examples.digits.options import DEFAULT_HTTP_PORT, DEFAULT_PORT

from trackwire import Client, TrackwireError

START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 20.0
LOG_LINES_SHOWN = 15


class ServerNotStartedError(Exception):
    """The server ended, or said nothing, before it was ready."""


@dataclass(slots=True)
class RunningServer:
    """A server that answers. `is_ours` tells that it was started here; `is_kept`, that it goes on when we are done.

    `url` is that of its HTTP port; empty where that is off.
    """

    address: str
    url: str
    pid: int
    is_ours: bool
    is_kept: bool = False


@contextmanager
def running_server(data_dir: Path, port: int | None = None) -> Iterator[RunningServer]:
    """The server of this data directory. One that is started here is stopped at the end, unless `is_kept` is set.

    Raises ServerNotStartedError, also if one runs there already on another port than the one asked for.
    """
    found = _answering_server(data_dir)
    if found is not None:
        _require_port(found, data_dir, port)
        yield found
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    log_start = _log_path(data_dir).stat().st_size if _log_path(data_dir).exists() else 0
    process: subprocess.Popen[bytes] | None = None
    is_kept = False
    try:
        with deferred():
            process = _launch(data_dir, port)
        server = _wait_until_ready(process, data_dir, log_start)
        yield server
        is_kept = server.is_kept
    finally:
        if process is not None and not is_kept:
            _stop(process)


def _launch(data_dir: Path, port: int | None) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("trackwire")), "server", "--data-dir", str(data_dir)]
    if "TRACKWIRE_HTTP_PORT" not in os.environ and not _is_free(DEFAULT_HTTP_PORT):
        command += ["--http-port", "0"]
    if port is not None:
        command += ["--port", str(port)]
    elif "TRACKWIRE_PORT" not in os.environ and not _is_free(DEFAULT_PORT):
        command += ["--port", "0"]
    with _log_path(data_dir).open("ab") as log:
        # A session of its own: Ctrl-C is for us, and we stop the server once its clients are gone.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def _require_port(found: RunningServer, data_dir: Path, port: int | None) -> None:
    # Port 0 asks for any.
    if port and found.address.rpartition(":")[2] != str(port):
        raise ServerNotStartedError(
            f"--port: {port}: the server of {data_dir} runs already, at {found.address};"
            f" `kill {found.pid}` stops it, and without --port it is used as it is"
        )


def _wait_until_ready(process: subprocess.Popen[bytes], data_dir: Path, log_start: int) -> RunningServer:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        server = _answering_server(data_dir)
        if server is not None:
            server.is_ours = server.pid == process.pid
            return server
        time.sleep(0.05)
    ended = f"ended with status {process.poll()}" if process.poll() is not None else "is not ready"
    with _log_path(data_dir).open("rb") as log:
        log.seek(log_start)
        lines = log.read().decode(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    raise ServerNotStartedError("\n".join([f"the server {ended}; {_log_path(data_dir)} says:", *lines]))


def _answering_server(data_dir: Path) -> RunningServer | None:
    try:
        announced = json.loads((data_dir / "server.json").read_text())
        address, url, pid = str(announced["address"]), str(announced.get("url", "")), int(announced["pid"])
        # A server that was killed leaves its announcement behind.
        with Client(address, timeout_seconds=2) as client:
            is_serving = client.check_health() == "SERVING"
    except (OSError, ValueError, KeyError, TrackwireError):
        # Whatever is wrong there, the server that is started next says it better.
        return None
    return RunningServer(address, url, pid, is_ours=False) if is_serving else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _log_path(data_dir: Path) -> Path:
    return data_dir / "server.log"
