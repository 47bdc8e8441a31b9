"""A tab of a Chromium without a window, and what the page in it is asked: times, tasks, cards in sight, memory."""

import gzip
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

# What isn't there by then is told as not there.
WITHIN_SECONDS = 60
FRAMES_OF_SCROLLING = 300
# By the name of what was measured.
Figures = dict[str, float]
SCROLLED_AT_ONCE = 2_000
STOP_SECONDS = 10
# Runs in the page before any script of it: all tasks that held others up, and when something first was so.
WATCH = """
const tasks = [];
const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
observer.observe({ type: "longtask", buffered: true });
const frame = () => new Promise(requestAnimationFrame);
window.bench = {
  async until(condition, seconds) {
    const deadline = performance.now() + seconds * 1000;
    while (!condition()) {
      if (performance.now() > deadline) return Infinity;
      await frame();
    }
    await frame();
    return performance.now();
  },
  async longestTaskOfScrolling(selector, frames) {
    const scrolled = document.querySelector(selector);
    scrolled.scrollTop = 0;
    for (let at = 0; at < 10; at += 1) await frame();
    observer.takeRecords();
    tasks.length = 0;
    for (let at = 0; at < frames; at += 1) {
      scrolled.scrollTop += (scrolled.scrollHeight / frames) * 0.98;
      await frame();
    }
    tasks.push(...observer.takeRecords());
    return Math.max(0, ...tasks.map((task) => task.duration));
  },
  // The number of cards in sight if all of them are drawn, otherwise 0.
  drawn(area, card, isDrawn) {
    const sight = document.querySelector(area)?.getBoundingClientRect();
    const cards = [...document.querySelectorAll(card)].filter((each) => {
      const place = each.getBoundingClientRect();
      return sight && place.bottom > sight.top && place.top < sight.bottom;
    });
    return cards.every(isDrawn) ? cards.length : 0;
  },
  // Whether there is more below.
  scrollOn(selector, pixels) {
    const scrolled = document.querySelector(selector);
    const before = scrolled.scrollTop;
    scrolled.scrollTop += pixels;
    return scrolled.scrollTop > before;
  },
};
"""


@dataclass(frozen=True, slots=True)
class Cards:
    """The charts of a page, by selectors of what scrolls, a card, and what a drag zooms.

    `is_drawn` is a script's function that tells of a card whether it has all its lines, `is_finer` a script that tells
    whether the points of a zoom are there.
    """

    area: str
    card: str
    plot: str
    is_drawn: str
    is_finer: str

    @property
    def in_sight(self) -> str:
        """A script for the number of cards in sight, 0 before all of them are drawn."""
        return f"bench.drawn({self.area!r}, {self.card!r}, {self.is_drawn})"


@dataclass(frozen=True, slots=True)
class Tab:
    """A page; its times are milliseconds since it was asked for."""

    page: Page

    def now(self) -> float:
        return float(self.page.evaluate("performance.now()"))

    def until(self, condition: str, seconds: float = WITHIN_SECONDS) -> float:
        """When a script's condition was first met, and a frame was drawn after it; infinite if not within the time."""
        return float(self.page.evaluate(f"bench.until(() => {condition}, {seconds})"))

    def longest_task_of_scrolling(self, selector: str) -> float:
        """Milliseconds, while all of an element scrolls by."""
        script = f"bench.longestTaskOfScrolling({selector!r}, {FRAMES_OF_SCROLLING})"
        return float(self.page.evaluate(script))

    def look_through(self, cards: Cards) -> Figures:
        """When all cards in sight were drawn, a zoom of the first one, and the memory behind all of them."""
        drawn = self.until(cards.in_sight)
        if not isfinite(drawn):
            return {"in sight": inf, "cards": 0, "zoom": inf, "memory": inf}
        in_sight = self.page.evaluate(cards.in_sight)
        # It may still read what comes next.
        self.page.wait_for_timeout(1_000)
        return {"in sight": drawn, "cards": in_sight, "zoom": self.zoom(cards), "memory": self.megabytes_behind(cards)}

    def zoom(self, cards: Cards) -> float:
        """Milliseconds from the end of a drag over a fifth of the first plot until its finer points are drawn."""
        place = self.page.locator(cards.plot).first.bounding_box()
        assert place is not None
        middle = place["y"] + place["height"] / 2
        self.page.mouse.move(place["x"] + place["width"] * 0.4, middle)
        self.page.mouse.down()
        self.page.mouse.move(place["x"] + place["width"] * 0.6, middle, steps=4)
        started = self.now()
        self.page.mouse.up()
        return self.until(cards.is_finer) - started

    def megabytes_behind(self, cards: Cards) -> float:
        """What the tab holds for itself when all of its cards have been in sight."""
        while self.page.evaluate(f"bench.scrollOn({cards.area!r}, {SCROLLED_AT_ONCE})"):
            self.until(cards.in_sight, STOP_SECONDS)
        return max(_renderers_megabytes(), default=0.0)


def _renderers_megabytes() -> Iterator[float]:
    # Of this process alone: others may have browsers too.
    for process in psutil.Process().children(recursive=True):
        if "--type=renderer" in process.cmdline():
            yield process.memory_full_info().uss / 1e6


@contextmanager
def opened(browser: Browser, address: str, scripts: set[str], state: Any = None) -> Iterator[Tab]:
    """A tab of a browser that has nothing in its caches, and no more in its storage than it is given.

    The addresses of scripts that it asks for are added to `scripts`.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=state)
    context.set_default_timeout(WITHIN_SECONDS * 1_000)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("request", lambda request: scripts.add(request.url) if request.resource_type == "script" else None)
    page.goto(address, wait_until="commit")
    yield Tab(page)
    context.close()


def loaded_kilobytes(scripts: Iterable[str]) -> float:
    """Scripts by their addresses, gzipped."""
    return sum(gzipped_kilobytes(urllib.request.urlopen(url, timeout=WITHIN_SECONDS).read()) for url in scripts)


def shipped_kilobytes(folder: Path) -> float:
    """All scripts below a folder, gzipped, those of pages that few open included."""
    return sum(gzipped_kilobytes(path.read_bytes()) for path in folder.rglob("*.js"))


def gzipped_kilobytes(content: bytes) -> float:
    return len(gzip.compress(content)) / 1e3
