"""Asks the shipper that a training has started to let go of its spool; trainings that go on start another one."""

import os
import signal
import time
from pathlib import Path

from trackwire.access import fingerprint
from trackwire.shipper.lock import Holder, SpoolLock

# One that ends lets settle what is under way, which takes STOP_SECONDS at the most.
GO_SECONDS = 30.0
_LOOK_SECONDS = 0.05
# With these somebody else has started it, and means it to stay.
_STAYING = {"--to", "--watch", "--once", "--parent-pid"}


def take_over(lock: SpoolLock, spool: Path) -> Holder | None:
    """Takes the lock, also from a shipper that may be asked for it; who keeps it, where that is in vain."""
    deadline = time.monotonic() + GO_SECONDS
    seen = asked = None
    while not lock.take():
        holder = lock.holder()
        # A name is believed at the second look: who has just taken the lock writes over that of another one.
        if holder is not None and holder == seen != asked:
            if not ask_to_go(spool, holder):
                return holder
            asked = holder
        if time.monotonic() >= deadline:
            return holder or Holder()
        seen = holder
        time.sleep(_LOOK_SECONDS)
    return None


def ask_to_go(spool: Path, holder: Holder) -> bool:
    """Whether the holder was asked: it runs on this machine and is known to be such a shipper of this spool."""
    if holder.host != os.uname().nodename or not _is_started_by_a_training(holder.pid, spool):
        return False
    try:
        os.kill(holder.pid, signal.SIGTERM)
    except ProcessLookupError:
        # It has gone by itself.
        return True
    except PermissionError:
        return False
    return True


def has_other_access(holder: Holder) -> bool:
    """Whether a shipper of this process would call with another token, or trust another certificate."""
    return holder.pid != 0 and holder.access != fingerprint()


def _is_started_by_a_training(pid: int, spool: Path) -> bool:
    """By its command, as /proc has it; where there is none nobody is asked."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if "trackwire.shipper" not in command or "--spool" not in command or _STAYING & set(command):
            return False
        return Path(command[command.index("--spool") + 1]).samefile(spool)
    except OSError:
        return False
