"""Measures the web UI in a Chromium of this machine: JSON lines, medians of fresh tabs.

One experiment has 10,000 runs with 30 params and 30 metrics each: how long until its first rows are there, a filter is
applied, and how long the longest task is while all of them scroll by. Another has long runs, 50 with 200 metrics of
100,000 steps at full scale: how long until the first chart is drawn and a zoom has its finer points, and the memory of
the tab. And how long a point that is logged takes to be drawn.
"""

import argparse
import gzip
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil
from benchmarking import ROOT, median, report, running_server
from playwright.sync_api import Browser, Page, sync_playwright

from trackwire import Client
from trackwire.columns import MetricColumns

RUNS, KEYS = 10_000, 30
LONG_RUNS, LONG_KEYS, STEPS = 50, 200, 100_000
STEPS_AT_ONCE = 10_000
WRITERS = 16
PAGES = ROOT / "server" / "trackwire_server" / "web" / "pages"
SHIPPED_KB_MAX, MEMORY_MB_MAX, TASK_MS_MAX = 350, 400, 50
FRAMES_OF_SCROLLING = 300
FILTER = "metrics.metric_03 > 0.9 AND params.param_02 = 'choice-1'"
# Runs in the page before any script of it: when an element first was there, and all tasks that held others up.
WATCH = """
window.bench = { tasks: [], seen: {} };
new PerformanceObserver((list) => window.bench.tasks.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });
window.bench.until = (condition) => new Promise((done) => {
  const look = () => condition() ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
});
"""
SCROLL = """async (frames) => {
  const table = document.querySelector(".run-table");
  for (let at = 0; at < frames; at += 1) {
    table.scrollTop += (table.scrollHeight / frames) * 0.98;
    await new Promise((done) => requestAnimationFrame(done));
  }
}"""


@dataclass(frozen=True, slots=True)
class Site:
    """A server with its pages, and a browser for them."""

    url: str
    browser: Browser
    client: Client
    repeats: int

    @contextmanager
    def tab(self, place: str) -> Iterator[Page]:
        """A page in a browser that knows nothing yet."""
        context = self.browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"{self.url}/#{place}", wait_until="commit")
        yield page
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_ui", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="tabs that a median is of (5)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"in the experiment of many runs ({RUNS:,})")
    parser.add_argument("--scale", type=float, default=0.05, help="of the steps of long runs (0.05; 1 takes 10 GB)")
    arguments = parser.parse_args()
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("needs Chromium: apt-get install chromium")
    shipped()
    with (
        running_server("--http-port", "0") as server,
        Client(server.address) as client,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        site = Site(server.http_url, chromium, client, arguments.repeats)
        many = make_many_runs(client, arguments.runs)
        long, steps = make_long_runs(client, arguments.scale)
        measure_table(site, many, arguments.runs)
        measure_charts(site, long, steps)
        measure_live(site)
        chromium.close()


def shipped() -> None:
    """All scripts, those of pages that few open included."""
    size = sum(len(gzip.compress(path.read_bytes())) for path in PAGES.rglob("*.js"))
    tell("scripts, gzipped", "KB", [size / 1e3], SHIPPED_KB_MAX)


def make_many_runs(client: Client, runs: int) -> str:
    experiment_id = client.create_experiment("many runs").experiment_id

    def make(number: int) -> None:
        chance = np.random.default_rng(number)
        params = {
            f"param_{key:02}": f"choice-{chance.integers(5)}" if key % 2 == 0 else f"{chance.random():.4f}"
            for key in range(KEYS)
        }
        run_id = client.create_run(experiment_id, run_name=f"trial-{number:05}", params=params).run_id
        client.log_metrics(run_id, {f"metric_{key:02}": chance.random() for key in range(KEYS)})
        client.update_run(run_id, status="FINISHED")

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(make, range(runs)))
    return experiment_id


def make_long_runs(client: Client, scale: float) -> tuple[str, int]:
    experiment_id = client.create_experiment("long runs").experiment_id
    steps = max(200, int(STEPS * scale))
    keys = [f"group_{key // 20}/metric_{key:03}" for key in range(LONG_KEYS)]
    for number in range(LONG_RUNS):
        chance = np.random.default_rng(number)
        run_id = client.create_run(experiment_id, run_name=f"long-{number:02}").run_id
        with client.metric_writer(run_id) as writer:
            for key in keys:
                for at in range(0, steps, STEPS_AT_ONCE):
                    part = np.arange(at, min(at + STEPS_AT_ONCE, steps))
                    values = np.exp(-part / steps * 5) + chance.normal(0, 0.05, len(part))
                    writer.add(MetricColumns([key], [len(part)], part, 1_790_000_000_000 + part * 11, values))
        client.update_run(run_id, status="FINISHED")
    while client.get_server_info().journal_points:
        time.sleep(0.2)
    return experiment_id, steps


