"""A worker: a server that shares its ports, was told its place, and ends with its supervisor."""

import asyncio
import socket
from contextlib import AsyncExitStack
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from trackwire_server import app, logs
from trackwire_server.config import Config
from trackwire_server.stop_signals import stop_signal
from trackwire_server.workers.place import Place, Ready


async def serve(config: Config, place: Place) -> None:
    """The worker's life. Raises TrackwireError if it can't start."""
    log: FilteringBoundLogger = logs.configure(level=config.log_level, log_format=config.log_format)
    log = log.bind(worker=place.number)
    stop = stop_signal(log)
    app.calm_garbage_collector()
    async with AsyncExitStack() as stack:
        supervisor = stack.enter_context(socket.socket(fileno=place.socket))
        supervisor.setblocking(False)
        # One delivers what lies in the spool.
        own = replace(config, spool_intake=config.spool_intake and place.number == 0)
        served = await app.start(own, stack, log, place)
        ready = Ready(served.address, served.url, served.services.admin.facts.store, served.inner_address)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        stack.callback(tasks.create_task(_end_with(supervisor, stop, log), name="supervisor").cancel)
        await asyncio.get_running_loop().sock_sendall(supervisor, ready.as_line())
        await stop.wait()
        await app.leave(served, config, log)
    log.info("trackwire worker stopped")


async def _end_with(supervisor: socket.socket, stop: asyncio.Event, log: FilteringBoundLogger) -> None:
    # It never writes: what there is to read is the end of it.
    await asyncio.get_running_loop().sock_recv(supervisor, 1)
    log.warning("the supervisor of this worker is gone: stopping")
    stop.set()
