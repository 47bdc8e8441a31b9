"""Files on their way into the spool: as they are when they are logged, whatever becomes of them afterwards."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Of linux/fs.h: the copy shares its bytes with the original until one of them is changed.
_FICLONE = 0x40049409
_COPY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file in a stream's `files` folder, under a name of its own."""

    name: str
    size_bytes: int
    sha256: bytes


def take(folder: Path, file_name: str, write: Callable[[Path], object]) -> Snapshot | None:
    """Has `write` make a file that is called `file_name`; None where it makes none.

    Raises what it raises, and then nothing is there.
    """
    name = os.urandom(16).hex()
    workshop = folder / f"{name}.new"
    workshop.mkdir()
    try:
        made = workshop / file_name
        write(made)
        if not made.exists():
            return None
        with made.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
        size_bytes = made.stat().st_size
        made.rename(folder / name)
    finally:
        shutil.rmtree(workshop)
    return Snapshot(name, size_bytes, sha256)


def copy(source: BinaryIO, target: Path) -> None:
    """Copies what is left of an open file; where the file system can, without copying its bytes."""
    with target.open("xb") as made:
        try:
            fcntl.ioctl(made, _FICLONE, source.fileno())
        except OSError:
            # Another file system, or one that can't: the bytes themselves.
            shutil.copyfileobj(source, made, _COPY_BYTES)
