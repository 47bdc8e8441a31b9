"""What stands around every page: how it is served, its theme, tokens, prefixes, and servers that go and come."""

import json
from collections.abc import Callable
from pathlib import Path

import requests
from playwright.sync_api import expect
from tests.access.guarded import guarded_server
from tests.conftest import ServerProcess
from tests.ports import free_port
from tests.ui.browsing import Watch, take_pictures, violations
from tests.ui.conftest import OpenPage

from trackwire import Client
from trackwire_server.web.pages import FOLDER

MakeServer = Callable[..., ServerProcess]
# Of all scripts, compressed.
BYTES_MAX = 350_000


def test_built_pages_are_served_and_small(built_pages: None, server: ServerProcess) -> None:
    index = requests.get(f"{server.url}/", headers={"Accept": "text/html"}, timeout=30)
    assert index.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "unsafe" not in index.headers["Content-Security-Policy"]
    assert "<script>" not in index.text
    assert " style=" not in index.text


def test_scripts_come_compressed_and_within_their_budget(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_page(f"{server.url}/")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter((each) => each.name.endsWith('.js'))"
        ".map((each) => [each.encodedBodySize, each.decodedBodySize])"
    )
    assert sizes
    assert sum(encoded for encoded, _ in sizes) < sum(decoded for _, decoded in sizes) / 2
    # Those of pages that are loaded when they are opened, too.
    assert sum(path.stat().st_size for path in (FOLDER / "assets").glob("*.js.gz")) <= BYTES_MAX


def test_nothing_that_is_deleted_is_told(open_page: OpenPage, make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    page = open_page(f"{server.url}/#/experiments?show=deleted")
    expect(page.get_by_role("heading", name="Nothing is deleted")).to_be_visible()
    assert violations(page) == []


def test_address_of_no_page_is_told_and_leads_back(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_page(f"{server.url}/#/nowhere/at/all")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page.get_by_text("/nowhere/at/all")).to_be_visible()
    page.get_by_role("link", name="See all experiments.").click()
    expect(page.get_by_role("link", name="Default")).to_be_visible()


def test_theme_is_chosen_and_kept(open_page: OpenPage, server: ServerProcess) -> None:
    page = open_page(f"{server.url}/", theme="light")
    body = page.locator("body")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Theme: system; switch to light").click()
    page.get_by_role("button", name="Theme: light; switch to dark").click()
    expect(page.get_by_role("button", name="Theme: dark; switch to system")).to_be_visible()
    # Colours change with the next frame.
    expect(body).not_to_have_css("background-color", light)
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark; switch to system")).to_be_visible()
    expect(body).not_to_have_css("background-color", light)


def test_token_is_asked_for_by_the_page_and_not_by_the_browser(
    open_page: OpenPage, watch: Watch, tmp_path: Path, pictures: Path | None
) -> None:
    guarded = guarded_server(tmp_path)
    guarded.server.start()
    watch.expect(r"answer: 401 POST .*/SearchExperiments$")
    challenges = []
    page = open_page("about:blank", ignore_https_errors=True)
    page.on("response", lambda answer: challenges.append(answer.headers.get("www-authenticate")))
    page.goto(f"{guarded.url}/#/experiments")
    dialog = page.get_by_role("dialog", name="This server asks for a token")
    expect(dialog).to_be_visible()
    assert violations(page) == []
    take_pictures(page, "token", pictures)
    dialog.get_by_label("Token").fill("tw_wrong")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog).to_contain_text("not known")
    dialog.get_by_label("Token").fill(guarded.secrets["read"])
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    expect(dialog).to_have_count(0)
    # A browser that is challenged by Basic asks for a name and a password over the page.
    assert set(challenges) == {None}
    page.reload()
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    # This one may only read.
    watch.expect(r"answer: 403 POST .*/CreateExperiment$")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_role("dialog").get_by_label("Name").fill("not mine to make")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("write")
    assert guarded.server.stop() == 0


