"""Sees to it that somebody ships a spool: a process of its own, found by its lock and started where there is none."""

import subprocess
import sys
import time
from pathlib import Path

from trackwire.fluent.settings import Destination
from trackwire.spool.places import is_locked, shipper_lock

LOG_NAME = "shipper.log"
# A look costs some microseconds; a shipper that has just ended has looked itself before it went.
LOOK_INTERVAL_SECONDS = 1.0

_next_look: dict[Path, float] = {}
_started: list[subprocess.Popen[bytes]] = []


def keep_shipping(destination: Destination) -> None:
    """Starts a shipper where one is needed and none is there; looks at most once a second. Never waits."""
    if not destination.address:
        return
    now = time.monotonic()
    if now < _next_look.get(destination.spool, 0.0):
        return
    _next_look[destination.spool] = now + LOOK_INTERVAL_SECONDS
    _reap()
    if not is_locked(shipper_lock(destination.spool)):
        _start(destination.spool)


def _start(spool: Path) -> None:
    """In a session of its own and with no open file of ours: it outlives the training, and holds up no pipe's end."""
    spool.mkdir(parents=True, exist_ok=True)
    # -P: a file of the training's folder that is called as a library is not it.
    with (spool / LOG_NAME).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trackwire.shipper", "--spool", str(spool)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _started.append(process)


def _reap() -> None:
    """Shippers of ours that have ended leave the table of processes."""
    _started[:] = [process for process in _started if process.poll() is None]
