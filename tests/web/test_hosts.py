"""Which hosts a request may look for: a page that has its own name lead to this machine gets nothing."""

import http.client
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from tests.access.guarded import guarded_server
from tests.conftest import ServerProcess
from tests.web.conftest import Doors
from tests.web.connected import Refusal

from trackwire_server.web.hosts import Hosts

MakeServer = Callable[..., ServerProcess]
REBOUND = "rebound.example:5000"
OURS = ["127.0.0.1", "127.0.0.1:5000", "localhost:5000", "LOCALHOST", "localhost.", "a.localhost:1", "[::1]:5000"]
OURS += ["10.1.2.3:80", "203.0.113.7", "[2001:db8::1]", socket.gethostname(), f"{socket.gethostname()}:5000"]
OTHERS = [REBOUND, "rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example", "1.2.3", "", ":5000"]
OTHERS += ["rebound.example:80:5000", "notlocalhost", "localhost:x"]


@pytest.mark.parametrize("said", OURS)
def test_addresses_and_names_of_this_machine_are_its_own(said: str) -> None:
    assert Hosts().has(said)


@pytest.mark.parametrize("said", OTHERS)
def test_other_names_are_not(said: str) -> None:
    assert not Hosts().has(said)


@pytest.mark.parametrize(
    ("pattern", "said", "has"),
    [
        ("tracker.example", "Tracker.Example:443", True),
        ("tracker.example", "tracker.example.", True),
        ("tracker.example", "a.tracker.example", False),
        ("tracker.example", "tracker.example.rebound.example", False),
        ("*.example", "a.tracker.example", True),
        ("*.example", "tracker.examples", False),
        ("tracker.example:5000", "tracker.example:5000", True),
        ("tracker.example:5000", "tracker.example:5001", False),
        ("a.b", "axb", False),
    ],
)
def test_pattern_is_of_the_name_or_of_name_and_port(pattern: str, said: str, has: bool) -> None:
    assert Hosts([pattern]).has(said) == has


def get(server: ServerProcess, path: str, host: str) -> requests.Response:
    return requests.get(server.url + path, headers={"host": host}, timeout=30)


def test_rebound_page_is_told_the_header_and_the_setting(doors: Doors) -> None:
    words = f"Host: '{REBOUND}': is no name of this server; if it is one, give it to --allowed-hosts"
    refused = get(doors.server, "/api/2.0/mlflow/experiments/get?experiment_id=0", REBOUND)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert refused.json()["message"] == words
    call = doors.http.ask("ExperimentService/SearchExperiments", host=REBOUND)
    assert isinstance(call, Refusal)
    assert (call.code, call.message) == ("permission_denied", words)
    assert get(doors.server, "/metrics", REBOUND).status_code == 403
    assert get(doors.server, "/health", REBOUND).status_code == get(doors.server, "/ready", REBOUND).status_code == 200


def test_who_names_no_host_is_no_page(doors: Doors) -> None:
    connection = http.client.HTTPConnection(doors.server.url.removeprefix("http://"), timeout=30)
    connection.putrequest("GET", "/version", skip_host=True)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()


def test_health_below_a_prefix_is_told_to_everybody(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--static-prefix", "/a")
    server.start()
    assert get(server, "/a/health", REBOUND).status_code == 200
    assert get(server, "/a/version", REBOUND).status_code == 403


def test_name_that_is_given_is_answered_and_so_are_addresses(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--allowed-hosts", "tracker.example, *.intern.example")
    server.start()
    for host in ("tracker.example", "a.intern.example:5000", "127.0.0.1:1"):
        assert get(server, "/version", host).status_code == 200
    assert get(server, "/version", REBOUND).status_code == 403


def test_every_name_is_answered_where_that_is_said(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", MLFLOW_SERVER_ALLOWED_HOSTS="*")
    server.start()
    assert get(server, "/version", REBOUND).status_code == 200


@pytest.mark.parametrize(("flags", "status"), [((), 200), (("--allowed-hosts", "tracker.example"), 403)])
def test_with_tokens_every_name_is_answered_unless_some_are_given(
    tmp_path: Path, flags: tuple[str, ...], status: int
) -> None:
    guarded = guarded_server(tmp_path, *flags)
    guarded.server.start()
    headers = {"host": REBOUND, "authorization": f"Bearer {guarded.secrets['read']}"}
    answer = requests.get(f"{guarded.url}/version", headers=headers, verify=str(guarded.authority.path), timeout=30)
    assert answer.status_code == status
    assert guarded.server.stop() == 0
