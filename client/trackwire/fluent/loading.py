"""What a thread loads for itself is imported under a lock that a fork waits for.

A fork in the middle of another thread's import would leave the child a module that is never finished.
"""

import importlib

# Before anything is registered below: what is registered last is called first, and a fork that had the lock of logging
# in its hands already would wait for ever for a module that asks for its logger.
import logging  # noqa: F401
import os
import threading
from collections.abc import Sequence

_loading = threading.Lock()
# The thread that forks and holds the lock for that; 0: none.
_forking_thread = 0


def load(modules: Sequence[str]) -> None:
    """Loads modules by their names; a second time does nothing. Raises what they raise."""
    with _loading:
        for module in modules:
            importlib.import_module(module)


def _hold() -> None:
    global _forking_thread
    _loading.acquire()
    _forking_thread = threading.get_ident()


def _let_go() -> None:
    global _forking_thread
    # A fork may have begun before there was anything to be called before it.
    if _forking_thread == threading.get_ident():
        _forking_thread = 0
        _loading.release()


def _begin_again_in_child() -> None:
    """Whoever held the lock is not there."""
    global _loading, _forking_thread
    _loading, _forking_thread = threading.Lock(), 0


os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_begin_again_in_child)
