"""What Ctrl-C must not cut in two, and whether there may be threads for that."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


_process_is_over = False


def note_end_of_process(*, is_over: bool) -> None:
    """Threads that would be started from now on are stopped in the middle of whatever they do."""
    global _process_is_over
    _process_is_over = is_over


def can_start_threads() -> bool:
    """Whether a thread that is started now lives as long as it has to."""
    return not _process_is_over and not sys.is_finalizing()


def uninterrupted(act: Callable[[], ResultT]) -> ResultT:
    """Does it in a thread, where Ctrl-C never comes: that is raised in the main thread, between any two steps.

    Who waits is interrupted all the same; it then goes on by itself.
    """
    if threading.current_thread() is not threading.main_thread() or not can_start_threads():
        return act()
    results: list[ResultT] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(act())
        except BaseException as error:
            # Raised again by who waits.
            failures.append(error)

    thread = threading.Thread(target=run, name="trackwire-uninterrupted", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # An interpreter that ends starts no thread any more, and neither does a system that has too many.
        return act()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
