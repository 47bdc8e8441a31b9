"""The built pages before a server's HTTP port, with the policies that the server has for them."""

from pathlib import Path

from playwright.sync_api import Page, Route
from tests.conftest import ROOT

PAGES = ROOT / "server/trackwire_server/web/pages"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:;"
    " connect-src 'self'; font-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)
FRAME_POLICY = (
    "sandbox allow-scripts; default-src data: blob: 'unsafe-inline' 'unsafe-eval' https:; connect-src 'none';"
    " script-src 'unsafe-inline' 'unsafe-eval' https: 'self'"
)


def serve_pages(page: Page, url: str) -> None:
    """Has the browser find the pages at the server's own address, beside its rpcs."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(url).split("?")[0].strip("/") or "index.html"
        policy = FRAME_POLICY if path == "frame.html" else PAGE_POLICY
        route.fulfill(path=PAGES / path, headers={"content-security-policy": policy, "content-type": _type(path)})

    page.route(lambda asked: asked.startswith(url) and "/trackwire.v1." not in asked, answer)


def _type(path: str) -> str:
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    return types[Path(path).suffix]
