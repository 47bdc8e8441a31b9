"""A client in Node, made of the .proto files alone, talks to a real server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.docs.documents import ROOT

PACKAGES = {"@grpc/grpc-js": "1.14.0", "@grpc/proto-loader": "0.8.0"}
CACHE = ROOT / ".cache" / "node"


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """A folder in which Node finds the packages; filled once. Where there is no Node, only CI minds."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, and there is no Node with npm")
        pytest.skip("there is no Node with npm")
    manifest = json.dumps({"private": True, "dependencies": PACKAGES})
    described = CACHE / "package.json"
    if not described.exists() or described.read_text() != manifest:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        # A lock file would name the address that packages came from.
        install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
        done = subprocess.run(
            [*install, "--prefix", str(CACHE), *packages], capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        described.write_text(manifest)
    return CACHE


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_node_creates_a_run_logs_columns_and_reads_them_back(address: str, node_modules: Path) -> None:
    client = Path(__file__).with_name("client.mjs")
    # A proxy that the environment names could not reach this server.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["node", str(client), address, str(ROOT / "protos"), str(node_modules)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("logged and read back\n")
