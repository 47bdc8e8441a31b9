"""Programs that see only the packages they import themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[3] / "client"


class FreshPython:
    """Runs a program in an interpreter of its own, in a folder; its output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, program: str, *, without: tuple[str, ...] = ()) -> str:
        # What sys.modules maps to None can't be imported: as if it were not installed.
        hidden = "".join(f"sys.modules[{name!r}] = None\n" for name in without)
        environ = {**os.environ, "PYTHONPATH": str(CLIENT)}
        done = subprocess.run(
            [sys.executable, "-c", f"import sys\nfrom pathlib import Path\n{hidden}{program}"],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def fresh_python(tmp_path: Path) -> FreshPython:
    return FreshPython(tmp_path)
