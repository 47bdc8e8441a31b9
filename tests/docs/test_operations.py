"""The page on running a server says of its figures what a server says itself."""

import re
from collections.abc import Callable

import requests
from tests.conftest import ServerProcess
from tests.docs.documents import ROOT, table_of

from trackwire import Client

PAGE = ROOT / "docs" / "operations.md"
# Of a histogram's samples, not of its series.
BUCKET = "le"


def test_figures_are_those_of_a_server(make_server_process: Callable[..., ServerProcess]) -> None:
    server = make_server_process("--http-port", "0")
    with Client(server.start()) as client:
        # Of calls there is something to tell once there was one.
        client.get_server_info()
    requests.get(f"{server.url}/health", timeout=30)
    told = described_by(requests.get(f"{server.url}/metrics", timeout=30).text)
    assert sorted(told) == sorted(table_of(PAGE, "figures"))


def test_queries_ask_for_figures_that_there_are() -> None:
    told = {name.strip("`") for name, *_ in table_of(PAGE, "figures")}
    _, _, questions = PAGE.read_text().partition("| question | PromQL |")
    asked = re.findall(r"trackwire_\w+", questions.partition("\n\n")[0])
    assert len(asked) >= 10
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} <= told


def described_by(text: str) -> list[list[str]]:
    """The figures in an answer of /metrics, as rows of the page's table."""
    words = dict(re.findall(r"^# HELP (trackwire_\S+) (.*)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (trackwire_\S+) (\S+)$", text, re.MULTILINE))
    return [[f"`{name}`", kinds[name], labels_of(name, text), words[name]] for name in words]


def labels_of(name: str, text: str) -> str:
    """The names of a figure's labels, sorted."""
    [first, *_] = re.findall(rf"^{name}(?:_bucket)?(?:\{{(.*)\}})? \S+$", text, re.MULTILINE)
    return ", ".join(sorted(f"`{label}`" for label in re.findall(r"(\w+)=\"", first) if label != BUCKET))
