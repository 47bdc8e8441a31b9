"""Whose a spool is: a flock, which the kernel drops with its process, however that ends."""

import os
from pathlib import Path

from trackwire.spool.places import shipper_lock, take_lock


class SpoolLock:
    """The one shipper's hold on a spool."""

    def __init__(self, spool: Path) -> None:
        self.path = shipper_lock(spool)
        self._fd = -1

    def take(self) -> bool:
        """Whether it is ours now; it doesn't wait."""
        try:
            self._fd = take_lock(self.path)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Lets another one have it. The file stays: a deleted one could be locked twice under its name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
