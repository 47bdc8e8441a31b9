"""Measures the web UI in a Chromium of this machine, and MLflow's beside it: JSON lines, medians of fresh tabs.

One experiment has 10,000 runs with 30 params and 30 metrics each: how long until its first rows are there, a filter is
applied, and how long the longest task is while all of them scroll by. Another has long runs, 50 with 200 metrics of
100,000 steps at full scale: how long until the first chart and all charts in sight are drawn and a zoom has its finer
points, and the memory of the tab once all charts have been in sight. And how long a point that is logged takes to be
drawn.

MLflow's own server has the same runs and makes the same journeys, in turn with ours; its database holds long runs of
fewer steps, for which ours have rows of their own. `mlflow` is its median, `ratio` ours by its; null is what wasn't
there within a minute, and counts as for ever in a median. The environment with MLflow in it is made below .cache the
first time.

ui_data.py says what is in the experiments, ui_trackwire.py and ui_mlflow.py make the journeys, ui_browser.py is the
browser's part of them, and ui_mlflow_data.py writes MLflow's database.
"""

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Protocol

import mlflow_peer
import ui_mlflow
import ui_mlflow_data
from benchmarking import median, report, running_server
from playwright.sync_api import Browser, sync_playwright
from ui_browser import WITHIN_SECONDS, Figures
from ui_data import LONG_KEYS, LONG_RUNS, Experiments, make_long_runs, make_many_runs
from ui_mlflow import MlflowPages
from ui_trackwire import TrackwirePages

from trackwire import Client

RUNS, STEPS, STEPS_MIN = 10_000, 100_000, 200
# 1.4 GB in MLflow's database, and half a minute to write them.
MLFLOW_STEPS = 500
LIVE_POINTS, MLFLOW_LIVE_POINTS_MAX = 4, 3
SHIPPED_KB_MAX = 350


class Pages(Protocol):
    """The pages of a tracker, by the journeys that are made on them."""

    def table(self) -> Figures:
        """The experiment of many runs: its rows, a filter, all of it scrolled by."""

    def charts(self, steps: int) -> Figures:
        """The charts of the long runs of so many steps."""

    def live(self, points: int) -> list[float]:
        """Milliseconds from the calls that log points until they are drawn."""

    def loaded(self) -> float:
        """Kilobytes of the scripts that these journeys asked for, gzipped."""

    def shipped(self) -> float:
        """Kilobytes of all scripts, gzipped, those of pages that few open included."""


def main() -> None:
    arguments = chosen()
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("needs Chromium: apt-get install chromium")
    steps = max(STEPS_MIN, int(STEPS * arguments.scale))
    beside = None if arguments.without_mlflow else arguments.mlflow_steps
    with (
        running_server("--http-port", "0") as server,
        Client(server.address) as client,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        every = sorted({steps, beside or steps}, reverse=True)
        many = make_many_runs(client, arguments.runs)
        experiments = Experiments(arguments.runs, many, {each: make_long_runs(client, each) for each in every})
        ours = TrackwirePages(chromium, server.http_url, client, experiments)
        with mlflow_beside(chromium, arguments.runs, beside) as theirs:
            both = (ours, *theirs)
            measure_table(both, arguments.repeats, arguments.runs)
            for each in every:
                is_alone = beside not in (None, each)
                sides = (ours,) if is_alone else both
                measure_charts(sides, arguments.repeats, each, is_judged=each == steps, is_alone=is_alone)
            measure_live(both, arguments.repeats)
            measure_scripts(both)
        chromium.close()


def chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_ui", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="tabs that a median is of (5)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"in the experiment of many runs ({RUNS:,})")
    parser.add_argument("--scale", type=float, default=0.05, help="of the steps of long runs (0.05; 1 takes 10 GB)")
    parser.add_argument(
        "--mlflow-steps", type=int, default=MLFLOW_STEPS, help=f"of long runs beside MLflow ({MLFLOW_STEPS}: 1.4 GB)"
    )
    parser.add_argument("--without-mlflow", action="store_true", help="leave out MLflow's pages")
    arguments = parser.parse_args()
    if arguments.mlflow_steps < 2:
        parser.error(f"--mlflow-steps is {arguments.mlflow_steps}: must be 2 or more, as one is no line")
    return arguments


@contextmanager
def mlflow_beside(browser: Browser, runs: int, steps: int | None) -> Iterator[Sequence[Pages]]:
    """MLflow's pages with long runs of so many steps; nothing where there are to be none."""
    if steps is None:
        yield ()
        return
    python = mlflow_peer.environment()
    with (
        tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder,
        # With more of them its supervisor ends those that a busy machine keeps from answering for five seconds.
        mlflow_peer.mlflow_server(python, "--workers", "1", folder=Path(folder)) as server,
    ):
        experiments = ui_mlflow.made(server, Path(folder) / "mlflow.db", runs, steps)
        storage = ui_mlflow.visited(browser, server, experiments)
        server.wait_until_calm()
        yield (MlflowPages(browser, server, experiments, storage),)


