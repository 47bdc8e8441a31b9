"""A server and a real Chromium with the built pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Error, Page, expect, sync_playwright
from tests.conftest import ServerProcess
from tests.ui.serving import PAGES, serve_pages

from trackwire import Client

# The machines are shared.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)


@dataclass(frozen=True, slots=True)
class Site:
    """A server, as the client and as a browser find it."""

    client: Client
    url: str

    def address_of_run(self, run_id: str, query: str = "") -> str:
        """The page of a run in the default experiment."""
        return f"{self.url}/#/experiments/0/runs/{run_id}{query}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with nothing on it yet."""
    assert (PAGES / "index.html").exists(), "the pages are not built: npm ci && npm run build in client/web"
    server = ServerProcess(tmp_path_factory.mktemp("site") / "data", http_port="0")
    server.start()
    with Client(server.address) as client:
        yield Site(client, server.url)
    assert server.stop() == 0, server.log_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Its loop runs in this thread: tests of these modules are none of asyncio's."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """`open_page(address)`; no dialog may open, and no script of ours may fail."""
    faults: list[str] = []
    pages: list[Page] = []

    def tell(error: Error) -> None:
        if site.url in (error.stack or ""):
            faults.append(str(error))

    def dismiss(dialog: Dialog) -> None:
        faults.append(f"a dialog says {dialog.message!r}")
        dialog.dismiss()

    def open_at(address: str, *, width: int = 1280, color_scheme: str = "light") -> Page:
        scheme: Literal["dark", "light"] = "dark" if color_scheme == "dark" else "light"
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        page.set_default_timeout(_PATIENCE_MS)
        page.on("pageerror", tell)
        page.on("dialog", dismiss)
        serve_pages(page, site.url)
        page.goto(address)
        return page

    yield open_at
    for page in pages:
        page.close()
    assert not faults
