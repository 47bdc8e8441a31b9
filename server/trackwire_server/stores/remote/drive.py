"""What the store asks of a connection to a place, whichever protocol it speaks. For one thread at a time.

Paths are absolute as the protocol has them. Whatever a driver raises may come out; the protocol's FaultOf says what it
means, and what is to be said of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias


class Kind(Enum):
    """What an entry is; links, devices and the like are OTHER."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder by its name, as it is now. `version` differs from that of a file which takes its place."""

    name: str
    kind: Kind
    size_bytes: int = 0
    modification_time_ms: int = 0
    version: str = ""


class Fault(Enum):
    """What went wrong, as far as the store cares. Only after AWAY the connection is of no use any more."""

    ABSENT = "nothing is there"
    REFUSED = "the server's rights don't suffice"
    FULL = "there is no room"
    FAILED = "the call was answered, and refused for another reason"
    AWAY = "the connection broke, or there never was one"


class Source(Protocol):
    """A file of this machine that is to be sent. What is read from it counts as progress."""

    @property
    def path(self) -> str:
        """For drivers that read it by themselves, and then tell of each piece by `went_on`."""

    @property
    def size_bytes(self) -> int:
        """All of its bytes."""

    def read(self, length: int = ..., /) -> bytes:
        """The next bytes; none at its end."""

    def went_on(self) -> None:
        """Something was sent."""


class Reader(Protocol):
    """An open file: the bytes are those of `entry`, whatever becomes of its path, or Replaced is raised."""

    @property
    def entry(self) -> Entry:
        """The file as it was when it was opened."""

    def read(self, offset: int, length: int) -> bytes:
        """Some of so many bytes, which the file should have; none only where it ends too early."""

    def close(self) -> bool:
        """Lets go; whether the connection is of use for something else."""


class Drive(Protocol):
    """A connection. Where a protocol has no folders, making and removing one does nothing."""

    def look(self, path: str) -> Entry | None:
        """What is at a path, no link followed at its end; None if nothing is."""

    def entries(self, path: str) -> list[Entry]:
        """All that is right below a folder, in no order. What is no folder has none, or is ABSENT."""

    def open(self, path: str) -> Reader:
        """A file to read from."""

    def send(self, source: Source, path: str) -> None:
        """Writes all of a source to a file, which is made or overwritten."""

    def make_folder(self, path: str) -> None:
        """Makes a folder below one that is there; that it is there itself is fine."""

    def rename(self, path: str, new_path: str) -> None:
        """Moves a file or a folder, in place of a file where the protocol can."""

    def set_time(self, path: str, modification_time_ms: int) -> None:
        """Dates a file, where the protocol can."""

    def remove_file(self, path: str) -> None:
        """Removes a file or a link."""

    def remove_folder(self, path: str) -> None:
        """Removes a folder that is empty."""

    def ping(self) -> None:
        """Returns once the other side has answered."""

    def close(self) -> None:
        """Ends the connection, from whichever thread: what waits for an answer fails."""


FaultOf: TypeAlias = Callable[[Exception], tuple[Fault, str]]
