"""Tokens over real sockets: what is refused on both ports, in which words, and what is let in."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from tests.access.guarded import LIBRARIES, Guarded, tokens_command
from tests.client.looped import LoopedClient
from tests.client.shipper.shipping import until

from trackwire.client import Client
from trackwire.errors import PermissionDeniedError, TrackwireError, UnauthenticatedError

STREAMED = b"x" * 10_000_000


@pytest.fixture(autouse=True)
def trusted(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that trusts the server, and has no token."""
    guarded.trust(monkeypatch)


@pytest.fixture(params=[Client, LoopedClient], ids=["blocking", "asyncio"])
def client_of(request: pytest.FixtureRequest, guarded: Guarded) -> Iterator[Callable[[str], Client]]:
    """`client_of("read")`: a client with that token; closed at the end."""
    made: list[Client] = []

    def make(token: str) -> Client:
        made.append(request.param(guarded.address, token=guarded.secrets.get(token, token)))
        return made[-1]

    yield make
    for client in made:
        client.close()


def calls_of(client: Client, run_id: str) -> list[Callable[[], object]]:
    """One of each of the four kinds that there are: unary, streams either way, and bytes that are no message to us."""
    return [
        client.get_server_info,
        lambda: client.get_run(run_id),
        lambda: client.read_metrics(run_id),
        lambda: client.upload_bytes(run_id, STREAMED, "large.bin"),
        lambda: client.log_metrics(run_id, {"loss": 0.5}),
    ]


def refusal_of(call: Callable[[], object]) -> TrackwireError:
    with pytest.raises(TrackwireError) as caught:
        call()
    return caught.value


def test_health_alone_answers_without_a_token(guarded: Guarded, client_of: Callable[[str], Client]) -> None:
    client = client_of("")
    assert client.check_health() == "SERVING"
    for call in calls_of(client, "r"):
        error = refusal_of(call)
        assert isinstance(error, UnauthenticatedError)
        assert error.reason == "TOKEN_MISSING"
        assert "TRACKWIRE_TOKEN" in str(error)


def test_unknown_token_is_refused_by_every_kind_of_call(client_of: Callable[[str], Client]) -> None:
    for call in calls_of(client_of("tw_unheard"), "r"):
        error = refusal_of(call)
        assert isinstance(error, UnauthenticatedError)
        assert error.reason == "TOKEN_UNKNOWN"
        assert "tw_unheard" not in str(error)


def test_scopes_let_in_what_they_cover(client_of: Callable[[str], Client]) -> None:
    read, write, admin = client_of("read"), client_of("write"), client_of("admin")
    run_id = write.create_run().run_id
    write.log_metrics(run_id, {"loss": 0.5})
    write.upload_bytes(run_id, STREAMED, "large.bin")
    assert read.read_metrics(run_id, "loss").series[0].values.tolist() == [0.5]
    assert read.get_run(run_id).run_id == admin.get_run(run_id).run_id == run_id
    for call in (lambda: read.log_metrics(run_id, {"a": 1}), lambda: read.upload_bytes(run_id, STREAMED, "a")):
        error = refusal_of(call)
        assert isinstance(error, PermissionDeniedError)
        assert str(error) == "token 'read' has the scope read, and this needs write"
    assert refusal_of(lambda: write.collect_garbage(dry_run=True)).reason == "SCOPE_MISSING"
    assert admin.collect_garbage(dry_run=True) is not None


def test_token_of_the_environment_is_sent(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", guarded.secrets["read"])
    with Client(guarded.address) as client:
        assert client.get_experiment("0").name == "Default"
    monkeypatch.setenv("TRACKWIRE_TOKEN", "tw_goes_before")
    with Client(guarded.address) as client:
        assert refusal_of(client.get_server_info).reason == "TOKEN_UNKNOWN"
    monkeypatch.delenv("TRACKWIRE_TOKEN")
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "read")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", guarded.secrets["read"])
    with Client(guarded.address) as client:
        assert client.get_experiment("0").name == "Default"


