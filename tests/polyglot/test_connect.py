"""The client that pages in browsers use, in Node, and `buf curl` speak Connect with a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.access.guarded import Guarded
from tests.conftest import ServerProcess
from tests.docs.documents import ROOT
from tests.polyglot.conftest import access

BUF = str(Path(sys.executable).with_name("buf"))
PROTOS = str(ROOT / "protos")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = ServerProcess(tmp_path_factory.mktemp("connect") / "data", http_port="0")
    server.start()
    yield server.url
    assert server.stop() == 0, server.log_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("message_format", ["binary", "json"])
def test_client_of_pages_logs_tails_and_reads_back(
    url: str, node_modules: Path, tmp_path: Path, message_format: str
) -> None:
    descriptors = tmp_path / "contract.binpb"
    subprocess.run([BUF, "build", PROTOS, "-o", str(descriptors)], check=True, timeout=60)
    client = Path(__file__).with_name("connect.mjs")
    # A proxy that the environment names could not reach this server.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["node", str(client), url, str(descriptors), str(node_modules), message_format],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("logged, tailed and read back\n")


def curl(url: str, rpc: str, data: object, *flags: str) -> "subprocess.CompletedProcess[str]":
    """One call, by the contract's own files: there is no reflection over HTTP."""
    command = [BUF, "curl", "--protocol", "connect", "--schema", PROTOS, "--data", json.dumps(data), *flags]
    place = f"{url}/trackwire.v1.{rpc}"
    return subprocess.run([*command, place], capture_output=True, text=True, timeout=60, check=False)


def test_shell_logs_and_reads_back(url: str) -> None:
    created = curl(url, "RunService/CreateRun", {"experiment_id": "0", "run_id": "from-a-shell"})
    assert json.loads(created.stdout)["created"] is True, created.stderr
    points = [{"key": "loss", "value": 0.5, "step": 1}]
    logged = curl(url, "MetricService/LogMetrics", {"run_id": "from-a-shell", "points": points})
    assert json.loads(logged.stdout) == {"storedPoints": "1"}, logged.stderr
    read = curl(url, "MetricService/ReadMetrics", {"run_ids": ["from-a-shell"]})
    assert json.loads(read.stdout)["values"] == [0.5], read.stderr


@pytest.mark.parametrize(
    ("rpc", "data", "code", "words"),
    [
        ("RunService/GetRun", {"run_id": "nobody"}, "not_found", "run 'nobody' does not exist"),
        ("MetricService/ReadMetrics", {"run_ids": ["nobody"]}, "not_found", "run 'nobody' does not exist"),
        ("ArtifactService/UploadArtifact", {}, "unimplemented", "takes a stream of requests"),
    ],
)
def test_refusal_is_printed_with_its_code_and_words(url: str, rpc: str, data: object, code: str, words: str) -> None:
    done = curl(url, rpc, data)
    assert done.returncode != 0
    assert f'"code": "{code}"' in done.stderr
    assert words in done.stderr
    assert "google.rpc.ErrorInfo" in done.stderr


@pytest.mark.parametrize(("token", "code"), [("write", ""), ("read", "permission_denied"), ("", "unauthenticated")])
def test_shell_calls_a_guarded_server(mutual: Guarded, token: str, code: str) -> None:
    said = access(mutual, token)
    flags = ["--cacert", said["TRACKWIRE_CA_CERT"], "--cert", said["TRACKWIRE_CLIENT_CERT"]]
    flags += ["--key", said["TRACKWIRE_CLIENT_KEY"]]
    if token:
        flags += ["--header", f"authorization: Bearer {said['TRACKWIRE_TOKEN']}"]
    done = curl(mutual.url, "RunService/CreateRun", {"experiment_id": "0"}, *flags)
    if code:
        assert f'"code": "{code}"' in done.stderr
    else:
        assert json.loads(done.stdout)["created"] is True, done.stderr
