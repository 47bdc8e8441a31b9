"""The page on running a server says of its figures what a server says itself."""

import re
from collections.abc import Callable

import requests
import yaml
from tests.conftest import ServerProcess
from tests.docs.documents import ROOT, table_of

from trackwire import Client
from trackwire.columns import MetricColumns

PAGE = ROOT / "docs" / "operations.md"
ALERTS = ROOT / "docs" / "examples" / "prometheus-alerts.yaml"
# What Prometheus adds, and what several workers tell.
NOT_OF_A_SERVER_ALONE = {"up", "trackwire_worker_up"}
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


def test_queries_and_alerts_ask_for_what_a_server_tells(make_server_process: Callable[..., ServerProcess]) -> None:
    server = make_server_process("--http-port", "0")
    with Client(server.start()) as client, client.metric_writer(client.create_run().run_id) as writer:
        writer.add(MetricColumns(["loss"], [1], [1], [1], [0.5]))
    told = requests.get(f"{server.url}/metrics", timeout=30).text
    _, _, questions = PAGE.read_text().partition("| question | PromQL |")
    asked = re.findall(r"\| `(.*)` \|$", questions.partition("\n\n")[0], re.MULTILINE)
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len(asked) >= 15
    assert len(rules) >= 10
    for query in [*asked, *(rule["expr"] for rule in rules)]:
        assert {name for name in names_in(query) if f"\n{name}" not in told} <= NOT_OF_A_SERVER_ALONE, query
        for label, value in re.findall(r'(\w+)="([^"]+)"', query):
            assert label == "job" or f'{label}="{value}"' in told, query
        for label in re.findall(r"by \(([^)]*)\)|(\w+)=~", query):
            labels = {name.strip() for name in "".join(label).split(",")}
            assert {name for name in labels if f'{name}="' not in told} <= {"instance"}, query


def names_in(query: str) -> set[str]:
    """The figures that a query asks for."""
    return set(re.findall(r"\b(?:trackwire|process)_\w+|\bup\b", query))


def described_by(text: str) -> list[list[str]]:
    """The figures in an answer of /metrics, as rows of the page's table."""
    words = dict(re.findall(r"^# HELP (trackwire_\S+) (.*)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (trackwire_\S+) (\S+)$", text, re.MULTILINE))
    return [[f"`{name}`", kinds[name], labels_of(name, text), words[name]] for name in words]


def labels_of(name: str, text: str) -> str:
    """The names of a figure's labels, sorted."""
    [first, *_] = re.findall(rf"^{name}(?:_bucket)?(?:\{{(.*)\}})? \S+$", text, re.MULTILINE)
    return ", ".join(sorted(f"`{label}`" for label in re.findall(r"(\w+)=\"", first) if label != BUCKET))
