"""What the store is told; keys, agents and credentials of clouds come by the drivers' own usual chains."""

from dataclasses import dataclass, field
from pathlib import Path

from trackwire_server.core.remote_places import RemotePlace


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """A place, and how it is reached. Uploads gather in `spool`, a folder of this machine."""

    place: RemotePlace
    spool: Path
    # Instead of the one in the place's URI.
    password: str = field(default="", repr=False)
    # The file that has the host keys; None for those of the user and the machine.
    known_hosts: Path | None = None
    # How long an answer, or the next piece of a file, may be awaited.
    timeout_seconds: float = 60

    @property
    def said_password(self) -> str:
        """The password, wherever it was said."""
        return self.password or self.place.password
