"""A whole server in a process of its own, for a module of tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ServerProcess


@contextmanager
def live_server(folder: Path) -> Iterator[ServerProcess]:
    """Runs a server on a fresh data directory; it must stop cleanly."""
    server = ServerProcess(folder / "data")
    server.start()
    try:
        yield server
    finally:
        assert server.stop() == 0, server.log_text()
