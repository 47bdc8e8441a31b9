"""Imports a large store of MLflow's, is killed in the middle, goes on, and compares point by point: one JSON document.

MLflow makes the store by log_batch into its SQLite, and MLflow's client reads both sides. It is installed below .cache
the first time.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarking import TREE
from mlflow_door import trackwire_server
from mlflow_peer import QUIET, environment

DRIVER = Path(__file__).with_name("import_driver.py")
ENVIRONMENT = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(TREE)}
EXPERIMENT = "large"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/check_import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500, help="runs of the store (500)")
    parser.add_argument("--points", type=int, default=5_000_000, help="points of all runs together (5,000,000)")
    parser.add_argument("--store", type=Path, help="an SQLite file: made if it is not there, and kept")
    options = parser.parse_args()
    python = environment()
    with tempfile.TemporaryDirectory(prefix="trackwire-import-") as folder, trackwire_server() as server:
        store = options.store or Path(folder) / "mlflow.db"
        uri = f"sqlite:///{store.resolve()}"
        found: dict[str, Any] = {"runs": options.runs, "points": options.points}
        if not store.exists():
            found["made"] = driven(python, "make", uri, EXPERIMENT, str(options.runs), str(options.points))
        command = [
            str(python), "-m", "trackwire", "--server", server.uri.removeprefix("grpc://"), "import", "mlflow", uri
        ]  # fmt: skip
        found["killed"] = killed_in_the_middle(command, server.uri, options.runs)
        begun = time.perf_counter()
        finished = subprocess.run([*command, "--json"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.perf_counter() - begun
        document = json.loads(finished.stdout)
        copied = document["points"]["copied"]
        found["imported"] = {
            **document,
            "exit_status": finished.returncode,
            "seconds": round(seconds, 1),
            "points_per_second": round(copied / seconds),
        }
        found["compared"] = driven(python, "compare", uri, server.http, EXPERIMENT)
        print(json.dumps(found, indent=1))
        is_equal = document["equal"] and found["compared"]["equal"] and found["compared"]["points"] == options.points
        sys.exit(0 if is_equal else 1)


def killed_in_the_middle(command: Sequence[str], uri: str, runs: int) -> dict[str, object]:
    """Imports until half of the runs are whole and the next one has points, then kills the import by SIGKILL."""
    from trackwire.client import Client

    begun = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    with Client(uri) as client:
        try:
            while len(runs_in(client, "FINISHED")) < runs // 2:
                require_alive(process)
                time.sleep(0.05)
            while not points_in(client, runs_in(client, "RUNNING")):
                require_alive(process)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        seconds = time.perf_counter() - begun
        whole, still_open = runs_in(client, "FINISHED"), runs_in(client, "RUNNING")
        points = points_in(client, [*whole, *still_open])
        return {
            "runs_whole": len(whole),
            "runs_open": len(still_open),
            "points": points,
            "points_of_open_runs": points_in(client, still_open),
            "seconds": round(seconds, 1),
            "points_per_second": round(points / seconds),
        }


def require_alive(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        raise SystemExit(f"the import ended by itself with {process.returncode}")


def runs_in(client: Any, status: str) -> list[str]:
    found = [each.experiment_id for each in client.search_experiments(f"name = '{EXPERIMENT}'")]
    return [run.run_id for run in client.search_runs(found, f"status = '{status}'")] if found else []


def points_in(client: Any, run_ids: Sequence[str]) -> int:
    return sum(summary.count for summary in client.get_metric_summaries(run_ids)) if run_ids else 0


def driven(python: Path, *arguments: str) -> Any:
    """What the driver prints, run where MLflow is."""
    done = subprocess.run([python, DRIVER, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
