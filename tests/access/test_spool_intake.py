"""A server behind TLS, certificates of clients and tokens takes in the spool beside its data all the same."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.access.guarded import Guarded, guarded_server
from tests.client.shipper.shipping import begin, finish, log_points, until

from trackwire.client import Client
from trackwire.errors import UnauthenticatedError
from trackwire.spool.stream import SpoolStream


@pytest.fixture(params=["tokens", "tls", "all"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guarded]:
    """One that asks for tokens, speaks TLS, or asks for all that can be asked for."""
    guarded = guarded_server(tmp_path, mutual=request.param == "all")
    arguments = list(guarded.server.arguments)
    dropped = {"tokens": ("--tls-cert", "--tls-key"), "tls": ("--tokens-file",), "all": ()}[request.param]
    for flag in dropped:
        at = arguments.index(flag)
        del arguments[at : at + 2]
    guarded.server.arguments = arguments
    guarded.server.start()
    yield guarded
    assert guarded.server.stop() == 0, guarded.server.log_text()


@pytest.fixture
def client(server: Guarded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    server.trust(monkeypatch, "read")
    monkeypatch.setenv("TRACKWIRE_CLIENT_CERT", str(server.client.certificate))
    monkeypatch.setenv("TRACKWIRE_CLIENT_KEY", str(server.client.key))
    with Client(server.address) as client:
        yield client


def test_runs_without_a_server_and_those_that_name_this_one_are_taken_in(server: Guarded, client: Client) -> None:
    spool = server.server.data_dir / "spool"
    port = server.address.rpartition(":")[2]
    named = {"nameless": "", "by-number": f"127.0.0.1:{port}", "by-name": f"grpcs://localhost:{port}"}
    streams = [_whole_stream(spool, run_id, address) for run_id, address in named.items()]
    assert until(lambda: not any(stream.place.folder.exists() for stream in streams))
    for run_id in named:
        assert client.read_metrics(run_id, "loss").series[0].values.tolist() == [0, 1, 2]
    # Its token is for nobody else to see, and not for the other port.
    log = (spool / "shipper.log").read_text()
    assert "tw_" not in log + server.server.log_text()


def _whole_stream(spool: Path, run_id: str, address: str) -> SpoolStream:
    stream = begin(spool, run_id, address)
    log_points(stream, [0, 1, 2])
    finish(stream)
    return stream


def test_inner_port_takes_the_servers_own_token_alone(server: Guarded, client: Client) -> None:
    announced = server.server.data_dir / "server.json"
    assert until(announced.exists)
    inner = _inner_address(announced)
    assert inner.startswith("127.0.0.1:")
    for token in ("", server.secrets["admin"]):
        with Client(inner, token=token) as stranger:
            assert stranger.check_health() == "SERVING"
            with pytest.raises(UnauthenticatedError):
                stranger.get_server_info()


def _inner_address(announced: Path) -> str:
    return str(json.loads(announced.read_text())["inner_address"])
