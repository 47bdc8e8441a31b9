"""The colours of runs: a run that stays on a page keeps its own, whatever comes and goes, in all parts of the page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import OpenPage, Served

# Among so many, some want the same colour.
RUNS = 24


@pytest.fixture
def experiment_id(served: Served, request: pytest.FixtureRequest) -> str:
    """An experiment with so many finished runs, all with a loss."""
    experiment_id = served.client.create_experiment(request.node.name).experiment_id
    for number in range(RUNS):
        run_id = served.client.create_run(experiment_id, run_name=f"run {number:02d}").run_id
        served.client.log_metrics(run_id, {"loss": number + 1.0}, step=1)
        served.client.update_run(run_id, status="FINISHED")
    return experiment_id


def colors_in(places: Locator) -> dict[str, str]:
    """The colours of places that have a name and a swatch, by name."""
    read = "all => all.map(each => [each.innerText.trim(), each.querySelector('.swatch').style.background])"
    return dict(places.evaluate_all(read))


def legend(page: Page, count: int) -> Locator:
    entries = page.get_by_role("list", name="Colours").get_by_role("listitem")
    expect(entries).to_have_count(count)
    return entries


def of_names(colors: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    return {name: color for name, color in colors.items() if name in names}


def test_compared_runs_that_stay_keep_their_colours(open_page: OpenPage, served: Served, experiment_id: str) -> None:
    run_ids = [run.run_id for run in served.client.search_runs(experiment_id)]
    place = "/compare-runs?view=charts&runs="
    page = open_page(served.address_of(place + "~".join(run_ids)))
    before = colors_in(legend(page, RUNS))
    assert len(set(before.values())) == RUNS
    goto = "place => { location.hash = place }"
    page.evaluate(goto, place + "~".join(run_ids[RUNS // 2 :]))
    left = colors_in(legend(page, RUNS // 2))
    assert left == of_names(before, left)
    page.evaluate(goto, place + "~".join(run_ids))
    again = colors_in(legend(page, RUNS))
    assert of_names(again, left) == left
    assert len(set(again.values())) == RUNS
    page.get_by_role("tab", name="Table").click()
    heads = page.get_by_role("columnheader").filter(has=page.locator(".swatch"))
    expect(heads.first).to_be_visible()
    shown = colors_in(heads)
    assert shown
    assert shown == of_names(again, shown)
    page.get_by_role("tab", name="Bars").click()
    bar = page.get_by_role("list", name="loss").get_by_role("listitem").filter(has_text=re.compile("^run 23"))
    assert bar.locator(".bar-fill").evaluate("bar => bar.style.background") == again["run 23"]
    page.get_by_role("tab", name="Scatter").click()
    told = page.get_by_role("list", name="Colours").get_by_role("listitem")
    expect(told).to_have_count(9)
    expect(told.last).to_have_text(f"and {RUNS - 8} more")
    first = colors_in(told.filter(has=page.locator(".swatch")))
    assert len(first) == 8
    assert first == of_names(again, first)


def test_selected_runs_keep_their_colours_in_the_table_and_the_charts(
    open_page: OpenPage, served: Served, experiment_id: str
) -> None:
    page = open_page(f"{served.address_of(f'/experiments/{experiment_id}')}?view=charts&charted={RUNS}&color=run")
    before = colors_in(legend(page, RUNS))
    page.get_by_role("button", name="Both").click()
    rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))
    expect(rows.first).to_be_visible()
    names = "all => all.map(each => each.querySelector('.name a').innerText.trim())"
    swatches = "all => all.map(each => each.querySelector('.swatch').style.background)"
    shown = dict(zip(rows.evaluate_all(names), rows.evaluate_all(swatches), strict=True))
    assert shown == of_names(before, shown)
    chosen = list(shown)[len(shown) // 2 :]
    for name in chosen:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("button", name="Charts", exact=True).first.click()
    selected = colors_in(legend(page, len(chosen)))
    assert selected == of_names(before, selected)
    # A view that shows other runs, too, leaves them what they have.
    page.get_by_role("button", name="Bars").click()
    bars = page.get_by_role("list", name="loss").get_by_role("listitem")
    for name in chosen:
        bar = bars.filter(has_text=re.compile(f"^{name}")).locator(".bar-fill")
        assert bar.evaluate("bar => bar.style.background") == selected[name]
