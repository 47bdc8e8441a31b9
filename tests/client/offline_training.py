"""Trainings that know no server, in processes of their own: what they log stays in their folder's spool."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PROGRAM = """
import sys
from trackwire.fluent import active

with active.start_run(run_id=sys.argv[1]) as run:
    for step in range(int(sys.argv[2])):
        run.log_metric("loss", float(step), step)
"""


def train_offline(folder: Path, run_id: str, points: int, **environment: str) -> Path:
    """A whole training in a folder; its spool."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", PROGRAM, run_id, str(points)],
        cwd=folder,
        env=without_server() | environment,
        timeout=60,
        check=True,
    )
    return folder / ".trackwire" / "spool"


def without_server() -> dict[str, str]:
    """This environment, in which no server is named."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("TRACKWIRE_", "MLFLOW_"))}
    return kept | {"PYTHONPATH": path}