def measure_table(site: Site, experiment_id: str, runs: int) -> None:
    first: list[float] = []
    whole: list[float] = []
    filtered: list[float] = []
    longest: list[float] = []
    for _ in range(site.repeats):
        with site.tab(f"/experiments/{experiment_id}?view=table") as page:
            first.append(page.evaluate("bench.until(() => document.querySelector('.run-row'))"))
            counted = f"document.querySelector('.run-foot').innerText.startsWith('{runs:,} runs')"
            whole.append(
                page.evaluate(f"bench.until(() => {counted} && !document.body.innerText.includes('counting'))")
            )
            page.evaluate("bench.tasks.length = 0")
            page.evaluate(SCROLL, FRAMES_OF_SCROLLING)
            longest.append(page.evaluate("Math.max(0, ...bench.tasks)"))
            box = page.get_by_role("combobox", name="Filter runs")
            box.fill(FILTER)
            started = page.evaluate("performance.now()")
            box.press("Enter")
            fewer = f"Number(document.querySelector('.run-table').ariaRowCount) < {runs}"
            filtered.append(page.evaluate(f"bench.until(() => {fewer})") - started)
    tell("first rows", "ms", first, 1_000, runs=runs)
    tell("all rows", "ms", whole, None, runs=runs)
    tell("filter applied", "ms", filtered, 300, runs=runs)
    tell("longest task while all runs scroll by", "ms", longest, TASK_MS_MAX, runs=runs)


def measure_charts(site: Site, experiment_id: str, steps: int) -> None:
    drawn: list[float] = []
    zoomed: list[float] = []
    memory: list[float] = []
    points = f"{LONG_RUNS} runs, {LONG_KEYS} metrics, {steps:,} steps"
    for _ in range(site.repeats):
        runs = "~".join(run.run_id for run in site.client.search_runs(experiment_id))
        with site.tab(f"/experiments/{experiment_id}?view=charts&runs={runs}") as page:
            drawn.append(page.evaluate("bench.until(() => document.querySelector('.line-chart canvas'))"))
            page.wait_for_load_state("networkidle")
            zoomed.append(zoom(page))
            for _ in range(20):
                page.mouse.wheel(0, 2_000)
                page.wait_for_load_state("networkidle")
            memory.append(renderer_megabytes(site.browser))
    tell("first chart", "ms", drawn, 1_500, of=points)
    tell("zoom", "ms", zoomed, 200, of=points)
    tell("memory of the tab", "MB", memory, MEMORY_MB_MAX, of=points)


def zoom(page: Page) -> float:
    """From the end of a drag over a fifth of a chart until its finer points are drawn."""
    place = page.locator(".u-over").first.bounding_box()
    assert place is not None
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + place["width"] * 0.4, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.6, middle, steps=4)
    started = page.evaluate("performance.now()")
    page.mouse.up()
    ended = page.evaluate("bench.until(() => document.querySelector('.line-chart[data-is-finer=true]'))")
    return float(ended - started)


def measure_live(site: Site) -> None:
    """From the call that logs a point until it is drawn."""
    experiment_id = site.client.create_experiment("live").experiment_id
    run_id = site.client.create_run(experiment_id).run_id
    site.client.log_metrics(run_id, {"loss": 1.0}, step=0)
    seconds: list[float] = []
    with site.tab(f"/experiments/{experiment_id}?view=charts") as page:
        page.wait_for_selector(".line-chart canvas")
        page.wait_for_timeout(1_000)
        for step in range(1, 4 * site.repeats + 1):
            started = time.perf_counter()
            site.client.log_metrics(run_id, {"loss": 1 / step}, step=step)
            page.evaluate(f"bench.until(() => document.querySelector('.line-chart[data-to=\"{step}\"]'))")
            seconds.append(time.perf_counter() - started)
    tell("a logged point is drawn", "ms", [each * 1e3 for each in seconds], 1_000)


def renderer_megabytes(browser: Browser) -> float:
    """What the largest of the browser's tabs holds for itself."""
    held = [
        process.memory_full_info().uss / 1e6
        for process in psutil.process_iter(["cmdline"])
        if "--type=renderer" in (process.info["cmdline"] or ())
    ]
    return max(held, default=0.0)


def tell(row: str, unit: str, figures: Sequence[float], at_most: float | None, **more: object) -> None:
    """One row: of times the median, and what they have to keep below."""
    figure = median(figures)
    goal = {} if at_most is None else {"at_most": at_most, "met": figure <= at_most}
    report(benchmark="ui", row=row, unit=unit, median=figure, worst=round(max(figures), 1), **more, **goal)


if __name__ == "__main__":
    main()
