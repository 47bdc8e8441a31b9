"""Connections over which artifacts go, and that break."""

import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from tests.conftest import ServerProcess
from tests.mlflow_api.conftest import Rest
from tests.mlflow_api.proxied import SERVER_FOLDER, names, place, put


@pytest.mark.parametrize("head", ["Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n10000\r\n"])
def test_cut_connection_leaves_nothing(rest: Rest, mlflow_server: ServerProcess, head: str) -> None:
    run_id = rest.run()
    put(rest, run_id, "kept", b"before")
    url = urlsplit(rest.url)
    partials = mlflow_server.data_dir / SERVER_FOLDER / ".partial"
    for path in ("new", "kept"):
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(f"PUT {place(run_id, path)} HTTP/1.1\r\nHost: {url.netloc}\r\n{head}".encode())
            connection.sendall(bytes(50_000))
            _wait_for(partials, 1)
        _wait_for(partials, 0)
    assert names(rest, run_id) == ["kept"]
    assert rest.send("GET", place(run_id, "kept")).content == b"before"
    put(rest, run_id, "new", b"again")
    assert rest.send("GET", place(run_id, "new")).content == b"again"


def test_reader_that_goes_away_holds_no_file(rest: Rest, mlflow_server: ServerProcess) -> None:
    run_id = rest.run()
    put(rest, run_id, "f", bytes(32 * 1024 * 1024))
    assert mlflow_server.process is not None
    descriptors = Path(f"/proc/{mlflow_server.process.pid}/fd")

    def is_open() -> bool:
        for link in descriptors.iterdir():
            with suppress(FileNotFoundError):
                if run_id in str(link.readlink()):
                    return True
        return False

    with requests.get(rest.url + place(run_id, "f"), stream=True, timeout=30) as response:
        assert response.raw.read(10) == bytes(10)
        assert is_open()
    deadline = time.monotonic() + 60
    while is_open():
        assert time.monotonic() < deadline, "the file is still open"
        time.sleep(0.01)


def test_killed_server_shows_nothing_of_an_upload(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", http_port="0")
    server.start()
    try:
        rest = Rest(server.url)
        run_id = rest.run()
        put(rest, run_id, "kept", b"before")
        url = urlsplit(rest.url)
        head = f"PUT {place(run_id, 'kept')} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000000\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(head.encode() + bytes(50_000))
            _wait_for(server.data_dir / SERVER_FOLDER / ".partial", 1)
            server.stop(signal.SIGKILL)
        server.start()
        rest = Rest(server.url)
        assert names(rest, run_id) == ["kept"]
        assert rest.send("GET", place(run_id, "kept")).content == b"before"
    finally:
        server.stop()


def _wait_for(folder: Path, entries: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) != entries:
        assert time.monotonic() < deadline, f"{folder} does not come to have {entries} entries"
        time.sleep(0.01)
