"""All runs of an experiment as points, lines and bars, without selecting them first."""

import re

import pytest
from playwright.sync_api import Locator, Page, Request, expect
from tests.ui.browsing import PHONE, THEMES, Theme, Watch, violations
from tests.ui.conftest import OpenPage, Served

OPTIMIZERS = ("adam", "sgd")


def make_runs(served: Served, name: str, count: int) -> str:
    """An experiment with so many finished runs, of which two params and a metric differ."""
    experiment_id = served.client.create_experiment(name).experiment_id
    for number in range(count):
        add_run(served, experiment_id, number)
    return experiment_id


def add_run(served: Served, experiment_id: str, number: int) -> None:
    params = {"lr": str(10.0 ** -(1 + number % 4)), "optimizer": OPTIMIZERS[number % 2], "unasked": "same"}
    run_id = served.client.create_run(experiment_id, run_name=f"run {number}", params=params).run_id
    served.client.log_metrics(run_id, {"loss": 1 + number / 10, "unasked_too": 1.0}, step=1)
    served.client.update_run(run_id, status="FINISHED")


def open_plot(open_page: OpenPage, served: Served, experiment_id: str, query: str, **options: object) -> Page:
    return open_page(served.address_of(f"/experiments/{experiment_id}?{query}"), **options)


def plot(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name, exact=True)


def counted(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=re.compile(f"^{words}$"))).to_be_visible()


def test_all_runs_are_points_lines_or_bars_at_a_button(open_page: OpenPage, served: Served) -> None:
    # More than one page.
    experiment_id = make_runs(served, "buttons", 110)
    page = open_plot(open_page, served, experiment_id, "view=table")
    views = page.get_by_role("group", name="View", exact=True)
    views.get_by_role("button", name="Scatter").click()
    expect(plot(page, "loss by lr").get_by_role("img", name="110 runs as points")).to_be_visible()
    counted(page, "110 runs")
    assert "view=scatter" in page.url
    views.get_by_role("button", name="Parallel coordinates").click()
    # Only what differs is an axis.
    titles = plot(page, "Parallel coordinates").locator(".axis-title")
    expect(titles).to_contain_text(["lr", "optimizer", "loss"])
    expect(titles).to_have_count(3)
    expect(page.get_by_text("110 of 110 runs")).to_be_visible()
    views.get_by_role("button", name="Bars").click()
    expect(page.get_by_role("list", name="loss").get_by_role("listitem").first).to_contain_text("run 109")


def test_only_what_is_shown_is_asked_for(open_page: OpenPage, served: Served) -> None:
    experiment_id = make_runs(served, "asked", 6)
    page = open_page(served.address_of("/experiments"))
    bodies: list[bytes] = []

    def keep(request: Request) -> None:
        if request.url.endswith("/SearchRuns"):
            bodies.append(request.post_data_buffer or b"")

    page.on("request", keep)
    page.goto(served.address_of(f"/experiments/{experiment_id}?view=scatter&py=metric:loss&color=run"))
    expect(plot(page, "loss by lr").get_by_role("img", name="6 runs as points")).to_be_visible()
    assert any(b"loss" in body and b"lr" in body for body in bodies)
    assert not any(b"unasked" in body or b"optimizer" in body for body in bodies)
    page.get_by_role("combobox", name="Colour").select_option("optimizer")
    expect(page.get_by_role("list", name="Colours").get_by_role("listitem")).to_have_text(list(OPTIMIZERS))
    assert any(b"optimizer" in body for body in bodies)


def test_filter_and_what_begins_meanwhile_are_in_the_plot(open_page: OpenPage, served: Served) -> None:
    experiment_id = make_runs(served, "filtered", 6)
    query = "view=scatter&px=param:lr&py=metric:loss&filter=params.optimizer %3D 'sgd'"
    page = open_plot(open_page, served, experiment_id, query)
    shown = plot(page, "loss by lr")
    expect(shown.get_by_role("img", name="3 runs as points")).to_be_visible()
    add_run(served, experiment_id, 7)
    expect(shown.get_by_role("img", name="4 runs as points")).to_be_visible()
    counted(page, "4 runs")


