"""Asks the shipper that a training has started to let go of its spool; trainings that go on start another one."""

import os
import signal
from pathlib import Path

from trackwire.shipper.lock import Holder

# With these somebody else has started it, and means it to stay.
_STAYING = {"--to", "--watch", "--once", "--parent-pid"}


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


def _is_started_by_a_training(pid: int, spool: Path) -> bool:
    """By its command, as /proc has it; where there is none nobody is asked."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if "trackwire.shipper" not in command or "--spool" not in command or _STAYING & set(command):
            return False
        return Path(command[command.index("--spool") + 1]).samefile(spool)
    except OSError:
        return False
