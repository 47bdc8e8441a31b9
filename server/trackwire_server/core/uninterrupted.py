"""Work that is half done is worse than work that its caller waits for."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


async def uninterrupted(work: Coroutine[None, None, Result]) -> Result:
    """Awaits work that a cancellation may delay but not interrupt."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
