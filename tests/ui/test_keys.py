"""Keys that work on every page."""

from playwright.sync_api import expect
from tests.conftest import ServerProcess
from tests.ui.browsing import violations
from tests.ui.conftest import OpenPage
from tests.ui.listed import expect_names, make_runs, open_table

from trackwire import Client


def test_keys_are_told_at_a_key(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_page(f"{server.url}/")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    page.keyboard.press("?")
    told = page.get_by_role("dialog", name="Shortcuts")
    expect(told.get_by_role("region", name="Table of runs")).to_contain_text("Open it")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(told).to_have_count(0)
    page.get_by_role("button", name="Shortcuts").click()
    expect(told).to_be_visible()


def test_slash_goes_to_what_searches(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    page = open_page(f"{server.url}/")
    search = page.get_by_role("searchbox", name="Search experiments by name")
    expect(search).to_be_visible()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    # In a field these are what is typed.
    page.keyboard.type("/?")
    expect(search).to_have_value("/?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    experiment_id, _ = make_runs(client, "searched by a key", 1)
    table = open_table(open_page, server, experiment_id)
    table.keyboard.press("/")
    expect(table.get_by_role("combobox", name="Filter runs")).to_be_focused()


def test_key_leads_to_the_rows_from_the_head_that_orders_them(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, run_ids = make_runs(client, "ordered by a key", 3)
    page = open_table(open_page, server, experiment_id)
    page.get_by_role("columnheader", name="loss").get_by_role("button", name="loss", exact=True).press("Enter")
    expect_names(page, ["run-2", "run-1", "run-0"])
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/#/experiments/{experiment_id}/runs/{run_ids[2]}")
