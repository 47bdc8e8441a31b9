"""What axe finds wrong with a page, for who reads it by ear or by keys."""

from playwright.sync_api import Page
from tests.conftest import ROOT

_AXE = ROOT / "client/web/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """The rules that are broken, and where."""
    page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, {iframes: false})")
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found["violations"]]
