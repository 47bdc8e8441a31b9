"""Experiments in the web UI: found, made, renamed, tagged, deleted and restored."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import ServerProcess
from tests.ui.browsing import PHONE, THEMES, Theme, Watch, cut_rings, take_pictures, violations
from tests.ui.conftest import OpenPage

from trackwire import Client


def row(page: Page, name: str) -> Locator:
    """The row of the experiment of that name."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def open_list(open_page: OpenPage, server: ServerProcess) -> Page:
    page = open_page(f"{server.url}/#/experiments")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    return page


def test_list_has_experiments_with_their_tags_and_each_leads_to_its_page(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("listed", tags={"team": "vision", "mlflow.note": "hidden"}).experiment_id
    page = open_list(open_page, server)
    found = row(page, "listed")
    expect(found).to_contain_text("team: vision")
    expect(found).not_to_contain_text("hidden")
    found.get_by_role("link", name="listed").click()
    expect(page).to_have_url(f"{server.url}/#/experiments/{experiment_id}")
    expect(page.get_by_role("heading", name="listed")).to_be_visible()
    page.go_back()
    expect(row(page, "Default")).to_be_visible()


def test_experiment_that_is_made_elsewhere_comes_by_itself(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    page = open_list(open_page, server)
    client.create_experiment("made elsewhere")
    expect(row(page, "made elsewhere")).to_be_visible()


def test_search_is_in_the_address_and_says_where_nothing_is_found(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    for name in ("Searched one", "searched two", "it's 100% searched"):
        client.create_experiment(name)
    page = open_list(open_page, server)
    box = page.get_by_role("searchbox", name="Search experiments by name")
    box.fill("SEARCHED")
    expect(row(page, "Default")).to_have_count(0)
    for name in ("Searched one", "searched two", "it's 100% searched"):
        expect(row(page, name)).to_be_visible()
    box.fill("it's 1")
    expect(row(page, "searched two")).to_have_count(0)
    expect(row(page, "it's 100% searched")).to_be_visible()
    page.reload()
    expect(box).to_have_value("it's 1")
    expect(row(page, "it's 100% searched")).to_be_visible()
    box.fill("no such thing")
    expect(page.get_by_role("heading", name="No experiment's name has “no such thing” in it")).to_be_visible()


def test_signs_of_patterns_are_searched_for_as_they_stand(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    for name in ("under_score", "under-score", "rate 5% less", "rate 5 less"):
        client.create_experiment(name)
    page = open_list(open_page, server)
    box = page.get_by_role("searchbox", name="Search experiments by name")
    box.fill("R_S")
    expect(row(page, "under-score")).to_have_count(0)
    expect(row(page, "under_score")).to_be_visible()
    box.fill("5%")
    expect(row(page, "rate 5% less")).to_be_visible()
    expect(row(page, "rate 5 less")).to_have_count(0)


def test_new_experiment_is_made_and_shown(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    page = open_list(open_page, server)
    page.get_by_role("button", name="New experiment").click()
    dialog = page.get_by_role("dialog", name="New experiment")
    expect(dialog.get_by_role("button", name="Create")).to_be_disabled()
    # Blanks at its ends are no part of a name.
    dialog.get_by_label("Name").fill(" made in a browser ")
    dialog.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="made in a browser")).to_be_visible()
    made = client.get_experiment_by_name("made in a browser")
    expect(page).to_have_url(f"{server.url}/#/experiments/{made.experiment_id}")


def test_name_that_is_taken_is_refused_in_words_and_can_be_put_right(
    open_page: OpenPage, server: ServerProcess, client: Client, watch: Watch
) -> None:
    client.create_experiment("taken")
    page = open_list(open_page, server)
    page.get_by_role("button", name="New experiment").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("taken")
    watch.expect(r"answer: 409 POST .*/CreateExperiment$")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("taken")
    dialog.get_by_label("Name").fill("free")
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="free")).to_be_visible()


def test_rename_is_seen_at_once(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("before").experiment_id
    page = open_list(open_page, server)
    page.get_by_role("button", name="Rename before").click()
    page.get_by_role("dialog").get_by_label("New name").fill("after ")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, "after")).to_be_visible()
    expect(row(page, "before")).to_have_count(0)
    assert client.get_experiment(experiment_id).name == "after"


