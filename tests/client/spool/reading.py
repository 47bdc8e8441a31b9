"""Reading a segment to its end."""

from pathlib import Path

from trackwire.spool.segments import Damage, Record, read_segment


def read_all(path: Path, offset: int = 0, *, is_complete: bool = False) -> tuple[list[Record], list[Damage], int]:
    """The records and the damages, each in order, and the offset from which to read on."""
    reader = read_segment(path, offset, is_complete=is_complete)
    items = list(reader)
    records = [item for item in items if isinstance(item, Record)]
    damages = [item for item in items if isinstance(item, Damage)]
    return records, damages, reader.offset
