"""The artifacts of a run, in a real Chromium: each kind is shown, and nothing that one holds runs as a page of ours."""

import io
import json
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.conftest import ServerProcess
from tests.ui.browsing import PHONE, Watch, violations
from tests.ui.conftest import OpenPage, Served
from tests.ui.images import png
from tests.ui.registered import run_shell

from trackwire import Client


@pytest.fixture(autouse=True)
def _hostile(watch: Watch) -> None:
    """What artifacts try is refused, of which the browser tells; no dialog opens, and nothing of ours fails."""
    watch.allow("console: .*(Content Security Policy|sandbox|[Rr]efused|[Bb]locked|MIME type)", "answer: 4", "failed: ")


def run_with(served: Served, files: dict[str, bytes]) -> str:
    """A finished run that has these files."""
    run_id = served.client.create_run("0", run_name="a run with files").run_id
    for path, data in files.items():
        served.client.upload_bytes(run_id, data, path)
    served.client.update_run(run_id, status="FINISHED")
    return run_id


def open_artifact(served: Served, open_page: OpenPage, path: str, data: bytes, **options: object) -> Page:
    run_id = run_with(served, {path: data})
    page = open_page(served.address_of_run(run_id, "?tab=artifacts"), **options)
    *folders, name = path.split("/")
    for folder in folders:
        page.get_by_role("button", name=f"Folder {folder}").click()
    page.get_by_role("navigation", name="Artifacts").get_by_role("link", name=name, exact=True).click()
    return page


def shown(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_folders_open_and_the_address_keeps_the_file(served: Served, open_page: OpenPage) -> None:
    run_id = run_with(served, {"a/b/deep.txt": b"far down", "top.bin": b"\0" * 1_500})
    page = open_page(served.address_of_run(run_id, "?tab=artifacts"))
    tree = page.get_by_role("navigation", name="Artifacts")
    expect(tree).to_contain_text("1.50 KB")
    expect(tree.get_by_role("link", name="deep.txt")).to_have_count(0)
    page.get_by_role("button", name="Folder a").press("Enter")
    page.get_by_role("button", name="Folder b").press("Enter")
    tree.get_by_role("link", name="deep.txt").click()
    expect(shown(page, "Text of the file")).to_contain_text("far down")
    assert violations(page) == []
    address = page.url
    again = open_page(address)
    expect(shown(again, "Text of the file")).to_contain_text("far down")
    expect(again.get_by_role("link", name="deep.txt")).to_have_attribute("aria-current", "true")
    # Back to where nothing was chosen, and forward again.
    root = open_page(served.address_of_run(run_id, "?tab=artifacts"))
    expect(root.get_by_role("link", name="top.bin")).to_be_visible()
    root.evaluate("address => { location.href = address; }", address)
    expect(root.get_by_role("link", name="deep.txt")).to_have_attribute("aria-current", "true")


def test_long_text_is_read_in_parts_and_searched(served: Served, open_page: OpenPage) -> None:
    text = "".join(f"line {number}\n" for number in range(100_000)).encode()
    page = open_artifact(served, open_page, "log.txt", text)
    lines = shown(page, "Text of the file")
    expect(lines).to_contain_text("line 0")
    assert lines.locator(".lines-line").count() < 200
    expect(page.get_by_text("The first 1.05 MB of 1.09 MB")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("100,000 lines")).to_be_visible()
    page.get_by_role("searchbox", name="Find").fill("line 99999")
    expect(lines.locator("mark")).to_have_text("line 99999")
    expect(lines.locator("mark")).to_be_in_viewport()
    assert violations(page) == []


def test_json_is_a_tree_with_exact_numbers(served: Served, open_page: OpenPage) -> None:
    page = open_artifact(served, open_page, "config.json", b'{"id": 12345678901234567890, "deep": {"a": [1, "<b>"]}}')
    tree = shown(page, "Tree of the file")
    expect(tree).to_contain_text("12345678901234567890")
    expect(tree).to_contain_text('"<b>"')
    tree.locator("summary").filter(has_text="deep").click()
    expect(tree).not_to_contain_text('"<b>"')
    page.get_by_role("button", name="As stored").click()
    expect(shown(page, "Text of the file")).to_contain_text('{"id": 12345678901234567890')
    assert violations(page) == []


def test_json_that_is_none_is_shown_as_text(served: Served, open_page: OpenPage) -> None:
    page = open_artifact(served, open_page, "broken.json", b'{"loss": NaN}')
    expect(page.get_by_text("This is no JSON")).to_be_visible()
    expect(shown(page, "Text of the file")).to_contain_text('{"loss": NaN}')


def test_logged_table_is_a_table(served: Served, open_page: OpenPage) -> None:
    rows = [[f"question {number}", number / 10, None] for number in range(5_000)]
    data = json.dumps({"columns": ["question", "score", "note"], "data": rows}).encode()
    page = open_artifact(served, open_page, "evaluation/table.json", data)
    table = shown(page, "Table of the file")
    expect(table.locator("thead th")).to_have_text(["question", "score", "note"])
    expect(page.get_by_text("5,000 rows, 3 columns")).to_be_visible()
    assert table.locator("tbody tr").count() < 100
    page.get_by_role("searchbox", name="Find rows").fill("question 4999")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table.locator("tbody td")).to_have_text(["question 4999", "499.9", ""])
    assert violations(page) == []


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t")])
def test_separated_values_are_a_table(served: Served, open_page: OpenPage, suffix: str, separator: str) -> None:
    lines = [("name", "value"), ('"says ""hi""\nand more"', "1"), ("short",), (f'"a{separator}b"', "3")]
    data = "\r\n".join(separator.join(line) for line in lines).encode()
    table = shown(open_artifact(served, open_page, f"data.{suffix}", data), "Table of the file")
    expect(table.locator("thead th")).to_have_text(["name", "value"])
    cells = [cell.text_content() for cell in table.locator("tbody td").all()]
    assert cells == ['says "hi"\nand more', "1", "short", "", f"a{separator}b", "3"]