def test_tags_are_set_changed_and_deleted(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("tagged", tags={"team": "vision"}).experiment_id
    page = open_list(open_page, server)
    page.get_by_role("button", name="Tags of tagged").click()
    dialog = page.get_by_role("dialog", name="Tags of tagged")
    dialog.get_by_label("Key").fill("stage")
    dialog.get_by_label("Value").fill("final")
    dialog.get_by_role("button", name="Set", exact=True).click()
    expect(dialog.get_by_role("button", name="Delete tag stage")).to_be_visible()
    dialog.get_by_role("button", name="Change tag team").click()
    expect(dialog.get_by_label("Key")).to_have_value("team")
    dialog.get_by_label("Value").fill("audio")
    dialog.get_by_role("button", name="Set", exact=True).click()
    expect(dialog.get_by_text("audio", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Delete tag stage").click()
    expect(dialog.get_by_role("button", name="Delete tag stage")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row(page, "tagged")).to_contain_text("team: audio")
    assert dict(client.get_experiment(experiment_id).tags) == {"team": "audio"}


def test_deleted_experiment_is_among_the_deleted_and_comes_back(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    client.create_experiment("deleted and restored")
    page = open_list(open_page, server)
    page.get_by_role("button", name="Delete deleted and restored").click()
    dialog = page.get_by_role("dialog", name="Delete deleted and restored?")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(row(page, "deleted and restored")).to_have_count(0)
    deleted = page.get_by_role("button", name="Deleted", exact=True)
    deleted.click()
    expect(deleted).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"show=deleted"))
    page.get_by_role("button", name="Restore deleted and restored").click()
    expect(row(page, "deleted and restored")).to_have_count(0)
    deleted.click()
    expect(row(page, "deleted and restored")).to_be_visible()


def test_default_experiment_can_not_be_deleted(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_list(open_page, server)
    expect(row(page, "Default").get_by_role("button", name="Rename Default")).to_be_visible()
    expect(row(page, "Default").get_by_role("button", name="Delete Default")).to_have_count(0)


def test_experiment_that_is_not_there_is_told(open_page: OpenPage, server: ServerProcess, watch: Watch) -> None:
    watch.expect(r"answer: 404 POST .*/GetExperiment$")
    page = open_page(f"{server.url}/#/experiments/999999")
    expect(page.get_by_role("alert")).to_contain_text("999999")


def test_markup_in_names_and_tags_is_text(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    hostile = "<img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script>"
    client.create_experiment(hostile, tags={"javascript:alert": "'\"><svg/onload=alert(1)>"})
    page = open_list(open_page, server)
    found = row(page, hostile)
    expect(found).to_contain_text("<svg/onload=alert(1)>")
    page.get_by_role("button", name=f"Tags of {hostile}", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("javascript:alert")
    page.keyboard.press("Escape")
    found.get_by_role("link", name=hostile).click()
    expect(page.get_by_role("heading", name=hostile)).to_be_visible()
    page.goto(f"{server.url}/#/experiments?search={quote(hostile)}")
    expect(row(page, hostile)).to_be_visible()
    assert page.title() == "Trackwire"
    assert page.locator("img:not([alt=''])").count() == 0


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(
    open_page: OpenPage, server: ServerProcess, client: Client, theme: Theme, pictures: Path | None
) -> None:
    name = f"seen by all in {theme}"
    client.create_experiment(name, tags={"team": "vision"})
    page = open_page(f"{server.url}/#/experiments", theme=theme)
    expect(row(page, name)).to_be_visible()
    assert violations(page) == []
    take_pictures(page, "experiments", pictures)
    page.emulate_media(color_scheme=theme)
    page.get_by_role("button", name=f"Tags of {name}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    take_pictures(page, "experiment-tags", pictures)


def test_list_fits_on_a_phone(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_page(f"{server.url}/#/experiments", size=PHONE)
    expect(row(page, "Default")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    models = page.get_by_role("link", name="Models").bounding_box()
    theme = page.get_by_role("button", name="Theme").bounding_box()
    assert models is not None
    assert theme is not None
    assert models["x"] + models["width"] <= theme["x"]
    expect(page.get_by_role("button", name="Shortcuts")).to_be_hidden()
    page.get_by_role("button", name="Tags of Default").click()
    dialog = page.get_by_role("dialog")
    for inside in (dialog, dialog.get_by_label("Value"), dialog.get_by_role("button", name="Set", exact=True)):
        box = inside.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]


def test_all_of_the_list_is_in_sight_on_a_phone(
    open_page: OpenPage, server: ServerProcess, client: Client, pictures: Path | None
) -> None:
    name = "carried-about-" * 8
    client.create_experiment(name, tags={"team": "vision", "purpose": "what is carried about " * 8})
    page = open_page(f"{server.url}/#/experiments?search=carried-about", size=PHONE)
    found = row(page, name)
    expect(found).to_be_visible()
    parts = [
        found.get_by_role("link", name=name),
        found.get_by_text("purpose: what"),
        *(found.get_by_role("button", name=f"{action} {name}") for action in ("Tags of", "Rename", "Delete")),
        *(found.get_by_role("cell", name=re.compile(f"^{when} ")) for when in ("Changed", "Created")),
        page.get_by_role("button", name="New experiment"),
    ]
    for part in parts:
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= PHONE[0], part
    whole = "each => each.closest('th').scrollWidth <= each.closest('th').clientWidth"
    assert parts[0].evaluate(whole)
    # A long value is no long row.
    assert found.get_by_text("purpose: what").evaluate("each => each.clientHeight") < 30
    assert cut_rings(page, "main") == []
    assert violations(page) == []
    take_pictures(page, "experiments-narrow", pictures)


def test_dialog_is_left_by_escape_and_the_focus_is_where_it_was(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_list(open_page, server)
    button = page.get_by_role("button", name="Rename Default")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Rename Default")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
