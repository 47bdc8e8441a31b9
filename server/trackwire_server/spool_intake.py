"""Takes in what trainings leave in a spool beside the server's data: by a shipper, which is a process of the client's.

The client is never imported: its name is an argument of that process, and all that is known here of a spool is where
its segments and its lock lie. The shipper ends by itself when it has nothing to do.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

SPOOL_FOLDER = "spool"
SHIPPER = "trackwire.shipper"
LOG_FILE = "shipper.log"
# The variable in which a shipper finds the token for --to.
OWN_TOKEN = "TRACKWIRE_SHIPPER_TOKEN"
LOOK_SECONDS = 1.0
# A shipper ends after so long without work: a process that waits holds 43 MB.
IDLE_SECONDS = 30.0
# A shipper that fails is started again so much later, then twice that, and so on.
RETRY_SECONDS = 2.0
RETRY_SECONDS_MAX = 60.0
# It lets what is under way settle; all else it can be killed in.
STOP_SECONDS = 5.0

# On this machine a server that listens on all addresses is found on one of them.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}

Segments = Mapping[Path, tuple[int, int, bool]]


@dataclass(frozen=True, slots=True)
class OwnDoor:
    """Where a server that asks for tokens or speaks TLS takes in its own shipper, and by which token."""

    address: str
    secret: str


class SpoolIntake:
    """Starts a shipper whenever there is something new in a spool and nobody who delivers it."""

    def __init__(
        self,
        spool: Path,
        address: str,
        log: FilteringBoundLogger,
        *,
        own_door: OwnDoor | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._spool = spool
        self._own_door = own_door
        self._address = _reachable(address)
        self._log = log
        self._idle_seconds = idle_seconds
        self._shipper: subprocess.Popen[bytes] | None = None
        # What was there before and after a shipper that changed nothing: it waits for whoever writes it.
        self._left: Segments = {}
        self._ending = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks for as long as the context lasts; at its end the shipper is gone."""
        watching = asyncio.create_task(self._watch(), name="spool intake")
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await self._end()

    def let_go(self) -> None:
        """Tells the shipper to end, and doesn't wait: the server answers what it has under way."""
        self._ending = True
        if self._shipper is not None:
            self._shipper.terminate()

    async def _watch(self) -> None:
        if importlib.util.find_spec(SHIPPER) is None:
            self._log.warning("spools are not taken in: the client is not installed", missing=SHIPPER)
            return
        failures = 0
        while not self._ending:
            try:
                failed = await self._take_in()
            except OSError as error:
                failed = True
                self._log.warning("the spool can't be taken in for now", spool=self._spool, error=str(error))
            failures = failures + 1 if failed else 0
            await asyncio.sleep(min(RETRY_SECONDS * 2 ** (failures - 1), RETRY_SECONDS_MAX) if failed else LOOK_SECONDS)

    async def _take_in(self) -> bool:
        """Runs a shipper to its end, where one is needed; whether it has failed."""
        before = await asyncio.to_thread(self._look)
        if not before:
            return False
        shipper = await asyncio.to_thread(self._start)
        self._log.info("taking a spool in", spool=self._spool, pid=shipper.pid)
        status = await asyncio.to_thread(shipper.wait)
        after = await asyncio.to_thread(_segments, self._spool)
        self._left = after if after == before and not status else {}
        if status and not self._ending:
            self._log.warning("the spool's shipper has failed", status=status, log=self._spool / LOG_FILE)
        else:
            self._log.info("the spool's shipper has ended", spool=self._spool, segments_left=len(after))
        return bool(status)

    def _look(self) -> Segments:
        """What there is to deliver; nothing where somebody else sees to it."""
        found = _segments(self._spool)
        return found if found and found != self._left and not _is_locked(self._spool / "shipper.lock") else {}

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._spool / LOG_FILE).open("ab") as log:
            # Not the event loop's own way, by which a process with gRPC's threads would be forked.
            shipper = self._shipper = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", SHIPPER, "--spool", str(self._spool), *self._destination()),
                    # A killed server can't end it, and its address may soon be another's.
                    *("--parent-pid", str(os.getpid()), "--idle-seconds", str(self._idle_seconds)),
                ],
                # A command line is for all to see.
                env=None if self._own_door is None else {**os.environ, OWN_TOKEN: self._own_door.secret},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is meant for the server, which ends it in its own time.
                start_new_session=True,
            )
        if self._ending:
            # It was told so when there was no shipper yet.
            shipper.terminate()
        return shipper

    def _destination(self) -> Sequence[str]:
        """Where streams go that name no server; those that name this machine's port of ours go there as well."""
        if self._own_door is None:
            return "--to", self._address
        return "--to", self._own_door.address, "--own-port", self._address.rpartition(":")[2]

    async def _end(self) -> None:
        self.let_go()
        if self._shipper is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.to_thread(self._shipper.wait)
        except TimeoutError:
            # What it had not heard of is sent again by the next one, and stored once.
            self._shipper.kill()
            await asyncio.to_thread(self._shipper.wait)


def _segments(spool: Path) -> Segments:
    """The files that hold records, each with its size and time and whether its writer lives."""
    found = {}
    for path in spool.glob("streams/*/*.seg"):
        # Delivered and deleted just now.
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found[path] = (status.st_size, status.st_mtime_ns, _is_locked(path.with_name("stream.lock")))
    return found


def _is_locked(path: Path) -> bool:
    """Whether another process has it: a shipper its spool, such as a training's own, or a writer its stream."""
    try:
        with path.open("rb") as lock:
            # Shared: who looks is not taken for a shipper by another who looks.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _reachable(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{_LOOPBACK.get(host, host)}:{port}"
