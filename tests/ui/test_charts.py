"""The charts of the web UI: read, followed, zoomed and set up; and runs compared."""

import io
import re
import struct
from collections.abc import Iterable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import NOW_MS, ServerProcess
from tests.ui.browsing import PHONE, THEMES, Theme, violations
from tests.ui.conftest import OpenPage

from trackwire import Client
from trackwire.columns import MetricColumns

STEPS = 20_000
SPIKE = 12_345


def make_run(client: Client, experiment_id: str, name: str, keys: Iterable[str], steps: int = 200) -> str:
    """A finished run whose series fall from 1 to 0."""
    run_id = client.create_run(experiment_id, run_name=name, params={"lr": "0.1", "name": name}).run_id
    with client.metric_writer(run_id) as writer:
        for key in keys:
            at = np.arange(steps)
            writer.add(MetricColumns([key], [steps], at, NOW_MS + at * 1000, 1 - at / steps))
    client.update_run(run_id, status="FINISHED")
    return run_id


def open_charts(open_page: OpenPage, server: ServerProcess, experiment_id: str, query: str = "") -> Page:
    return open_page(f"{server.url}/#/experiments/{experiment_id}?view=charts{query}")


def card(page: Page, key: str) -> Locator:
    return page.get_by_role("region", name=key, exact=True)


def chart(page: Page, key: str) -> Locator:
    """Its canvas, once it is drawn."""
    drawn = card(page, key).get_by_role("img")
    expect(drawn).to_be_visible()
    return drawn


def point_at(page: Page, key: str, across: float, up: float = 0.5) -> None:
    """Moves the mouse to a place of a chart, in shares of its width and height."""
    place = card(page, key).locator(".u-over").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + across * place["width"], place["y"] + (1 - up) * place["height"])


def drag_over(page: Page, key: str, from_share: float, to_share: float) -> None:
    point_at(page, key, from_share)
    page.mouse.down()
    point_at(page, key, (from_share + to_share) / 2)
    point_at(page, key, to_share)
    page.mouse.up()


