"""Whose a spool is: a flock, which the kernel drops with its process, however that ends."""

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from trackwire.access import fingerprint
from trackwire.spool.places import is_locked, shipper_lock, take_lock

# Whoever only looks whether it is held has it for some microseconds.
_ATTEMPTS = 3
_WAIT_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Holder:
    """The shipper that has a spool; `pid` is 0 where it has not said so.

    `offline_address`: where it takes streams that name no server; None: nowhere. `access` tells its token and
    certificates from those of others, as `trackwire.access.fingerprint` does.
    """

    pid: int = 0
    host: str = ""
    offline_address: str | None = None
    access: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


class SpoolLock:
    """The one shipper's hold on a spool."""

    def __init__(self, spool: Path, *, offline_address: str | None = None) -> None:
        self.path = shipper_lock(spool)
        self._offline_address = offline_address
        self._fd = -1

    def take(self) -> bool:
        """Whether it is ours now; it waits for nobody who means to keep it."""
        for _ in range(_ATTEMPTS):
            try:
                self._fd = take_lock(self.path)
                break
            except BlockingIOError:
                time.sleep(_WAIT_SECONDS)
        else:
            return False
        said = Holder(os.getpid(), os.uname().nodename, self._offline_address, fingerprint())
        holder = json.dumps(asdict(said)).encode()
        # Only said to people: a full disk keeps nobody from delivering.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, holder, 0)
        return True

    def holder(self) -> Holder | None:
        """Who has it, as far as that one has said; None where nobody does."""
        if not is_locked(self.path):
            return None
        try:
            return Holder(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return Holder()

    def is_deleted(self) -> bool:
        """Whether the spool it is held on is gone: then another one may be there by its name."""
        try:
            return not os.path.samestat(os.fstat(self._fd), self.path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            # The disk can't tell.
            return False

    def release(self) -> None:
        """Lets another one have it. The file stays: a deleted one could be locked twice under its name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