def test_token_is_asked_for_once_and_then_by_a_button(open_page: OpenPage, watch: Watch, tmp_path: Path) -> None:
    guarded = guarded_server(tmp_path)
    guarded.server.start()
    watch.expect(r"answer: 401 POST ")
    page = open_page(f"{guarded.url}/#/experiments", ignore_https_errors=True)
    dialog = page.get_by_role("dialog", name="This server asks for a token")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    told = page.get_by_role("alert")
    with page.expect_response(lambda answer: answer.status == 401):
        told.get_by_role("button", name="Try again").click()
    # It was refused once more, and that has been shown.
    expect(told).to_be_visible()
    expect(dialog).to_have_count(0)
    told.get_by_role("button", name="Give a token").click()
    dialog.get_by_label("Token").fill(guarded.secrets["read"])
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    assert guarded.server.stop() == 0


def test_pages_work_below_a_prefix(open_page: OpenPage, make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--static-prefix", "/team/tracking")
    server.start()
    for place in ("/", "/team/tracking"):
        page = open_page(f"{server.url}{place}#/experiments")
        expect(page.get_by_role("link", name="Default")).to_be_visible()
        assert page.url == f"{server.url}/team/tracking/#/experiments"


def test_open_page_recovers_when_its_server_is_back(
    open_page: OpenPage, make_server_process: MakeServer, watch: Watch
) -> None:
    port = free_port()
    server = make_server_process("--http-port", str(port))
    server.start()
    page = open_page(f"{server.url}/#/experiments")
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    watch.expect(r"failed: POST .*/SearchExperiments: net::ERR_(CONNECTION|EMPTY)_")
    assert server.stop() == 0
    with page.expect_event("requestfailed"):
        page.get_by_role("searchbox").fill("later")
    server.start()
    with Client(server.address) as client:
        client.create_experiment("made later")
    expect(page.get_by_role("link", name="made later")).to_be_visible()
    assert json.loads((server.data_dir / "server.json").read_text())["url"] == server.url


def test_part_of_a_page_that_does_not_come_is_fetched_when_its_server_is_back(
    open_page: OpenPage, make_server_process: MakeServer, watch: Watch
) -> None:
    port = free_port()
    server = make_server_process("--http-port", str(port))
    server.start()
    page = open_page(f"{server.url}/#/experiments")
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    assert server.stop() == 0
    watch.expect(r"failed: GET .*/assets/.*: net::ERR_(CONNECTION|EMPTY)_")
    watch.allow("failed: .*: net::ERR_(CONNECTION|EMPTY)_", "console: .*(dynamically imported module|preload)")
    page.get_by_role("link", name="Models", exact=True).click()
    told = page.get_by_role("alert")
    expect(told.get_by_role("heading")).to_have_text("A part of this page is not there")
    assert violations(page) == []
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Try again").click()
    expect(told).to_be_visible()
    server.start()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="There are no models yet")).to_be_visible()


def test_page_of_an_older_version_is_loaded_anew(open_page: OpenPage, server: ServerProcess, watch: Watch) -> None:
    page = open_page(f"{server.url}/#/experiments")
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    watch.expect(r"answer: 404 GET .*\.js$")
    watch.allow("console: .*dynamically imported module")
    page.route("**/assets/pages-*.js", lambda route: route.fulfill(status=404), times=1)
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("heading", name="There are no models yet")).to_be_visible()


def test_change_that_finds_no_server_is_told_in_words(
    open_page: OpenPage, make_server_process: MakeServer, watch: Watch
) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    page = open_page(f"{server.url}/#/experiments")
    expect(page.get_by_role("link", name="Default")).to_be_visible()
    assert server.stop() == 0
    watch.expect(r"failed: POST .*/CreateExperiment: net::ERR_(CONNECTION|EMPTY)_")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_role("dialog").get_by_label("Name").fill("in vain")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The server can't be reached.")