@pytest.mark.parametrize("bad", ["two words", "tw_ü", "line\nbreak"])
def test_token_that_can_be_none_is_told_by_its_variable_and_not_shown(bad: str, guarded: Guarded) -> None:
    environment = {**guarded.environment(), "TRACKWIRE_TOKEN": bad, "PYTHONPATH": LIBRARIES}
    command = [sys.executable, "-m", "trackwire", "--server", guarded.address, "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "TRACKWIRE_TOKEN: must be one word of ASCII" in done.stdout
    assert bad not in done.stdout + done.stderr


def test_token_is_not_sent_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKWIRE_TOKEN", "tw_secret")
    with pytest.raises(TrackwireError) as caught:
        Client("tracker.example:5051")
    assert caught.value.reason == "TOKEN_NEEDS_TLS"
    assert "grpcs://tracker.example:5051" in str(caught.value)
    assert "TRACKWIRE_ALLOW_PLAINTEXT_TOKEN=true" in str(caught.value)
    assert str(caught.value).startswith("TRACKWIRE_TOKEN: ")
    assert "tw_secret" not in str(caught.value)
    monkeypatch.setenv("TRACKWIRE_ALLOW_PLAINTEXT_TOKEN", "true")
    Client("tracker.example:5051").close()
    monkeypatch.delenv("TRACKWIRE_ALLOW_PLAINTEXT_TOKEN")
    for address in ("127.0.0.1:5051", "[::1]:5051", "grpcs://tracker.example"):
        Client(address).close()


def get(guarded: Guarded, path: str, **headers: str) -> requests.Response:
    return requests.get(guarded.url + path, headers=headers, verify=str(guarded.authority.path), timeout=30)


def test_health_and_the_web_ui_alone_answer_over_http_without_a_token(guarded: Guarded) -> None:
    assert get(guarded, "/health").text == "OK"
    assert get(guarded, "/").text.startswith("Trackwire\n")
    assert get(guarded, "/assets/nothing.js").status_code == 404
    for path in ("/version", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/get-artifact", "/nowhere"):
        answer = get(guarded, path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer, Basic realm="Trackwire", charset="UTF-8"'
        assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_bearer_and_basic_are_let_in_over_http(guarded: Guarded) -> None:
    secret = guarded.secrets["read"]
    assert get(guarded, "/version", Authorization=f"Bearer {secret}").status_code == 200
    known: dict[str, Any] = {"verify": str(guarded.authority.path), "timeout": 30}
    assert requests.get(f"{guarded.url}/version", auth=("read", secret), **known).status_code == 200
    refused = requests.get(f"{guarded.url}/version", auth=("write", secret), **known)
    assert (refused.status_code, "not known" in refused.json()["message"]) == (401, True)


def test_scope_of_a_request_over_http_is_that_of_what_it_does(guarded: Guarded) -> None:
    api = f"{guarded.url}/api/2.0/mlflow"

    def post(token: str, path: str, **fields: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {guarded.secrets[token]}"}
        return requests.post(api + path, json=fields, headers=headers, verify=str(guarded.authority.path), timeout=30)

    assert post("read", "/runs/search", experiment_ids=["0"]).status_code == 200
    refused = post("read", "/runs/create", experiment_id="0")
    assert refused.status_code == 403
    assert refused.json() == {
        "error_code": "PERMISSION_DENIED",
        "message": "token 'read' has the scope read, and this needs write",
    }
    assert post("write", "/runs/create", experiment_id="0").status_code == 200


def test_new_token_counts_and_a_revoked_one_does_not_without_a_restart(guarded: Guarded) -> None:
    secret = guarded.create("passing", "read")
    with Client(guarded.address, token=secret) as client:

        def is_known() -> bool:
            try:
                client.get_server_info()
            except UnauthenticatedError:
                return False
            return True

        assert until(is_known)
        run_id = _run_with_points(guarded)
        tail = client.tail_metrics(run_id)
        next(tail)
        tokens_command("revoke", "passing", file=guarded.tokens_file)
        assert until(lambda: not is_known())
        # What was open ends with the next that it would have said.
        with Client(guarded.address, token=guarded.secrets["write"]) as writer:
            writer.log_metrics(run_id, {"loss": 0.25})
        with pytest.raises(UnauthenticatedError):
            list(tail)
        assert get(guarded, "/version", Authorization=f"Bearer {secret}").status_code == 401


def _run_with_points(guarded: Guarded) -> str:
    with Client(guarded.address, token=guarded.secrets["write"]) as client:
        run_id = client.create_run().run_id
        client.log_metrics(run_id, {"loss": 0.5})
    return run_id


def test_file_that_breaks_leaves_the_tokens_as_they_were(guarded: Guarded) -> None:
    whole = guarded.tokens_file.read_text()
    with Client(guarded.address, token=guarded.secrets["read"]) as client:
        guarded.tokens_file.write_text("[[token")
        assert until(lambda: "the tokens are not read anew" in guarded.server.log_text())
        assert client.get_server_info().version
        seen = guarded.server.log_text().count("the tokens are read anew")
        guarded.tokens_file.write_text(whole)
        assert until(lambda: guarded.server.log_text().count("the tokens are read anew") > seen)


def test_refused_request_is_not_read(guarded: Guarded) -> None:
    """What nobody has let in must not fill the memory: a stream that never ends is refused at its beginning."""

    def endless() -> Iterator[bytes]:
        while True:
            time.sleep(0.01)
            yield b"\0" * 100_000

    credentials = grpc.ssl_channel_credentials(guarded.authority.path.read_bytes())
    with grpc.secure_channel(guarded.address.removeprefix("grpcs://"), credentials) as channel:
        upload = channel.stream_unary("/trackwire.v1.ArtifactService/UploadArtifact")
        with pytest.raises(grpc.RpcError) as caught:
            upload(endless(), timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_no_log_shows_a_token(guarded: Guarded, tmp_path: Path) -> None:
    secrets = [*guarded.secrets.values(), "tw_never_heard"]
    for secret in secrets:
        with Client(guarded.address, token=secret) as client:
            for call in calls_of(client, "no such run"):
                with suppress(TrackwireError):
                    call()
        for header in (f"Bearer {secret}", f"Basic {secret}", secret):
            get(guarded, "/version", Authorization=header)
            get(guarded, f"/nowhere?token={len(secret)}", Authorization=header)
    log = guarded.server.log_text()
    assert log.count("code=UNAUTHENTICATED") >= 5
    assert [secret for secret in secrets if secret in log or secret.removeprefix("tw_") in log] == []
