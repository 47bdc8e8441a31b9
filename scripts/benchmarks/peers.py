"""What a call costs with other trackers, offline on this disk, each installed into an environment of its own."""

import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

INSTALL_SECONDS_MAX = 600
RUN_SECONDS_MAX = 300
CALLS = 3_000
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}

# The clock is read around each call, as it is for our own.
SCRIPT = """
import json, sys, time
now = time.perf_counter_ns
def percentiles(call):
    taken = []
    for step in range({calls}):
        begun = now(); call(step); taken.append(now() - begun)
        if step % 1000 == 0: time.sleep(0.002)
    taken.sort()
    return taken[len(taken) // 2] / 1e3, taken[len(taken) * 99 // 100] / 1e3
ten = {{f"metric/{{key}}": 0.5 for key in range(10)}}
{begin}
for step in range(10): one(step); many(step)
results = [percentiles(one), percentiles(many)]
open("results.json", "w").write(json.dumps(results))
import os; os._exit(0)
"""


@dataclass(frozen=True)
class Peer:
    """A tracker: what pip installs, and how a script begins that then calls `one(step)` and `many(step)`."""

    package: str
    begin: str


PEERS = (
    Peer(
        "wandb",
        """
import wandb
run = wandb.init(project="bench", mode="offline")
one = lambda step: run.log({"loss": 0.5})
many = lambda step: run.log(ten)
""",
    ),
    Peer(
        "tensorboardX",
        """
from tensorboardX import SummaryWriter
writer = SummaryWriter("events")
one = lambda step: writer.add_scalar("loss", 0.5, step)
many = lambda step: [writer.add_scalar(key, value, step) for key, value in ten.items()]
""",
    ),
    Peer(
        "aim",
        """
import aim
run = aim.Run(repo=".", system_tracking_interval=None, capture_terminal_logs=False)
one = lambda step: run.track(0.5, name="loss", step=step)
many = lambda step: run.track(ten, step=step)
""",
    ),
    Peer(
        "trackio",
        """
import trackio
trackio.init(project="bench")
one = lambda step: trackio.log({"loss": 0.5})
many = lambda step: trackio.log(ten)
""",
    ),
    Peer(
        "mlflow-skinny",
        """
import os
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
mlflow.set_tracking_uri("file:./mlruns")
mlflow.start_run()
one = lambda step: mlflow.log_metric("loss", 0.5, step)
many = lambda step: mlflow.log_metrics(ten, step)
""",
    ),
)


@dataclass(frozen=True)
class Cost:
    """Microseconds of a call: the median and the 99th percentile."""

    p50: float
    p99: float


def measure(peer: Peer) -> tuple[str, Cost, Cost]:
    """The peer's version, a call with one metric and one with ten. Raises SystemExit where it can't be had."""
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-peer-", ignore_cleanup_errors=True) as folder:
        python = Path(folder, "venv", "bin", "python")
        venv.create(Path(folder, "venv"), with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", peer.package], Path(folder), INSTALL_SECONDS_MAX)
        work = Path(folder, "work")
        work.mkdir()
        _run([str(python), "-c", SCRIPT.format(calls=CALLS, begin=peer.begin)], work, RUN_SECONDS_MAX)
        one, many = json.loads((work / "results.json").read_text())
        version = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
        return _run([str(python), "-c", version], work, 60).strip(), Cost(*one), Cost(*many)


def _run(command: list[str], folder: Path, seconds: float) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**kept, **QUIET, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr)
        raise SystemExit(f"{' '.join(command[:4])} … ended with {error.returncode}") from error
    return done.stdout
