"""Benchmarks run, each at its smallest: what they read is compared with what they stored; figures are not judged."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from uuid import uuid4

import psutil
import pytest
from tests.client.shipper.shipping import until
from tests.conftest import ROOT

FOLDER = ROOT / "scripts" / "benchmarks"
# The environment of MLflow's server, which is large.
MLFLOW = ROOT / ".cache" / "bench-mlflow" / "installed"
# Known of whatever a benchmark starts, and of what that starts.
MARK = "STARTED_BY_TEST"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        ("ingest --scale 0.01 --row 4", {"ingest": 1, "stored size": 1}),
        ("search --runs 200 --store postgresql", {"search": 18}),
        ("read --scale 0.02", {"read": 3}),
        ("charts --scale 0.05", {"charts": 4}),
        ("client --scale 0.01", {"client": 8}),
        ("artifacts --mib 4", {"artifacts": 6}),
        ("artifacts --mib 4 --artifacts s3", {"artifacts": 4}),
        ("ui --runs 60 --scale 0.002 --without-mlflow", {"ui": 11}),
        pytest.param(
            "ui --runs 60 --scale 0.002 --mlflow-steps 10",
            {"ui": 15},
            marks=[
                pytest.mark.timeout(900),
                pytest.mark.skipif(not MLFLOW.exists(), reason="scripts/bench_ui makes it"),
            ],
            id="ui beside MLflow",
        ),
    ],
)
def test_benchmark_prints_its_rows_and_leaves_no_process_behind(command: str, rows: dict[str, int]) -> None:
    name, *arguments = command.split()
    if name == "ui" and shutil.which("chromium") is None:
        pytest.skip("there is no chromium")
    mark = uuid4().hex
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--repeats", "1", *arguments],
        env={**os.environ, MARK: mark},
        capture_output=True,
        text=True,
        timeout=840 if "--mlflow-steps" in arguments else 240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Counter(json.loads(line)["benchmark"] for line in done.stdout.splitlines()) == rows
    assert until(lambda: not started_by(mark)), started_by(mark)


def started_by(mark: str) -> list[psutil.Process]:
    """The processes that bear a mark and live."""
    return [
        process for process in psutil.process_iter(["environ"]) if (process.info["environ"] or {}).get(MARK) == mark
    ]
