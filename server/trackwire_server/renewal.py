"""Files that are read anew when they change: looked at once a second, so that no call pays for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from trackwire_server.core.errors import TrackwireError

LOOK_SECONDS = 1.0

Signature = tuple[tuple[int, int, int] | None, ...]


class Renewal:
    """Has `renew` called when one of the files has changed. Make it before they are read for the first time."""

    def __init__(self, what: str, paths: Sequence[Path]):
        self._what = what
        self._paths = paths
        self._seen = _signature(paths)

    async def watch(self, renew: Callable[[], Awaitable[None]], log: FilteringBoundLogger) -> None:
        """Goes on until it is cancelled. What can't be read leaves all as it was, and is told once."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            found = await asyncio.to_thread(_signature, self._paths)
            if found == self._seen:
                continue
            self._seen = found
            try:
                await renew()
            except TrackwireError as error:
                log.error(f"{self._what} not read anew: the server goes on with what it had", error=error.message)
            else:
                log.info(f"{self._what} read anew")


def _signature(paths: Sequence[Path]) -> Signature:
    """What tells a file from what it was; None where it isn't there."""
    return tuple(map(_look, paths))


def _look(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
