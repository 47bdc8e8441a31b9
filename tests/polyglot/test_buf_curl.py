"""A shell without any .proto file talks to the server, by the very lines that README prints."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.access.guarded import Guarded
from tests.docs.documents import README, ROOT, block_of
from tests.docs.reader import Shell
from tests.polyglot.conftest import access


def documents_in(text: str) -> list[dict[str, object]]:
    """JSON documents that were printed one after the other."""
    decoder, documents = json.JSONDecoder(), []
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        documents.append(document)
        text = text.lstrip()[end:]
    return documents


@pytest.mark.timeout(180)
def test_readme_lines_create_a_run_log_and_read_back(shell: Shell) -> None:
    created, logged, *read, ended = documents_in(shell(block_of(README, "shell")))
    assert created["created"] is True
    assert logged == {"storedPoints": "2"}
    assert read[0]["series"] == [{"runId": "from-a-shell", "key": "loss"}]
    assert read[0]["steps"] == ["1", "2"]
    assert read[0]["values"] == [0.5, 0.25]
    assert read[-1]["tailToken"]
    assert "RUN_STATUS_FINISHED" in json.dumps(ended)


def test_refusal_is_printed_with_its_code_and_field(shell: Shell) -> None:
    call, _, _ = block_of(README, "shell").partition("\n\n")
    answer = shell(f'{call}\ncall RunService/GetRun \'{{"run_id": "nobody"}}\' 2>&1 || true')
    assert '"code": "not_found"' in answer
    assert "google.rpc.ErrorInfo" in answer
    assert "nobody" in answer


def curl(guarded: Guarded, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Has `buf curl` create a run over TLS."""
    url = f"{guarded.address.replace('grpcs', 'https')}/trackwire.v1.RunService/CreateRun"
    buf = Path(sys.executable).with_name("buf")
    command = [str(buf), "curl", "--protocol", "grpc", "--data", '{"experiment_id": "0"}', *arguments, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def flags(guarded: Guarded, token: str, *, shows_certificate: bool = True) -> list[str]:
    """What it needs for that."""
    said = access(guarded, token)
    flags = ["--cacert", said["TRACKWIRE_CA_CERT"]]
    if shows_certificate:
        flags += ["--cert", said["TRACKWIRE_CLIENT_CERT"], "--key", said["TRACKWIRE_CLIENT_KEY"]]
    return [*flags, "--header", f"authorization: Bearer {said['TRACKWIRE_TOKEN']}"] if token else flags


def test_shell_reaches_a_guarded_server_with_a_certificate_and_a_token(mutual: Guarded) -> None:
    done = curl(mutual, *flags(mutual, "write"), "--reflect-header", "*")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["created"] is True


def test_reflection_needs_a_token_too(mutual: Guarded) -> None:
    done = curl(mutual, *flags(mutual, "write"))
    assert done.returncode != 0
    assert "failed to find service" in done.stderr


# It hides why reflection was refused: here it reads the contract.
SCHEMA = ("--schema", str(ROOT / "protos"))


@pytest.mark.parametrize(
    ("token", "code", "words"),
    [
        ("", "unauthenticated", "there is no token"),
        ("unheard", "unauthenticated", "the token is not known"),
        ("read", "permission_denied", "token 'read' has the scope read, and this needs write"),
    ],
)
def test_shell_is_told_what_its_token_lacks(mutual: Guarded, token: str, code: str, words: str) -> None:
    done = curl(mutual, *SCHEMA, *flags(mutual, token))
    assert done.returncode != 0
    assert f'"code": "{code}"' in done.stderr
    assert words in done.stderr


def test_shell_without_a_certificate_is_not_heard(mutual: Guarded) -> None:
    done = curl(mutual, *SCHEMA, *flags(mutual, "write", shows_certificate=False))
    assert done.returncode != 0
    # The server hangs up while the request is on its way: which of the two the shell sees first is not said.
    assert any(f'"code": "{code}"' in done.stderr for code in ("unavailable", "canceled")), done.stderr
    assert "created" not in done.stdout