def test_image_is_enlarged_and_told(served: Served, open_page: OpenPage) -> None:
    page = open_artifact(served, open_page, "plots/curve.png", png(30, 20, b"\xff\0\0"))
    expect(page.get_by_text("30 × 20")).to_be_visible()
    page.get_by_label("Zoom").select_option("4")
    image = page.get_by_role("img", name="curve.png")
    assert image.bounding_box() == {**(image.bounding_box() or {}), "width": 120, "height": 80}
    page.get_by_role("button", name="Sharp pixels").click()
    assert image.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    assert "zoom=4" in page.url
    assert violations(page) == []


def test_image_series_goes_by_steps(served: Served, open_page: OpenPage) -> None:
    ending = "timestamp+1760000000000+aaaa-bbbb"
    files = {f"images/samples~one+step+{step}+{ending}.png": png(8, 8, bytes([step, 0, 0])) for step in (0, 5, 20)}
    files[f"images/masks+step+0+{ending}.png"] = png(8, 8, b"\0\0\0")
    files[f"images/old#one+step+5+{ending}.png"] = png(8, 8, b"\0\xff\0")
    run_id = run_with(served, files)
    page = open_page(served.address_of_run(run_id, "?tab=artifacts"))
    page.get_by_role("link", name="images").click()
    cards = page.locator(".series-card")
    expect(cards.locator("h2")).to_have_text(["masks", "old/one", "samples/one"])
    expect(cards.last).to_contain_text("step 20")
    page.get_by_role("button", name="Step before").click()
    expect(page.get_by_role("img", name="samples/one, step 5")).to_be_visible()
    expect(page.get_by_role("img", name="masks, step 0")).to_be_visible()
    assert "step=5" in page.url
    page.get_by_label("Step", exact=True).press("Home")
    expect(cards.nth(1)).to_contain_text("nothing yet")
    shown_image = page.get_by_role("img", name="samples/one, step 0")
    expect(shown_image).to_have_js_property("naturalWidth", 8)
    assert violations(page) == []


