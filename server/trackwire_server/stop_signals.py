"""SIGTERM and SIGINT: the first one asks for a stop, the second one is an order."""

import asyncio
import os
import signal
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger


def stop_signal(log: FilteringBoundLogger, before_the_end: Callable[[], None] = lambda: None) -> asyncio.Event:
    """Is set by the first signal; the second one ends the process at once, after a last word."""
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            before_the_end()
            os._exit(128 + number)
        log.info("signal received: a second one ends the server at once", signal=number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    return stop
