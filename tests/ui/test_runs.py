"""The runs of an experiment in the web UI: as a table that is set up, searched, ordered, and acted on."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import ServerProcess
from tests.ui.browsing import PHONE, THEMES, Theme, Watch, violations
from tests.ui.conftest import OpenPage

from trackwire import Client

HOSTILE = "<img src=x onerror=\"document.title='broken in'\">"


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


def expect_names(page: Page, wanted: Sequence[str]) -> None:
    expect(names(page)).to_have_text(wanted)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_table_has_runs_newest_first_with_values_under_their_columns(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "a table")
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])
    cells = row(page, "run-3").get_by_role("gridcell")
    expect(cells.filter(has_text="Finished")).to_have_count(1)
    for shown in ("0.3", "0.7", "sgd", "8"):
        expect(cells.get_by_text(shown, exact=True)).to_be_visible()


def test_header_orders_by_its_column_up_and_down_and_then_no_more(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "ordered")
    page = open_table(open_page, server, experiment_id)
    head = page.get_by_role("columnheader", name="loss")
    button = head.get_by_role("button", name="loss", exact=True)
    button.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    button.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect_names(page, ["run-0", "run-1", "run-2", "run-3"])
    page.reload()
    expect_names(page, ["run-0", "run-1", "run-2", "run-3"])
    button.click()
    expect(head).to_have_attribute("aria-sort", "none")
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])


def test_filter_is_completed_applied_and_kept_in_the_address(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "filtered")
    page = open_table(open_page, server, experiment_id)
    box = page.get_by_role("combobox", name="Filter runs")
    box.click()
    box.press_sequentially("batch")
    expect(page.get_by_role("option", name="params.`batch size`")).to_be_visible()
    box.press("Tab")
    expect(box).to_have_value("params.`batch size` ")
    expect(page.get_by_role("option", name="ILIKE")).to_be_visible()
    box.press_sequentially("= '4'")
    box.press("Enter")
    expect_names(page, ["run-2"])
    page.reload()
    expect(box).to_have_value("params.`batch size` = '4'")
    expect_names(page, ["run-2"])
    page.get_by_role("button", name="Clear the filter").click()
    expect(names(page)).to_have_count(4)


def test_filter_that_cannot_be_read_is_told_under_its_place_and_the_runs_stay(
    open_page: OpenPage, server: ServerProcess, client: Client, watch: Watch
) -> None:
    watch.expect("answer: 400")
    experiment_id, _ = make_runs(client, "misspelt")
    page = open_table(open_page, server, experiment_id)
    expect(names(page)).to_have_count(4)
    box = page.get_by_role("combobox", name="Filter runs")
    box.fill("metrics.loss >> 1")
    box.press("Enter")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("found '>' where a value is expected")
    expect(box).to_have_attribute("aria-invalid", "true")
    # The arrow stands under the second of the two, the fifteenth sign.
    width = page.evaluate(
        """() => { const canvas = document.createElement("canvas").getContext("2d");
        canvas.font = getComputedStyle(document.querySelector(".filter-box input")).font;
        return canvas.measureText("0").width; }"""
    )
    arrow, inside = told.locator(".caret").bounding_box(), box.bounding_box()
    assert arrow is not None
    assert inside is not None
    assert arrow["x"] - inside["x"] - 33 == pytest.approx(14 * width, abs=width)
    expect(names(page)).to_have_count(4)


def test_columns_are_chosen_pinned_and_resized_and_all_is_in_the_address(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "columns")
    page = open_table(open_page, server, experiment_id)
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Find a column").fill("opti")
    page.get_by_role("checkbox", name="optimizer").uncheck()
    page.get_by_label("Find a column").fill("run id")
    page.get_by_role("checkbox", name="Run id").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="optimizer")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Run id")).to_be_visible()
    head = page.get_by_role("columnheader", name="loss")
    head.get_by_role("button", name="Pin column loss").click()
    handle = page.get_by_role("slider", name="Width of column loss")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "126")
    page.reload()
    expect(page.get_by_role("columnheader", name="Run id")).to_be_visible()
    expect(page.get_by_role("slider", name="Width of column loss")).to_have_attribute("aria-valuenow", "126")
    expect(page.get_by_role("button", name="Unpin column loss")).to_have_attribute("aria-pressed", "true")
    titles = page.get_by_role("columnheader").all_inner_texts()
    assert titles.index("loss") == 2, titles


def test_column_is_as_wide_as_it_is_drawn(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id, _ = make_runs(client, "drawn")
    page = open_table(open_page, server, experiment_id)
    handle = page.get_by_role("slider", name="Width of column Name")
    place = handle.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 4, place["y"] + 10)
    page.mouse.down()
    page.mouse.move(place["x"] + 84, place["y"] + 10, steps=4)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "300")


def test_selected_runs_are_tagged_deleted_and_restored(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, run_ids = make_runs(client, "acted on")
    page = open_table(open_page, server, experiment_id)
    for name in ("run-1", "run-2"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    expect(page.get_by_text("4 runs, 2 selected")).to_be_visible()
    page.get_by_role("button", name="Tag").click()
    dialog = page.get_by_role("dialog", name="Tag 2 runs")
    dialog.get_by_label("Key").fill("verdict")
    dialog.get_by_label("Value").fill("keep")
    dialog.get_by_role("button", name="Set the tag").click()
    expect(dialog).to_have_count(0)
    assert [client.get_run(run_id).tags.get("verdict") for run_id in run_ids] == [None, "keep", "keep", None]
    page.get_by_role("checkbox", name="Select run-0").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog", name="Delete 1 run?").get_by_role("button", name="Delete").click()
    expect_names(page, ["run-3", "run-2", "run-1"])
    page.get_by_role("button", name="Deleted runs").click()
    expect_names(page, ["run-0"])
    page.get_by_role("checkbox", name="Select run-0").check()
    page.get_by_role("button", name="Restore").click()
    expect(names(page)).to_have_count(0)
    page.get_by_role("button", name="Deleted runs").click()
    expect(names(page)).to_have_count(4)


def test_nested_runs_fold_below_their_parent(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("nested").experiment_id
    parent = client.create_run(experiment_id, run_name="sweep")
    child = client.create_run(experiment_id, run_name="trial", parent_run_id=parent.run_id)
    client.create_run(experiment_id, run_name="fold", parent_run_id=child.run_id)
    page = open_table(open_page, server, experiment_id)
    expect_names(page, [re.compile("sweep")])
    page.get_by_role("button", name="Unfold the 1 runs of sweep").click()
    page.get_by_role("button", name="Unfold the 1 runs of trial").click()
    expect_names(page, [re.compile("sweep"), re.compile("trial"), "fold"])
    page.get_by_role("button", name="Fold the 1 runs of sweep").click()
    expect_names(page, [re.compile("sweep")])


def test_table_is_moved_through_by_keys(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id, run_ids = make_runs(client, "by keys")
    page = open_table(open_page, server, experiment_id)
    expect(names(page)).to_have_count(4)
    grid = page.get_by_role("grid", name="Runs")
    grid.focus()
    for key in ("ArrowDown", "j", "k", "ArrowDown", "Space"):
        grid.press(key)
    expect(row(page, "run-2")).to_have_attribute("aria-selected", "true")
    grid.press("Enter")
    expect(page).to_have_url(f"{server.url}/#/experiments/{experiment_id}/runs/{run_ids[2]}")


def test_run_that_begins_and_ends_meanwhile_is_seen_without_reloading(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "alive", 1)
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["run-0"])
    run = client.create_run(experiment_id, run_name="just begun")
    expect_names(page, ["just begun", "run-0"])
    expect(row(page, "just begun")).to_contain_text("Running")
    client.log_metrics(run.run_id, {"loss": 0.125})
    expect(row(page, "just begun")).to_contain_text("0.125")
    client.update_run(run.run_id, status="FAILED")
    expect(row(page, "just begun")).to_contain_text("Failed")


def test_names_keys_and_values_are_text_whatever_they_hold(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("hostile runs").experiment_id
    run = client.create_run(
        experiment_id, run_name=HOSTILE, params={"script": HOSTILE}, tags={"note": "<script>alert(1)</script>"}
    )
    client.log_metrics(run.run_id, {"a/b :.-": 1})
    page = open_table(open_page, server, experiment_id, "view=both&cols=params.script~tags.note~metrics.a/b :.-")
    expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    expect(page.get_by_text(HOSTILE, exact=True)).to_have_count(2)
    expect(page.locator("img[src='x'], script:not([src])")).to_have_count(0)
    assert page.title() != "broken in"


def test_experiment_without_runs_tells_the_first_command(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("still empty").experiment_id
    page = open_page(f"{server.url}/#/experiments/{experiment_id}")
    expect(page.get_by_role("heading", name="No run yet")).to_be_visible()
    expect(page.get_by_text('trackwire.set_experiment("still empty")')).to_be_visible()


def test_experiment_that_does_not_exist_is_told(open_page: OpenPage, server: ServerProcess, watch: Watch) -> None:
    watch.expect("answer: 404")
    page = open_page(f"{server.url}/#/experiments/987654")
    expect(page.get_by_role("alert")).to_contain_text("experiment '987654' does not exist")


def test_long_table_has_only_the_rows_in_sight_in_the_page(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "many", 300)
    page = open_table(open_page, server, experiment_id)
    expect(page.get_by_text("300 runs", exact=True)).to_be_visible()
    assert names(page).count() < 60
    page.get_by_role("grid", name="Runs").press("End")
    expect(page.get_by_role("link", name="run-0", exact=True)).to_be_visible()
    assert names(page).count() < 60


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", ["table", "charts"])
def test_experiment_is_accessible(
    open_page: OpenPage, server: ServerProcess, client: Client, theme: Theme, view: str
) -> None:
    experiment_id, _ = make_runs(client, f"accessible {theme} {view}")
    page = open_page(f"{server.url}/#/experiments/{experiment_id}?view={view}", theme)
    expect(page.get_by_role("region", name="loss") if view == "charts" else names(page).first).to_be_visible()
    assert violations(page) == []


def test_experiment_fits_a_phone(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id, _ = make_runs(client, "on a phone")
    page = open_page(f"{server.url}/#/experiments/{experiment_id}", size=PHONE)
    expect(names(page).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
