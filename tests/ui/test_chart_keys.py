"""Charts by keys: what is pointed at is told, and a stretch is zoomed into, moved and left."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import NOW_MS
from tests.ui.browsing import violations
from tests.ui.conftest import OpenPage, Served

from trackwire.columns import MetricColumns

STEPS = 20_001


@pytest.fixture
def page(open_page: OpenPage, served: Served, request: pytest.FixtureRequest) -> Page:
    """Charts of two runs: one falls from 1 to 0, the other rises from 1 to 2."""
    experiment_id = served.client.create_experiment(request.node.name).experiment_id
    steps = np.arange(STEPS)
    for name, values in (("falls", 1 - steps / STEPS), ("rises", 1 + steps / STEPS)):
        run_id = served.client.create_run(experiment_id, run_name=name).run_id
        with served.client.metric_writer(run_id) as writer:
            writer.add(MetricColumns(["loss"], [STEPS], steps, NOW_MS + steps, values))
        served.client.update_run(run_id, status="FINISHED")
    return open_page(served.address_of(f"/experiments/{experiment_id}?view=charts"))


RISES = re.compile(r"^Step [0-9,]+, rises: 1\.\d+$")
FALLS = re.compile(r"^Step [0-9,]+, falls: 0\.\d+$")


def keyed(page: Page) -> Locator:
    chart = page.get_by_role("group", name="loss of 2 series, by keys")
    expect(chart).to_be_visible()
    chart.focus()
    return chart


def test_points_are_told_line_by_line(page: Page) -> None:
    chart = keyed(page)
    told = chart.get_by_role("status")
    chart.press("ArrowRight")
    expect(told).to_have_text(RISES)
    before = told.inner_text()
    chart.press("ArrowRight")
    expect(told).to_have_text(RISES)
    expect(told).not_to_have_text(before)
    chart.press("ArrowDown")
    expect(told).to_have_text(FALLS)
    # There is none below it.
    chart.press("ArrowDown")
    expect(told).to_have_text(FALLS)
    chart.press("ArrowUp")
    expect(told).to_have_text(RISES)
    expect(chart.locator(".chart-tooltip")).to_be_visible()
    assert violations(page) == []
    chart.press("Tab")
    expect(told).to_have_text("")
    expect(chart.locator(".chart-tooltip")).to_have_count(0)


def expect_end(chart: Locator, step: int) -> None:
    """Of the stretch that is shown."""
    ends = "|".join(f"{near}(\\.\\d+)?" for near in (step - 1, step, step + 1))
    expect(chart.get_by_role("img")).to_have_attribute("data-to", re.compile(f"^({ends})$"))


@pytest.mark.parametrize("leave", ["0", "--"])
def test_stretch_is_zoomed_into_moved_and_left(page: Page, leave: str) -> None:
    chart = keyed(page)
    expect_end(chart, 20_000)
    chart.press("+")
    expect_end(chart, 15_000)
    expect(chart.get_by_role("img")).to_have_attribute("data-is-finer", "true")
    chart.press("Shift+ArrowRight")
    expect_end(chart, 17_500)
    # No further than there is anything.
    for _ in range(2):
        chart.press("Shift+ArrowRight")
        expect_end(chart, 20_000)
    chart.press("Shift+ArrowLeft")
    expect_end(chart, 17_500)
    for key in leave:
        chart.press(key)
        expect_end(chart, 20_000)
    expect(page.get_by_role("button", name="Show all of loss")).to_have_count(0)
