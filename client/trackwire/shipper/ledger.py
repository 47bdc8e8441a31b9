"""Which of a stream's records are settled: up to where without a gap, and with what outcome."""

import logging
import os
from dataclasses import dataclass

from trackwire.errors import DataLossError
from trackwire.shipper.reading import PassedSegment
from trackwire.spool.delivered import Delivered
from trackwire.spool.places import StreamPlace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    points_stored: int
    rejected_records: int


class Ledger:
    """Keeps the file `delivered`, which moves on only over records that are all settled.

    Records settle out of order, as uploads have a lane of their own; what settled behind an open one counts with it,
    so that a shipper that is killed and started again counts nothing twice.
    """

    def __init__(self, place: StreamPlace) -> None:
        self.delivered = _read(place)
        self._place = place
        # By sequence, in order; None: not settled yet.
        self._open: dict[int, _Outcome | None] = {}

    @property
    def is_settled(self) -> bool:
        """Whether no record is open."""
        return not self._open

    def knows(self, sequence: int) -> bool:
        """Whether a record was settled in an earlier life, or is open."""
        return sequence <= self.delivered.sequence or sequence in self._open

    def open(self, sequence: int) -> None:
        """Takes up a record; in order."""
        self._open[sequence] = None

    def settle(self, sequence: int, *, points_stored: int = 0, rejected_records: int = 0) -> None:
        """Closes a record, and writes down how far all are closed."""
        self._open[sequence] = _Outcome(points_stored, rejected_records)
        before = self.delivered
        while self._open:
            first, outcome = next(iter(self._open.items()))
            if outcome is None:
                break
            del self._open[first]
            self.delivered = Delivered(
                first,
                self.delivered.points_stored + outcome.points_stored,
                self.delivered.rejected_records + outcome.rejected_records,
            )
        if self.delivered != before:
            self._place.delivered_file.write(self.delivered)

    def trim(self, passed: list[PassedSegment]) -> None:
        """Deletes the segments all of whose records are settled, and takes them off the list."""
        done = [segment for segment in passed if segment.last_sequence <= self.delivered.sequence]
        if not done:
            return
        # After a crash of the machine the mark must not stand behind what is still there.
        self._place.delivered_file.write(self.delivered)
        fd = os.open(self._place.delivered_file.path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        for segment in done:
            segment.path.unlink(missing_ok=True)
            passed.remove(segment)


def _read(place: StreamPlace) -> Delivered:
    try:
        return place.delivered_file.read()
    except DataLossError as error:
        # All that is still there is sent again: the server knows what it has, only the counts begin anew.
        logger.error("delivered_damaged", extra={"fields": {"stream": place.writer_id, "error": str(error)}})
        return Delivered()
