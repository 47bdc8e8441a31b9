"""A reader of the documents: types what they say into a shell, at a real server."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.docs.documents import DEFAULT_ADDRESS, ROOT

PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
RUN_CLI = "import sys; from trackwire.cli import main; sys.exit(main())"

Shell = Callable[[str], str]


def reader_shell(address: str, folder: Path) -> Shell:
    """`shell(lines)` runs them in bash, where `trackwire` and `buf` are found, and gives what they print."""
    programs = folder / "programs"
    programs.mkdir()
    program = programs / "trackwire"
    program.write_text(f'#!/usr/bin/env bash\nexec {sys.executable} -c "{RUN_CLI}" "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": PYTHONPATH, "TRACKWIRE_TRACKING_URI": address}

    def run(lines: str) -> str:
        script = f"set -euo pipefail\n{lines.replace(DEFAULT_ADDRESS, address)}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
