"""Has SQLite leave to us that a connection is used by one thread at a time: SqliteDriver sees to that.

By itself it locks the connection for every cell that is read and every value that is bound.

Source: sqlite.org/threadsafe.html, "multi-thread".
"""

import ctypes
import importlib.util

_CONFIG_MULTITHREAD = 2


def leave_locking_to_the_driver() -> bool:
    """For the whole process, and before it has loaded sqlite3: later, it changes nothing. Whether it was in time."""
    spec = importlib.util.find_spec("_sqlite3")
    # Loaded, but not begun: that would be too late. Built into the interpreter, it has no file.
    path = spec.origin if spec is not None and spec.has_location else None
    configure = getattr(ctypes.CDLL(path), "sqlite3_config", None)
    return configure is not None and configure(_CONFIG_MULTITHREAD) == 0
