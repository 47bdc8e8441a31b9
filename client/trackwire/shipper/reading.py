"""A stream's records in order, over all its segments, as they grow."""

from dataclasses import dataclass
from pathlib import Path

from trackwire.spool.places import StreamPlace
from trackwire.spool.segments import Damage, Record, SegmentReader, read_segment


@dataclass(frozen=True, slots=True)
class PassedSegment:
    """A segment that was read to its end, behind which another one stands."""

    path: Path
    last_sequence: int


class StreamReader:
    """Gives out each record and each damage once. `has_ended`: the writer is gone, and all that it left was read."""

    def __init__(self, place: StreamPlace) -> None:
        self.has_ended = False
        self.last_sequence = 0
        self.passed: list[PassedSegment] = []
        self._place = place
        self._path: Path | None = None
        self._offset = 0
        self._items: SegmentReader | None = None
        self._is_complete = False
        # Size and time of the segment when it was last read to where it ends for now.
        self._seen = (0, 0)

    def has_more(self) -> bool:
        """Whether `next_item` could give something, or would find the end; cheap enough to ask often."""
        if self.has_ended:
            return False
        if self._items is not None or not self._place.writer_lives:
            return True
        if self._path is None:
            return bool(self._place.segments())
        return _size_and_time(self._path) != self._seen or self._following() is not None

    def next_item(self) -> Record | Damage | None:
        """The next one; None while nothing more is whole."""
        while not self.has_ended:
            if self._items is None and not self._open():
                return None
            item = self._next_of_segment()
            if item is not None:
                return item
            if not self._is_complete or not self._go_on():
                return None
        return None

    def _open(self) -> bool:
        """Whether there is a segment to read from now."""
        # Asked before reading: what was written before the writer ended is found then.
        ended = not self._place.writer_lives
        if self._path is None:
            self._path = next(iter(self._place.segments()), None)
        if self._path is None:
            self.has_ended = ended
            return False
        self._is_complete = ended or self._following() is not None
        self._seen = _size_and_time(self._path)
        self._items = read_segment(self._path, self._offset, is_complete=self._is_complete)
        return True

    def _next_of_segment(self) -> Record | Damage | None:
        assert self._items is not None
        item = next(self._items, None)
        self._offset = self._items.offset
        if isinstance(item, Record):
            self.last_sequence = item.sequence
        if item is None:
            self._items = None
        return item

    def _go_on(self) -> bool:
        """Behind the end of a complete segment: whether there is a next one."""
        assert self._path is not None
        following = self._following()
        if following is None:
            self.has_ended = True
            return False
        self.passed.append(PassedSegment(self._path, self.last_sequence))
        self._path, self._offset = following, 0
        return True

    def _following(self) -> Path | None:
        assert self._path is not None
        usual = self._place.segment_path(int(self._path.stem) + 1)
        if usual.exists():
            return usual
        # One that is missing doesn't keep back those behind it.
        return next((path for path in self._place.segments() if path > self._path), None)


def _size_and_time(path: Path) -> tuple[int, int]:
    # The size alone would not do: a record that found no room is cut off again, and the next may be as long.
    status = path.stat()
    return status.st_size, status.st_mtime_ns