def test_every_metric_has_a_card_below_its_prefix(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("cards").experiment_id
    make_run(client, experiment_id, "one", ["loss", "train/loss", "train/accuracy", "system/cpu"])
    page = open_charts(open_page, server, experiment_id)
    expect(page.get_by_role("heading", level=2)).to_have_text(["Charts", "Metrics1", "train2", "system1"])
    for key in ("loss", "train/loss", "train/accuracy"):
        chart(page, key)
    page.get_by_role("button", name="train 2").click()
    expect(card(page, "train/loss")).to_have_count(0)
    page.get_by_role("searchbox", name="Find a metric").fill("ACC")
    chart(page, "train/accuracy")
    expect(card(page, "loss")).to_have_count(0)


def test_only_cards_in_sight_are_in_the_page(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("many cards").experiment_id
    make_run(client, experiment_id, "one", [f"metric_{number:03d}" for number in range(120)], 3)
    page = open_charts(open_page, server, experiment_id)
    chart(page, "metric_000")
    assert page.get_by_role("region").count() < 40


def test_line_that_is_pointed_at_is_named_with_its_value(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("pointed at").experiment_id
    make_run(client, experiment_id, "falls slowly", ["loss"])
    page = open_charts(open_page, server, experiment_id)
    chart(page, "loss")
    point_at(page, "loss", 0.5)
    shown = card(page, "loss").locator(".chart-tooltip")
    expect(shown).to_contain_text("falls slowly")
    expect(shown).to_contain_text("Step")


def test_point_that_is_logged_is_on_the_screen_without_reloading(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("live").experiment_id
    run_id = client.create_run(experiment_id, run_name="trains").run_id
    client.log_metrics(run_id, {"loss": 1.0}, step=0)
    page = open_charts(open_page, server, experiment_id)
    chart(page, "loss")
    client.log_metrics(run_id, {"loss": 0.5}, step=1000)
    point_at(page, "loss", 0.98, 0.05)
    shown = card(page, "loss").locator(".chart-tooltip")
    expect(shown).to_contain_text("Step 1,000")
    expect(shown).to_contain_text("0.5")


# Of the first so many whole steps one lies, by its rounding, just where a stretch of the thinned line ends.
@pytest.mark.parametrize("steps", [2_061, 2_200, 4_361])
def test_long_series_is_followed_whatever_its_steps(
    open_page: OpenPage, server: ServerProcess, client: Client, steps: int
) -> None:
    experiment_id = client.create_experiment(f"followed for {steps}").experiment_id
    run_id = client.create_run(experiment_id, run_name="trains").run_id
    client.log_metrics(run_id, {"loss": 1.0}, step=0)
    page = open_charts(open_page, server, experiment_id)
    drawn = card(page, "loss").locator(".line-chart")
    expect(drawn).to_be_visible()
    with client.metric_writer(run_id) as writer:
        at = np.arange(1, steps)
        writer.add(MetricColumns(["loss"], [steps - 1], at, NOW_MS + at, 1 - at / steps))
    expect(drawn).to_have_attribute("data-to", str(steps - 1))
    client.log_metrics(run_id, {"loss": 0.0}, step=steps)
    expect(drawn).to_have_attribute("data-to", str(steps))


def test_zoom_asks_for_finer_points_and_a_double_click_shows_all(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("zoomed").experiment_id
    make_run(client, experiment_id, "long", ["loss"], STEPS)
    page = open_charts(open_page, server, experiment_id)
    chart(page, "loss")
    with page.expect_request("**/trackwire.v1.MetricService/ReadMetrics") as asked:
        drag_over(page, "loss", 0.44, 0.46)
    assert b"loss" in (asked.value.post_data_buffer or b"")
    reset = page.get_by_role("button", name="Show all of loss")
    expect(reset).to_be_visible()
    # Of a fiftieth of the steps each is there: any that is pointed at is one that was logged.
    point_at(page, "loss", 0.5)
    expect(card(page, "loss").locator(".chart-tooltip")).to_contain_text(re.compile(r"Step (8,9|9,0)\d\d"))
    card(page, "loss").locator(".u-over").dblclick()
    expect(reset).to_have_count(0)


def test_spike_of_one_step_is_drawn(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("spike").experiment_id
    run_id = client.create_run(experiment_id, run_name="spikes").run_id
    steps = np.arange(STEPS)
    values = np.where(steps == SPIKE, 500.0, 1.0)
    with client.metric_writer(run_id) as writer:
        writer.add(MetricColumns(["grad_norm"], [STEPS], steps, NOW_MS + steps, values))
    client.update_run(run_id, status="FINISHED")
    page = open_charts(open_page, server, experiment_id)
    chart(page, "grad_norm")
    point_at(page, "grad_norm", SPIKE / STEPS, 0.93)
    expect(card(page, "grad_norm").locator(".chart-tooltip")).to_contain_text(f"Step {SPIKE:,}")
    expect(card(page, "grad_norm").locator(".chart-tooltip")).to_contain_text("500")


def test_settings_of_charts_are_in_the_address(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("settings").experiment_id
    make_run(client, experiment_id, "one", ["loss"])
    page = open_charts(open_page, server, experiment_id)
    chart(page, "loss")
    page.get_by_role("button", name="Charts").last.click()
    page.get_by_label("Along").select_option("relative")
    page.get_by_label("Logarithmic values").check()
    page.get_by_label("Leave out outliers").check()
    page.get_by_label("Smoothing").fill("0.6")
    page.keyboard.press("Escape")
    for setting in ("x=relative", "logy=1", "clip=1", "smooth=0.6"):
        assert setting in page.url
    point_at(page, "loss", 0.5)
    page.reload()
    chart(page, "loss")
    point_at(page, "loss", 0.4, 0.8)
    shown = card(page, "loss").locator(".chart-tooltip")
    expect(shown).to_contain_text("after the start")


def test_ranks_are_lines_or_one_band(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("ranks").experiment_id
    run_id = client.create_run(experiment_id, run_name="job").run_id
    steps = np.arange(50)
    for rank in range(4):
        with client.metric_writer(run_id, rank=rank) as writer:
            writer.add(MetricColumns(["loss"], [50], steps, NOW_MS + steps, np.full(50, float(rank))))
    client.update_run(run_id, status="FINISHED")
    page = open_charts(open_page, server, experiment_id)
    expect(card(page, "loss").get_by_role("img", name="loss of 4 series")).to_be_visible()
    page.get_by_role("button", name="Charts").last.click()
    page.get_by_label("Ranks as one band").check()
    page.keyboard.press("Escape")
    expect(card(page, "loss").get_by_role("img", name="loss of 1 series")).to_be_visible()


def test_chart_is_enlarged_and_kept_as_a_picture(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("picture").experiment_id
    make_run(client, experiment_id, "one", ["train/loss"])
    page = open_charts(open_page, server, experiment_id)
    chart(page, "train/loss")
    card(page, "train/loss").hover()
    page.get_by_role("button", name="Enlarge train/loss").click()
    dialog = page.get_by_role("dialog", name="train/loss")
    expect(dialog.get_by_role("img")).to_be_visible()
    with page.expect_download() as kept:
        dialog.get_by_role("button", name="Picture").click()
    assert kept.value.suggested_filename == "train-loss.png"
    head = io.BytesIO(kept.value.path().read_bytes()).read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert min(struct.unpack(">II", head[16:24])) > 200
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_compared_runs_show_first_what_differs(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("compared").experiment_id
    for name in ("one", "two"):
        make_run(client, experiment_id, name, ["loss"])
    page = open_page(f"{server.url}/#/experiments/{experiment_id}?view=table")
    page.get_by_role("checkbox", name="Select all runs").check()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    heads = page.get_by_role("rowheader")
    expect(heads.filter(has_text="name")).to_be_visible()
    texts = heads.all_inner_texts()
    assert texts.index("name") < texts.index("lr")
    page.get_by_role("checkbox", name="Differences only").check()
    expect(heads.filter(has_text="lr")).to_have_count(0)
    for view, shown in (
        ("Charts", card(page, "loss").get_by_role("img")),
        ("Parallel coordinates", page.get_by_role("img", name="Parallel coordinates of the runs")),
        ("Scatter", page.get_by_role("group", name="loss by name")),
        ("Bars", page.get_by_role("list", name="loss")),
    ):
        page.get_by_role("tab", name=view).click()
        expect(shown).to_be_visible()


def test_link_of_mlflow_to_compared_runs_is_understood(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("linked").experiment_id
    run_ids = [make_run(client, experiment_id, name, ["loss"]) for name in ("one", "two")]
    listed = "%5B%22" + "%22,%22".join(run_ids) + "%22%5D"
    page = open_page(f"{server.url}/#/compare-runs?runs={listed}&experiments=%5B%22{experiment_id}%22%5D")
    for name in ("one", "two"):
        expect(page.get_by_role("columnheader", name=name)).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", ["table", "parallel", "scatter", "bars"])
def test_comparison_is_accessible(
    open_page: OpenPage, server: ServerProcess, client: Client, theme: Theme, view: str
) -> None:
    experiment_id = client.create_experiment(f"accessible {view} {theme}").experiment_id
    run_ids = [make_run(client, experiment_id, name, ["loss"]) for name in ("one", "two")]
    page = open_page(f"{server.url}/#/compare-runs?view={view}&runs={'~'.join(run_ids)}", theme)
    expect(page.get_by_role("link", name="Back to the experiment")).to_be_visible()
    assert violations(page) == []


def test_zoom_is_of_all_charts_and_in_the_address(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("zoomed together").experiment_id
    make_run(client, experiment_id, "one", ["loss", "norm"], STEPS)
    page = open_charts(open_page, server, experiment_id)
    for key in ("loss", "norm"):
        chart(page, key)
    drag_over(page, "loss", 0.25, 0.5)
    finer = page.locator(".line-chart[data-is-finer=true]")
    expect(finer).to_have_count(2)
    page.get_by_role("button", name="Enlarge norm").click(force=True)
    expect(page.get_by_role("dialog", name="norm").locator(".line-chart[data-is-finer=true]")).to_be_visible()
    shared = open_page(page.url)
    there = shared.get_by_role("dialog", name="norm").locator(".line-chart[data-is-finer=true]")
    expect(there).to_be_visible()
    expect(shared.get_by_role("dialog").get_by_role("list", name="Colours")).to_have_text("one")
    assert 0.45 * STEPS < float(there.get_attribute("data-to") or 0) < 0.55 * STEPS
    shared.keyboard.press("Escape")
    expect(shared.get_by_role("dialog")).to_have_count(0)
    shared.get_by_role("button", name="Show all of loss").click()
    expect(shared.locator(".line-chart[data-is-finer=true]")).to_have_count(0)


def test_no_card_stands_empty_where_no_run_is(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("no run").experiment_id
    make_run(client, experiment_id, "one", ["loss"])
    page = open_charts(open_page, server, experiment_id, "&show=deleted")
    expect(page.get_by_role("heading", name="No run is shown")).to_be_visible()
    expect(page.get_by_role("region")).to_have_count(0)


def test_more_runs_are_charted_on_a_phone(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("on a phone").experiment_id
    for name in ("one", "two"):
        make_run(client, experiment_id, name, ["loss"])
    page = open_page(f"{server.url}/#/experiments/{experiment_id}?view=charts&charted=1", size=PHONE)
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("list", name="Colours").get_by_role("listitem")).to_have_count(2)


def test_chosen_view_of_compared_runs_is_in_sight_on_a_phone(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("tabs on a phone").experiment_id
    run_ids = [make_run(client, experiment_id, name, ["loss"]) for name in ("one", "two")]
    page = open_page(f"{server.url}/#/compare-runs?view=bars&runs={'~'.join(run_ids)}", size=PHONE)
    expect(page.get_by_role("tab", name="Bars")).to_be_in_viewport()
