"""The address has what a page is set to, however fast that changes: browsers let only so many changes of it through."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Served
from tests.ui.listed import make_runs

# Chrome lets 200 changes through in ten seconds.
MOVES = 400
DRAG = """(handle, moves) => {
  const { x, width } = handle.getBoundingClientRect();
  for (let by = 1; by <= moves; by += 1) {
    const clientX = x + width / 2 + by;
    handle.dispatchEvent(new PointerEvent("pointermove", { clientX, bubbles: true }));
  }
}"""


def grab(page: Page, served: Served, name: str) -> tuple[Locator, Callable[[int], str]]:
    """The end of a column, held by the mouse, and how wide that is once it was dragged so far."""
    experiment_id, _ = make_runs(served.client, name, 2)
    page.goto(served.address_of(f"/experiments/{experiment_id}?view=table"))
    handle = page.get_by_role("slider", name="Width of column Name")
    handle.hover()
    page.mouse.down()
    width = int(handle.get_attribute("aria-valuenow") or 0)
    return handle, lambda by: str(width + by)


def test_page_obeys_after_a_column_was_dragged_far(page: Page, served: Served) -> None:
    handle, wider = grab(page, served, "dragged far")
    handle.evaluate(DRAG, MOVES)
    expect(handle).to_have_attribute("aria-valuenow", wider(MOVES))
    page.mouse.up()
    chosen = page.get_by_role("checkbox", name="Select run-1")
    chosen.check()
    both = page.get_by_role("group", name="View", exact=True).get_by_role("button", name="Both")
    both.click()
    expect(both).to_have_attribute("aria-pressed", "true")
    expect(page).not_to_have_url(re.compile("view=table"))
    page.reload()
    expect(handle).to_have_attribute("aria-valuenow", wider(MOVES))
    expect(chosen).to_be_checked()


def test_address_of_a_page_that_is_left_has_what_changed_last(page: Page, served: Served) -> None:
    for leave in ("document.querySelector('a.brand').click()", "location = '/version'"):
        handle, wider = grab(page, served, f"left by {leave}")
        handle.evaluate(f"(handle, moves) => {{ ({DRAG})(handle, moves); {leave} }}", 99)
        page.mouse.up()
        expect(handle).to_have_count(0)
        page.go_back()
        expect(handle).to_have_attribute("aria-valuenow", wider(99))
