"""The quickstart ends with an address, and there is what it trained."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect
from tests.conftest import ROOT
from tests.ui.conftest import OpenPage


@pytest.mark.timeout(300)
def test_address_at_the_end_is_that_of_its_runs(open_page: OpenPage, tmp_path: Path) -> None:
    ports = {"TRACKWIRE_PORT": "0", "TRACKWIRE_HTTP_PORT": "0", "TRACKWIRE_DATA_DIR": str(tmp_path / "data")}
    ended = subprocess.run(
        [sys.executable, "-m", "examples.digits", "--epochs", "1", "--keep"],
        cwd=ROOT,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    server = re.search(r"pid (\d+), started", ended.stdout)
    assert server is not None, ended.stdout
    kept = psutil.Process(int(server[1]))
    try:
        address = re.search(r"^Look at it: (http\S+)$", ended.stdout, re.MULTILINE)
        assert address is not None, ended.stdout
        assert f"Web UI  {address[1].partition('#')[0]}\n" in ended.stdout
        page = open_page(address[1])
        expect(page.get_by_role("heading", name="digits")).to_be_visible()
        page.goto("about:blank")
    finally:
        kept.send_signal(signal.SIGTERM)
        kept.wait(60)
