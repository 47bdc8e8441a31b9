"""The runs of an experiment in the web UI: as a table that is set up, searched, ordered, and acted on."""

import re

import pytest
from playwright.sync_api import expect
from tests.conftest import ServerProcess
from tests.ui.browsing import PHONE, THEMES, Theme, Watch, cut_rings, violations
from tests.ui.conftest import OpenPage
from tests.ui.listed import expect_names, make_runs, names, open_table, row

from trackwire import Client

HOSTILE = "<img src=x onerror=\"document.title='broken in'\">"


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
    told = page.get_by_role("status").filter(has_text=re.compile("^(Tagged|Deleted|Restored) "))
    expect(told).to_have_text("Tagged 2 runs")
    page.get_by_role("checkbox", name="Select run-0").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete 1 run?")
    expect(dialog).to_contain_text("It takes no more points. It can be restored")
    dialog.get_by_role("button", name="Delete").click()
    expect_names(page, ["run-3", "run-2", "run-1"])
    expect(told).to_have_text("Deleted 1 run")
    page.get_by_role("button", name="Deleted runs").click()
    expect_names(page, ["run-0"])
    expect(page.get_by_text("These runs are deleted.")).to_be_visible()
    expect(told).to_have_count(0)
    page.get_by_role("checkbox", name="Select run-0").check()
    page.get_by_role("button", name="Restore").click()
    expect(names(page)).to_have_count(0)
    expect(told).to_have_text("Restored 1 run")
    expect(page.get_by_text("No run is deleted.")).to_be_visible()
    page.get_by_role("button", name="Back to active runs").click()
    expect(names(page)).to_have_count(4)
    expect(page.get_by_role("button", name="Back to active runs")).to_have_count(0)


def test_action_that_fails_is_not_told_as_done(
    open_page: OpenPage, server: ServerProcess, client: Client, watch: Watch
) -> None:
    watch.expect("answer: 400")
    experiment_id, _ = make_runs(client, "refused")
    page = open_table(open_page, server, experiment_id)
    told = page.get_by_role("status").filter(has_text="Tagged")
    for key in ("verdict", "k" * 1_000):
        page.get_by_role("checkbox", name="Select run-1").check()
        page.get_by_role("button", name="Tag").click()
        dialog = page.get_by_role("dialog", name="Tag 1 run")
        dialog.get_by_label("Key").fill(key)
        dialog.get_by_role("button", name="Set the tag").click()
        expect(told).to_have_count(1 if key == "verdict" else 0)
    expect(dialog.get_by_role("alert")).to_be_visible()


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


def test_runs_that_are_above_each_other_are_in_the_table(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("round and round").experiment_id
    one = client.create_run(experiment_id, run_name="one")
    two = client.create_run(experiment_id, run_name="two", parent_run_id=one.run_id)
    client.set_tags(one.run_id, {"mlflow.parentRunId": two.run_id})
    client.create_run(experiment_id, run_name="alone")
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["alone", "two", "one"])


def test_runs_that_are_selected_and_not_found_are_told_apart(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, run_ids = make_runs(client, "hidden")
    page = open_table(open_page, server, experiment_id, f"view=table&runs={'~'.join([*run_ids, 'none'])}")
    expect(page.get_by_text("4 runs, 4 selected, 1 more not shown")).to_be_visible()
    filtered = page.get_by_role("combobox", name="Filter runs")
    filtered.fill("metrics.loss < 0.15")
    filtered.press("Enter")
    expect(page.get_by_text("2 runs, 2 selected, 3 more not shown")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog", name="Delete 2 runs?")).to_be_visible()


def test_durations_are_in_whole_seconds_and_minutes(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("durations").experiment_id
    wanted = {9_960: "10 s", 59_700: "1 min 0 s", 119_700: "2 min 0 s", 3_599_600: "1 h 0 min"}
    for at, duration_ms in enumerate(wanted):
        start_ms = 1_790_000_000_000 - at
        run = client.create_run(experiment_id, run_name=f"of {duration_ms} ms", start_time_ms=start_ms)
        client.update_run(run.run_id, status="FINISHED", end_time_ms=start_ms + duration_ms)
    page = open_table(open_page, server, experiment_id, "view=table&cols=duration")
    for duration_ms, words in wanted.items():
        expect(row(page, f"of {duration_ms} ms").get_by_role("gridcell").last).to_have_text(words)


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
    client.create_run(experiment_id, run_name="by a slow clock", start_time_ms=run.start_time_ms - 5_000)
    expect(row(page, "by a slow clock")).to_be_visible()


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


def test_head_of_an_experiment_is_whole_on_a_phone(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    name = "carried about by those who look at their runs on the way, and by others, too"
    experiment_id, _ = make_runs(client, name)
    page = open_page(f"{server.url}/#/experiments/{experiment_id}", size=PHONE)
    shown = page.get_by_role("navigation", name="Where this is").get_by_text(name)
    expect(shown).to_be_visible()
    is_whole = "each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight"
    assert shown.evaluate(is_whole)
    expect(names(page).first).to_be_visible()
    assert cut_rings(page, ".experiment-tools") == []