def test_image_with_a_time_that_no_calendar_has_is_shown(served: Served, open_page: OpenPage) -> None:
    stamp = "1760000000000000000"
    run_id = run_with(served, {f"images/by others+step+1+timestamp+{stamp}+aaaa-bbbb.png": png(8, 8, b"\0\0\0")})
    page = open_page(served.address_of_run(run_id, "?tab=artifacts&path=images/"))
    expect(page.get_by_role("img", name="by others, step 1")).to_be_visible()
    expect(page.get_by_title(stamp, exact=True)).to_be_visible()


def test_sound_is_played(served: Served, open_page: OpenPage) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as written:
        written.setparams((1, 1, 8_000, 0, "NONE", ""))
        written.writeframes(bytes(16_000))
    page = open_artifact(served, open_page, "sample.wav", sound.getvalue())
    expect(page.get_by_label("sample.wav").locator("audio")).to_have_js_property("duration", 2)


def test_file_without_a_known_ending_is_text_if_it_looks_so(served: Served, open_page: OpenPage) -> None:
    run_id = run_with(
        served, {"MLmodel": b"flavors:\n  python", "weights": bytes(range(256)) * 10, "model.pkl": b"\x80"}
    )
    page = open_page(served.address_of_run(run_id, "?tab=artifacts&path=MLmodel"))
    expect(shown(page, "Text of the file")).to_contain_text("flavors:")
    page.get_by_role("link", name="weights").click()
    expect(page.get_by_role("heading", name="This file is no text")).to_be_visible()
    page.get_by_role("link", name="model.pkl").click()
    expect(page.get_by_role("heading", name="Files of this kind can't be shown")).to_be_visible()


