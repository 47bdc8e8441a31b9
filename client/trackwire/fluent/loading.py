"""What the writer's thread alone needs is imported in it, and no other thread forks meanwhile.

A fork in the middle of another thread's import would leave the child a module that is never finished.
"""

import importlib
import os
import threading
from collections.abc import Sequence

_loading = threading.Lock()
# The thread that forks and holds the lock for that; 0: none.
_forking_thread = 0
_holds_forks = False


def hold_forks_while_loading() -> None:
    """To be called when a run starts, well before its thread loads. Five milliseconds where nobody has logging yet."""
    global _holds_forks
    with _loading:
        if not _holds_forks:
            # What is registered last is called first. With the lock of logging in its hands a fork would wait for ever
            # for a module that asks for its logger.
            import logging  # noqa: F401

            _holds_forks = True
            os.register_at_fork(before=_hold, after_in_parent=_let_go)


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


# From the beginning: the first fork may come while a first thread is about to register the rest.
os.register_at_fork(after_in_child=_begin_again_in_child)
