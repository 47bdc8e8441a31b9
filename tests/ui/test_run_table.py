"""The table of runs: its columns, its keys, and that it is as long and as wide as one likes."""

import pytest
from playwright.sync_api import expect
from tests.conftest import ServerProcess
from tests.ui.browsing import DESKTOP, PHONE, Watch, cut_rings
from tests.ui.conftest import OpenPage
from tests.ui.listed import expect_names, make_runs, names, open_table, row

from trackwire import Client


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
    wider = str(int(handle.get_attribute("aria-valuenow") or 0) + 16)
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", wider)
    page.reload()
    expect(page.get_by_role("columnheader", name="Run id")).to_be_visible()
    expect(page.get_by_role("slider", name="Width of column loss")).to_have_attribute("aria-valuenow", wider)
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


def test_only_columns_in_sight_and_pinned_ones_are_in_the_page(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "wide")
    keys = [f"key_{number:02}" for number in range(60)]
    client.create_run(experiment_id, run_name="wide", params={key: f"value {key}" for key in keys})
    columns = "~".join(f"params.{key}" for key in keys)
    page = open_table(open_page, server, experiment_id, f"view=table&cols={columns}&pinned=params.key_30")
    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="key_00")).to_be_visible()
    assert heads.count() < 30
    page.get_by_role("grid", name="Runs").evaluate("table => table.scrollTo(table.scrollWidth, 0)")
    expect(row(page, "wide").get_by_text("value key_59")).to_be_in_viewport()
    expect(heads.filter(has_text="key_59")).to_have_attribute("aria-colindex", "62")
    expect(heads.filter(has_text="key_00")).to_have_count(0)
    expect(row(page, "wide").get_by_text("value key_30")).to_be_in_viewport()


def test_key_pressed_after_scrolling_acts_on_no_other_run(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "scrolled", 100)
    page = open_table(open_page, server, experiment_id)
    page.get_by_role("checkbox", name="Select run-99", exact=True).focus()
    table = page.get_by_role("grid", name="Runs")
    table.evaluate("table => table.scrollTo(0, table.scrollHeight)")
    expect(page.get_by_role("link", name="run-0", exact=True)).to_be_visible()
    expect(table).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("status").get_by_text("100 runs", exact=True)).to_be_visible()


def test_table_stays_where_it_is_when_a_column_is_added(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "added", 300)
    page = open_table(open_page, server, experiment_id)
    expect(page.get_by_text("300 runs", exact=True)).to_be_visible()
    page.get_by_role("grid", name="Runs").press("End")
    last = page.get_by_role("link", name="run-0", exact=True)
    expect(last).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Run id").check()
    expect(page.get_by_role("columnheader", name="Run id")).to_be_visible()
    expect(page.get_by_text("300 runs", exact=True)).to_be_visible()
    expect(last).to_be_visible()


def test_cell_tells_who_points_at_it_all_of_its_value(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("told").experiment_id
    for number in range(2):
        run_id = client.create_run(experiment_id, run_name=f"run-{number}", start_time_ms=number).run_id
        client.log_metrics(run_id, {"loss": 0.123456789 + number})
    page = open_table(open_page, server, experiment_id)
    for shown, value in (("1.1235", "1.123456789"), ("0.12346", "0.123456789")):
        cell = page.get_by_role("gridcell", name=shown, exact=True)
        cell.hover()
        expect(cell).to_have_attribute("title", value)


def test_runs_are_ordered_by_the_best_that_a_metric_was(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("best").experiment_id
    for name, values in {"peaked": (0.5, 0.95, 0.2), "steady": (0.6, 0.7, 0.8), "late": (0.1, 0.2, 0.9)}.items():
        run_id = client.create_run(experiment_id, run_name=name).run_id
        for step, value in enumerate(values):
            client.log_metrics(run_id, {"val/accuracy": value}, step=step)
    page = open_table(open_page, server, experiment_id)
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Find a column").fill("accuracy")
    page.get_by_role("group", name="Largest values of metrics").get_by_role("checkbox", name="val/accuracy max").check()
    page.get_by_role("group", name="Smallest values of metrics").get_by_role(
        "checkbox", name="val/accuracy min"
    ).check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="val/accuracy max", exact=True).click()
    expect_names(page, ["peaked", "late", "steady"])
    expect(row(page, "peaked").get_by_role("gridcell", name="0.95", exact=True)).to_be_visible()
    expect(row(page, "peaked").get_by_role("gridcell", name="0.2", exact=True)).to_have_count(2)
    page.get_by_role("button", name="val/accuracy min", exact=True).click()
    expect_names(page, ["steady", "peaked", "late"])


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_what_has_the_focus_is_seen(
    open_page: OpenPage, server: ServerProcess, client: Client, size: tuple[int, int]
) -> None:
    experiment_id, _ = make_runs(client, f"focus {size[0]}", 2)
    page = open_page(f"{server.url}/#/experiments/{experiment_id}?view=table", size=size)
    expect(names(page)).to_have_count(2)
    cut = cut_rings(page, ".run-side")
    assert cut == [], "\n".join(each[:160] for each in cut)


def test_refused_filter_is_not_told_as_one_that_matches_nothing(
    open_page: OpenPage, server: ServerProcess, client: Client, watch: Watch
) -> None:
    watch.expect("answer: 400")
    experiment_id, _ = make_runs(client, "not searched", 2)
    page = open_table(open_page, server, experiment_id, "view=table&filter=loss > 1")
    expect(page.get_by_text("Nothing was searched")).to_be_visible()
    box = page.get_by_role("combobox", name="Filter runs")
    for text, told in (
        ("metrics.loss >= 0.1", "1 run"),
        ("loss > 1", "1 run from before"),
        ("metrics.loss > 1", "No run matches the filter"),
    ):
        box.fill(text)
        box.press("Enter")
        expect(page.get_by_text(told, exact=True)).to_be_visible()


def test_params_stand_before_what_only_drives_a_training(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("shown first").experiment_id
    params = {"batch_size": "1", "depth": "2", "dropout": "0", "learning_rate": "0.1", "optimizer": "adam"}
    run_id = client.create_run(experiment_id, run_name="one", params=params).run_id
    client.log_metrics(run_id, dict.fromkeys(["epoch", "optim/lr", "train/loss", "val/accuracy", "val/loss"], 1.0))
    page = open_table(open_page, server, experiment_id)
    heads = page.get_by_role("columnheader")
    expect(heads).to_contain_text(["", "Name", "Status", "val/accuracy", "val/loss", "train/loss", *params])