def measure_table(both: Sequence[Pages], repeats: int, runs: int) -> None:
    found = in_turn(both, repeats, lambda pages: pages.table())
    rows, paging = {}, {}
    if len(found) > 1:
        rows = {"mlflow_rows": int(max(found[1]["rows"]))}
        paging = {"mlflow_note": f"{ui_mlflow.PAGE_ROWS} at first, and as many more for each click of Load more"}
    tell("first rows", "ms", found, "first", 1_000, runs=runs)
    tell("all rows", "ms", found, "whole", None, runs=runs, **rows, **paging)
    tell("filter applied", "ms", found, "filtered", 300, runs=runs)
    tell("longest task while all runs scroll by", "ms", found, "longest task", 50, runs=runs, **rows)


def measure_charts(both: Sequence[Pages], repeats: int, steps: int, *, is_judged: bool, is_alone: bool) -> None:
    found = in_turn(both, repeats, lambda pages: pages.charts(steps))
    more: dict[str, object] = {"of": f"{LONG_RUNS} runs, {LONG_KEYS} metrics, {steps:,} steps"}
    if is_alone:
        gigabytes = LONG_RUNS * LONG_KEYS * steps * ui_mlflow_data.BYTES_A_POINT / 1e9
        more |= {"mlflow": None, "mlflow_note": f"its database would take {gigabytes:.2g} GB: see fewer steps"}
    cards = {name: int(max(each["cards"])) for name, each in zip(("cards", "mlflow_cards"), found, strict=False)}
    for row, name, unit, goal in (
        ("first chart", "first", "ms", 1_500),
        ("charts in sight", "in sight", "ms", None),
        ("zoom", "zoom", "ms", 200),
        ("memory of the tab", "memory", "MB", 400),
    ):
        tell(row, unit, found, name, goal if is_judged else None, **more, **(cards if name == "in sight" else {}))


def measure_live(both: Sequence[Pages], repeats: int) -> None:
    ours, *theirs = both
    found = [{"live": ours.live(LIVE_POINTS * repeats)}]
    found += [{"live": pages.live(min(repeats, MLFLOW_LIVE_POINTS_MAX))} for pages in theirs]
    polls = {"mlflow_note": f"its charts ask every {ui_mlflow.POLL_SECONDS} s"} if theirs else {}
    tell("a logged point is drawn", "ms", found, "live", 1_000, **polls)


def measure_scripts(both: Sequence[Pages]) -> None:
    shipped = [{"scripts": [pages.shipped()]} for pages in both]
    loaded = [{"scripts": [pages.loaded()]} for pages in both]
    tell("all scripts, gzipped", "KB", shipped, "scripts", SHIPPED_KB_MAX)
    tell("scripts that table and charts ask for, gzipped", "KB", loaded, "scripts", None)


def in_turn(
    both: Sequence[Pages], repeats: int, journey: Callable[[Pages], Figures]
) -> Sequence[dict[str, list[float]]]:
    """What each tracker's pages took, by the name of what was measured."""
    found: list[dict[str, list[float]]] = [defaultdict(list) for _ in both]
    for _ in range(repeats):
        for pages, figures in zip(both, found, strict=True):
            for name, figure in journey(pages).items():
                figures[name].append(figure)
    return found


def tell(
    row: str, unit: str, found: Sequence[dict[str, list[float]]], name: str, at_most: float | None, **more: object
) -> None:
    """One row: our median, what it has to keep below, and MLflow's beside it."""
    ours, *theirs = (each[name] for each in found)
    figure = median(ours)
    goal = {} if at_most is None else {"at_most": at_most, "met": figure <= at_most}
    beside = told_beside(figure, theirs[0]) if theirs else {}
    figures = {"median": shown(figure), "worst": shown(max(ours)), **beside, **more, **goal}
    report(benchmark="ui", row=row, unit=unit, **figures)


def told_beside(figure: float, theirs: Sequence[float]) -> dict[str, object]:
    """MLflow's median, and ours by it."""
    its = median(theirs)
    ratio = round(figure / its, 3) if isfinite(figure) and isfinite(its) and its else None
    missing = sum(not isfinite(each) for each in theirs)
    late = {"mlflow_late": f"{missing} of {len(theirs)} not within {WITHIN_SECONDS} s"} if missing else {}
    return {"mlflow": shown(its), "mlflow_worst": shown(max(theirs)), "ratio": ratio, **late}


def shown(figure: float) -> float | None:
    """As JSON has it."""
    return round(figure, 1) if isfinite(figure) else None


if __name__ == "__main__":
    main()
