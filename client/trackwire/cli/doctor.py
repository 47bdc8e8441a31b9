"""`trackwire doctor`: what is installed here, and how the server is."""

import importlib.metadata
import platform
import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from trackwire.address import server_address
from trackwire.cli.findings import Finding, findings
from trackwire.cli.output import message_document, print_fields, print_json, time_text
from trackwire.cli.session import Session, json_option
from trackwire.errors import TrackwireError, UnimplementedError

if TYPE_CHECKING:
    from trackwire.client import Client

PACKAGES = ("trackwire", "grpcio", "protobuf", "numpy", "click")
LATENCY_CALLS = 5
# In words, or where they mean something.
_TOLD_OTHERWISE = ("start_time_ms", "time_ms", "load")


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check versions, the connection, the server's health and load; exit status 1 if anything is wrong."""
    session: Session = context.obj
    address = server_address(session.address)
    report: dict[str, object] = {"python": platform.python_version(), **versions(), "address": address}
    found: list[Finding] = []
    try:
        report |= _server(session.client, found)
    except TrackwireError as error:
        found.append(Finding(str(error)))
    problems = [finding.words for finding in found if finding.is_problem]
    notes = [finding.words for finding in found if not finding.is_problem]
    if as_json:
        print_json(report | {"healthy": not problems, "problem": "; ".join(problems), "notes": notes})
    else:
        _print(report, problems, notes)
    context.exit(1 if problems else 0)


def versions() -> dict[str, object]:
    """The versions of what Trackwire stands on."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _server(client: "Client", found: list[Finding]) -> dict[str, object]:
    """What a server tells of itself; what that means is added to what was found."""
    # The first call connects.
    client.get_server_info()
    latencies_ms = []
    for _ in range(LATENCY_CALLS):
        start, start_seconds = time.perf_counter(), time.time()
        info = client.get_server_info()
        latencies_ms.append((time.perf_counter() - start) * 1_000)
    health = _health(client)
    if health not in ("SERVING", "UNKNOWN"):
        found.append(Finding(f"the server at {client.address} says that it is {health}"))
    # Somewhere between the call and its answer.
    ahead_seconds = info.time_ms / 1e3 - (start_seconds + latencies_ms[-1] / 2e3)
    found += findings(info, ahead_seconds=ahead_seconds)
    return {"health": health, "latency_ms": round(statistics.median(latencies_ms), 2), "server": message_document(info)}


def _health(client: "Client") -> str:
    try:
        return client.check_health()
    except UnimplementedError:
        # A server may be behind a gateway that lets only Trackwire's own services through.
        return "UNKNOWN"


def _print(report: dict[str, object], problems: Sequence[str], notes: Sequence[str]) -> None:
    shown = {name: value for name, value in report.items() if name != "server"}
    server = report.get("server")
    if isinstance(server, dict):
        shown |= {
            f"server {name}".replace("_", " "): value for name, value in server.items() if name not in _TOLD_OTHERWISE
        }
        shown["server started"] = time_text(int(server["start_time_ms"]))
    print_fields(shown)
    click.echo()
    for words in problems:
        click.echo(f"problem: {words}")
    for words in notes:
        click.echo(f"note: {words}")
    if not problems:
        click.echo("all is well")
