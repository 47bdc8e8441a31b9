"""Measures the reads behind a page of charts: JSON lines, medians; what comes is compared with what was stored.

50 runs have 8 series of 100,000 points each, compacted. A page is all 400 series down to 400 or 1,000 points; a zoom is
one key's 50 series, 20,000 steps of each, down to 1,000. The client's time is part of it.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np
from benchmarking import STORES, Server, databases, median, report, running_server, timed

from trackwire import Client
from trackwire.columns import MetricColumns, Series

RUNS, KEYS, POINTS = 50, 8, 100_000
STEPS_AT_ONCE = 5_000


def values(run: int, key: int, points: int) -> np.ndarray:
    """Noise around a decay; seeded."""
    noise = np.random.default_rng(run * KEYS + key).normal(0, 0.05, points)
    return np.exp(-np.arange(points) / 20_000) + noise


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_charts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=9, help="reads that a median is of (9)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of points of a series (1)")
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the server keeps points in (sqlite)")
    arguments = parser.parse_args()
    points = int(POINTS * arguments.scale)
    with (
        databases(arguments.store) as fresh,
        fresh() as options,
        running_server(*options) as server,
        Client(server.address) as client,
    ):
        store(client, points)
        measure(client, points, arguments.store, arguments.repeats)
        report(benchmark="charts", row="server memory", store=arguments.store, peak_mb=peak(server))


def peak(server: Server) -> float:
    return round(server.peak_megabytes(), 1)


def run_ids() -> list[str]:
    return [f"run-{run:02}" for run in range(RUNS)]


def keys() -> list[str]:
    return [f"key-{key}" for key in range(KEYS)]


def store(client: Client, points: int) -> None:
    """All series, compacted."""
    for run, run_id in enumerate(run_ids()):
        client.create_run(run_id=run_id)
        columns = [values(run, key, points) for key in range(KEYS)]
        with client.metric_writer(run_id) as writer:
            for at in range(0, points, STEPS_AT_ONCE):
                steps = np.arange(at, min(at + STEPS_AT_ONCE, points))
                every = np.tile(steps, KEYS)
                part = np.concatenate([column[steps] for column in columns])
                writer.add(MetricColumns(keys(), [len(steps)] * KEYS, every, 1_790_000_000_000 + every * 11, part))
        client.update_run(run_id, status="FINISHED")
    while client.get_server_info().journal_points:
        time.sleep(0.1)


def measure(client: Client, points: int, kept_in: str, repeats: int) -> None:
    # Neither end of the range is where a chunk begins.
    zoomed = (points * 2 // 5 + 1_003, points * 3 // 5 + 1_003)
    for row, some_keys, max_points, bounds, at_most_ms in (
        ("a page of 400 series down to 400", keys(), 400, (0, points), 600),
        ("a page of 400 series down to 1,000", keys(), 1_000, (0, points), 600),
        ("a zoom into 50 series down to 1,000", keys()[:1], 1_000, zoomed, 80),
    ):
        seconds: list[float] = []
        for _ in range(repeats + 1):
            with timed(seconds):
                found = client.read_metrics(
                    run_ids(), some_keys, max_points=max_points, min_step=bounds[0], max_step=bounds[1] - 1
                )
        check(found.series, RUNS * len(some_keys), points, bounds, max_points)
        figure = median([second * 1e3 for second in seconds[1:]])
        worst = round(max(seconds[1:]) * 1e3, 1)
        report(
            benchmark="charts",
            row=row,
            store=kept_in,
            unit="ms",
            median=figure,
            best=round(min(seconds[1:]) * 1e3, 1),
            worst=worst,
            at_most=at_most_ms,
            met=figure <= at_most_ms,
        )


def check(found: Sequence[Series], count: int, points: int, bounds: tuple[int, int], max_points: int) -> None:
    if len(found) != count:
        raise SystemExit(f"{len(found)} series of {count}")
    for series in found:
        column = values(run_ids().index(series.run_id), keys().index(series.key), points)
        within = column[bounds[0] : bounds[1]]
        if len(series) > max_points or not np.array_equal(column[series.steps], series.values):
            raise SystemExit(f"the points of {series.key} of {series.run_id} are not those that were stored")
        if len(within) and not {within.min(), within.max(), within[0], within[-1]} <= set(series.values.tolist()):
            raise SystemExit(f"the extremes of {series.key} of {series.run_id} are not among the points")


if __name__ == "__main__":
    main()
