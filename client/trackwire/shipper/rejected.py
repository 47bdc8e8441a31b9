"""What the server refused for good, kept beside the stream until somebody has been told: `rejected/`.

rejected/00000005.seg                    the record, as a segment of its own
rejected/00000005.json                   why; it is there once the record is
rejected/damage-00000001-4096.bin, .json bytes of a segment that are no record
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from trackwire.errors import TrackwireError
from trackwire.spool.places import StreamPlace
from trackwire.spool.segments import Damage, Record, SegmentWriter


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that the server refused, and its words."""

    sequence: int
    kind: str
    points: int
    code: str
    reason: str
    message: str
    address: str
    refused_ms: int


@dataclass(frozen=True, slots=True)
class KeptDamage:
    """Bytes of a segment that could not be read, as they are kept."""

    segment: str
    offset: int
    length_bytes: int
    reason: str


class RejectedFolder:
    """The `rejected` folder of one stream; made when it is first needed."""

    def __init__(self, place: StreamPlace) -> None:
        self.path = place.rejected_folder
        self._writer_id = place.writer_id

    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not any(self.path.glob("*.json"))

    def sequences(self) -> set[int]:
        """Of all records that are kept here."""
        return {int(path.stem) for path in self.path.glob("[0-9]*.json")}

    def keep(self, record: Record, points: int, error: TrackwireError, address: str) -> None:
        """Stores a record with the server's words; when this returns, the disk has it."""
        self.path.mkdir(exist_ok=True)
        name = f"{record.sequence:08}"
        segment = SegmentWriter(self.path / f"{name}.seg", self._writer_id)
        try:
            segment.append(record.kind, record.sequence, record.payload)
            segment.sync()
        finally:
            segment.close()
        rejection = Rejection(
            record.sequence,
            record.kind.name,
            points,
            error.code,
            error.reason,
            str(error),
            address,
            time.time_ns() // 1_000_000,
        )
        self._write_json(name, asdict(rejection))

    def keep_damage(self, damage: Damage) -> bool:
        """Stores the bytes that are no record; False where that was done before."""
        name = f"damage-{damage.path.stem}-{damage.offset}"
        if (self.path / f"{name}.json").exists():
            return False
        self.path.mkdir(exist_ok=True)
        with damage.path.open("rb") as segment, (self.path / f"{name}.bin").open("wb") as kept:
            segment.seek(damage.offset)
            kept.write(segment.read(damage.length_bytes))
        self._write_json(name, {"segment": damage.path.name, "offset": damage.offset, "reason": damage.reason})
        return True

    def _write_json(self, name: str, content: Mapping[str, str | int]) -> None:
        unfinished = self.path / f"{name}.new"
        with unfinished.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.path / f"{name}.json")


def read_rejections(place: StreamPlace) -> Iterator[Rejection]:
    """What the server refused of a stream, by sequence: for whoever tells the user."""
    for path in sorted(place.rejected_folder.glob("[0-9]*.json"), key=lambda path: int(path.stem)):
        yield Rejection(**json.loads(path.read_text()))


def read_damages(place: StreamPlace) -> Iterator[KeptDamage]:
    """What could not be read of a stream: for whoever tells the user."""
    for path in sorted(place.rejected_folder.glob("damage-*.json")):
        kept = path.with_suffix(".bin")
        yield KeptDamage(length_bytes=kept.stat().st_size, **json.loads(path.read_text()))
