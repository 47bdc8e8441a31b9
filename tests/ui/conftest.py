"""A browser for the tests of a module, and for each test pages of its own: whatever goes wrong on them fails it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.conftest import ROOT, ServerProcess
from tests.ui.browsing import DESKTOP, Theme, Watch

from trackwire import Client

OpenPage = Callable[..., Page]
# The machines are shared.
PATIENCE_MS = 30_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser that starts on a busy machine takes its time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def built_pages() -> None:
    """The pages of the tree are those of its sources."""
    program = ROOT / "client" / "web" / "build.py"
    checked = subprocess.run([sys.executable, program, "--is-current"], check=False, timeout=60)
    if checked.returncode:
        pytest.fail("the web UI is not built from these sources: scripts/build_ui builds it")


# While it is open, Playwright has an event loop in this thread, and tests of other modules have their own.
@pytest.fixture(scope="module")
def browser(built_pages: None) -> Iterator[Browser]:
    """A Chromium of this machine: Playwright's own would have to be downloaded."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium, and CHROMIUM names none")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # A container's root has no sandbox, and no /dev/shm that would be large enough.
        chromium = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            # People's browsers ignore pages that change their address too often.
            ignore_default_args=["--disable-ipc-flooding-protection"],
            timeout=PATIENCE_MS * 2,
        )
        yield chromium
        chromium.close()


@pytest.fixture
def watch() -> Watch:
    """What is wrong on the test's pages so far; `watch.expect(pattern)` says what will be."""
    return Watch()


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """`open_page(address, theme="dark", size=PHONE)`: a page of a browser that knows nothing yet."""
    opened = []

    def open_page(
        address: str, theme: Theme = "light", size: tuple[int, int] = DESKTOP, *, ignore_https_errors: bool = False
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            reduced_motion="reduce",
            ignore_https_errors=ignore_https_errors,
        )
        opened.append(watch.over(context))
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(address)
        return page

    yield open_page
    for context in opened:
        context.close()
    watch.verify()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for all tests of a module, with its HTTP port: each makes what it needs, under names of its own."""
    server = ServerProcess(tmp_path_factory.mktemp("ui") / "data", http_port="0")
    server.start()
    yield server
    assert server.stop() == 0, server.log_text()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    """A client of that server."""
    with Client(server.address) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Served:
    """A server with its pages, and a client of it."""

    process: ServerProcess
    client: Client

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return self.process.url

    def address_of(self, place: str) -> str:
        """The address of a page such as `/models`."""
        return f"{self.url}/#{place}"

    def address_of_run(self, run_id: str, query: str = "") -> str:
        """The page of a run in the default experiment."""
        return self.address_of(f"/experiments/0/runs/{run_id}{query}")


@pytest.fixture
def served(server: ServerProcess, client: Client) -> Served:
    """The module's server with its client."""
    return Served(server, client)


@pytest.fixture
def page(open_page: OpenPage, watch: Watch) -> Page:
    """An empty tab, whose server may refuse what it is asked: the page has to say so."""
    watch.allow("answer: 4(00|04|09)")
    return open_page("about:blank")


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest) -> Path | None:
    """The folder for pictures of pages, by --pictures; None where nobody wants any."""
    folder = request.config.getoption("--pictures")
    return None if folder is None else Path(folder).resolve()
