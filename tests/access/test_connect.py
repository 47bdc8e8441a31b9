"""Tokens and TLS for the rpcs over HTTP: each is refused, by the same names as over gRPC, before it is read."""

import base64
import re
import socket
import ssl

import pytest
from google.protobuf.descriptor import MethodDescriptor
from tests.access.guarded import Guarded
from tests.rpc.test_every_rpc import METHODS
from tests.web.connected import Connected, Refusal, connected

from trackwire.client import Client
from trackwire.errors import TrackwireError
from trackwire_server.core.scopes import RPC_SCOPES
from trackwire_server.core.tokens import Scope

EVERY_METHOD = pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
SEARCH = "ExperimentService/SearchExperiments"


def over(guarded: Guarded, token: str = "") -> Connected:
    """A client that trusts the server, with a token by its name or as it is."""
    return connected(guarded.url, guarded.secrets.get(token, token), trusts=str(guarded.authority.path))


def refusal_of(client: Connected, method: MethodDescriptor) -> Refusal | None:
    """What an empty request is told."""
    rpc = f"{method.containing_service.name}/{method.name}"
    if method.client_streaming or method.server_streaming:
        return client.stream(rpc).end()
    answer = client.ask(rpc)
    return answer if isinstance(answer, Refusal) else None


@EVERY_METHOD
def test_call_without_a_token_is_refused(guarded: Guarded, method: MethodDescriptor) -> None:
    refusal = refusal_of(over(guarded), method)
    assert refusal is not None
    assert (refusal.code, refusal.reason) == ("unauthenticated", "TOKEN_MISSING")


@EVERY_METHOD
def test_call_with_a_scope_that_is_too_small_is_refused(guarded: Guarded, method: MethodDescriptor) -> None:
    needed = RPC_SCOPES[f"/{method.containing_service.full_name}/{method.name}"]
    for scope in Scope:
        name = scope.word
        refusal = refusal_of(over(guarded, name), method)
        if scope >= needed:
            assert refusal is None or refusal.code not in ("unauthenticated", "permission_denied")
        else:
            assert refusal is not None
            assert (refusal.code, refusal.reason) == ("permission_denied", "SCOPE_MISSING")
            words = f"token '{name}' has the scope {name}, and this needs {needed.word}"
            assert refusal.message == words


@pytest.mark.parametrize(("token", "reason"), [("", "TOKEN_MISSING"), ("tw_unheard", "TOKEN_UNKNOWN")])
def test_refusal_is_that_over_grpc(guarded: Guarded, token: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded.trust(monkeypatch)
    response = over(guarded, token).post(SEARCH, b"{}", "application/json")
    refusal = Refusal.read(response.json())
    with Client(guarded.address, token=token) as client, pytest.raises(TrackwireError) as raised:
        client.get_server_info()
    assert (response.status_code, refusal.reason) == (401, reason)
    assert (refusal.message, refusal.reason) == (str(raised.value), raised.value.reason)
    # A page that shows its own words for it needs no window of the browser's.
    assert "www-authenticate" not in response.headers


def test_bearer_and_basic_are_let_in(guarded: Guarded) -> None:
    assert isinstance(over(guarded, "read").ask(SEARCH), bytes)
    pair = base64.b64encode(f"read:{guarded.secrets['read']}".encode()).decode()
    assert isinstance(over(guarded).ask(SEARCH, authorization=f"Basic {pair}"), bytes)


@pytest.mark.parametrize("rpc", [SEARCH, "MetricService/ReadMetrics", "ArtifactService/UploadArtifact"])
def test_refused_request_is_not_read(guarded: Guarded, rpc: str) -> None:
    kind = "proto" if rpc == SEARCH else "connect+proto"
    head = f"POST /trackwire.v1.{rpc} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/{kind}\r\n"
    host, port = re.fullmatch(r"https://(.*):(\d+)", guarded.url).groups()  # type: ignore[union-attr]
    context = ssl.create_default_context(cafile=str(guarded.authority.path))
    plain = socket.create_connection((host, int(port)), timeout=30)
    with context.wrap_socket(plain, server_hostname=host) as connection:
        # Of what is announced nothing comes.
        connection.sendall(f"{head}content-length: 30000000\r\n\r\n".encode())
        answer = b""
        while b"unauthenticated" not in answer:
            part = connection.recv(65_536)
            assert part, answer
            answer += part


def test_no_log_shows_a_token_of_a_call_over_http(guarded: Guarded) -> None:
    for token in (*guarded.secrets, "tw_never_heard"):
        over(guarded, token).ask(SEARCH)
        over(guarded, token).stream("MetricService/TailMetrics").end()
    log = guarded.server.log_text()
    assert "Traceback" not in log
    secrets = [*guarded.secrets.values(), "tw_never_heard"]
    assert [secret for secret in secrets if secret in log or secret.removeprefix("tw_") in log] == []
