"""TLS on both ports, with and without certificates of clients, over real sockets."""

import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.access.guarded import LIBRARIES, Guarded, guarded_server
from tests.certificates import Authority, Pair
from tests.client.looped import LoopedClient
from tests.client.shipper.shipping import until

from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, TrackwireError, UnavailableError


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that asks clients for certificates."""
    mutual = guarded_server(tmp_path_factory.mktemp("mutual"), mutual=True)
    mutual.server.start()
    yield mutual
    assert mutual.server.stop() == 0, mutual.server.log_text()


@pytest.fixture(params=[Client, LoopedClient], ids=["blocking", "asyncio"])
def client_type(request: pytest.FixtureRequest) -> type[Client]:
    return request.param


def show(monkeypatch: pytest.MonkeyPatch, pair: Pair) -> None:
    monkeypatch.setenv("TRACKWIRE_CLIENT_CERT", str(pair.certificate))
    monkeypatch.setenv("TRACKWIRE_CLIENT_KEY", str(pair.key))


def experiment_name(client_type: type[Client], address: str) -> str:
    with client_type(address, timeout_seconds=20) as client:
        return client.get_experiment("0").name


def refusal(client_type: type[Client], address: str) -> TrackwireError:
    with client_type(address, timeout_seconds=20) as client, pytest.raises(TrackwireError) as caught:
        client.get_server_info()
    return caught.value


def test_ready_line_and_announcement_say_that_it_speaks_tls(guarded: Guarded) -> None:
    assert re.search(r" address=grpcs://127\.0\.0\.1:\d+ http=https://127\.0\.0\.1:\d+ ", guarded.server.ready_line)
    assert guarded.address.startswith("grpcs://")
    assert guarded.url.startswith("https://")


def test_client_that_trusts_the_authority_is_answered(
    guarded: Guarded, client_type: type[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.trust(monkeypatch, "read")
    assert experiment_name(client_type, guarded.address) == "Default"


def test_certificate_of_a_stranger_is_told(
    guarded: Guarded, client_type: type[Client], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    guarded.trust(monkeypatch, "read")
    monkeypatch.setenv("TRACKWIRE_CA_CERT", str(Authority(tmp_path, "stranger").path))
    error = refusal(client_type, guarded.address)
    assert isinstance(error, UnavailableError)
    assert f"the certificate of {guarded.address} is not trusted: TRACKWIRE_CA_CERT names whom to trust" in str(error)


def test_client_in_clear_is_told_how_to_speak_tls(
    guarded: Guarded, client_type: type[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.trust(monkeypatch)
    plain = guarded.address.removeprefix("grpcs://")
    assert f"if it speaks TLS, name it by grpcs://{plain}" in str(refusal(client_type, plain))
    # Nobody fills the server's log by that.
    assert "andshake" not in guarded.server.log_text()


def test_certificate_of_a_client_is_taken_from_whom_the_authority_vouches_for(
    mutual: Guarded, client_type: type[Client], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mutual.trust(monkeypatch, "read")
    assert f"{mutual.address} closes the connection: it may ask for a certificate" in str(
        refusal(client_type, mutual.address)
    )
    show(monkeypatch, Authority(tmp_path, "stranger").issue("trainer@example.org"))
    assert isinstance(refusal(client_type, mutual.address), UnavailableError)
    show(monkeypatch, mutual.client)
    assert experiment_name(client_type, mutual.address) == "Default"
    # As MLflow has it: both in one file.
    monkeypatch.delenv("TRACKWIRE_CLIENT_CERT")
    monkeypatch.delenv("TRACKWIRE_CLIENT_KEY")
    monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", str(mutual.client.both))
    assert experiment_name(client_type, mutual.address) == "Default"


def test_certificate_of_a_client_does_not_replace_a_token(mutual: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    mutual.trust(monkeypatch)
    show(monkeypatch, mutual.client)
    assert refusal(Client, mutual.address).reason == "TOKEN_MISSING"


def test_http_asks_for_certificates_as_grpc_does(mutual: Guarded, guarded: Guarded, tmp_path: Path) -> None:
    assert requests.get(f"{guarded.url}/health", verify=str(guarded.authority.path), timeout=30).text == "OK"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{guarded.url}/health", verify=str(mutual.authority.path), timeout=30)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(guarded.url.replace("https", "http") + "/health", timeout=30)
    known: dict[str, Any] = {"verify": str(mutual.authority.path), "timeout": 30}
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{mutual.url}/health", **known)
    stranger = Authority(tmp_path, "stranger").issue("trainer@example.org")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{mutual.url}/health", cert=(str(stranger.certificate), str(stranger.key)), **known)
    pair = (str(mutual.client.certificate), str(mutual.client.key))
    assert requests.get(f"{mutual.url}/health", cert=pair, **known).text == "OK"


def test_old_versions_of_tls_are_not_spoken(guarded: Guarded) -> None:
    context = ssl.create_default_context(cafile=str(guarded.authority.path))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    port = int(guarded.url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as spoken,
    ):
        assert spoken.version() in ("TLSv1.2", "TLSv1.3")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


@pytest.mark.parametrize("of", ["guarded", "mutual"])
def test_health_check_of_the_data_directory_needs_no_certificate_and_no_token(
    of: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(of).server
    command = [sys.executable, "-m", "trackwire_server", "--check", "--data-dir", str(server.data_dir)]
    done = subprocess.run(
        command, env={"PYTHONPATH": LIBRARIES}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": SERVING\n")


def test_renewed_certificate_is_shown_on_both_ports_without_a_restart(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.trust(monkeypatch, "read")
    before = {port: serial_at(guarded, port) for port in (guarded.address, guarded.url)}
    expired = datetime.now(UTC) - timedelta(hours=1)
    guarded.authority.issue(not_after=expired)
    assert until(lambda: "the certificate is not read anew" in guarded.server.log_text())
    assert "would be refused by clients: certificate has expired" in guarded.server.log_text()
    assert {port: serial_at(guarded, port) for port in before} == before
    guarded.authority.issue()
    assert until(lambda: all(serial_at(guarded, port) != before[port] for port in before))
    assert experiment_name(Client, guarded.address) == "Default"
    assert requests.get(f"{guarded.url}/health", verify=str(guarded.authority.path), timeout=30).text == "OK"


def serial_at(guarded: Guarded, place: str) -> object:
    """Tells the certificate that a port shows from others."""
    context = ssl.create_default_context(cafile=str(guarded.authority.path))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2])), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as spoken,
    ):
        certificate = spoken.getpeercert()
    assert certificate is not None
    return certificate["serialNumber"]


def test_idle_connection_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    alone = guarded_server(tmp_path, "--drain-seconds", "600")
    alone.server.start()
    with requests.Session() as session:
        assert session.get(f"{alone.url}/health", verify=str(alone.authority.path), timeout=30).text == "OK"
        assert alone.server.stop(timeout_seconds=60) == 0


@pytest.mark.parametrize(
    ("variable", "content", "words"),
    [
        ("TRACKWIRE_CA_CERT", None, "can't be read: No such file or directory"),
        ("TRACKWIRE_CA_CERT", "text", "holds no certificate in PEM"),
        ("MLFLOW_TRACKING_SERVER_CERT_PATH", "text", "holds no certificate in PEM"),
        ("TRACKWIRE_CLIENT_CERT", "text", "holds no certificate in PEM"),
        ("TRACKWIRE_CLIENT_CERT", "-----BEGIN CERTIFICATE-----", "holds no private key in PEM"),
        ("TRACKWIRE_CLIENT_KEY", "-----BEGIN PRIVATE KEY-----", "is of no use without TRACKWIRE_CLIENT_CERT"),
    ],
)
def test_bad_file_of_a_client_is_told_by_its_variable(
    variable: str, content: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(InvalidArgumentError, match=rf"^{variable}: .*{re.escape(words)}"):
        Client("grpcs://127.0.0.1:5051")
    # Nobody asks for it in clear.
    Client("127.0.0.1:5051").close()
