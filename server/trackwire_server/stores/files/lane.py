"""File system calls, off the event loop."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from trackwire_server.stores.files.folders import errors_translated

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


async def in_thread(
    function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Runs a function in a thread."""
    with errors_translated():
        return await asyncio.to_thread(function, *args, **kwargs)


async def open_in_thread(open_it: Callable[[], Result], close: Callable[[Result], None]) -> Result:
    """Opens something in a thread; what is opened after its caller was cancelled is closed again."""
    opening = asyncio.ensure_future(in_thread(open_it))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(lambda done: None if done.cancelled() or done.exception() else close(done.result()))
        raise


class Lane:
    """Runs functions in threads, each after the one before it has ended, even if whoever awaits one is cancelled.

    So a file is never closed under a thread that still reads or writes it.
    """

    def __init__(self) -> None:
        self._last: asyncio.Task[object] | None = None

    def start(self, function: Callable[[], Result]) -> "asyncio.Task[Result]":
        """Begins to run a function, and does not wait for it."""
        task = asyncio.create_task(self._run_after(self._last, function))
        self._last = task
        return task

    async def run(self, function: Callable[[], Result]) -> Result:
        """Runs a function."""
        return await asyncio.shield(self.start(function))

    async def _run_after(self, before: "asyncio.Task[object] | None", function: Callable[[], Result]) -> Result:
        if before is not None:
            await asyncio.wait([before])
        return await in_thread(function)
