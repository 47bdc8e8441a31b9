"""Where the server's web UI is, if it has one."""

import urllib.request

from examples.digits.server_process import RunningServer
from rich.console import Console

ANSWER_SECONDS_MAX = 10.0


def find_pages(server: RunningServer) -> str | None:
    """Their address; None where HTTP is off, where they aren't built, and where a certificate isn't trusted."""
    if not server.url:
        return None
    # It is on this machine: no proxy of the environment knows it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{server.url}/", headers={"Accept": "text/html"})
    try:
        with opener.open(request, timeout=ANSWER_SECONDS_MAX) as answer:
            # Behind a prefix it is another one than was asked for.
            return str(answer.url) if answer.headers.get_content_type() == "text/html" else None
    except OSError:
        return None


def print_pages(console: Console, pages: str | None) -> None:
    """Where to look while it trains, or that there is nothing to look at."""
    if pages is None:
        console.print("[bold]Web UI[/bold]  none here; `scripts/build_ui` builds it", highlight=False)
    else:
        console.print(f"[bold]Web UI[/bold]  {pages}", highlight=False, soft_wrap=True)


def print_address_of_runs(console: Console, pages: str, experiment_id: str) -> None:
    """The experiment's page, for a browser."""
    console.print(f"Look at it: {pages}#/experiments/{experiment_id}", style="bold", highlight=False, soft_wrap=True)
