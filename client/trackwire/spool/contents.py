"""What still waits in a stream, and what has been delivered of it since somebody looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from trackwire.errors import DataLossError, FailedPreconditionError
from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.spool.delivered import Delivered
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import StreamPlace
from trackwire.spool.records import points_of
from trackwire.spool.segments import Record, read_segment


@dataclass(frozen=True, slots=True)
class Amount:
    """Points and artifacts, of one stream or of several."""

    points: int = 0
    artifacts: int = 0
    artifact_bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.points + other.points,
            self.artifacts + other.artifacts,
            self.artifact_bytes + other.artifact_bytes,
        )

    @classmethod
    def sum(cls, amounts: Iterable[Self]) -> "Amount":
        """All of them together."""
        return sum(amounts, start=Amount())


class StreamContents:
    """One stream, counted as far as it has come at each `look`; what was settled before the first one counts nowhere.

    Records of segments that are written and trimmed between two looks are not seen as waiting, but as delivered.
    """

    def __init__(self, place: StreamPlace) -> None:
        self.place = place
        self.was_waiting = False
        self.writer_lives = False
        self._began_at = self._delivered = _read(place)
        self._offsets: dict[Path, int] = {}
        self._last_sequence = 0
        self._points = 0
        self._refused_points = 0
        # By sequence: the name in `files/` and the size.
        self._uploads: dict[int, tuple[str, int]] = {}
        self._uploaded: set[int] = set()
        self._is_gone = False
        self._has_segments = True

    @property
    def is_waiting(self) -> bool:
        """Whether a shipper has something to do here: records, or an end to be found."""
        if self._is_gone or not self._has_segments:
            return False
        return self._last_sequence > self._delivered.sequence or not self.writer_lives

    @property
    def waiting(self) -> Amount:
        """What is not settled yet."""
        if not self.is_waiting:
            return Amount()
        open_sizes = [size for sequence, (_, size) in self._uploads.items() if sequence not in self._uploaded]
        points = self._points - self._refused_points - self.delivered.points
        return Amount(max(points, 0), len(open_sizes), sum(open_sizes))

    @property
    def delivered(self) -> Amount:
        """What the server has taken since the first look."""
        sizes = [size for sequence, (_, size) in self._uploads.items() if sequence in self._uploaded]
        points = self._delivered.points_stored - self._began_at.points_stored
        if self._is_gone:
            # Its last counts have gone with it, and all of it was stored.
            points = max(points, self._points - self._refused_points)
        return Amount(points, len(sizes), sum(sizes))

    def look(self, refused: Iterable[tuple[int, int]]) -> None:
        """Counts anew; `refused` are the sequences and points of all records that the server has refused."""
        new = [(sequence, points) for sequence, points in refused if sequence > self._began_at.sequence]
        self._refused_points = sum(points for _, points in new)
        self.writer_lives = self.place.writer_lives
        # Before the segments: what is counted as delivered was there.
        self._delivered = _read(self.place)
        segments = self.place.segments()
        self._has_segments = bool(segments)
        for path in segments:
            self._read_on(path)
        self._look_at_uploads({sequence for sequence, _ in new})
        self.was_waiting = self.was_waiting or self.is_waiting

    def gone(self) -> None:
        """The stream was delivered whole, and removed."""
        self._is_gone = True
        self.writer_lives = False
        self._uploaded = set(self._uploads)

    def _read_on(self, path: Path) -> None:
        try:
            items = read_segment(path, self._offsets.get(path, 0))
            for item in items:
                if isinstance(item, Record):
                    self._count(item)
            self._offsets[path] = items.offset
        except (FileNotFoundError, FailedPreconditionError):
            # Trimmed just now; or of a newer version, which the shipper tells.
            return

    def _count(self, record: Record) -> None:
        self._last_sequence = max(self._last_sequence, record.sequence)
        if record.sequence <= self._began_at.sequence:
            return
        self._points += points_of(record.kind, record.payload)
        if record.kind is RecordKind.UPLOAD:
            spooled = SpooledUpload.FromString(record.payload)
            self._uploads[record.sequence] = (spooled.file_name, spooled.size_bytes)

    def _look_at_uploads(self, refused: set[int]) -> None:
        for sequence in refused & self._uploads.keys():
            del self._uploads[sequence]
        for sequence, (name, _) in self._uploads.items():
            if sequence <= self._delivered.sequence or self.place.is_stored(name):
                self._uploaded.add(sequence)


def _read(place: StreamPlace) -> Delivered:
    try:
        return place.delivered_file.read()
    except (DataLossError, FailedPreconditionError):
        # The shipper says so; it begins to count anew, or leaves the stream to a newer one.
        return Delivered()
