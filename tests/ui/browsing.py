"""Pages in a real browser, watched: what none of them may do unseen, whether all can use them, and how they look."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, Response
from tests.conftest import ROOT

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
DESKTOP, PHONE = (1280, 800), (390, 844)
AXE = ROOT / "client" / "web" / "node_modules" / "axe-core" / "axe.min.js"
# A page that goes on to another place gives up what it has asked for.
GIVEN_UP = "net::ERR_ABORTED"


@dataclass
class Watch:
    """Faults of pages: errors in the console, the policy's refusals among them, and answers that fail."""

    faults: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def expect(self, *patterns: str) -> None:
        """Faults that hold one of these, as a regular expression, are meant; each has to happen."""
        self._expected.extend(patterns)

    def allow(self, *patterns: str) -> None:
        """Faults that hold one of these are no matter."""
        self._allowed.extend(patterns)

    def over(self, context: BrowserContext) -> BrowserContext:
        """From now on."""
        context.on("console", self._hear)
        context.on("dialog", self._dismiss)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("requestfailed", self._see_failure)
        context.on("response", self._see_answer)
        return context

    def verify(self) -> None:
        """Nothing was wrong but what was expected."""
        known = [*self._expected, *self._allowed]
        wrong = [fault for fault in self.faults if not any(re.search(each, fault) for each in known)]
        assert not wrong, "\n".join(wrong)
        missing = [each for each in self._expected if not any(re.search(each, fault) for fault in self.faults)]
        assert not missing, f"expected, and did not happen: {missing}; {self.faults}"

    def _hear(self, message: ConsoleMessage) -> None:
        # An answer that fails is seen for itself.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message!r}")
        dialog.dismiss()

    def _see_failure(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _see_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"answer: {response.status} {response.request.method} {response.url}")


_CUT_RING = """async () => {
  const at = document.activeElement;
  // Styles change over, if in no time.
  await Promise.all(at.getAnimations().map((each) => each.finished));
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(at);
  // How far it is drawn around what has the focus.
  const ring = Math.max(0, parseFloat(outlineWidth) + parseFloat(outlineOffset));
  const { left, right, top, bottom } = at.getBoundingClientRect();
  const isCutBy = (box) => left - ring < box.left || right + ring > box.right ||
    top - ring < box.top || bottom + ring > box.bottom;
  const isCut = isCutBy({ left: 0, right: innerWidth, top: 0, bottom: innerHeight });
  const clipping = [];
  for (let each = at.parentElement; each; each = each.parentElement) {
    if (getComputedStyle(each).overflow !== "visible") clipping.push(each);
  }
  const isSeen = outlineStyle !== "none" && !isCut && !clipping.some((each) => isCutBy(each.getBoundingClientRect()));
  return isSeen ? null : at.outerHTML;
}"""


def cut_rings(page: Page, inside: str) -> list[str]:
    """What the Tab key leads to in such an element, as a CSS selector, without a focus ring that is seen whole."""
    cut = []
    page.locator(inside).evaluate("each => { each.tabIndex = -1; each.focus(); }")
    page.keyboard.press("Tab")
    while page.evaluate("inside => document.activeElement.closest(inside) !== null", inside):
        cut.append(page.evaluate(_CUT_RING))
        page.keyboard.press("Tab")
    assert cut, f"nothing in {inside} takes the focus"
    return [each for each in cut if each]


def violations(page: Page) -> list[str]:
    """What axe finds on a page as it is shown now."""
    if not AXE.exists():
        raise FileNotFoundError(f"{AXE}: scripts/build_ui installs it")
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((results) => results.violations)")
    return [f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]


def take_pictures(page: Page, name: str, folder: Path | None) -> None:
    """A page in light, in dark and on a phone, for who looks at them; nothing where no folder is asked for."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    for kind, theme, (width, height) in (
        ("light", "light", DESKTOP),
        ("dark", "dark", DESKTOP),
        ("phone", "light", PHONE),
    ):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.screenshot(path=folder / f"{name}-{kind}.png")
    if size is not None:
        page.set_viewport_size(size)
    page.emulate_media(color_scheme="null")
