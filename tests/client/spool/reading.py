"""Reading a segment to its end."""

from pathlib import Path

from trackwire.spool.segments import Damage, Record, read_segment
from trackwire.spool.stream import StreamPlace


def read_all(path: Path, offset: int = 0, *, is_complete: bool = False) -> tuple[list[Record], list[Damage], int]:
    """The records and the damages, each in order, and the offset from which to read on."""
    reader = read_segment(path, offset, is_complete=is_complete)
    items = list(reader)
    records = [item for item in items if isinstance(item, Record)]
    damages = [item for item in items if isinstance(item, Damage)]
    return records, damages, reader.offset


def read_stream(place: StreamPlace) -> tuple[list[Record], list[Damage]]:
    """All of a stream that nobody writes any more."""
    assert not place.writer_lives
    parts = [read_all(path, is_complete=True) for path in place.segments()]
    return [record for part in parts for record in part[0]], [damage for part in parts for damage in part[1]]
