"""A client in Node, made of the .proto files alone, talks to a real server."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.access.guarded import Guarded
from tests.docs.documents import ROOT
from tests.polyglot.conftest import access


def run_client(address: str, node_modules: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the client, which learns by variables how to speak to a guarded server."""
    client = Path(__file__).with_name("client.mjs")
    # A proxy that the environment names could not reach this server.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        ["node", str(client), address, str(ROOT / "protos"), str(node_modules)],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_node_creates_a_run_logs_columns_and_reads_them_back(address: str, node_modules: Path) -> None:
    done = run_client(address, node_modules)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("logged and read back\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_node_does_the_same_over_tls_with_a_certificate_and_a_token(mutual: Guarded, node_modules: Path) -> None:
    done = run_client(mutual.address.removeprefix("grpcs://"), node_modules, **access(mutual, "write"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("logged and read back\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("token", "left_out", "words"),
    [
        ("", "", "UNAUTHENTICATED: there is no token"),
        ("unheard", "", "UNAUTHENTICATED: the token is not known"),
        ("read", "", "PERMISSION_DENIED: token 'read' has the scope read, and this needs write"),
        ("write", "TRACKWIRE_CLIENT_CERT", "UNAVAILABLE"),
        ("write", "TRACKWIRE_CA_CERT", "UNAVAILABLE"),
    ],
)
def test_node_is_told_what_it_lacks(mutual: Guarded, node_modules: Path, token: str, left_out: str, words: str) -> None:
    variables = access(mutual, token)
    if left_out == "TRACKWIRE_CLIENT_CERT":
        del variables["TRACKWIRE_CLIENT_CERT"], variables["TRACKWIRE_CLIENT_KEY"]
    elif left_out:
        del variables[left_out]
    done = run_client(mutual.address.removeprefix("grpcs://"), node_modules, **variables)
    assert done.returncode != 0
    assert words in done.stderr
