"""Real servers for every test that needs one, in its event loop or in a process; nothing may outlive its test."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc
import pytest
import structlog
from hypothesis import settings
from structlog.testing import LogCapture
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger
from tests import s3
from tests.file_servers import FileServer, file_server

from trackwire.v1 import (
    admin_pb2_grpc,
    artifacts_pb2_grpc,
    evaluation_datasets_pb2_grpc,
    experiments_pb2_grpc,
    imports_pb2_grpc,
    issues_pb2_grpc,
    logged_models_pb2_grpc,
    metrics_pb2_grpc,
    model_registry_pb2_grpc,
    runs_pb2_grpc,
)
from trackwire_server import app
from trackwire_server.config import Config
from trackwire_server.core.limits import LIMITS
from trackwire_server.rpc.server import Door, RpcServer, ServerOptions
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.sql.database import Database

# The machines are shared: a slow example is no fault of ours.
settings.register_profile("trackwire", deadline=None)
settings.load_profile("trackwire")

# Started in the background, a shell's job ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
NOW_MS = 1_760_000_000_000
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", LIMITS.message_bytes * 2),
    ("grpc.max_send_message_length", LIMITS.message_bytes * 2),
]

StartServer = Callable[..., Awaitable[tuple[RpcServer, str]]]
Serve = Callable[..., Awaitable[grpc.aio.Channel]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What only some tests know."""
    parser.addoption("--pictures", metavar="FOLDER", help="where the tests of the web UI leave pictures of its pages")


# What mlflow makes where it is started, if nobody says where else.
STRAY_STORES = ("mlruns", "mlflow.db", "mlartifacts")


def stray_stores() -> set[str]:
    """Those of mlflow's own stores that lie in the tree."""
    return {name for name in STRAY_STORES if (ROOT / name).exists()}


@pytest.fixture(scope="session")
def known_stray_stores() -> set[str]:
    """Those that lay there before, and those that were told."""
    return stray_stores()


@pytest.fixture(autouse=True)
def no_store_is_made_in_the_tree(known_stray_stores: set[str]) -> Iterator[None]:
    """mlflow takes an `mlruns` that lies there for its store; told once, of the test that ran or one beside it."""
    yield
    made = stray_stores() - known_stray_stores
    known_stray_stores |= made
    assert not made, f"made in {ROOT} by this test, or by one that ran beside it or before it: {made}"


@dataclass(slots=True)
class FakeClock:
    """Time that stands still until a test moves it: a Clock."""

    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, milliseconds: int) -> int:
        """Moves time on; the new time."""
        self.now_ms += milliseconds
        return self.now_ms


@dataclass(slots=True)
class CountedIds:
    """Ids one after the other, as 32 hexadecimal digits: a NewId."""

    count: int = 0

    def __call__(self) -> str:
        self.count += 1
        return f"{self.count:032x}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_id() -> CountedIds:
    return CountedIds()


@pytest.fixture
def log_capture() -> LogCapture:
    return LogCapture()


@pytest.fixture
def log(log_capture: LogCapture) -> FilteringBoundLogger:
    """A logger whose entries are `log_capture.entries`; exceptions also go to stderr, for whoever reads a failure."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, processors=[_show_exception, log_capture], wrapper_class=structlog.make_filtering_bound_logger(10)
    )
    return logger


def _show_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        traceback.print_exc()
    return event


@pytest.fixture
def memory_state(clock: FakeClock) -> MemoryState:
    return MemoryState.fresh(now_ms=clock.now_ms)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh SQLite database."""
    opened = await Database.open(f"sqlite:///{tmp_path}/trackwire.db")
    yield opened
    await opened.close()


@pytest.fixture
async def no_task_is_left() -> AsyncIterator[None]:
    """When the test is over, no task that a server began may be left."""
    before = asyncio.all_tasks()
    yield
    leaked = asyncio.all_tasks() - before - {asyncio.current_task()}
    if leaked:
        # A connection whose call was cancelled closes by itself, a moment later.
        _, leaked = await asyncio.wait(leaked, timeout=10)
    assert not leaked, f"tasks outlived their server: {leaked}"


