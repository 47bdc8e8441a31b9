"""The server put together: the one module that knows every folder, and the server's life from start to stop."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from structlog.typing import FilteringBoundLogger

from trackwire_server import logs
from trackwire_server.config import MEMORY, Config
from trackwire_server.core.clock import system_clock
from trackwire_server.core.stores import ByteStore, GarbageStore, UploadStore
from trackwire_server.data_dir import claimed
from trackwire_server.rpc.server import Door, RpcServer, ServerOptions


async def serve(config: Config) -> None:
    """The server's life: start, serve until a signal comes, drain, stop. Raises TrackwireError if it can't start."""
    log = logs.configure(level=config.log_level, log_format=config.log_format)
    stop = _stop_signal(log)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(claimed(config.data_dir))
        stores = await _open_stores(config, stack)
        server = RpcServer(await _doors(config, stores, stack, log), _options(config), log)
        address = await server.start()
        # From here the way back is: health says NOT_SERVING, no new calls, endless streams end, calls under way are
        # waited for; then the stack ends background tasks, writes what is queued, closes the stores, frees the folder.
        stack.push_async_callback(server.stop, config.drain_seconds)
        directory.announce(address)
        _announce(config, stores, address)
        await stop.wait()
        log.info("trackwire server draining", drain_seconds=config.drain_seconds)
    log.info("trackwire server stopped")


def installed_version() -> str:
    """The version of the distribution; a tree that is not installed has none."""
    try:
        return version("trackwire")
    except PackageNotFoundError:
        return "0+uninstalled"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loops where it is installed; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _stop_signal(log: FilteringBoundLogger) -> asyncio.Event:
    """Is set by the first SIGTERM or SIGINT; the second one ends the process at once."""
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(128 + number)
        log.info("signal received: a second one ends the server at once", signal=number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    return stop


def _options(config: Config) -> ServerOptions:
    return ServerOptions(
        host=config.host, port=config.port, connection_age_seconds=config.connection_age_seconds or None
    )


@dataclass(frozen=True, slots=True)
class Stores:
    """All that is kept, wherever it is kept."""

    kind: str
    schema_version: int
    uploads: UploadStore
    garbage: GarbageStore
    artifacts: ByteStore


async def _open_stores(config: Config, stack: AsyncExitStack) -> Stores:
    artifacts = await _open_artifacts(config, stack)
    if config.store_uri == MEMORY:
        return _memory_stores(artifacts)
    return await _sql_stores(config.store_uri, artifacts, stack)


async def _open_artifacts(config: Config, stack: AsyncExitStack) -> ByteStore:
    if config.artifacts_folder is None:
        from trackwire_server.stores.memory.artifacts import MemoryByteStore

        return MemoryByteStore(system_clock)
    from trackwire_server.stores.files import FileByteStore

    files = await FileByteStore.open(config.artifacts_folder)
    stack.push_async_callback(files.close)
    return files


def _memory_stores(artifacts: ByteStore) -> Stores:
    from trackwire_server.stores.memory.artifacts import MemoryUploadStore
    from trackwire_server.stores.memory.garbage import MemoryGarbage
    from trackwire_server.stores.memory.state import MemoryState

    state = MemoryState.fresh(now_ms=system_clock())
    uploads = MemoryUploadStore(state)
    return Stores(
        kind="memory",
        schema_version=0,
        uploads=uploads,
        garbage=MemoryGarbage(state, uploads),
        artifacts=artifacts,
    )


async def _sql_stores(store_uri: str, artifacts: ByteStore, stack: AsyncExitStack) -> Stores:
    from trackwire_server.stores.sql.artifacts import SqlUploadStore
    from trackwire_server.stores.sql.database import Database
    from trackwire_server.stores.sql.garbage import SqlGarbage

    database = await Database.open(store_uri)
    stack.push_async_callback(database.close)
    return Stores(
        kind=database.dialect.name,
        schema_version=await database.schema_version(),
        uploads=SqlUploadStore(database),
        garbage=SqlGarbage(database),
        artifacts=artifacts,
    )


async def _doors(config: Config, stores: Stores, stack: AsyncExitStack, log: FilteringBoundLogger) -> Sequence[Door]:
    return ()


def _announce(config: Config, stores: Stores, address: str) -> None:
    logs.announce(
        "trackwire server ready",
        log_format=config.log_format,
        address=address,
        store=stores.kind,
        data_dir=config.data_dir,
        artifacts=config.artifacts_uri,
        version=installed_version(),
        pid=os.getpid(),
    )
