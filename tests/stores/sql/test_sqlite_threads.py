"""SQLite is told how it is used before it is loaded, and not too late."""

import subprocess
import sys

from tests.conftest import ROOT

SCRIPT = """
import sys
from trackwire_server.stores.sql.sqlite_threads import leave_locking_to_the_driver
assert "sqlite3" not in sys.modules
assert leave_locking_to_the_driver()
import sqlite3
assert sqlite3.connect(":memory:").execute("SELECT 1").fetchone() == (1,)
assert not leave_locking_to_the_driver()
"""


def test_process_that_has_not_loaded_sqlite_is_in_time() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT / "server", check=True, timeout=30)
