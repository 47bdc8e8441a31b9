"""Looks after worker processes: starts them, tells when all are ready, starts again who dies, ends them.

It holds the data directory's lock and the ports; it serves nothing itself, and loads nothing that serves.
"""

import asyncio
import signal
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from trackwire_server import logs, ports
from trackwire_server.announcement import announce_ready
from trackwire_server.config import Config
from trackwire_server.data_dir import DataDirectory, announced_address, claimed
from trackwire_server.exposure import require_guard
from trackwire_server.stop_signals import stop_signal
from trackwire_server.workers.place import Ready
from trackwire_server.workers.process import WorkerEndedEarly, WorkerProcess, said

# A worker that dies is started again after so long, then after twice that, and so on.
RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 30.0
# Who has lived so long is not taken for one that can't live.
CALM_SECONDS = 60.0


async def supervise(config: Config, arguments: Sequence[str]) -> int:
    """The life of all workers; the exit status. Raises TrackwireError if they can't start."""
    log = logs.configure(level=config.log_level, log_format=config.log_format)
    require_guard(config, log)
    # Before anything is made; only where a server is announced, the lock's words are the better ones.
    if announced_address(config.data_dir) is None:
        ports.require_free_ports(config.host, config.port, config.http_port)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(claimed(config.data_dir))
        ports.require_free_ports(config.host, config.port, config.http_port)
        held = _reserve(config, stack)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackwire-workers-")))
        workers = [
            WorkerProcess(number, config.workers, folder, [*arguments, *held]) for number in range(config.workers)
        ]
        stop = stop_signal(log, lambda: _kill_all(workers))
        stack.push_async_callback(_stop_all, workers)
        try:
            ready = await _unless(stop, _start_all(workers))
        except WorkerEndedEarly as ended:
            return ended.status if ended.status > 0 else 1
        if ready is not None:
            _announce(directory, ready)
            announce_ready(config, address=ready.address, url=ready.url, store=ready.store, is_new=directory.is_new)
            await _keep_all(workers, stop, partial(_announce, directory), log)
        log.info("trackwire server stopping its workers", drain_seconds=config.drain_seconds)
    log.info("trackwire server stopped")
    return 0


def _reserve(config: Config, stack: AsyncExitStack) -> Sequence[str]:
    """Holds the ports; the flags that name them, which go before what else names any."""
    rpc = stack.enter_context(ports.reserved(config.host, config.port, ports.GRPC))
    flags = ["--port", str(rpc.getsockname()[1])]
    if config.http_port is not None:
        http = stack.enter_context(ports.reserved(config.host, config.http_port, ports.HTTP))
        flags += ["--http-port", str(http.getsockname()[1])]
    return flags


async def _start_all(workers: Sequence[WorkerProcess]) -> Ready:
    """One first: it brings the schema up to date, or says once why nothing can be served."""
    ready = await workers[0].start()
    await asyncio.gather(*(worker.start() for worker in workers[1:]))
    return ready


def _announce(directory: DataDirectory, ready: Ready) -> None:
    """As the first worker serves; what it opens for this machine alone is another port each time."""
    directory.announce(ready.address, ready.url, inner_address=ready.inner_address)


async def _unless(stop: asyncio.Event, starting: Coroutine[Any, Any, Ready]) -> Ready | None:
    """What is awaited, or None if a stop comes first."""
    begun, stopped = asyncio.create_task(starting), asyncio.create_task(stop.wait())
    await asyncio.wait((begun, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if begun.done():
        return begun.result()
    begun.cancel()
    await asyncio.wait([begun])
    return None


async def _keep_all(
    workers: Sequence[WorkerProcess],
    stop: asyncio.Event,
    announce: Callable[[Ready], None],
    log: FilteringBoundLogger,
) -> None:
    """Until a stop comes."""
    async with asyncio.TaskGroup() as tasks:
        keeping = [
            tasks.create_task(_keep(worker, announce, log), name=f"worker {worker.number}") for worker in workers
        ]
        await stop.wait()
        for task in keeping:
            task.cancel()


async def _keep(worker: WorkerProcess, announce: Callable[[Ready], None], log: FilteringBoundLogger) -> None:
    """Starts a worker again whenever it has ended, the later the sooner it ended."""
    failures, status = 0, await worker.wait()
    while True:
        failures = 1 if worker.lived_seconds >= CALM_SECONDS else failures + 1
        seconds = min(RETRY_SECONDS * 2 ** (failures - 1), RETRY_SECONDS_MAX)
        log.error("a worker has ended and is started again", worker=worker.number, by=said(status), in_seconds=seconds)
        await asyncio.sleep(seconds)
        try:
            ready = await worker.start()
            if worker.number == 0:
                announce(ready)
            log.info("the worker is ready again", worker=worker.number, pid=worker.pid)
            status = await worker.wait()
        except WorkerEndedEarly as ended:
            status = ended.status


async def _stop_all(workers: Sequence[WorkerProcess]) -> None:
    await asyncio.gather(*(worker.stop() for worker in workers))


def _kill_all(workers: Sequence[WorkerProcess]) -> None:
    for worker in workers:
        worker.send(signal.SIGKILL)
