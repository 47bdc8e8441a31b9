"""What the disk does not take of a run: counted, and told, each kind of it once."""

import logging
from pathlib import Path

logger = logging.getLogger(__name__)


class Losses:
    """Of one process in one run. Whoever calls holds the lock under which it writes, but for `drop_points`."""

    def __init__(self, run_id: str, spool: Path) -> None:
        self.points = 0
        self.files = 0
        # Why nothing can be written just now.
        self.failure: Exception | None = None
        self._run_id = run_id
        self._spool = spool
        self._end_is_told = False

    def note_failure(self, error: Exception) -> None:
        """Writing failed; what waits is tried again."""
        told, self.failure = self.failure, error
        if told is None:
            logger.error(
                "run %s: writing to %s failed, and is tried again until the run ends: %s (TRACKWIRE_SPOOL_DIR names"
                " another folder)",
                self._run_id,
                self._spool,
                error,
                exc_info=None if isinstance(error, OSError) else error,
            )

    def note_success(self) -> None:
        """All that waited is written."""
        self.failure = None

    def note_end(self, points: int, sayings: int) -> None:
        """The run is over; so many wait that could not be written."""
        if self.failure is not None and not self._end_is_told:
            self._end_is_told = True
            logger.error(
                "run %s: has ended, and %d points and %d other records of it are lost: %s did not take them",
                self._run_id,
                points,
                sayings,
                self._spool,
            )

    def note_deleted(self, folder: Path) -> None:
        """Somebody has removed what was written so far."""
        logger.error(
            "run %s: %s was deleted while it was written: what was not sent on is lost; it goes on in a new one",
            self._run_id,
            folder,
        )

    def drop_points(self, points: int) -> None:
        """So many were given up: they came faster than they can be written."""
        if not self.points:
            logger.error(
                "run %s: %s can't be written fast enough: points are dropped, and counted", self._run_id, self._spool
            )
        self.points += points

    def drop_file(self, artifact_path: str, error: OSError) -> None:
        """A file was given up."""
        if not self.files:
            logger.error(
                "run %s: artifact %r can't be kept: %s; such files are dropped, and counted",
                self._run_id,
                artifact_path,
                error,
            )
        self.files += 1
