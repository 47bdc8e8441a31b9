"""The journeys on our pages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isfinite

from benchmarking import ROOT
from playwright.sync_api import Browser
from ui_browser import Cards, Figures, Tab, loaded_kilobytes, opened, shipped_kilobytes
from ui_data import FILTER, LONG_RUNS, Experiments

from trackwire import Client

PAGES = ROOT / "server" / "trackwire_server" / "web" / "pages"
TABLE = ".run-table"
CARDS = Cards(
    area=".chart-scroll",
    card=".chart-card",
    plot=".u-over",
    is_finer="document.querySelector('.line-chart[data-is-finer=true]')",
    # The label of a chart ends with the number of its lines.
    is_drawn=f"""(card) => {{
      const chart = card.querySelector(".line-chart");
      return chart?.querySelector("canvas") && chart.ariaLabel.endsWith(" of {LONG_RUNS} series");
    }}""",
)


@dataclass(frozen=True, slots=True)
class TrackwirePages:
    """Our server's, and a browser for them."""

    browser: Browser
    url: str
    client: Client
    experiments: Experiments
    scripts: set[str] = field(default_factory=set)

    @contextmanager
    def tab(self, place: str) -> Iterator[Tab]:
        with opened(self.browser, f"{self.url}/#{place}", self.scripts) as tab:
            yield tab

    def table(self) -> Figures:
        runs = self.experiments.runs
        with self.tab(f"/experiments/{self.experiments.many}?view=table") as tab:
            first = tab.until("document.querySelector('.run-row')")
            counted = f"document.querySelector('.run-foot')?.innerText.startsWith('{runs:,} runs')"
            whole = tab.until(f"{counted} && !document.body.innerText.includes('counting')")
            longest = tab.longest_task_of_scrolling(TABLE)
            box = tab.page.get_by_role("combobox", name="Filter runs")
            box.fill(FILTER)
            started = tab.now()
            box.press("Enter")
            filtered = tab.until(f"Number(document.querySelector('{TABLE}')?.ariaRowCount ?? {runs}) < {runs}")
        return {"first": first, "whole": whole, "filtered": filtered - started, "longest task": longest}

    def charts(self, steps: int) -> Figures:
        experiment_id = self.experiments.long[steps]
        runs = "~".join(run.run_id for run in self.client.search_runs(experiment_id))
        with self.tab(f"/experiments/{experiment_id}?view=charts&runs={runs}") as tab:
            first = tab.until("document.querySelector('.line-chart canvas')")
            return {"first": first, **tab.look_through(CARDS)}

    def live(self, points: int) -> list[float]:
        """Milliseconds from the calls that log points until they are drawn."""
        experiment_id = self.client.create_experiment("live").experiment_id
        run_id = self.client.create_run(experiment_id).run_id
        self.client.log_metrics(run_id, {"loss": 1.0}, step=0)
        taken = []
        with self.tab(f"/experiments/{experiment_id}?view=charts") as tab:
            tab.page.wait_for_selector(".line-chart canvas")
            tab.page.wait_for_timeout(1_000)
            for step in range(1, points + 1):
                started = time.perf_counter()
                self.client.log_metrics(run_id, {"loss": 1 / step}, step=step)
                drawn = tab.until(f"document.querySelector('.line-chart[data-to=\"{step}\"]')")
                taken.append((time.perf_counter() - started) * 1e3 if isfinite(drawn) else inf)
        return taken

    def loaded(self) -> float:
        """The scripts that these journeys asked for, in KB."""
        return loaded_kilobytes(self.scripts)

    def shipped(self) -> float:
        """All scripts there are, in KB."""
        return shipped_kilobytes(PAGES)
