"""What the contract's page tells people to type at the HTTP port."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import ServerProcess
from tests.docs.documents import PROTOS, ROOT, block_of
from tests.docs.reader import reader_shell

DEFAULT_URL = "http://127.0.0.1:5000"


@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_lines_of_curl_log_and_read_back(make_server_process: Callable[..., ServerProcess], tmp_path: Path) -> None:
    server = make_server_process("--http-port", "0")
    shell = reader_shell(server.start(), tmp_path)
    blocks = block_of(PROTOS, "over HTTP"), block_of(PROTOS, "streams over HTTP")
    typed = "".join(blocks).replace(DEFAULT_URL, server.url).replace("--schema protos", f"--schema {ROOT / 'protos'}")
    # A proxy that the environment names could not reach this server.
    created, logged, summaries, refused, *read = shell(f"export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1\n{typed}").split(
        "\n", 4
    )
    assert json.loads(created)["run"]["tags"]["by"] == "hand"
    assert json.loads(logged) == {"storedPoints": "1"}
    assert json.loads(summaries)["summaries"][0]["key"] == "loss"
    assert json.loads(refused)["code"] == "not_found"
    assert json.loads("".join(read))["values"] == [0.5]
    assert server.stop() == 0
