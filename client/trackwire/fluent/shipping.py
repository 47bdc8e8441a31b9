"""Sees to it that somebody ships a spool: a process of its own, found by its lock and started where there is none."""

import logging
import os
import sys
import time
from pathlib import Path

from trackwire.fluent.settings import Destination
from trackwire.spool.places import is_locked, shipper_lock

logger = logging.getLogger(__name__)

LOG_NAME = "shipper.log"
# A look costs some microseconds; a shipper that has just ended has looked itself before it went.
LOOK_INTERVAL_SECONDS = 1.0

_next_look: dict[Path, float] = {}
_started: set[int] = set()
_told: set[Path] = set()


def keep_shipping(destination: Destination) -> None:
    """Starts a shipper where one is needed and none is there; looks at most once a second. Never waits.

    Where none can be started, that is told once, and tried again.
    """
    if not destination.address:
        return
    now = time.monotonic()
    if now < _next_look.get(destination.spool, 0.0):
        return
    _next_look[destination.spool] = now + LOOK_INTERVAL_SECONDS
    _reap()
    try:
        if not is_locked(shipper_lock(destination.spool)):
            _start(destination.spool, destination.shipper_idle_seconds)
    except OSError as error:
        if destination.spool not in _told:
            logger.error("%s: the process that sends it on can't be started: %s", destination.spool, error)
        _told.add(destination.spool)


def _start(spool: Path, idle_seconds: float) -> None:
    """In a session of its own, with streams of its own: it outlives the training, and holds no pipe of its open.

    What else it inherits it closes by itself.
    """
    spool.mkdir(parents=True, exist_ok=True)
    log = os.open(spool / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    # -P: a file of the training's folder that is called as a library is not it.
    command = [sys.executable, "-P", "-m", "trackwire.shipper"]
    try:
        pid = os.posix_spawn(
            sys.executable,
            [*command, "--spool", str(spool), "--idle-seconds", str(idle_seconds)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)
        os.close(nothing)
    _started.add(pid)


def _reap() -> None:
    """Shippers of ours that have ended leave the table of processes."""
    for pid in list(_started):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            # A child's child: after a fork these are the parent's.
            ended = pid
        if ended:
            _started.discard(pid)
