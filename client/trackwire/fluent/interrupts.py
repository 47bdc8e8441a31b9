"""What Ctrl-C must not cut in two."""

import threading
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


def uninterrupted(act: Callable[[], ResultT]) -> ResultT:
    """Does it in a thread, where Ctrl-C never comes: that is raised in the main thread, between any two steps.

    Who waits is interrupted all the same; it then goes on by itself.
    """
    if threading.current_thread() is not threading.main_thread():
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
