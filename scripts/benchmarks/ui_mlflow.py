"""The journeys on MLflow's own pages, as a person makes them who has been there before.

That is: MLflow's assistant, which covers a part of its pages on a first visit, has been closed, and "Show all runs" was
chosen once in the experiment of long runs, of which its charts show the first ten otherwise.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from math import inf, isfinite
from pathlib import Path
from typing import Any

import ui_mlflow_data
from mlflow_peer import FOLDER, Backend, posted
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as PageTimeoutError
from ui_browser import WITHIN_SECONDS, Cards, Figures, Tab, loaded_kilobytes, opened, shipped_kilobytes
from ui_data import FILTER, LONG_RUNS, Experiments, matching

TABLE = ".ag-body-viewport"
# It has a hundred rows, and so many more for each click of "Load more" below them.
PAGE_ROWS, ROWS_MAX = 100, 1_000
# Beside rows of runs it counts two of heads and that of the button, which is there only while there is more to load.
ROWS = f"""((grid) => {{
  const rows = (grid?.ariaRowCount ?? 2) - 2;
  return rows - (rows % {PAGE_ROWS} === 1 ? 1 : 0);
}})(document.querySelector(".ag-root"))"""
# The button is in the page while it is in sight alone, and something lies over it while rows are on their way.
CAN_LOAD_MORE = f"""((table) => {{
  table.scrollTop = table.scrollHeight;
  return [...table.querySelectorAll("button")].some((button) => button.innerText === "Load more")
    && !document.querySelector(".ag-overlay:not(.ag-hidden) .ag-overlay-loading-wrapper");
}})(document.querySelector("{TABLE}"))"""
ROWS_COMPARED = 5
# The names in its first rows: the order of rows in the document isn't that on the screen.
NAMES = f"""[...Array({ROWS_COMPARED}).keys()]
  .map((at) => document.querySelector(`.ag-row[row-index="${{at}}"] a[href*="/runs/"]`)?.innerText)
  .filter(Boolean)"""
CARDS = Cards(
    area="[data-testid=experiment-view-compare-runs-chart-area]",
    card="[data-testid=experiment-view-compare-runs-card]",
    plot=".nsewdrag",
    # Finer points are those of the stretch alone, which doesn't begin at step 0.
    is_finer="document.querySelector('.js-plotly-plot').data[0].x[0] > 0",
    # A run may have several traces.
    is_drawn=f"""(card) => {{
      const plot = card.querySelector(".js-plotly-plot");
      const traces = plot?.data?.filter((trace) => trace.x?.length > 0) ?? [];
      return new Set(traces.map((trace) => trace.name)).size >= {LONG_RUNS}
        && plot.querySelectorAll("path.js-line").length >= traces.length;
    }}""",
)
# How often its charts ask for what is new.
POLL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class MlflowPages:
    """MLflow's server's, a browser for them, and what the browser has in its storage."""

    browser: Browser
    server: Backend
    experiments: Experiments
    storage: Any
    scripts: set[str] = field(default_factory=set)

    @contextmanager
    def tab(self, place: str) -> Iterator[Tab]:
        with opened(self.browser, f"{self.server.http}/#{place}", self.scripts, self.storage) as tab:
            yield tab

    def table(self) -> Figures:
        with self.tab(f"/experiments/{self.experiments.many}/runs") as tab:
            first = tab.until("document.querySelector('.ag-center-cols-container .ag-row')")
            if not isfinite(first):
                return {"first": inf, "whole": inf, "rows": 0, "filtered": inf, "longest task": inf}
            rows = self.load_rows(tab)
            whole = tab.now()
            longest = tab.longest_task_of_scrolling(TABLE)
            box = tab.page.get_by_test_id("search-box")
            box.fill(FILTER)
            expected = json.dumps(list(islice(matching(self.experiments.runs), ROWS_COMPARED)))
            started = tab.now()
            box.press("Enter")
            filtered = tab.until(f"JSON.stringify({NAMES}) === JSON.stringify({expected})")
        return {"first": first, "whole": whole, "rows": rows, "filtered": filtered - started, "longest task": longest}

    def load_rows(self, tab: Tab) -> int:
        """Clicks "Load more" until there are ROWS_MAX rows, or all of them; how many there are."""
        while (rows := int(tab.page.evaluate(ROWS))) < min(self.experiments.runs, ROWS_MAX):
            if not isfinite(tab.until(CAN_LOAD_MORE)):
                break
            tab.page.get_by_role("button", name="Load more").click()
            if not isfinite(tab.until(f"{ROWS} > {rows}")):
                break
        return rows

    def charts(self, steps: int) -> Figures:
        with self.tab(f"/experiments/{self.experiments.long[steps]}/runs?compareRunsMode=CHART") as tab:
            first = tab.until("document.querySelector('.js-plotly-plot path.js-line')")
            return {"first": first, **tab.look_through(CARDS)}

    def live(self, points: int) -> list[float]:
        """Milliseconds from the calls that log points, at any time between two polls, until they are drawn."""
        experiment_id = posted(self.server, "experiments/create", name="live")["experiment_id"]
        run = posted(self.server, "runs/create", experiment_id=experiment_id, start_time=int(time.time() * 1e3))
        run_id = run["run"]["info"]["run_id"]

        def log(step: int) -> None:
            now = int(time.time() * 1e3)
            posted(self.server, "runs/log-metric", run_id=run_id, key="loss", value=1 / step, step=step, timestamp=now)

        # A metric of one step is drawn as a bar.
        for step in (1, 2, 3):
            log(step)
        taken = []
        with self.tab(f"/experiments/{experiment_id}/runs?compareRunsMode=CHART") as tab:
            if not isfinite(tab.until("document.querySelector('.js-plotly-plot path.js-line')")):
                return [inf]
            for number in range(points):
                tab.page.wait_for_timeout(POLL_SECONDS * 1e3 * (number + 0.5) / points)
                started = time.perf_counter()
                log(4 + number)
                drawn = tab.until(has_step(4 + number))
                taken.append((time.perf_counter() - started) * 1e3 if isfinite(drawn) else inf)
        return taken

    def loaded(self) -> float:
        """The scripts that these journeys asked for, in KB."""
        return loaded_kilobytes(self.scripts)

    def shipped(self) -> float:
        """All scripts there are, in KB."""
        [build] = FOLDER.glob("lib/python*/site-packages/mlflow/server/js/build")
        return shipped_kilobytes(build)


def has_step(step: int) -> str:
    """A script that tells whether a line ends there."""
    return f"""[...document.querySelectorAll('.js-plotly-plot')]
      .some((plot) => plot.data?.some((trace) => trace.x?.at(-1) === {step}))"""


def made(server: Backend, database: Path, runs: int, steps: int) -> Experiments:
    many, long = (str(posted(server, "experiments/create", name=name)["experiment_id"]) for name in ("many", "long"))
    ui_mlflow_data.make_many_runs(database, many, runs)
    ui_mlflow_data.make_long_runs(database, long, steps)
    return Experiments(runs, many, {steps: long})


def visited(browser: Browser, server: Backend, experiments: Experiments) -> Any:
    """A browser's storage after a first visit."""
    [long] = experiments.long.values()
    with opened(browser, f"{server.http}/#/experiments/{long}/runs?compareRunsMode=CHART", set()) as tab:
        tab.until("document.querySelector('.js-plotly-plot')")
        # On a page that has room for it beside.
        with suppress(PageTimeoutError):
            tab.page.locator("[data-component-id='mlflow.assistant.chat_panel.close']").click(timeout=10_000)
        tab.page.get_by_label("Toggle visibility of runs").click()
        tab.page.get_by_role("menuitemradio", name="Show all runs").click()
        kept = tab.until("JSON.stringify(localStorage).includes('SHOW_ALL')")
        if not isfinite(kept):
            raise SystemExit(f"MLflow's page has not kept within {WITHIN_SECONDS} s that all runs are to be shown")
        return tab.page.context.storage_state()
