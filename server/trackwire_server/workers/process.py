"""One worker process, from its supervisor's side."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trackwire_server.workers.place import Place, Ready

FLAG = "--worker"


class WorkerEndedEarly(Exception):
    """A worker ended before it was ready; it has said why on stderr."""

    def __init__(self, status: int):
        super().__init__(said(status))
        self.status = status


class WorkerProcess:
    """Starts again and again as the same worker; one process at a time."""

    def __init__(self, number: int, count: int, folder: Path, arguments: Sequence[str]):
        self.number = number
        self._count = count
        self._folder = folder
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._lifeline: socket.socket | None = None
        self._started = 0.0

    @property
    def pid(self) -> int:
        """That of the last process."""
        assert self._process is not None
        return self._process.pid

    @property
    def lived_seconds(self) -> float:
        """Since it was started last."""
        return time.monotonic() - self._started

    async def start(self) -> Ready:
        """Starts it and waits until it serves. Raises WorkerEndedEarly."""
        ours, theirs = socket.socketpair()
        self._drop_lifeline()
        self._lifeline, self._started = ours, time.monotonic()
        place = Place(self.number, self._count, self._folder, theirs.fileno())
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "trackwire_server", *self._arguments, FLAG, place.as_text()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C in a terminal is meant for the supervisor, and a worker takes a second signal for an order.
                start_new_session=True,
            )
        ours.setblocking(False)
        line = await _line_from(ours)
        if not line.endswith(b"\n"):
            raise WorkerEndedEarly(await self.wait())
        return Ready.of_line(line)

    async def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """Has it stop in its own time, and waits for that."""
        if self._process is not None:
            self.send(signal.SIGTERM)
            await self._process.wait()
        self._drop_lifeline()

    def _drop_lifeline(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()


async def _line_from(source: socket.socket) -> bytes:
    """A line, or as much of it as came before the end."""
    loop, line = asyncio.get_running_loop(), b""
    while not line.endswith(b"\n"):
        more = await loop.sock_recv(source, 4_096)
        if not more:
            break
        line += more
    return line


def said(status: int) -> str:
    """An exit status in words."""
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
