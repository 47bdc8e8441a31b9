"""Runs in the table of their experiment: made, opened, and found again."""

import re
from collections.abc import Sequence

from playwright.sync_api import Locator, Page, expect
from tests.conftest import ServerProcess
from tests.ui.conftest import OpenPage

from trackwire import Client


def make_runs(client: Client, name: str, count: int = 4) -> tuple[str, list[str]]:
    """An experiment with finished runs `run-0`…, whose loss is a tenth of their number; its id and theirs."""
    experiment_id = client.create_experiment(name).experiment_id
    run_ids = []
    for number in range(count):
        run = client.create_run(
            experiment_id,
            run_name=f"run-{number}",
            params={"optimizer": ("adam", "sgd")[number % 2], "batch size": str(2**number)},
            start_time_ms=1_790_000_000_000 + number,
        )
        client.log_metrics(run.run_id, {"loss": number / 10, "train/accuracy": 1 - number / 10}, step=1)
        client.update_run(run.run_id, status="FINISHED")
        run_ids.append(run.run_id)
    return experiment_id, run_ids


def open_table(open_page: OpenPage, server: ServerProcess, experiment_id: str, query: str = "view=table") -> Page:
    page = open_page(f"{server.url}/#/experiments/{experiment_id}?{query}")
    expect(page.get_by_role("grid", name="Runs")).to_be_visible()
    return page


def names(page: Page) -> Locator:
    return page.get_by_role("rowheader")


def expect_names(page: Page, wanted: Sequence[str | re.Pattern[str]]) -> None:
    expect(names(page)).to_have_text(wanted)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
