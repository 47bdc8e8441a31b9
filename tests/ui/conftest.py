"""A real Chromium that looks at a real server; what its console calls an error fails the test."""

import mimetypes
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from tests.conftest import ROOT, ServerProcess

from trackwire import Client

PAGES = ROOT / "server" / "trackwire_server" / "web" / "pages"
AXE = ROOT / "client" / "web" / "node_modules" / "axe-core" / "axe.min.js"
# Enough for a machine that has other things to do.
PATIENCE_MS = 30_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " font-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# Told by the browser of every answer that is no success; the page is to say it in words.
_REFUSED = "Failed to load resource"


@dataclass(frozen=True, slots=True)
class Served:
    """A server with its pages, and a client of it."""

    process: ServerProcess
    client: Client

    def address_of(self, place: str) -> str:
        """The address of a page such as `/models`."""
        return f"{self.process.url}/#{place}"


# Of a module, as the loop of Playwright's calls bars others from its thread as long as it is there.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a module: each makes what it looks at."""
    if not (PAGES / "index.html").exists():
        pytest.skip(f"needs the pages, built into {PAGES.relative_to(ROOT)}")
    process = ServerProcess(tmp_path_factory.mktemp("ui") / "data", http_port="0")
    process.start()
    with Client(process.address) as client:
        yield Served(process, client)
    assert process.stop() == 0, process.log_text()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.route("**/*", _serve_page)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.extend(_problems_of(message)))
    yield opened
    context.close()
    assert problems == []


def faults_of(page: Page) -> list[str]:
    """What axe finds fault with."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]


def _problems_of(message: ConsoleMessage) -> list[str]:
    is_problem = message.type == "error" and not message.text.startswith(_REFUSED)
    return [message.text] if is_problem else []


def _serve_page(route: Route) -> None:
    """Answers for the built pages, under the policy that they are to be served with; all else is the server's."""
    path = route.request.url.partition("//")[2].partition("/")[2].partition("?")[0] or "index.html"
    file = PAGES / path
    if not file.is_file():
        route.continue_()
        return
    kind = mimetypes.guess_type(Path(path).name)[0] or "application/octet-stream"
    route.fulfill(body=file.read_bytes(), headers={"content-type": kind, "content-security-policy": POLICY})
