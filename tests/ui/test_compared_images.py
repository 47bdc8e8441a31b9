"""The images of runs beside each other."""

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.browsing import PHONE, THEMES, Theme, violations
from tests.ui.conftest import OpenPage, Served
from tests.ui.images import png

ENDING = "timestamp+1760000000000+aaaa-bbbb"
# As in artifacts/run-images.ts.
PAGES_MAX = 24


def make_run(served: Served, name: str, files: dict[str, bytes]) -> str:
    """A finished run that has these files."""
    run_id = served.client.create_run("0", run_name=name).run_id
    for path, data in files.items():
        served.client.upload_bytes(run_id, data, path)
    served.client.update_run(run_id, status="FINISHED")
    return run_id


def of_series(key: str, *steps: int) -> dict[str, bytes]:
    """An image of a series at each of these steps."""
    return {f"images/{key}+step+{step}+{ENDING}.png": png(8, 8, b"\x40\x80\xc0") for step in steps}


def open_images(open_page: OpenPage, served: Served, run_ids: list[str], query: str = "", **options: object) -> Page:
    return open_page(served.address_of(f"/compare-runs?view=images&runs={'~'.join(run_ids)}{query}"), **options)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def shown_image(page: Page, name: str) -> None:
    """It is there, and the browser has read it."""
    image = page.get_by_role("img", name=name, exact=True)
    expect(image).to_be_visible()
    expect(image).not_to_have_js_property("naturalWidth", 0)


def test_images_of_the_same_path_stand_in_a_row(served: Served, open_page: OpenPage) -> None:
    image = png(8, 8, b"\0\xff\0")
    files = {"plots/curve.png": image, "plots/deep/er/roc.png": image, "notes.txt": b"no image"}
    one = make_run(served, "one", files)
    two = make_run(served, "two", {"plots/curve.png": image})
    page = open_images(open_page, served, [one, two])
    expect(page.get_by_role("rowheader")).to_have_text(["plots/curve.png", "plots/deep/er/roc.png"])
    shown_image(page, "plots/curve.png, one")
    shown_image(page, "plots/curve.png, two")
    shown_image(page, "plots/deep/er/roc.png, one")
    expect(row(page, "plots/deep/er/roc.png").get_by_role("cell")).to_have_text(["", "Not there"])
    page.get_by_role("searchbox", name="Find images").fill("ROC")
    expect(page.get_by_role("rowheader")).to_have_text(["plots/deep/er/roc.png"])
    page.get_by_role("img", name="plots/deep/er/roc.png, one").click()
    expect(page.get_by_role("region", name="roc.png")).to_be_visible()


def test_series_of_all_runs_go_by_one_step(served: Served, open_page: OpenPage) -> None:
    one = make_run(served, "one", {**of_series("samples~cat", 0, 50, 100), **of_series("samples~dog", 100)})
    two = make_run(served, "two", of_series("samples~cat", 0, 70))
    page = open_images(open_page, served, [one, two])
    cats, dogs = row(page, "samples/cat"), row(page, "samples/dog")
    expect(cats.get_by_role("cell")).to_have_text(["step 100", "step 70"])
    expect(dogs.get_by_role("cell")).to_have_text(["step 100", "Not there"])
    page.get_by_label("Step", exact=True).press("ArrowLeft")
    expect(cats.get_by_role("cell")).to_have_text(["step 50", "step 70"])
    expect(dogs.get_by_role("cell")).to_have_text(["Nothing yet at this step", "Not there"])
    assert "step=70" in page.url
    page.get_by_role("button", name="Step before").click()
    expect(cats.get_by_role("cell")).to_have_text(["step 50", "step 0"])
    page.reload()
    shown_image(page, "samples/cat, step 50, one")
    shown_image(page, "samples/cat, step 0, two")


def test_runs_without_images_say_so(served: Served, open_page: OpenPage) -> None:
    bare = make_run(served, "bare", {"notes.txt": b"no image"})
    page = open_images(open_page, served, [make_run(served, "has one", {"a.png": png(8, 8, b"\0\0\0")}), bare])
    expect(page.get_by_role("columnheader", name="bare")).to_contain_text("No images")
    expect(page.get_by_role("columnheader", name="has one")).to_contain_text("1 image")
    page.goto(served.address_of(f"/compare-runs?view=images&runs={bare}"))
    expect(page.get_by_role("heading", name="None of these runs has images")).to_be_visible()


def test_folders_are_looked_through_only_so_far(served: Served, open_page: OpenPage) -> None:
    image = png(8, 8, b"\0\0\0")
    run_id = make_run(served, "deep", {f"folder_{number:02d}/a.png": image for number in range(PAGES_MAX + 6)})
    page = open_page(served.address_of("/experiments"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.address_of(f"/compare-runs?view=images&runs={run_id}"))
    expect(page.get_by_text(f"more folders than the {PAGES_MAX} that are looked through")).to_be_visible()
    # The folder of series and the root are two of them.
    expect(page.get_by_role("columnheader", name="deep")).to_contain_text(f"{PAGES_MAX - 2} images")
    assert sum(url.endswith("/ListArtifacts") for url in asked) == PAGES_MAX


def test_only_what_is_in_sight_is_fetched(served: Served, open_page: OpenPage) -> None:
    run_ids = [make_run(served, f"run {number}", of_series("samples", 0)) for number in range(40)]
    page = open_page(served.address_of("/experiments"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.address_of(f"/compare-runs?view=images&runs={'~'.join(run_ids)}"))
    shown_image(page, "samples, step 0, run 0")
    assert sum(url.endswith("/ListArtifacts") for url in asked) <= 2 * 10
    assert sum(url.endswith("/DownloadArtifact") for url in asked) <= 10
    table = page.get_by_role("table", name="Images of the runs")
    table.press("ArrowRight")
    expect(table).not_to_have_js_property("scrollLeft", 0)
    table.evaluate("table => { table.scrollLeft = table.scrollWidth }")
    shown_image(page, "samples, step 0, run 39")


@pytest.mark.parametrize("theme", THEMES)
def test_compared_images_are_accessible(served: Served, open_page: OpenPage, theme: Theme) -> None:
    run_ids = [make_run(served, name, of_series("samples", 0, 5)) for name in ("one", "two")]
    page = open_images(open_page, served, run_ids, theme=theme)
    shown_image(page, "samples, step 5, one")
    assert violations(page) == []


def test_compared_images_fit_a_phone(served: Served, open_page: OpenPage) -> None:
    run_ids = [make_run(served, name, of_series("samples", 0)) for name in ("one", "two")]
    page = open_images(open_page, served, run_ids, "&size=small", size=PHONE)
    shown_image(page, "samples, step 0, one")
    shown_image(page, "samples, step 0, two")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE[0]
