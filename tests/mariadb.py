"""A real MariaDB, of these tests' own: started when it is first asked for, gone with the process."""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

_PROGRAMS = ("mariadb-install-db", "mariadbd", "mariadb")
_START_SECONDS = 60
_IN_MEMORY = "/dev/shm"
# What is killed here are processes, not the machine.
_OPTIONS = (
    "--skip-networking",
    "--max-allowed-packet=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-log-file-size=256M",
    "--innodb-buffer-pool-size=256M",
    # Of another language than ours, as servers are by default.
    "--character-set-server=latin1",
    "--collation-server=latin1_swedish_ci",
)


@dataclass(frozen=True)
class MariaDb:
    """A server in a folder of its own."""

    folder: Path

    def uri(self, database: str) -> str:
        """That of a database there."""
        return f"mariadb://root@localhost/{database}?unix_socket={self.folder}/socket"

    def say(self, statement: str) -> str:
        """What the server answers to a statement of its administrator's."""
        client = ["mariadb", "--no-defaults", f"--socket={self.folder}/socket", "--user=root", "--batch"]
        ran = subprocess.run([*client, "--execute", statement], check=True, capture_output=True, text=True, timeout=60)
        return ran.stdout


@contextmanager
def fresh_database() -> Iterator[str]:
    """The URI of an empty database. Skips the test where there is no MariaDB."""
    name = f"test_{uuid.uuid4().hex}"
    server = running()
    server.say(f"CREATE DATABASE {name}")
    try:
        yield server.uri(name)
    finally:
        server.say(f"DROP DATABASE {name}")


def running() -> MariaDb:
    """The server. Skips the test where there is no MariaDB."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    missing = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"needs a MariaDB server: {', '.join(missing)} not found")
    return _started(path)


@cache
def _started(path: str) -> MariaDb:
    install, server, _ = (str(shutil.which(name, path=path)) for name in _PROGRAMS)
    # A short path: sockets lie there, whose names have at most a hundred characters. In memory where that is to be had:
    # each of a schema's tables is a file that is synced.
    folder = Path(tempfile.mkdtemp(prefix="trackwire-mariadb-", dir=_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # A server that starts removes what others have in the folder of temporary files.
    (folder / "tmp").mkdir()
    places = ["--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}/tmp"]
    as_root = ["--user=root"] if os.getuid() == 0 else []
    prepare = [install, *places, *as_root, "--auth-root-authentication-method=normal", "--skip-test-db"]
    prepared = subprocess.run(prepare, capture_output=True, text=True, timeout=_START_SECONDS)
    if prepared.returncode != 0:
        raise RuntimeError(prepared.stdout + prepared.stderr)
    with (folder / "log").open("wb") as log:
        begun = subprocess.Popen(
            [server, *places, *as_root, *_OPTIONS, f"--socket={folder}/socket", f"--pid-file={folder}/pid"],
            stdout=log,
            stderr=log,
        )
    atexit.register(_stop, begun)
    started = MariaDb(folder)
    _wait_for(started, begun)
    return started


def _memory() -> str | None:
    return _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None


def _wait_for(server: MariaDb, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.say("SELECT 1")
            return
        except subprocess.CalledProcessError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((server.folder / "log").read_text()) from error
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