@pytest.fixture
async def start_server(no_task_is_left: None, log: FilteringBoundLogger) -> AsyncIterator[StartServer]:
    """`await start_server(door, …)` starts a real server on a free port, with just these doors; it and its address."""
    async with AsyncExitStack() as stack:

        async def start(*doors: Door, options: ServerOptions | None = None) -> tuple[RpcServer, str]:
            server = RpcServer(doors, options or ServerOptions(port=0), log)
            address = server.bind()
            stack.push_async_callback(server.stop, 1.0)
            await server.start()
            return server, address

        yield start


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of an S3, for which the environment has credentials from then on."""
    with pytest.MonkeyPatch.context() as patch, s3.endpoint() as url:
        for name, value in s3.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield url


@pytest.fixture
def s3_bucket(s3_endpoint: str) -> str:
    """The name of an empty bucket there."""
    return s3.make_bucket(s3_endpoint)


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """An SFTP server."""
    with file_server("sftp", tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="session")
def ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """An FTP server."""
    with file_server("ftp", tmp_path_factory.mktemp("ftp")) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Stubs:
    """A stub for each service, over one channel."""

    channel: grpc.aio.Channel
    experiments: experiments_pb2_grpc.ExperimentServiceStub
    runs: runs_pb2_grpc.RunServiceStub
    metrics: metrics_pb2_grpc.MetricServiceStub
    artifacts: artifacts_pb2_grpc.ArtifactServiceStub
    model_registry: model_registry_pb2_grpc.ModelRegistryServiceStub
    logged_models: logged_models_pb2_grpc.LoggedModelServiceStub
    issues: issues_pb2_grpc.IssueServiceStub
    evaluation_datasets: evaluation_datasets_pb2_grpc.EvaluationDatasetServiceStub
    imports: imports_pb2_grpc.ImportServiceStub
    admin: admin_pb2_grpc.AdminServiceStub

    @classmethod
    def over(cls, channel: grpc.aio.Channel) -> Self:
        """The stubs over a channel."""
        return cls(
            channel,
            experiments_pb2_grpc.ExperimentServiceStub(channel),
            runs_pb2_grpc.RunServiceStub(channel),
            metrics_pb2_grpc.MetricServiceStub(channel),
            artifacts_pb2_grpc.ArtifactServiceStub(channel),
            model_registry_pb2_grpc.ModelRegistryServiceStub(channel),
            logged_models_pb2_grpc.LoggedModelServiceStub(channel),
            issues_pb2_grpc.IssueServiceStub(channel),
            evaluation_datasets_pb2_grpc.EvaluationDatasetServiceStub(channel),
            imports_pb2_grpc.ImportServiceStub(channel),
            admin_pb2_grpc.AdminServiceStub(channel),
        )


@pytest.fixture(params=["memory", "sqlite"])
async def stubs(
    request: pytest.FixtureRequest, tmp_path: Path, no_task_is_left: None, log: FilteringBoundLogger
) -> AsyncIterator[Stubs]:
    """The whole server, as app.py puts it together, in the test's event loop: once in memory, once on SQLite."""
    in_memory = {"store_uri": "memory:", "artifacts_uri": "memory:"} if request.param == "memory" else {}
    flags = {"data_dir": str(tmp_path), "port": "0", "http_port": "0", "drain_seconds": "1", **in_memory}
    async with AsyncExitStack() as stack:
        served = await app.start(Config.read(flags, {}), stack, log)
        channel = grpc.aio.insecure_channel(served.address, options=CHANNEL_OPTIONS)
        yield Stubs.over(await stack.enter_async_context(channel))


@pytest.fixture
async def serve(start_server: StartServer) -> AsyncIterator[Serve]:
    """`await serve(door, …)` starts a real server with just these doors, and gives a channel to it."""
    async with AsyncExitStack() as stack:

        async def start(*doors: Door, options: ServerOptions | None = None) -> grpc.aio.Channel:
            _, address = await start_server(*doors, options=options)
            return await stack.enter_async_context(grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS))

        yield start


@dataclass(slots=True)
class ServerProcess:
    """`python -m trackwire_server` as a process of its own; ended by its pid and by nothing else."""

    data_dir: Path
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    process: subprocess.Popen[str] | None = None
    address: str = ""
    # Few tests speak HTTP: they ask for a free port by "0".
    http_port: str = "off"
    url: str = ""
    ready_line: str = ""

    @property
    def log_path(self) -> Path:
        """Beside the data directory, so that a server can be refused one."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def launch(self) -> subprocess.Popen[str]:
        """Starts it without waiting for anything."""
        command = [
            *self.prefix,
            sys.executable,
            "-m",
            "trackwire_server",
            "--data-dir",
            str(self.data_dir),
            "--port",
            "0",
            "--http-port",
            self.http_port,
        ]
        path = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
        with self.log_path.open("a") as log_file:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stdout=subprocess.PIPE,
                stderr=log_file,
                text=True,
                env={**os.environ, "PYTHONPATH": path, **self.environment},
            )
        return self.process

    def start(self) -> str:
        """Starts it and waits until it is ready; its address."""
        process = self.launch()
        assert process.stdout is not None
        self.ready_line = process.stdout.readline()
        assert self.ready_line, f"the server ended with {process.wait(10)}:\n{self.log_text()}"
        announced = json.loads((self.data_dir / "server.json").read_text())
        self.address, self.url = announced["address"], announced.get("url", "")
        return self.address

    def stop(self, signal_number: int = signal.SIGTERM, *, timeout_seconds: float = 60) -> int:
        """Ends it, if it still runs, and waits; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            return self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()

    def log_text(self) -> str:
        """What it has written to its log so far."""
        return self.log_path.read_text()


@pytest.fixture
def make_server_process(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """`make_server_process("--log-level", "debug", data_dir=…)`; those still running at the end are ended."""
    made: list[ServerProcess] = []

    def make(
        *arguments: str, data_dir: Path | None = None, prefix: Sequence[str] = (), **environment: str
    ) -> ServerProcess:
        made.append(ServerProcess(data_dir or tmp_path / "data", arguments, environment, prefix))
        return made[-1]

    yield make
    for server in made:
        if server.process is None:
            continue
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
        # Of a server that ended by itself, too: its pipe would wait for the garbage collector.
        if server.process.stdout is not None:
            server.process.stdout.close()


@pytest.fixture
def server_process(make_server_process: Callable[..., ServerProcess]) -> Iterator[ServerProcess]:
    """A server in a process of its own, ready; at the end it must stop cleanly, unless the test has ended it."""
    server = make_server_process()
    server.start()
    yield server
    assert server.process is not None
    if server.process.poll() is None:
        assert server.stop() == 0, server.log_text()
