"""Sees to it that somebody ships a spool: a process of its own, found by its lock and started where there is none."""

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trackwire.fluent.settings import Destination
from trackwire.shipper import orphan
from trackwire.spool.places import absence_of, is_locked, shipper_lock

logger = logging.getLogger(__name__)

LOG_NAME = "shipper.log"
# A look costs some microseconds; a shipper that has just ended has looked itself before it went.
LOOK_INTERVAL_SECONDS = 1.0
# One that can't start says in its log why, each time.
START_INTERVAL_SECONDS_MAX = 60.0
# Of two trainings whose tokens are both refused each would end the other's.
ASK_INTERVAL_SECONDS_MAX = 60.0
# Until the process that starts it has ended: where that takes longer, the next look reaps it.
REAP_SECONDS = 1.0
_REAP_POLL_SECONDS = 0.002


@dataclass(slots=True)
class _Watch:
    """What is known of the shippers of one spool."""

    next_look: float = 0.0
    next_start: float = 0.0
    start_interval_seconds: float = LOOK_INTERVAL_SECONDS
    last_holder: bytes = b""
    next_ask: float = 0.0
    ask_interval_seconds: float = LOOK_INTERVAL_SECONDS
    is_told: bool = False


_watches: dict[Path, _Watch] = {}
_started: set[int] = set()


def keep_shipping(destination: Destination) -> None:
    """Starts a shipper where one is needed and none is there; looks at most once a second. Hardly waits.

    Where none can be started, that is told once, and tried again; where those that are started can't
    take the spool, or fail with it, each time after twice the time.
    """
    if not destination.address:
        return
    watch = _watches.setdefault(destination.spool, _Watch())
    now = time.monotonic()
    if now < watch.next_look:
        return
    watch.next_look = now + LOOK_INTERVAL_SECONDS
    _reap()
    try:
        if is_locked(shipper_lock(destination.spool)):
            watch.start_interval_seconds = LOOK_INTERVAL_SECONDS
            watch.next_start = now
            _ask_for_better_access(watch, destination, now)
        elif _is_due(watch, destination.spool, now):
            _start(destination.spool, destination.shipper_idle_seconds)
            watch.next_start = now + watch.start_interval_seconds
            watch.start_interval_seconds = min(2 * watch.start_interval_seconds, START_INTERVAL_SECONDS_MAX)
    except OSError as error:
        if not watch.is_told:
            logger.error("%s: the process that sends it on can't be started: %s", destination.spool, error)
        watch.is_told = True


def _ask_for_better_access(watch: _Watch, destination: Destination, now: float) -> None:
    """Has a shipper go that doesn't reach the server with the token of the training that has started it."""
    if now < watch.next_ask or absence_of(destination.spool, destination.address) is None:
        return
    from trackwire.shipper.asking import ask_to_go, has_other_access
    from trackwire.shipper.lock import SpoolLock

    holder = SpoolLock(destination.spool).holder()
    if holder is not None and has_other_access(holder) and ask_to_go(destination.spool, holder):
        watch.next_ask = now + watch.ask_interval_seconds
        watch.ask_interval_seconds = min(2 * watch.ask_interval_seconds, ASK_INTERVAL_SECONDS_MAX)


def _is_due(watch: _Watch, spool: Path, now: float) -> bool:
    """Whether to start one now: at once where one has had the spool since, and has not failed."""
    try:
        holder = shipper_lock(spool).read_bytes()
    except FileNotFoundError:
        holder = b""
    if holder and holder != watch.last_holder:
        watch.last_holder = holder
        watch.start_interval_seconds = LOOK_INTERVAL_SECONDS
        return True
    return now >= watch.next_start


def _start(spool: Path, idle_seconds: float) -> None:
    """As nobody's child, in a session of its own, with streams of its own: it outlives the training, whose `os.wait()`
    does not know it, and holds no pipe of its open.

    What else it inherits it closes by itself.
    """
    spool.mkdir(parents=True, exist_ok=True)
    log = os.open(spool / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    # -P: a file of the training's folder that is called as a library is not it.
    command = [sys.executable, "-P", "-m", "trackwire.shipper"]
    options = ["--spool", str(spool), "--idle-seconds", str(idle_seconds)]
    try:
        pid = os.posix_spawn(
            sys.executable,
            # It needs nothing but what is built in, and is there a moment only.
            [sys.executable, "-I", "-S", orphan.__file__, *command, *options],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
            # A thread that leaves signals to others is not to make it deaf to them.
            setsigmask=(),
        )
    finally:
        os.close(log)
        os.close(nothing)
    _started.add(pid)
    deadline = time.monotonic() + REAP_SECONDS
    # At once: until then who waits for any child may get this one.
    while _reap() and time.monotonic() < deadline:
        time.sleep(_REAP_POLL_SECONDS)


def _reap() -> bool:
    """Those of ours that have ended leave the table of processes; whether there are others."""
    for pid in list(_started):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            # A child's child: after a fork these are the parent's. Or somebody has waited for all of them.
            ended = pid
        if ended:
            _started.discard(pid)
    return bool(_started)