def test_run_is_opened_from_its_point(open_page: OpenPage, served: Served) -> None:
    experiment_id = make_runs(served, "opened", 4)
    page = open_plot(open_page, served, experiment_id, "view=scatter&px=param:lr&py=metric:loss")
    shown = plot(page, "loss by lr")
    expect(shown.get_by_role("img", name="4 runs as points")).to_be_visible()
    shown.press("End")
    expect(shown.get_by_role("status")).to_contain_text("run 0")
    expect(shown.get_by_role("status")).to_contain_text("lr: 0.1")
    shown.press("Enter")
    expect(page.get_by_role("heading", name="run 0")).to_be_visible()


def test_runs_are_plotted_where_their_keys_are_refused(open_page: OpenPage, served: Served, watch: Watch) -> None:
    watch.expect("answer: 403 .*ListRunKeys")
    experiment_id = make_runs(served, "refused keys", 3)
    page = open_page(served.address_of("/experiments"))
    refusal = '{"code": "permission_denied", "message": "keys are for others"}'
    page.route("**/ListRunKeys", lambda route: route.fulfill(status=403, content_type="application/json", body=refusal))
    page.goto(served.address_of(f"/experiments/{experiment_id}?view=scatter"))
    expect(page.get_by_role("alert")).to_contain_text("keys are for others")
    # What the first runs have is known all the same.
    expect(plot(page, "loss by lr").get_by_role("img", name="3 runs as points")).to_be_visible()
    counted(page, "3 runs")


def test_many_keys_are_found_by_name(open_page: OpenPage, served: Served) -> None:
    experiment_id = make_runs(served, "many keys", 3)
    run_id = served.client.create_run(experiment_id, run_name="wide").run_id
    served.client.log_metrics(run_id, {f"layer/{number}/norm": float(number) for number in range(300)}, step=1)
    served.client.update_run(run_id, status="FINISHED")
    page = open_plot(open_page, served, experiment_id, "view=parallel&axes=param:lr~metric:unasked_too")
    page.get_by_role("button", name="Axes").click()
    axes = page.get_by_role("group", name="Metrics", exact=True)
    expect(axes.get_by_text(re.compile(r"^\d+ more: find them by name\.$"))).to_be_visible()
    # An axis that is shown can be taken away, wherever it stands in the list.
    expect(axes.get_by_role("checkbox", name="unasked_too", exact=True)).to_be_checked()
    page.get_by_role("searchbox", name="Find an axis").fill("layer/299/")
    axes.get_by_role("checkbox", name="layer/299/norm", exact=True).check()
    page.keyboard.press("Escape")
    titles = plot(page, "Parallel coordinates").locator(".axis-title")
    expect(titles).to_contain_text(["lr", "unasked_too", "layer/299/norm"])
    page.get_by_role("group", name="View", exact=True).get_by_role("button", name="Scatter").click()
    page.get_by_role("button", name="Up: ").click()
    page.get_by_role("searchbox", name="Find a key").fill("layer/298/")
    page.get_by_role("radio", name="layer/298/norm", exact=True).check()
    page.keyboard.press("Escape")
    expect(plot(page, "layer/298/norm by lr")).to_be_visible()
    page.get_by_role("button", name="Colour: ").click()
    page.get_by_role("radio", name="Runs").check()
    expect(page.get_by_role("button", name="Colour: Runs")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", ["parallel", "scatter", "bars"])
def test_plots_of_an_experiment_are_accessible(open_page: OpenPage, served: Served, theme: Theme, view: str) -> None:
    experiment_id = make_runs(served, f"accessible {view} {theme}", 3)
    page = open_plot(open_page, served, experiment_id, f"view={view}", theme=theme)
    expect(page.locator(".legend-ramp")).to_be_visible()
    counted(page, "3 runs")
    assert violations(page) == []


def test_plots_fit_a_phone(open_page: OpenPage, served: Served) -> None:
    experiment_id = make_runs(served, "phone", 3)
    page = open_plot(open_page, served, experiment_id, "view=parallel", size=PHONE)
    expect(plot(page, "Parallel coordinates")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
