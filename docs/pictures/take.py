"""Takes the pictures beside this file: pages of the web UI, in light and in dark, of a sweep that is made up.

`scripts/take_pictures` runs it. Look at each picture before it is committed.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "scripts" / "benchmarks"))

from benchmarking import running_server  # noqa: E402
from sweep import MODEL, Sweep, make_sweep  # noqa: E402

from trackwire import Client  # noqa: E402

SIZE = ViewportSize(width=1280, height=800)
SETTLED_MS = 1_500


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("needs Chromium: apt-get install chromium")
    with (
        running_server("--http-port", "0") as server,
        Client(server.address) as client,
        sync_playwright() as playwright,
    ):
        places = places_of(make_sweep(client))
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, place in places.items():
            for theme in ("light", "dark"):
                context = chromium.new_context(viewport=SIZE, color_scheme=theme, device_scale_factor=1)
                page = context.new_page()
                page.goto(f"{server.http_url}/#{place}")
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(SETTLED_MS)
                page.screenshot(path=FOLDER / f"{name}-{theme}.png")
                context.close()
        chromium.close()


def places_of(sweep: Sweep) -> dict[str, str]:
    """What each picture shows."""
    experiment = f"/experiments/{sweep.experiment_id}"
    compared = "~".join(sweep.run_ids[:3])
    axes = "~".join(["param:optimizer", "param:depth", "param:dropout", "param:learning_rate", "metric:val/accuracy"])
    return {
        "experiment": f"{experiment}?order=metrics.`val/accuracy`%20DESC",
        "parallel": f"{experiment}?view=parallel&axes={axes}&color=metric:val/accuracy&log=param:learning_rate",
        "images": f"/compare-runs?runs={compared}&view=images",
        "model": f"/models/{MODEL}",
    }


if __name__ == "__main__":
    main()
