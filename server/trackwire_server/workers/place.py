"""What a worker is told by its supervisor, and what it tells.

supervisor ── arguments: its place ──────────────► worker
           ◄─ its end of a socket: one line, when ready ─
           ── end of file: the supervisor is gone ─►
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's number, from 0 on, among how many; a folder of theirs alone, and its end of the socket."""

    number: int
    count: int
    folder: Path
    socket: int

    def as_text(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """What `as_text` made."""
        known = json.loads(text)
        return cls(known["number"], known["count"], Path(known["folder"]), known["socket"])


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a worker serves; `inner_address` for this machine alone, where a guard stands before the others."""

    address: str
    url: str
    store: str
    inner_address: str = ""

    def as_line(self) -> bytes:
        """For the supervisor."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """What `as_line` made."""
        return cls(**json.loads(line))
