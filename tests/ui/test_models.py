"""The list of models, and the page of one: found, made, described, renamed, compared and deleted."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import ServerProcess
from tests.ui.browsing import violations
from tests.ui.conftest import Served
from tests.ui.registered import logged_run, run_python, versions_made

from trackwire.errors import NotFoundError

expect.set_options(timeout=30_000)


def test_empty_registry_tells_code_that_makes_the_first_model(
    page: Page, make_server_process: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    page.goto(f"{server.url}/#/models")
    expect(page.get_by_role("heading", name="There are no models yet")).to_be_visible()
    run_python(page.locator("pre").inner_text(), tmp_path)
    page.reload()
    page.get_by_role("link", name="Version 1").click()
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    page.get_by_role("link", name="Models", exact=True).last.click()
    expect(page.get_by_role("rowheader", name="demo")).to_be_visible()


def test_models_are_found_by_name_and_by_filter(page: Page, served: Served) -> None:
    for name, team in (("found-eyes", "vision"), ("found-ears", "sound"), ("found-it's", "vision")):
        served.client.create_registered_model(name, tags={"team": team})
    page.goto(served.address_of("/models"))
    page.get_by_label("Search models by name").fill("FOUND-")
    expect(page.get_by_role("rowheader")).to_have_text(["found-ears", "found-eyes", "found-it's"])
    page.get_by_label("Filter models").fill("tags.team = 'vision'")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader")).to_have_text(["found-eyes", "found-it's"])
    expect(page.get_by_label("Filter models")).to_be_focused()
    # What is searched for is in the address.
    page.reload()
    expect(page.get_by_role("rowheader")).to_have_text(["found-eyes", "found-it's"])
    page.get_by_label("Search models by name").fill("found-it's")
    expect(page.get_by_role("rowheader")).to_have_text(["found-it's"])
    page.get_by_label("Search models by name").fill("found-nothing")
    expect(page.get_by_role("heading", name="No model is found by that")).to_be_visible()


@pytest.mark.parametrize("search", ["", "?search=somewhere"])
def test_bad_filter_is_told_under_its_place(page: Page, served: Served, search: str) -> None:
    page.goto(served.address_of(f"/models{search}"))
    page.get_by_label("Filter models").fill("tags.team = 5")
    page.keyboard.press("Enter")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("tags.team takes text, and 5 is not quoted: write '5'")
    assert told.locator("pre").text_content() == "tags.team = 5\n            ^"
    page.get_by_label("Filter models").fill("")
    expect(told).to_have_count(0)


def test_long_lists_come_page_by_page(page: Page, served: Served) -> None:
    for number in range(103):
        served.client.create_registered_model(f"many-{number:03}")
    page.goto(served.address_of("/models?search=many-"))
    expect(page.get_by_role("rowheader")).to_have_count(100)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("rowheader")).to_have_count(103)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_description_has_the_room_that_there_is(page: Page, served: Served) -> None:
    short = "Reads digits from scanned forms; from 28 by 28 pixels, trained on the archive of 2025."
    served.client.create_registered_model("described in short", description=short)
    served.client.create_registered_model("described at length", description="Reads digits, and more. " * 40)
    page.goto(served.address_of("/models?search=described in short"))
    told = page.get_by_title(short)
    expect(told).to_be_visible()
    is_whole = "each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight"
    assert told.evaluate(is_whole)
    page.goto(served.address_of("/models?search=described at length"))
    long = page.get_by_title("Reads digits, and more.")
    expect(long).to_be_visible()
    assert not long.evaluate(is_whole)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_signs_of_patterns_are_searched_for_as_they_stand(page: Page, served: Served) -> None:
    # More than a page of those that `_` would stand for, before the one that is meant.
    for number in range(101):
        served.client.create_registered_model(f"lowXrank-{number:03}")
    for name in ("low_rank", "low 50% rank", "low 50 rank"):
        served.client.create_registered_model(name)
    page.goto(served.address_of("/models?search=w_r"))
    expect(page.get_by_role("rowheader")).to_have_text(["low_rank"])
    page.get_by_label("Search models by name").fill("50%")
    expect(page.get_by_role("rowheader")).to_have_text(["low 50% rank"])
    page.get_by_label("Search models by name").fill("LOW%R")
    expect(page.get_by_role("heading", name="No model is found by that")).to_be_visible()


def test_model_is_made_and_taken_names_are_told(page: Page, served: Served) -> None:
    page.goto(served.address_of("/models"))
    page.get_by_role("button", name="New model").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("made here")
    page.get_by_label("Description").fill("By hand.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="made here")).to_be_visible()
    assert served.client.get_registered_model("made here").description == "By hand."
    page.goto(served.address_of("/models"))
    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill("made here")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("'made here' exists already")
    page.get_by_label("Name", exact=True).fill("a/b")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text('name: \'a/b\': must not contain "/" or ":"')


def test_blanks_around_names_are_not_part_of_them(page: Page, served: Served) -> None:
    page.goto(served.address_of("/models"))
    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill(" trimmed ")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(served.address_of("/models/trimmed"))
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New name").fill("trimmed ")
    expect(page.get_by_role("button", name="Rename")).to_be_disabled()
    page.get_by_label("New name").fill(" trimmed again ")
    page.get_by_role("button", name="Rename").click()
    expect(page).to_have_url(served.address_of("/models/trimmed%20again"))
    assert served.client.get_registered_model("trimmed again").name == "trimmed again"


def test_model_is_described_tagged_renamed_and_deleted(page: Page, served: Served) -> None:
    versions_made(served.client, "changed", 1)
    page.goto(served.address_of("/models/changed"))
    page.get_by_role("button", name="Edit description").click()
    page.get_by_role("textbox", name="Description").fill("Two\nlines.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Two\nlines.")).to_be_visible()
    expect(page.get_by_role("button", name="Edit description")).to_be_focused()
    page.get_by_role("button", name="Edit tags").click()
    page.get_by_label("Key").fill("team")
    page.get_by_label("Value").fill("vision")
    page.get_by_role("button", name="Set").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("team: vision")).to_be_visible()

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New name").fill("changed & renamed")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="changed & renamed")).to_be_visible()
    stored = served.client.get_registered_model("changed & renamed")
    assert (stored.description, dict(stored.tags)) == ("Two\nlines.", {"team": "vision"})

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    with pytest.raises(NotFoundError):
        served.client.get_registered_model("changed & renamed")


def test_text_that_is_not_stored_stays_in_its_field(page: Page, served: Served) -> None:
    served.client.create_registered_model("long")
    page.goto(served.address_of("/models/long"))
    page.get_by_role("button", name="Edit description").click()
    page.get_by_role("textbox", name="Description").fill("x" * 65_537)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("65,536")
    expect(page.get_by_role("textbox", name="Description")).to_have_value("x" * 65_537)
    page.get_by_role("button", name="Cancel").click()
    assert served.client.get_registered_model("long").description == ""


def test_versions_are_compared_by_their_runs(page: Page, served: Served) -> None:
    run_ids = versions_made(served.client, "compared", 3)
    served.client.create_model_version("compared", "s3://bucket/elsewhere")
    page.goto(served.address_of("/models/compared"))
    expect(page.get_by_role("row", name="Version 2").get_by_role("link", name="compared-2")).to_be_visible()
    expect(page.get_by_label("Select version 4")).to_be_disabled()
    page.get_by_label("Select version 1").check()
    page.get_by_label("Select version 3").check()
    # What is selected is in the address.
    page.reload()
    page.get_by_role("link", name="Compare the runs of 2 versions").click()
    expect(page).to_have_url(served.address_of(f"/compare-runs?runs={run_ids[2]}%7E{run_ids[0]}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 runs")
    expect(page.get_by_role("main")).to_contain_text("compared-3")


def test_new_version_of_a_run_is_made(page: Page, served: Served) -> None:
    run_id = logged_run(served.client)
    served.client.create_registered_model("grown")
    page.goto(served.address_of("/models/grown"))
    expect(page.get_by_role("heading", name="It has no versions yet")).to_be_visible()
    page.get_by_role("button", name="New version").click()
    page.get_by_label("Where its files lie").fill("model.txt")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("must be a URI with a scheme")
    page.get_by_label("Where its files lie").fill(f"runs:/{run_id}/model.txt")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    assert served.client.get_model_version("grown", 1).run_id == run_id


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "it's 100 %25 & #1? ü", "a@b"])
def test_any_name_is_shown_as_it_is(page: Page, served: Served, name: str) -> None:
    served.client.create_registered_model(name, description="<script>alert(1)</script>", tags={"k": "<b>v</b>"})
    served.client.create_model_version(name, "s3://bucket/x", description="<svg onload=alert(1)>", user_id="<u>")
    page.goto(served.address_of("/models"))
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    expect(page.get_by_text("k: <b>v</b>")).to_be_visible()
    page.get_by_role("link", name="Version 1").click()
    expect(page.get_by_text("<svg onload=alert(1)>")).to_be_visible()
    encoded = quote(name, safe="!'()*~")
    assert page.url.endswith(f"#/models/{encoded}/versions/1")


def test_model_that_is_not_there_is_told(page: Page, served: Served) -> None:
    page.goto(served.address_of("/models/nowhere"))
    expect(page.get_by_role("alert")).to_contain_text("registered model 'nowhere' does not exist")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(browser: Browser, page: Page, served: Served, scheme: str) -> None:
    name = f"seen in {scheme}"
    versions_made(served.client, name, 2)
    served.client.set_registered_model_alias(name, "champion", 1)
    served.client.transition_model_version_stage(name, 1, stage="Production")
    served.client.transition_model_version_stage(name, 2, stage="Staging")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for place in ("/models?search=seen", f"/models/{quote(name)}", f"/models/{quote(name)}/versions/1"):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.goto(served.address_of(place))
            expect(page.get_by_text("champion").first).to_be_visible()
            assert violations(page) == [], place
            # Nothing but tables is to be scrolled across.
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    page.goto(served.address_of(f"/models/{quote(name)}/versions/2"))
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("dialog", name=re.compile("^Promote version 2"))).to_be_visible()
    assert violations(page) == []
