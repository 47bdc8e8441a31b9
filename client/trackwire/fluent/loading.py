"""What a thread loads for itself, under a lock that a fork waits for.

A fork in the middle of another thread's import would leave the child a module that is never finished.
"""

import importlib
import os
import threading
from collections.abc import Sequence

_loading = threading.Lock()
_holds_forks = False


def hold_forks_while_loading() -> None:
    """To be called before a thread is started that loads something."""
    global _holds_forks
    with _loading:
        if not _holds_forks:
            # What is registered last is called first. With the lock of logging in its hands a fork would wait for ever
            # for a module that asks for its logger.
            import logging  # noqa: F401

            os.register_at_fork(
                before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
            )
            _holds_forks = True


def load(modules: Sequence[str]) -> None:
    """Loads modules by their names. Raises what they raise."""
    with _loading:
        for module in modules:
            importlib.import_module(module)
