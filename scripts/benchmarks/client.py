"""Measures what logging costs a training: JSON lines, medians of several processes.

Each process logs by the module-level API as a training would. What a call takes includes the reading of the clock
around it; `bare_append` is a list's append, timed the same way. The points of the throughput row are counted on the
server by value before it is reported.
"""

import argparse
import ast
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarking import TREE, median, report, running_server
from peers import PEERS, measure
from trainings import AWAY, CALL, FLAT_OUT, LOOP, PRINT, START

from trackwire import Client
from trackwire.shipper.lock import SpoolLock


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_client", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="processes that a median is of (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of calls and steps (1)")
    parser.add_argument("--peers", action="store_true", help="also install other trackers, and measure their calls")
    arguments = parser.parse_args()
    repeats, scale = arguments.repeats, arguments.scale
    ours = measure_calls(repeats, int(100_000 * scale))
    if arguments.peers:
        measure_peers(*ours)
    measure_print(repeats, int(20_000 * scale))
    measure_start(repeats)
    measure_loop(repeats, int(300 * scale))
    measure_away(int(100_000 * scale))
    measure_flat_out(repeats, int(15_000 * scale))


def measure_calls(repeats: int, calls: int) -> list[float]:
    """The medians of a call with one metric and of one with ten."""
    runs = [trained(CALL, calls) for _ in range(repeats)]
    medians = []
    for row, name, p50_max, p99_max in ((1, "log_metric", 1.5, 20), (2, "log_metrics of 10 keys", 3, 40)):
        p50, p99 = (median([run[row][which] for run in runs], 2) for which in (0, 1))
        bare = median([run[0][0] for run in runs], 2)
        medians.append(p50)
        report(
            benchmark="client",
            row=name,
            unit="us",
            p50=p50,
            p99=p99,
            at_most=[p50_max, p99_max],
            met=p50 <= p50_max and p99 <= p99_max,
            bare_append=bare,
            times_bare=round(p50 / bare, 1),
        )
    return medians


def measure_peers(one_us: float, ten_us: float) -> None:
    for peer in PEERS:
        version, one, ten = measure(peer)
        for name, cost, ours in (("log_metric", one, one_us), ("log_metrics of 10 keys", ten, ten_us)):
            report(
                benchmark="client",
                row=f"{name}, by {peer.package} {version}",
                unit="us",
                p50=round(cost.p50, 2),
                p99=round(cost.p99, 2),
                times_ours=round(cost.p50 / ours, 1),
            )


def measure_print(repeats: int, calls: int) -> None:
    """Against the same print into a run that doesn't keep its console."""
    runs = [trained(PRINT, calls) for _ in range(repeats)]
    (bare_p50, bare_p99), (p50, p99) = (
        [median([run[row][which] for run in runs], 2) for which in (0, 1)] for row in (0, 1)
    )
    report(
        benchmark="client",
        row="print into a run that keeps its console",
        unit="us",
        p50=p50,
        p99=p99,
        bare=[bare_p50, bare_p99],
        more=round(p50 - bare_p50, 2),
        at_most=5,
        met=p50 - bare_p50 <= 5,
    )


def measure_start(repeats: int) -> None:
    runs = [trained(START) for _ in range(repeats + 2)][2:]
    for which, name, at_most in ((0, "import trackwire", 150), (1, "first start_run", 30)):
        milliseconds = median([run[which] * 1e3 for run in runs])
        met = milliseconds <= at_most
        report(benchmark="client", row=name, unit="ms", median=milliseconds, at_most=at_most, met=met)


def measure_loop(repeats: int, in_one: int) -> None:
    ratios, steps = [], []
    # From one process to the next it differs more than within one: more of them, each shorter.
    for _ in range(2 * repeats + 1):
        pairs = trained(LOOP, in_one)
        ratios.append(median([logged / bare for bare, logged in pairs], 4))
        steps.append(median([bare / in_one * 1e3 for bare, _ in pairs], 3))
    slower = median([(ratio - 1) * 100 for ratio in ratios], 2)
    report(
        benchmark="client",
        row="training step with 20 metrics",
        unit="% slower",
        median=slower,
        runs=[round((ratio - 1) * 100, 2) for ratio in ratios],
        at_most=1,
        met=slower <= 1,
        step_ms=median(steps, 3),
    )


def measure_away(steps: int) -> None:
    grown, dropped = trained(AWAY, steps, TRACKWIRE_TRACKING_URI="127.0.0.1:1")
    mib = round(grown / 2**20, 1)
    report(
        benchmark="client",
        row=f"memory for {steps * 100:,} points with the server away",
        unit="MiB",
        grown=mib,
        at_most=64,
        dropped=dropped,
        met=mib <= 64 and not dropped,
    )


def measure_flat_out(repeats: int, steps: int) -> None:
    processes = 4
    rates = []
    for _ in range(repeats):
        with running_server() as server, tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
            rates.append(flat_out(Path(folder), server.address, processes, steps))
    report(
        benchmark="client",
        row=f"{processes} processes, 100 keys a step, flat out, to durable",
        unit="points/s",
        median=round(median(rates)),
        runs=[round(rate) for rate in rates],
        at_least=1_000_000,
        met=median(rates) >= 1_000_000,
    )


def flat_out(folder: Path, address: str, processes: int, steps: int) -> float:
    trainers = [
        started(folder, FLAT_OUT, {"TRACKWIRE_TRACKING_URI": address}, [f"run-{number}", str(steps)])
        for number in range(processes)
    ]
    for trainer in trainers:
        assert trainer.stdout is not None
        assert trainer.stdout.readline().strip() == "ready"
    begun = time.time()
    for trainer in trainers:
        say(trainer)
    ended = []
    for trainer in trainers:
        assert trainer.stdout is not None
        ended_at, dropped = trainer.stdout.readline().split()
        assert dropped == "0", f"{dropped} points were dropped"
        ended.append(float(ended_at))
    for trainer in trainers:
        say(trainer)
        assert trainer.wait(60) == 0
    with Client(address) as client:
        for number in range(processes):
            for series in client.read_metrics([f"run-{number}"]).series:
                if series.key != "warm":
                    at = int(series.key.removeprefix("metric/"))
                    assert series.values.tolist() == [step + at * 1e-3 for step in range(steps)]
    return processes * steps * 100 / (max(ended) - begun)


def say(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def trained(script: str, *arguments: int, **environment: str) -> Any:
    """The numbers that a script has printed, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-", ignore_cleanup_errors=True) as folder:
        process = started(Path(folder), script, environment, [str(argument) for argument in arguments])
        out, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        # With the server away it would wait for ever.
        holder = SpoolLock(Path(folder) / ".trackwire" / "spool").holder()
        if holder is not None and holder.pid:
            os.kill(holder.pid, signal.SIGTERM)
        return ast.literal_eval(out)


def started(
    folder: Path, script: str, environment: Mapping[str, str], arguments: Sequence[str]
) -> "subprocess.Popen[str]":
    # Nor does an installed package compile its modules at each start.
    others = ("TRACKWIRE_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env={**bare, "PYTHONPATH": os.pathsep.join(TREE), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    main()