def test_download_gives_the_very_bytes(served: Served, open_page: OpenPage, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    page = open_artifact(served, open_page, "checkpoints/last.pt", data)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "last.pt"
    download.value.save_as(tmp_path / "last.pt")
    assert (tmp_path / "last.pt").read_bytes() == data


def test_file_past_the_limit_is_not_shown(served: Served, open_page: OpenPage) -> None:
    page = open_artifact(served, open_page, "large.png", bytes(50_000_001))
    expect(page.get_by_role("heading", name="This file is too large to be shown")).to_be_visible()
    expect(page.get_by_text("at most 50.0 MB are shown here")).to_be_visible()
    expect(page.get_by_role("button", name="Download")).to_be_visible()


def test_large_file_at_s3_is_fetched_from_there(
    served: Served,
    open_page: OpenPage,
    make_server_process: Callable[..., ServerProcess],
    s3_endpoint: str,
    s3_bucket: str,
) -> None:
    server = make_server_process("--artifacts-uri", f"s3://{s3_bucket}/files", "--s3-endpoint-url", s3_endpoint)
    server.http_port = "0"
    server.start()
    with Client(server.address) as client:
        run_id = client.create_run("0").run_id
        client.upload_bytes(run_id, bytes(9_000_000), "model.pt")
    page = open_page(served.url)
    page.goto(f"{server.url}/#/experiments/0/runs/{run_id}?tab=artifacts&path=model.pt")
    link = page.get_by_role("link", name="Download from the store")
    address = link.get_attribute("href") or ""
    assert address.startswith(s3_endpoint)
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert len(page.request.get(address).body()) == 9_000_000
    expect(page.get_by_role("button", name="Through the server")).to_be_visible()


def test_files_of_a_logged_model_are_shown(served: Served, open_page: OpenPage, tmp_path: Path) -> None:
    run_id = run_with(served, {})
    model = served.client.create_logged_model("0", name="classifier", source_run_id=run_id)
    (tmp_path / "MLmodel").write_text("flavors: none")
    served.client.upload_logged_model_artifact(model.model_id, tmp_path / "MLmodel")
    page = open_page(served.address_of_run(run_id))
    page.get_by_role("link", name="classifier").click()
    page.get_by_role("link", name="MLmodel").click()
    expect(shown(page, "Text of the file")).to_contain_text("flavors: none")


def test_run_without_artifacts_says_how_to_log_one(served: Served, open_page: OpenPage) -> None:
    page = open_page(served.address_of_run(run_with(served, {}), "?tab=artifacts"))
    expect(page.get_by_role("heading", name="There are no artifacts yet")).to_be_visible()
    assert violations(page) == []


# Tries each way out, and writes what came of it into its own page.
HOSTILE_HTML = b"""<!doctype html><body><ul></ul><script>
const say = (name, words) => document.querySelector("ul").insertAdjacentHTML("beforeend", `<li id=${name}>${words}`);
const attempt = (name, act) => {
  try { const got = act(); say(name, got instanceof Promise ? "promised" : "DONE " + got);
        if (got instanceof Promise) got.then(() => say(name + "-end", "DONE"), () => say(name + "-end", "refused"));
  } catch (error) { say(name, "refused"); }
};
attempt("parent", () => { parent.document.title = "owned"; });
attempt("token", () => parent.sessionStorage.getItem("trackwire-token"));
attempt("storage", () => localStorage.length);
attempt("cookie", () => document.cookie);
attempt("top-document", () => top.document.body);
attempt("top", () => { top.location = "about:blank"; });
attempt("popup", () => { if (!open("about:blank")) throw 0; });
attempt("dialog", () => { alert(1); throw 0; });
attempt("rpc", () => fetch("SITE/trackwire.v1.AdminService/GetServerInfo", {method: "POST", body: "{}",
  headers: {"content-type": "application/json"}}));
attempt("own", () => fetch("/health"));
parent.postMessage({html: "<script>document.title = 'owned'</" + "script>"}, "*");
say("origin", self.origin);
say("all", "tried");
</script>"""
WAYS_OUT = ["parent", "token", "storage", "cookie", "top-document", "top", "popup", "dialog", "rpc-end", "own-end"]


def test_html_runs_its_scripts_and_reaches_nothing(served: Served, open_page: OpenPage) -> None:
    page = open_artifact(served, open_page, "report.html", HOSTILE_HTML.replace(b"SITE", served.url.encode()))
    frame = page.frame_locator("iframe[title='report.html']")
    expect(frame.locator("#all")).to_have_text("tried")
    expect(frame.locator("#origin")).to_have_text("null")
    for way in WAYS_OUT:
        expect(frame.locator(f"#{way}")).to_have_text("refused")
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert page.title() == "Trackwire"
    assert page.url.startswith(f"{served.url}/#/experiments/0/runs/")
    assert len(page.context.pages) == 1


def test_frame_writes_only_what_its_page_sends(served: Served, open_page: OpenPage) -> None:
    page = open_page(f"{served.url}/frame.html")
    page.evaluate("window.postMessage({html: '<h1>written</h1>'}, '*')")
    assert page.evaluate("new Promise(done => setTimeout(() => done(document.body.textContent.trim())))") == ""
    # Opened by itself, it is nobody's page either.
    assert page.evaluate("self.origin") == "null"


def test_svg_is_an_image_and_runs_nothing(served: Served, open_page: OpenPage) -> None:
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="alert(1)">
      <script>parent.document.title = "owned"; alert(2)</script><circle cx="20" cy="20" r="20" fill="teal"/></svg>"""
    page = open_artifact(served, open_page, "plot.svg", svg)
    expect(page.get_by_text("40 × 40")).to_be_visible()
    expect(page.get_by_role("img", name="plot.svg")).to_be_visible()
    assert page.title() == "Trackwire"
    assert page.locator("a[href^='blob:']").count() == 0


@pytest.mark.parametrize("name", ["script.js", "module.mjs"])
def test_svg_in_a_tab_of_its_own_runs_no_artifact(served: Served, open_page: OpenPage, name: str) -> None:
    """There it is a document at our origin, with our policy, which lets scripts come from this server."""
    run_id = run_with(served, {name: b"document.documentElement.id = 'owned'"})
    source = f"{served.url}/get-artifact?run_id={run_id}&amp;path={name}"
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script href="{source}"/></svg>"""
    page = open_artifact(served, open_page, "plot.svg", svg.encode())
    expect(page.get_by_role("img", name="plot.svg")).to_be_visible()
    with (
        page.context.expect_event("request", lambda request: "/get-artifact" in request.url),
        page.expect_popup() as opened,
    ):
        page.evaluate("window.open(document.querySelector('.image-place img').src)")
    tab = opened.value
    tab.wait_for_load_state("load")
    assert tab.evaluate("document.contentType") == "image/svg+xml"
    assert tab.evaluate("document.documentElement.id") == ""


def test_html_that_is_called_pdf_stays_inert(served: Served, open_page: OpenPage) -> None:
    html = b"<!doctype html><script>parent.document.title = 'owned'; alert(1)</script><h1>not a PDF</h1>"
    page = open_artifact(served, open_page, "paper.pdf", html)
    frame = page.locator("iframe[title='paper.pdf']")
    expect(frame).to_be_visible()
    content = frame.element_handle()
    inner = content.content_frame() if content else None
    assert inner is not None
    inner.wait_for_load_state()
    # The browser's viewer, and no document that the file wrote.
    assert inner.evaluate("document.contentType") == "application/pdf"
    assert inner.locator("h1").count() == 0
    assert page.title() == "Trackwire"


@pytest.mark.parametrize("name", ["page.txt", "page.csv", "page.json", "page", "page.svg.md"])
def test_markup_elsewhere_is_text(served: Served, open_page: OpenPage, name: str) -> None:
    markup = b"<script>alert(1)</script><img src=x onerror=alert(2)>"
    page = open_artifact(served, open_page, name, markup)
    expect(page.locator(".file-view")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("img[src='x']").count() == 0


def test_hostile_names_are_text(served: Served, open_page: OpenPage) -> None:
    markup = "\"'><img src=x onerror=alert(1)>.txt"
    names = [markup, "report\u202egnp.exe", "x" * 200 + ".txt", "$(id) `id` 'q'.pt", "日本語 😀.txt"]
    run_id = run_with(served, {f"files/{name}": b"inside" for name in names})
    page = open_page(served.address_of_run(run_id, "?tab=artifacts"), size=PHONE)
    page.get_by_role("button", name="Folder files").click()
    tree = page.get_by_role("navigation", name="Artifacts")
    expect(tree.get_by_role("link", name=markup)).to_be_visible()
    # What turns the direction of text is told instead.
    expect(tree.get_by_role("link", name="report⟨U+202E⟩gnp.exe")).to_be_visible()
    expect(tree.get_by_role("link", name="日本語 😀.txt")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tree.get_by_role("link", name=markup).click()
    expect(page.get_by_role("heading", name=markup)).to_be_visible()
    expect(shown(page, "Text of the file")).to_contain_text("inside")
    assert page.locator("img[src='x']").count() == 0
    assert violations(page) == []
    page.get_by_role("link", name="All files").click()
    tree.get_by_role("link", name="files", exact=True).click()
    expect(page.get_by_text("5 files with 30 B, 0 folders")).to_be_visible()
    # There is no room for the tree beside it.
    expect(page.get_by_role("link", name="日本語 😀.txt")).to_be_visible()


def test_command_for_a_folder_is_safe_in_a_shell(served: Served, open_page: OpenPage, tmp_path: Path) -> None:
    run_id = run_with(served, {"it's $(touch made)/a.txt": b"inside"})
    page = open_page(served.address_of_run(run_id, "?tab=artifacts"))
    page.get_by_role("link", name="it's $(touch made)").click()
    code = page.locator(".artifacts-shown pre")
    expect(code).to_contain_text(f"{run_id} 'it'\\''s $(touch made)'")
    run_shell(code.inner_text(), tmp_path)
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"inside"]
