"""Whether calls should be sent to this server: its store answers, and it is not about to stop."""

import asyncio
from collections.abc import Awaitable, Callable

from trackwire_server.core.errors import TrackwireError

Ping = Callable[[], Awaitable[None]]
# Called with why it is not ready, "" if it is, whenever that changes.
Told = Callable[[str], Awaitable[None]]

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 3.0
STOPPING = "the server is about to stop"


class Readiness:
    """Looks at the store once a second. Once a stop has begun, it stays unready."""

    def __init__(
        self, ping: Ping, told: Told, *, look_seconds: float = LOOK_SECONDS, answer_seconds: float = ANSWER_SECONDS
    ):
        """`ping` returns once the store has answered, and raises TrackwireError if it can't."""
        self._ping = ping
        self._told = told
        self._look_seconds = look_seconds
        self._answer_seconds = answer_seconds
        # Why it is not ready; "" if it is. Whoever starts a server has just opened its store.
        self.reason = ""

    async def watch(self) -> None:
        """Looks until cancelled or until a stop begins."""
        while self.reason != STOPPING:
            await asyncio.sleep(self._look_seconds)
            reason = await self._look()
            # A stop may have begun meanwhile.
            if self.reason != STOPPING:
                await self._become(reason)

    async def begin_stop(self) -> None:
        """Not ready from now on."""
        await self._become(STOPPING)

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(self._answer_seconds):
                await self._ping()
        except TimeoutError:
            return f"the store has not answered for {self._answer_seconds:g} seconds"
        except TrackwireError as error:
            return error.message
        except Exception as error:  # a fault of ours may not end the server
            return f"the store could not be looked at: {error!r}"
        return ""

    async def _become(self, reason: str) -> None:
        changed, self.reason = reason != self.reason, reason
        if changed:
            await self._told(reason)
