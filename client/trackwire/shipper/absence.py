"""Whether a server can be reached, for trainings, which open no socket: a file in the spool says why it can't."""

import contextlib
import shutil
import threading
from pathlib import Path

from trackwire.errors import ResourceExhaustedError, TrackwireError
from trackwire.shipper.patience import why_waiting
from trackwire.spool.places import absence_path, away_folder


class AbsenceSign:
    """One server's sign. From any thread; where the disk doesn't take it, trainings wait a little longer."""

    def __init__(self, spool: Path, address: str) -> None:
        self._address = address
        self._path = absence_path(spool, address)
        # Empty while it is down.
        self._words = ""
        self._lock = threading.Lock()

    def put_up(self, error: TrackwireError) -> None:
        """A call has failed for now; of a server that has too much to do it is known that it is there."""
        if isinstance(error, ResourceExhaustedError) and error.reason:
            self.take_down()
            return
        words = why_waiting(error, self._address)
        with self._lock, contextlib.suppress(OSError):
            # The first ones are those of a server that stops; later it only doesn't answer.
            if words != self._words:
                self._path.parent.mkdir(exist_ok=True)
                self._path.write_text(words, encoding="utf-8")
                self._words = words

    def take_down(self) -> None:
        """The server has answered."""
        with self._lock, contextlib.suppress(OSError):
            if self._words:
                self._path.unlink(missing_ok=True)
                self._words = ""


def forget_absences(spool: Path) -> None:
    """What an earlier shipper has said is not known any more."""
    shutil.rmtree(away_folder(spool), ignore_errors=True)
