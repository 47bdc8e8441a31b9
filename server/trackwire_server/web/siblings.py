"""The workers of a host tell each other their figures, each at a socket in a folder that is theirs alone.

Whoever is asked for /metrics, which the system chooses, so answers for all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

_ANSWER_SECONDS = 3.0


class Siblings:
    """The other workers, by their numbers."""

    def __init__(self, folder: Path, number: int, count: int):
        self.number = number
        self._folder = folder
        self._others = [other for other in range(count) if other != number]

    async def tell(self, figures: Callable[[], Awaitable[bytes]]) -> asyncio.Server:
        """Has the others find what `figures` returns, until closed."""

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Who asked may have gone.
            with suppress(ConnectionError):
                writer.write(await figures())
                await writer.drain()
            writer.close()

        path = self._path(self.number)
        # Left there by a worker of this number that was killed.
        path.unlink(missing_ok=True)
        return await asyncio.start_unix_server(answer, path)

    async def ask(self) -> Mapping[int, bytes | None]:
        """What each of the others tells; None of one that doesn't answer."""
        answers = await asyncio.gather(*(self._ask(other) for other in self._others))
        return dict(zip(self._others, answers, strict=True))

    async def _ask(self, other: int) -> bytes | None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._path(other))
                try:
                    return await reader.read() or None
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.sock"
