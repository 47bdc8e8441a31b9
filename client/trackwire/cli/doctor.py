"""`trackwire doctor`: what is installed here, and how the server is."""

import importlib.metadata
import platform
import statistics
import time
from typing import TYPE_CHECKING

import click

from trackwire.address import server_address
from trackwire.cli.output import message_document, print_fields, print_json, time_text
from trackwire.cli.session import Session, json_option
from trackwire.errors import TrackwireError, UnimplementedError

if TYPE_CHECKING:
    from trackwire.client import Client

PACKAGES = ("trackwire", "grpcio", "protobuf", "numpy", "click")
LATENCY_CALLS = 5


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check versions, the connection and the server's health; exit status 1 if anything is wrong."""
    session: Session = context.obj
    address = server_address(session.address)
    report: dict[str, object] = {"python": platform.python_version(), **versions(), "address": address}
    problem = ""
    try:
        report |= _server(session.client)
    except TrackwireError as error:
        problem = str(error)
    if not problem and report["health"] not in ("SERVING", "UNKNOWN"):
        problem = f"the server at {address} says that it is {report['health']}"
    if as_json:
        print_json(report | {"healthy": not problem, "problem": problem})
    else:
        _print(report, problem)
    context.exit(1 if problem else 0)


def versions() -> dict[str, object]:
    """The versions of what Trackwire stands on."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _server(client: "Client") -> dict[str, object]:
    info = client.get_server_info()
    latencies_ms = []
    for _ in range(LATENCY_CALLS):
        start = time.perf_counter()
        client.get_server_info()
        latencies_ms.append((time.perf_counter() - start) * 1_000)
    return {
        "health": _health(client),
        "latency_ms": round(statistics.median(latencies_ms), 2),
        "server": message_document(info),
    }


def _health(client: "Client") -> str:
    try:
        return client.check_health()
    except UnimplementedError:
        # A server may be behind a gateway that lets only Trackwire's own services through.
        return "UNKNOWN"


def _print(report: dict[str, object], problem: str) -> None:
    shown = {name: value for name, value in report.items() if name != "server"}
    server = report.get("server")
    if isinstance(server, dict):
        shown |= {
            f"server {name}".replace("_", " "): value for name, value in server.items() if name != "start_time_ms"
        }
        shown["server started"] = time_text(int(server["start_time_ms"]))
    print_fields(shown)
    click.echo(f"\nproblem: {problem}" if problem else "\nall is well")
